use crate::TypeError;

/// A place whose law on biometric or personal data the policy knows.
///
/// A person may live under several: a Californian is under the federal law too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Jurisdiction {
    /// Quebec.
    CaQc,
    /// Somewhere whose law no pack knows: notices and the organisation's own rules alone apply.
    Elsewhere,
    /// The European Union and the European Economic Area.
    Eu,
    /// The United States; federal law.
    Us,
    /// California.
    UsCa,
    /// Colorado.
    UsCo,
    /// Illinois.
    UsIl,
    /// Texas.
    UsTx,
    /// Washington.
    UsWa,
}

impl Jurisdiction {
    /// Every place, in the order of its code.
    pub const ALL: [Self; 9] = [
        Self::Elsewhere,
        Self::Us,
        Self::UsCa,
        Self::UsCo,
        Self::UsIl,
        Self::UsTx,
        Self::UsWa,
        Self::CaQc,
        Self::Eu,
    ];

    /// The stable code used in rows, from 1.
    pub const fn code(self) -> u8 {
        match self {
            Self::Elsewhere => 1,
            Self::Us => 2,
            Self::UsCa => 3,
            Self::UsCo => 4,
            Self::UsIl => 5,
            Self::UsTx => 6,
            Self::UsWa => 7,
            Self::CaQc => 8,
            Self::Eu => 9,
        }
    }

    /// Reads a code back.
    ///
    /// # Errors
    /// [`TypeError::UnknownCode`] for a code that [`Self::code`] never gives.
    pub fn from_code(code: u8) -> Result<Self, TypeError> {
        Self::ALL.into_iter().find(|place| place.code() == code).ok_or(TypeError::UnknownCode)
    }

    /// The stable name used in policy packs and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Elsewhere => "elsewhere",
            Self::Us => "us",
            Self::UsCa => "us-ca",
            Self::UsCo => "us-co",
            Self::UsIl => "us-il",
            Self::UsTx => "us-tx",
            Self::UsWa => "us-wa",
            Self::CaQc => "ca-qc",
            Self::Eu => "eu",
        }
    }

    /// The name for readers.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Elsewhere => "elsewhere",
            Self::Us => "United States",
            Self::UsCa => "California",
            Self::UsCo => "Colorado",
            Self::UsIl => "Illinois",
            Self::UsTx => "Texas",
            Self::UsWa => "Washington",
            Self::CaQc => "Quebec",
            Self::Eu => "EU/EEA",
        }
    }

    /// Reads a name back.
    ///
    /// # Errors
    /// [`TypeError::UnknownCode`] for a text that [`Self::name`] never gives.
    pub fn parse(name: &str) -> Result<Self, TypeError> {
        Self::ALL.into_iter().find(|place| place.name() == name).ok_or(TypeError::UnknownCode)
    }

    /// Whether somebody who lives in `place` lives here too.
    pub const fn contains(self, place: Self) -> bool {
        let state = matches!(place, Self::UsCa | Self::UsCo | Self::UsIl | Self::UsTx | Self::UsWa);
        self.code() == place.code() || matches!(self, Self::Us) && state
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_names_are_distinct_and_read_back() {
        for (i, place) in Jurisdiction::ALL.into_iter().enumerate() {
            assert_eq!(usize::from(place.code()), i + 1);
            assert_eq!(Jurisdiction::from_code(place.code()), Ok(place));
            assert_eq!(Jurisdiction::parse(place.name()), Ok(place));
        }
        assert!(Jurisdiction::from_code(0).is_err() && Jurisdiction::parse("us-il ").is_err());
    }

    #[test]
    fn a_state_lies_in_its_country() {
        let inside =
            |outer: Jurisdiction| Jurisdiction::ALL.into_iter().filter(move |place| outer.contains(*place));
        assert_eq!(inside(Jurisdiction::Us).count(), 6);
        assert_eq!(inside(Jurisdiction::UsIl).collect::<Vec<_>>(), [Jurisdiction::UsIl]);
        assert_eq!(inside(Jurisdiction::Elsewhere).count(), 1);
    }
}
