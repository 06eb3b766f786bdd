use vouchsafe_types::Jurisdiction;

use crate::reader::Reader;
use crate::{Confidence, Problem, RetentionError};

/// What a source says beside periods: for readers, and decides nothing.
///
/// A note that goes against a promise of another source says how that is resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    pub(crate) id: String,
    pub(crate) pack: String,
    pub(crate) line: usize,
    pub(crate) jurisdiction: Option<Jurisdiction>,
    pub(crate) clause: String,
    pub(crate) says: String,
    pub(crate) against: Option<(String, String)>,
    pub(crate) confidence: Confidence,
}

impl Note {
    pub(crate) fn read(mut reader: Reader) -> Result<Self, RetentionError> {
        let note = Self {
            id: reader.id("id")?,
            pack: reader.pack.clone(),
            line: reader.line,
            jurisdiction: reader.jurisdiction()?,
            clause: reader.take("clause")?,
            says: reader.take("says")?,
            against: match (reader.take_if_any("against")?, reader.take_if_any("resolved")?) {
                (Some(clause), Some(how)) => Some((clause, how)),
                (None, None) => None,
                (Some(_), None) => return Err(reader.fault(Problem::MissingField("resolved"))),
                (None, Some(_)) => return Err(reader.fault(Problem::MissingField("against"))),
            },
            confidence: reader.confidence()?,
        };
        reader.finish()?;
        Ok(note)
    }

    /// Its own name, unique in a policy.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The pack it comes from.
    pub fn pack(&self) -> &str {
        &self.pack
    }

    /// The place whose people it is about; `None` for everybody.
    pub const fn jurisdiction(&self) -> Option<Jurisdiction> {
        self.jurisdiction
    }

    /// The sections of the source.
    pub fn clause(&self) -> &str {
        &self.clause
    }

    /// What they say, in our own words.
    pub fn says(&self) -> &str {
        &self.says
    }

    /// The sections of the promise that it goes against, and how that is resolved.
    pub fn against(&self) -> Option<(&str, &str)> {
        self.against.as_ref().map(|(clause, how)| (clause.as_str(), how.as_str()))
    }

    /// How well the source is known.
    pub const fn confidence(&self) -> Confidence {
        self.confidence
    }
}

/// The age below which a source wants nobody enrolled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MinimumAge {
    pub(crate) id: String,
    pub(crate) pack: String,
    pub(crate) line: usize,
    pub(crate) years: u8,
    pub(crate) clause: String,
    pub(crate) says: String,
}

impl MinimumAge {
    pub(crate) fn read(mut reader: Reader) -> Result<Self, RetentionError> {
        let age = Self {
            id: reader.id("id")?,
            pack: reader.pack.clone(),
            line: reader.line,
            years: u8::try_from(reader.number("years", 120)?).unwrap_or(u8::MAX),
            clause: reader.take("clause")?,
            says: reader.take("says")?,
        };
        reader.finish()?;
        Ok(age)
    }

    /// Its own name, unique in a policy.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The pack it comes from.
    pub fn pack(&self) -> &str {
        &self.pack
    }

    /// Years, 0 to 120.
    pub const fn years(&self) -> u8 {
        self.years
    }

    /// The sections of the source.
    pub fn clause(&self) -> &str {
        &self.clause
    }

    /// What they say, in our own words.
    pub fn says(&self) -> &str {
        &self.says
    }
}
