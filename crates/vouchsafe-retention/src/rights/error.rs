use thiserror::Error;
use vouchsafe_types::{DataClass, Jurisdiction};

use super::{IdentityProof, Place, RefusalGround, RequestEvent, RequestKind, RequestStatus};

/// Why a request did not move, or could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RightsError {
    /// Misuse: the person was told already.
    #[error("receipt was confirmed already")]
    AlreadyConfirmed,
    /// Misuse: the instant lies before the newest one that the request knows.
    #[error("instant lies before the request's newest one")]
    ClockSetBack,
    /// Misuse: the export does not say, for these classes, whether they are held.
    #[error("export is silent about {}", names(.0))]
    ExportSilent(Vec<DataClass>),
    /// Misuse: the extension was not told within the first period.
    #[error("extension comes after the first period has ended")]
    ExtensionLate,
    /// Misuse: the ground is none against such a request.
    #[error("{ground} is no ground to refuse a request to {kind}")]
    Ground {
        /// What was asked.
        kind: RequestKind,
        /// What was brought forward.
        ground: RefusalGround,
    },
    /// Misuse: the event cannot happen where the request stands.
    #[error("event {event} cannot happen to a request that is {from}")]
    Illegal {
        /// Where it stands.
        from: RequestStatus,
        /// What was to happen.
        event: RequestEvent,
    },
    /// Misuse: the kind of request corrects nothing.
    #[error("a request to {0} is not answered with a correction")]
    NoCorrection(RequestKind),
    /// Misuse: the kind of request gives no copy of data.
    #[error("a request to {0} is not answered with an export")]
    NoExport(RequestKind),
    /// Misuse: a task that has its answer does not change any more.
    #[error("task has its final answer")]
    TaskFinal,
    /// Misuse: the template stays sealed under the law of the person's places.
    #[error("template may not be returned: {clause}")]
    TemplateSealed {
        /// The clause.
        clause: String,
    },
    /// Misuse: the request has no such task.
    #[error("request has no task for this class and place")]
    UnknownTask,
    /// Rejected: parts of the inventory have no answer yet.
    #[error("without an answer: {}", gaps(.0))]
    Incomplete(Vec<(DataClass, Place)>),
    /// Rejected: the asker has not been shown to be the person.
    #[error("identity is not verified")]
    NotVerified,
    /// Rejected: the proof of identity is too weak for such a request.
    #[error("a {} is not enough identity for a request to {kind}", .proof.name())]
    ProofTooWeak {
        /// What was asked.
        kind: RequestKind,
        /// What was shown.
        proof: IdentityProof,
    },
    /// For the organisation: the inventory names no place for a class.
    #[error("inventory names no place for {}", .0.name())]
    InventorySilent(DataClass),
    /// For the organisation: no clock of the policy applies.
    #[error("no clock of the policy applies to a request to {kind}{}", .place.map(|place| format!(" from {}", place.name())).unwrap_or_default())]
    NoClock {
        /// What was asked.
        kind: RequestKind,
        /// Where the person lives; `None` when no place was stated.
        place: Option<Jurisdiction>,
    },
    /// For the organisation: no rule of the policy says what of a class goes into an export.
    #[error("no export rule of the policy covers {}", .0.name())]
    NoExportRule(DataClass),
    /// For the organisation: no applying clock allows an extension.
    #[error("no extension is allowed")]
    NoExtension,
    /// Malformed: a period ends beyond the calendar's range.
    #[error("period of clock {0} ends beyond the calendar")]
    Calendar(String),
    /// Malformed: an inventory or a request is larger than the limits.
    #[error("more entries than the limits allow")]
    Limit,
    /// Malformed: the bytes are not the one encoding of a request of this version.
    #[error("request is malformed or not in its canonical encoding")]
    Malformed,
}

impl RightsError {
    /// Whether the same call may succeed later, without anything else having been done.
    pub const fn is_retryable(&self) -> bool {
        false
    }
}

fn names(classes: &[DataClass]) -> String {
    classes.iter().map(|class| class.name()).collect::<Vec<_>>().join(", ")
}

fn gaps(parts: &[(DataClass, Place)]) -> String {
    parts.iter().map(|(class, place)| format!("{} in {place}", class.name())).collect::<Vec<_>>().join(", ")
}
