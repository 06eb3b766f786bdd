use jiff::civil::Date;

use crate::reader::Reader;
use crate::{PackFault, Problem, RetentionError};

/// An organisation's word that it takes over a rule whose source is not confirmed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Adoption {
    pack: String,
    by: String,
    on: Date,
}

impl Adoption {
    /// The pack that says so.
    pub fn pack(&self) -> &str {
        &self.pack
    }

    /// In which capacity somebody decided it, for example "counsel"; never a name.
    pub fn by(&self) -> &str {
        &self.by
    }

    /// On which day.
    pub const fn on(&self) -> Date {
        self.on
    }
}

/// `[[adopt]]`: the id of a rule or of a row of another table, and who answers for it.
pub(crate) struct Adopt {
    pub(crate) rule: String,
    pub(crate) line: usize,
    pub(crate) adoption: Adoption,
}

impl Adopt {
    pub(crate) fn read(mut reader: Reader) -> Result<Self, RetentionError> {
        reader.organisation_only()?;
        let (rule, by, on) = (reader.take("rule")?, reader.take("by")?, reader.date("on")?);
        let (line, pack) = (reader.line, reader.pack.clone());
        reader.finish()?;
        Ok(Self { rule, line, adoption: Adoption { pack, by, on } })
    }

    /// Enables what `found` points at: the confidence's flag and the place for the adoption.
    pub(crate) fn apply(&self, found: Option<(bool, &mut Option<Adoption>)>) -> Result<(), RetentionError> {
        let problem = match found {
            None => Problem::UnknownRule,
            Some((true, _)) => Problem::NotAdoptable,
            Some((false, Some(_))) => Problem::DuplicateSetting,
            Some((false, place)) => {
                *place = Some(self.adoption.clone());
                return Ok(());
            }
        };
        let (pack, line) = (self.adoption.pack.clone(), Some(self.line));
        Err(RetentionError::Pack(PackFault { pack, line, rule: Some(self.rule.clone()), problem }))
    }
}
