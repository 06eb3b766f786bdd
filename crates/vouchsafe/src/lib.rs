#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod account;
mod act;
mod alarms;
mod answer;
mod approval;
mod audit;
mod backup;
mod bundle;
mod cause;
mod certificate;
mod close;
mod consents;
mod contradiction;
mod core;
mod correct;
mod destroy;
mod digest;
mod disclose;
mod documents;
mod enrol;
mod error;
mod events;
mod facts;
mod handover;
mod holds;
mod honey;
mod inventory;
mod jobs;
mod leases;
mod lives;
mod logs;
mod marks;
mod messages;
mod offboard;
mod once;
mod orders;
mod organisation;
mod packs;
mod payload;
mod policy;
mod ports;
mod projector;
mod purge;
mod receipt;
mod recover;
mod residence;
mod rights;
mod rights_export;
mod rotate;
mod sealed;
mod service;
mod statistics;
mod subject;
mod sweep;
mod verify;

pub mod docs;

// The paved path.
pub use answer::{ConsentAnswer, EvidencedAct};
pub use approval::Approver;
pub use audit::{PayloadFinding, PayloadReport};
pub use bundle::{AuditBundle, BundleCounts, BundleFinding, BundleReport, verify_bundle};
pub use certificate::DestructionCertificate;
pub use close::ConsentEnded;
pub use consents::ServedNotice;
pub use contradiction::RowsReport;
pub use destroy::{Destruction, ErasureIncomplete};
pub use documents::ConsentDocuments;
pub use error::Error;
pub use facts::Fact;
pub use holds::HoldRequest;
pub use inventory::DataInventory;
pub use jobs::{JobKind, JobStatus};
pub use offboard::{OffboardingPlan, verify_offboarding};
pub use once::{IdempotencyKey, KEYS_KEPT_DAYS, Once};
pub use organisation::Organisation;
pub use packs::PackSigners;
pub use policy::RetentionStatus;
pub use ports::{AssurancePolicy, Ports, SystemClock};
pub use projector::{PublishStatus, Publishing};
pub use purge::{HOLDS_KEPT_YEARS, JOBS_KEPT_DAYS, Purged, SPENT_EVIDENCE_KEPT_DAYS};
pub use receipt::{ConsentReceipt, EnrolmentReceipt, Receipt};
pub use recover::{Recovery, Unexplained};
pub use residence::{Place, Residence, Stored};
#[cfg(feature = "age")]
pub use rights_export::ExportKey;
pub use rotate::{KeyStatus, Rotation};
pub use service::Vouchsafe;
pub use statistics::Statistics;
pub use subject::Subject;
pub use sweep::Pace;

// What the paved path's signatures name.
pub use vouchsafe_consent::{Act, Consented, Notice, NoticeDraft, Permit};
pub use vouchsafe_embed::{Assurance, FaceEngine, Image, Limits, LiveFace, ModelSet};
pub use vouchsafe_retention::Plan;
pub use vouchsafe_template::{Accepted, Decision};
pub use vouchsafe_types::{
    Clock, Modality, OrganisationId, Outcome, Purpose, Reasons, Refusal, Role, Scope, Timestamp, VirtualClock,
};

// The rooms behind it.
pub use vouchsafe_consent as consent;
pub use vouchsafe_embed as embed;
pub use vouchsafe_envelope as envelope;
pub use vouchsafe_keys as keys;
pub use vouchsafe_ledger as ledger;
pub use vouchsafe_liveness as liveness;
pub use vouchsafe_pages as pages;
pub use vouchsafe_retention as retention;
pub use vouchsafe_store as store;
pub use vouchsafe_template as template;
pub use vouchsafe_types as types;
