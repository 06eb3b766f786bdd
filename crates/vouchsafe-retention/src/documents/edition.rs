use jiff::civil::Date;
use thiserror::Error;
use vouchsafe_types::DataClass;

use crate::{Gap, Policy, Profile};

/// Which edition of a document is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edition {
    version: String,
    effective: Date,
}

impl Edition {
    /// An edition by its version and the day from which it applies.
    ///
    /// # Errors
    /// [`DocumentError::Version`] for a version that is not 1 to 32 characters of ASCII letters, digits, `.`, `-`.
    pub fn new(version: &str, effective: Date) -> Result<Self, DocumentError> {
        let plain = version.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-'));
        if plain && (1..=32).contains(&version.len()) {
            Ok(Self { version: version.to_owned(), effective })
        } else {
            Err(DocumentError::Version)
        }
    }

    /// The version.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The day from which it applies.
    pub const fn effective(&self) -> Date {
        self.effective
    }

    /// The lines under a title.
    pub(super) fn head(&self) -> String {
        format!("Effective date: {}. Version: {}.\n", self.effective, self.version)
    }
}

/// Why a document could not be written.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum DocumentError {
    /// For the organisation: its pack names no contact.
    #[error("policy does not say who the organisation is and how it is reached")]
    NoContact,
    /// For the organisation: classes of data have no period.
    #[error("no period is stated for {}", .0.iter().map(|class| class.name()).collect::<Vec<_>>().join(", "))]
    Gaps(Vec<DataClass>),
    /// Malformed: a version is empty, too long or holds other characters than letters, digits, `.` and `-`.
    #[error("version of the document is malformed")]
    Version,
}

impl DocumentError {
    /// Whether the same call may succeed later.
    pub const fn is_retryable(&self) -> bool {
        false
    }
}

/// Who publishes: a document without a contact is none.
pub(super) fn publisher(policy: &Policy) -> Result<&Profile, DocumentError> {
    policy.profile().ok_or(DocumentError::NoContact)
}

/// Nothing is published about data whose period nobody stated.
pub(super) fn without_gaps(policy: &Policy) -> Result<(), DocumentError> {
    let mut classes: Vec<DataClass> = policy.gaps().iter().map(Gap::class).collect();
    classes.sort();
    classes.dedup();
    if classes.is_empty() { Ok(()) } else { Err(DocumentError::Gaps(classes)) }
}
