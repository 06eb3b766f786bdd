use crate::reader::Reader;
use crate::{Problem, RetentionError};

/// How much has to be approved before a plan is executed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Stage {
    /// What the notices promise to be immediate: never waits for anybody.
    Immediate,
    /// What became due after a period.
    Scheduled,
    /// A whole organisation.
    Offboarding,
}

impl Stage {
    /// Every stage, in the order of its code.
    pub const ALL: [Self; 3] = [Self::Immediate, Self::Scheduled, Self::Offboarding];

    /// The stable code used in rows, from 1.
    pub const fn code(self) -> u8 {
        match self {
            Self::Immediate => 1,
            Self::Scheduled => 2,
            Self::Offboarding => 3,
        }
    }

    /// Reads a code back; `None` for a code that [`Self::code`] never gives.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|stage| stage.code() == code)
    }

    /// The stable name used in plans.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Immediate => "immediate",
            Self::Scheduled => "scheduled",
            Self::Offboarding => "offboarding",
        }
    }
}

/// How many different people approve a plan, by stage. Set in an organisation's pack:
///
/// ```toml
/// [approval]
/// scheduled = "1"
/// offboarding = "2"
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Approvals {
    scheduled: u8,
    offboarding: u8,
}

impl Approvals {
    /// The most approvals that a stage can ask for.
    pub const MAX: u8 = 5;

    /// How many a stage asks for: none for what is immediate, 0 to 5 for scheduled, 1 to 5 for offboarding.
    pub const fn needed(self, stage: Stage) -> u8 {
        match stage {
            Stage::Immediate => 0,
            Stage::Scheduled => self.scheduled,
            Stage::Offboarding => self.offboarding,
        }
    }

    pub(crate) fn read(mut reader: Reader) -> Result<Self, RetentionError> {
        reader.organisation_only()?;
        let mut approvals = Self::default();
        let most = u64::from(Self::MAX);
        if let Some(number) = reader.number_if_any("scheduled", most)? {
            approvals.scheduled = u8::try_from(number).unwrap_or(Self::MAX);
        }
        if let Some(number) = reader.number_if_any("offboarding", most)? {
            approvals.offboarding = u8::try_from(number).unwrap_or(Self::MAX);
        }
        if approvals.offboarding == 0 {
            return Err(reader.fault(Problem::UnknownValue("offboarding")));
        }
        reader.finish()?;
        Ok(approvals)
    }
}

impl Default for Approvals {
    /// None for scheduled, two for offboarding.
    fn default() -> Self {
        Self { scheduled: 0, offboarding: 2 }
    }
}
