use crate::{HoldFault, RetentionError};

/// By whose authority data is held back from destruction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Authority {
    /// An order of a court that is neither a warrant nor a subpoena.
    CourtOrder,
    /// Somebody's announcement of a lawsuit.
    LitigationNotice,
    /// A supervisory authority.
    Regulator,
    /// A subpoena issued by a court of competent jurisdiction.
    Subpoena,
    /// A warrant issued by a court of competent jurisdiction.
    Warrant,
}

impl Authority {
    /// Every authority, in the order of its code.
    pub const ALL: [Self; 5] =
        [Self::CourtOrder, Self::LitigationNotice, Self::Regulator, Self::Subpoena, Self::Warrant];

    /// The stable code used in rows, from 1.
    pub const fn code(self) -> u8 {
        match self {
            Self::CourtOrder => 1,
            Self::LitigationNotice => 2,
            Self::Regulator => 3,
            Self::Subpoena => 4,
            Self::Warrant => 5,
        }
    }

    /// Reads a code back.
    ///
    /// # Errors
    /// [`RetentionError::Hold`] for a code that [`Self::code`] never gives.
    pub fn from_code(code: u8) -> Result<Self, RetentionError> {
        let found = Self::ALL.into_iter().find(|authority| authority.code() == code);
        found.ok_or(RetentionError::Hold(HoldFault::Authority))
    }

    /// The stable name used in packs and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::CourtOrder => "court_order",
            Self::LitigationNotice => "litigation_notice",
            Self::Regulator => "regulator",
            Self::Subpoena => "subpoena",
            Self::Warrant => "warrant",
        }
    }

    /// Reads a name back.
    ///
    /// # Errors
    /// [`RetentionError::Hold`] for a text that [`Self::name`] never gives, the empty one among them.
    pub fn parse(name: &str) -> Result<Self, RetentionError> {
        let found = Self::ALL.into_iter().find(|authority| authority.name() == name);
        found.ok_or(RetentionError::Hold(HoldFault::Authority))
    }

    /// The words for explanations.
    pub const fn words(self) -> &'static str {
        match self {
            Self::CourtOrder => "a court order",
            Self::LitigationNotice => "a litigation notice",
            Self::Regulator => "a regulator",
            Self::Subpoena => "a subpoena",
            Self::Warrant => "a warrant",
        }
    }
}
