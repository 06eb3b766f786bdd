use std::fmt;

use super::RequestKind;

/// Why a request, or a part of it, may be refused. The list is closed: what is not here is no ground.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum RefusalGround {
    /// The same was asked over and over.
    Excessive,
    /// The asker could not be shown to be the person.
    IdentityNotVerified,
    /// The law obliges the organisation to keep the data as it is.
    LegalDuty,
    /// The data is under a legal hold.
    LegalHold,
    /// The request has no object or only means to harass.
    ManifestlyUnfounded,
    /// An answer would disclose data of somebody else.
    RightsOfOthers,
}

impl RefusalGround {
    /// Every ground, in the order of its code.
    pub const ALL: [Self; 6] = [
        Self::IdentityNotVerified,
        Self::ManifestlyUnfounded,
        Self::Excessive,
        Self::LegalDuty,
        Self::LegalHold,
        Self::RightsOfOthers,
    ];

    /// The stable code used in rows, 1 to 6.
    pub const fn code(self) -> u8 {
        match self {
            Self::IdentityNotVerified => 1,
            Self::ManifestlyUnfounded => 2,
            Self::Excessive => 3,
            Self::LegalDuty => 4,
            Self::LegalHold => 5,
            Self::RightsOfOthers => 6,
        }
    }

    /// Reads a code back; `None` for a code outside 1 to 6.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|ground| ground.code() == code)
    }

    /// The stable name used in encodings.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Excessive => "excessive",
            Self::IdentityNotVerified => "identity_not_verified",
            Self::LegalDuty => "legal_duty",
            Self::LegalHold => "legal_hold",
            Self::ManifestlyUnfounded => "manifestly_unfounded",
            Self::RightsOfOthers => "rights_of_others",
        }
    }

    /// Reads a name back; `None` for a text that [`Self::name`] never gives.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|ground| ground.name() == name)
    }

    /// The clauses that accept it.
    pub const fn clause(self) -> &'static str {
        match self {
            Self::Excessive | Self::ManifestlyUnfounded => "GDPR Art 12(5)(b); Cal. Civ. Code 1798.145(h)(3)",
            Self::IdentityNotVerified => "GDPR Art 12(2), 12(6); Cal. Code Regs. tit. 11, 7021(b), 7024(a)",
            Self::LegalDuty => "GDPR Art 17(3)(b); Cal. Civ. Code 1798.105(d)(8)",
            Self::LegalHold => "GDPR Art 17(3)(e), 21(1)",
            Self::RightsOfOthers => "GDPR Art 15(4), 20(4)",
        }
    }

    /// Whether it is a ground against requests of the kind at all.
    ///
    /// A withdrawal and an opt-out are refused to strangers only; a duty to keep is no ground against knowing.
    pub const fn applies_to(self, kind: RequestKind) -> bool {
        use RequestKind::{Correct, Delete, Export, Know, Object, OptOutOfSale, Restrict, Withdraw};
        match self {
            Self::IdentityNotVerified => true,
            Self::Excessive | Self::ManifestlyUnfounded => !matches!(kind, OptOutOfSale | Withdraw),
            Self::LegalDuty => matches!(kind, Correct | Delete | Object | Restrict),
            Self::LegalHold => matches!(kind, Correct | Delete | Object),
            Self::RightsOfOthers => matches!(kind, Export | Know),
        }
    }

    /// Whether it says nothing about what is held, so that a stranger may be told it.
    pub const fn is_before_identity(self) -> bool {
        matches!(self, Self::Excessive | Self::IdentityNotVerified | Self::ManifestlyUnfounded)
    }
}

impl fmt::Display for RefusalGround {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
