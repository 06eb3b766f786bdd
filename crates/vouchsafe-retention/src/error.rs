use std::fmt;

use thiserror::Error;
use vouchsafe_types::{DataClass, Timestamp};

use crate::{HoldFault, Policy};

/// Why a policy could not be loaded, a deadline not resolved, or a plan not released.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RetentionError {
    /// Misuse: a plan lists one item twice.
    #[error("plan lists an item twice")]
    DuplicateItem,
    /// Misuse: biometric data has a modality, other data has none.
    #[error("facts of biometric data need a modality, those of other data have none")]
    Modality,
    /// Misuse: the plan was made under another policy.
    #[error("plan was made under another policy")]
    PolicyChanged,
    /// For the organisation: no period is stated for data that is stored.
    #[error("no period is stated for {class}: {rule}", class = .class.name(), rule = .rule.as_deref().unwrap_or("no rule covers it"))]
    Gap {
        /// The class without a deadline.
        class: DataClass,
        /// The rule whose period is missing; `None` when no rule covers the class.
        rule: Option<String>,
    },
    /// For the organisation: the plan would destroy more than the breaker lets pass unseen.
    #[error("plan would destroy {due} of {considered}, more than {percent} %, and is not acknowledged")]
    Breaker {
        /// Items that are due.
        due: u64,
        /// Items that were looked at.
        considered: u64,
        /// The share that passes, in percent.
        percent: u8,
    },
    /// For the operator: the clock stands far after the newest known instant.
    #[error("clock stands at {now}, more than {max_step_days} days after {newest}, the newest known instant")]
    ClockJumped {
        /// The newest instant that the store or the log bears.
        newest: Timestamp,
        /// The clock.
        now: Timestamp,
        /// The step that passes, in days.
        max_step_days: u32,
    },
    /// For the operator: the clock stands before the newest known instant.
    #[error("clock stands at {now}, before {newest}, the newest known instant")]
    ClockSetBack {
        /// The newest instant that the store or the log bears.
        newest: Timestamp,
        /// The clock.
        now: Timestamp,
    },
    /// Malformed: a line of the disclosure register, or an order, is not in its canonical encoding, or its dates make no
    /// sense.
    #[error("line of the disclosure register is malformed")]
    Disclosure,
    /// Malformed: a hold lacks something or contradicts itself.
    #[error("hold is refused: {0}")]
    Hold(HoldFault),
    /// Malformed: a pack says something that cannot be read.
    #[error("{0}")]
    Pack(PackFault),
    /// Malformed: two rules contradict each other.
    #[error("{0}")]
    Contradiction(Box<Contradiction>),
    /// Malformed: an item id is empty, longer than 64 bytes or outside `a-z`, `0-9`, `-`.
    #[error("item id is malformed")]
    ItemId,
    /// Malformed: the bytes are not the one encoding of a plan of this version.
    #[error("plan is malformed or not in its canonical encoding")]
    Plan,
    /// Malformed: a period ends beyond the calendar's range.
    #[error("period of rule {rule} ends beyond the calendar")]
    Calendar {
        /// The rule.
        rule: String,
    },
    /// Malformed: a zone's name is empty, longer than 64 bytes or not printable ASCII.
    #[error("name of the zone is malformed")]
    Zone,
}

impl RetentionError {
    /// Whether the same call may succeed later.
    pub const fn is_retryable(&self) -> bool {
        false
    }
}

/// What is wrong in a pack, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackFault {
    pub(crate) pack: String,
    pub(crate) line: Option<usize>,
    pub(crate) rule: Option<String>,
    pub(crate) problem: Problem,
}

impl PackFault {
    /// The id of the pack, or its place in the list where it has none.
    pub fn pack(&self) -> &str {
        &self.pack
    }

    /// The line, from 1, where it is known.
    pub const fn line(&self) -> Option<usize> {
        self.line
    }

    /// The rule, where it has a name.
    pub fn rule(&self) -> Option<&str> {
        self.rule.as_deref()
    }

    /// What is wrong.
    pub const fn problem(&self) -> &Problem {
        &self.problem
    }
}

impl fmt::Display for PackFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "pack {}", self.pack.escape_default())?;
        if let Some(line) = self.line {
            write!(f, ", line {line}")?;
        }
        if let Some(rule) = &self.rule {
            write!(f, ", rule {}", rule.escape_default())?;
        }
        write!(f, ": {}", self.problem)
    }
}

/// What can be wrong in a pack.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Problem {
    /// Only one of `least` and `most` is there, or `least` is above `most`, or the default outside them.
    Bounds,
    /// The same id was used before.
    DuplicateRule,
    /// The same rule was set or adopted before, or the same table stated.
    DuplicateSetting,
    /// The pack has another format number.
    Format,
    /// A field is missing.
    MissingField(&'static str),
    /// An adopted rule needs no adoption: its source is confirmed.
    NotAdoptable,
    /// A setting names a rule whose period is fixed.
    NotConfigurable,
    /// The table may stand in an organisation's pack only.
    NotOrganisation,
    /// A setting lies outside the rule's bounds.
    OutOfBounds,
    /// A period does not parse, for example because it is negative.
    Period,
    /// The signature is missing, wrong, or by nobody who is known.
    Signature,
    /// The text is not TOML of the pack's shape.
    Syntax,
    /// A field is unknown.
    UnknownField(String),
    /// A setting or adoption names a rule that no pack has.
    UnknownRule,
    /// A field has a value that this version does not know.
    UnknownValue(&'static str),
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bounds => f.write_str("bounds are incomplete, reversed, or exclude the default"),
            Self::DuplicateRule => f.write_str("id was used before"),
            Self::Format => write!(f, "format is not {}", Policy::PACK_FORMAT),
            Self::MissingField(field) => write!(f, "field {field} is missing"),
            Self::DuplicateSetting => f.write_str("was set, adopted or stated before"),
            Self::NotAdoptable => f.write_str("needs no adoption, its source is confirmed"),
            Self::NotOrganisation => f.write_str("only an organisation's own pack may say so"),
            Self::Signature => f.write_str("signature is not one of a known signer over this pack"),
            Self::NotConfigurable => f.write_str("period is fixed by its source"),
            Self::OutOfBounds => f.write_str("period lies outside the rule's bounds"),
            Self::Period => f.write_str("period is not of the form '3 years', 'at once' or 'not stated'"),
            Self::Syntax => f.write_str("text is not of the shape of a pack"),
            Self::UnknownField(field) => write!(f, "field {} is unknown", field.escape_default()),
            Self::UnknownRule => f.write_str("names a rule that no pack has"),
            Self::UnknownValue(field) => write!(f, "field {field} has an unknown value"),
        }
    }
}

/// A floor above a ceiling: data would have to be kept after it has to be gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contradiction {
    pub(crate) floor: Place,
    pub(crate) ceiling: Place,
}

/// A rule and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) rule: String,
    pub(crate) clause: String,
    pub(crate) pack: String,
    pub(crate) line: usize,
}

impl Contradiction {
    /// Id and clause of the floor.
    pub fn floor(&self) -> (&str, &str) {
        (&self.floor.rule, &self.floor.clause)
    }

    /// Id and clause of the ceiling.
    pub fn ceiling(&self) -> (&str, &str) {
        (&self.ceiling.rule, &self.ceiling.clause)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rule, clause, pack, line } = self;
        write!(f, "{rule} ({clause}; pack {}, line {line})", pack.escape_default())
    }
}

impl fmt::Display for Contradiction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "floor {} lies above ceiling {}", self.floor, self.ceiling)
    }
}
