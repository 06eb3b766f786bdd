use std::collections::BTreeSet;
use std::fmt;

use vouchsafe_types::{DataClass, Timestamp};

use super::{RefusalGround, RightsError};
use crate::{RecipientId, Reference};

/// A place where data of a person lies.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Place {
    /// The key service and the key trees.
    Keys,
    /// The payloads beside the log.
    Log,
    /// A recipient to whom data was disclosed.
    Recipient(RecipientId),
    /// The database.
    Store,
}

impl Place {
    /// The stable name used in encodings; a recipient's id stands beside it.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Keys => "keys",
            Self::Log => "log",
            Self::Recipient(_) => "recipient",
            Self::Store => "store",
        }
    }

    pub(super) const fn recipient(&self) -> Option<&RecipientId> {
        match self {
            Self::Recipient(id) => Some(id),
            _ => None,
        }
    }

    pub(super) fn read(name: &str, recipient: Option<RecipientId>) -> Option<Self> {
        match (name, recipient) {
            ("keys", None) => Some(Self::Keys),
            ("log", None) => Some(Self::Log),
            ("recipient", Some(id)) => Some(Self::Recipient(id)),
            ("store", None) => Some(Self::Store),
            _ => None,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Recipient(id) => write!(f, "recipient {id}"),
            _ => f.write_str(self.name()),
        }
    }
}

/// Which class of data lies where. Every class has at least one place, so that none is passed over in silence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inventory(BTreeSet<(DataClass, Place)>);

impl Inventory {
    /// The most pairs of class and place.
    pub const MAX_LEN: usize = 4096;

    /// Takes the pairs.
    ///
    /// # Errors
    /// [`RightsError::InventorySilent`] with the first class that has no place, [`RightsError::Limit`] for more than
    /// [`Self::MAX_LEN`] pairs.
    pub fn new(pairs: impl IntoIterator<Item = (DataClass, Place)>) -> Result<Self, RightsError> {
        let pairs: BTreeSet<_> = pairs.into_iter().take(Self::MAX_LEN + 1).collect();
        if pairs.len() > Self::MAX_LEN {
            return Err(RightsError::Limit);
        }
        let silent = |class: &DataClass| !pairs.iter().any(|(known, _)| known == class);
        match DataClass::ALL.into_iter().find(silent) {
            Some(class) => Err(RightsError::InventorySilent(class)),
            None => Ok(Self(pairs)),
        }
    }

    /// Every pair, sorted.
    pub fn pairs(&self) -> impl Iterator<Item = &(DataClass, Place)> {
        self.0.iter()
    }
}

/// Why data is kept although its deletion was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KeepReason {
    /// A legal hold, by its id or matter.
    Hold(Reference),
    /// A rule of the policy, by its id.
    Rule(Reference),
}

/// What became of one task.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TaskStatus {
    /// It is done; the log's entry says so.
    Done {
        /// The number of the entry.
        entry: u64,
    },
    /// The data stays.
    KeptBecause(KeepReason),
    /// There is nothing of the class in the place.
    NotHeld,
    /// It has no answer yet.
    Pending,
    /// It is refused.
    Refused(RefusalGround),
}

impl TaskStatus {
    /// The stable name used in encodings.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Done { .. } => "done",
            Self::KeptBecause(_) => "kept",
            Self::NotHeld => "not_held",
            Self::Pending => "pending",
            Self::Refused(_) => "refused",
        }
    }
}

/// One class in one place, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    pub(super) status: TaskStatus,
    pub(super) at: Option<Timestamp>,
}

impl Task {
    pub(super) const PENDING: Self = Self { status: TaskStatus::Pending, at: None };

    /// What became of it.
    pub const fn status(&self) -> &TaskStatus {
        &self.status
    }

    /// When it got its answer.
    pub const fn at(&self) -> Option<Timestamp> {
        self.at
    }
}

/// How much of an inventory a request has answered.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct Completeness {
    pub(super) answered: usize,
    pub(super) gaps: Vec<(DataClass, Place)>,
}

impl Completeness {
    /// Pairs with an answer.
    pub const fn answered(&self) -> usize {
        self.answered
    }

    /// Pairs without one, sorted.
    pub fn gaps(&self) -> &[(DataClass, Place)] {
        &self.gaps
    }

    /// Whether nothing is without an answer.
    pub const fn is_complete(&self) -> bool {
        self.gaps.is_empty()
    }
}
