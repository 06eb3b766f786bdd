use crate::Reference;

/// How it was established that the asker is the person.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum IdentityProof {
    /// A live capture was accepted against the person's own template.
    Biometric,
    /// Somebody looked at documents. They are looked at, never stored.
    Documents {
        /// The officer who did, by an opaque name.
        checked_by: Reference,
    },
    /// The request came from the person's own session; nothing more was checked.
    Session,
    /// The person signed in anew for this request.
    SignedIn,
}

impl IdentityProof {
    /// The stable name used in encodings.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Biometric => "biometric",
            Self::Documents { .. } => "documents",
            Self::Session => "session",
            Self::SignedIn => "signed_in",
        }
    }

    pub(super) const fn checked_by(&self) -> Option<&Reference> {
        match self {
            Self::Documents { checked_by } => Some(checked_by),
            _ => None,
        }
    }

    pub(super) fn read(name: &str, checked_by: Option<Reference>) -> Option<Self> {
        match (name, checked_by) {
            ("biometric", None) => Some(Self::Biometric),
            ("documents", Some(checked_by)) => Some(Self::Documents { checked_by }),
            ("session", None) => Some(Self::Session),
            ("signed_in", None) => Some(Self::SignedIn),
            _ => None,
        }
    }
}

/// Why more time is needed; the two reasons of GDPR Art 12(3), which the other laws accept too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum ExtensionReason {
    /// The request is complex.
    Complexity,
    /// The person made many requests.
    NumberOfRequests,
}

impl ExtensionReason {
    /// Every reason, in the order of its code.
    pub const ALL: [Self; 2] = [Self::Complexity, Self::NumberOfRequests];

    /// The stable code used in rows, 1 or 2.
    pub const fn code(self) -> u8 {
        match self {
            Self::Complexity => 1,
            Self::NumberOfRequests => 2,
        }
    }

    /// The stable name used in encodings.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Complexity => "complexity",
            Self::NumberOfRequests => "number_of_requests",
        }
    }

    /// Reads a name back; `None` for a text that [`Self::name`] never gives.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.name() == name)
    }
}
