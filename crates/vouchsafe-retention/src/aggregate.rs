use std::fmt;

use crate::reader::Reader;
use crate::{Problem, RetentionError};

/// What may be kept, and leave, of numbers of people: a group of fewer than the minimum is never told from an empty
/// one, and a larger one is rounded down to a multiple of the minimum. Set in an organisation's pack:
///
/// ```toml
/// [aggregate]
/// minimum = "10"
/// ```
///
/// Every figure is rounded by itself, a total too, so that a small group does not follow from its neighbours. This is
/// not differential privacy: whoever sees two releases learns when a group crossed a multiple, and whoever can add
/// people of their own can move a group there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Aggregates {
    minimum: u64,
}

impl Aggregates {
    /// The bounds of the minimum: with one, every person would be a group; nobody's figures need a million.
    const MINIMUM: std::ops::RangeInclusive<u64> = 2..=1_000_000;

    /// The smallest group that is told, 2 to 1,000,000 people.
    pub const fn minimum(self) -> u64 {
        self.minimum
    }

    /// What is told of a group of this many people.
    pub const fn release(self, people: u64) -> GroupSize {
        match people / self.minimum {
            0 => GroupSize::Few,
            times => GroupSize::AtLeast(times * self.minimum),
        }
    }

    pub(crate) fn read(mut reader: Reader) -> Result<Self, RetentionError> {
        reader.organisation_only()?;
        let minimum = reader.number("minimum", *Self::MINIMUM.end())?;
        if !Self::MINIMUM.contains(&minimum) {
            return Err(reader.fault(Problem::UnknownValue("minimum")));
        }
        reader.finish()?;
        Ok(Self { minimum })
    }
}

impl Default for Aggregates {
    /// Ten people.
    fn default() -> Self {
        Self { minimum: 10 }
    }
}

/// What is told of the size of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(clippy::exhaustive_enums, reason = "there is no third way to tell a size")]
pub enum GroupSize {
    /// Fewer than the minimum, or nobody.
    Few,
    /// At least this many: a multiple of the minimum.
    AtLeast(u64),
}

impl fmt::Display for GroupSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Few => f.write_str("few or none"),
            Self::AtLeast(people) => write!(f, "at least {people}"),
        }
    }
}
