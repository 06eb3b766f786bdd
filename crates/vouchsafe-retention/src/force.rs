/// What binds the author of a pack: decides which floor may postpone which ceiling.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Force {
    /// What the libraries decide where nobody else does.
    Library,
    /// A privacy notice: promised to people.
    Notice,
    /// The organisation's own rules.
    Organisation,
    /// A law.
    Statute,
}

impl Force {
    /// Every force, in the order of its code.
    pub const ALL: [Self; 4] = [Self::Library, Self::Notice, Self::Organisation, Self::Statute];

    /// The stable code used in rows, from 1.
    pub const fn code(self) -> u8 {
        match self {
            Self::Library => 1,
            Self::Notice => 2,
            Self::Organisation => 3,
            Self::Statute => 4,
        }
    }

    /// Reads a code back; `None` for a code that [`Self::code`] never gives.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|force| force.code() == code)
    }

    /// The name in packs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Library => "library",
            Self::Notice => "notice",
            Self::Organisation => "organisation",
            Self::Statute => "statute",
        }
    }

    /// 2 for a statute, 1 for everything else: notices, organisations and libraries bind alike.
    pub const fn rank(self) -> u8 {
        match self {
            Self::Statute => 2,
            Self::Library | Self::Notice | Self::Organisation => 1,
        }
    }
}
