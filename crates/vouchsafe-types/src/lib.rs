//! Identifiers, scopes, data classes, time and wiped buffers shared by the vouchsafe crates.
//!
//! This crate sits in the innermost ring: it does no I/O, reads no clock, decides no policy.
#![forbid(unsafe_code)]

mod address;
mod class;
mod digest;
mod error;
mod fact;
mod free_text;
mod hex;
mod id;
mod ip;
mod jurisdiction;
mod outcome;
mod port;
mod scope;
mod secret;

pub use address::ClientAddress;
pub use class::DataClass;
pub use digest::Digest;
pub use error::TypeError;
pub use fact::FactField;
pub use free_text::FreeText;
pub use id::{LeafIndex, OrganisationId, RecordId, SubjectPseudonym, TicketId};
pub use ip::IpPseudonym;
pub use jurisdiction::Jurisdiction;
pub use outcome::{Outcome, Reasons, Refusal};
pub use port::{Clock, Entropy, EntropyUnavailable, Ticks, VirtualClock, VirtualTicks};
pub use scope::{Modality, Purpose, Role, Scope};
pub use secret::{Secret, SecretBytes, wipe_stack};

pub use jiff::Timestamp;
