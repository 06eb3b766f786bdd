use vouchsafe_types::{DataClass, Jurisdiction};

use crate::adopt::Adoption;
use crate::reader::Reader;
use crate::{Authority, Confidence, Facts, RetentionError};

/// Which authorities a law lets hold data back; where no such row covers a record, every authority may.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Honour {
    pub(crate) id: String,
    pub(crate) pack: String,
    pub(crate) line: usize,
    pub(crate) class: DataClass,
    pub(crate) jurisdiction: Option<Jurisdiction>,
    pub(crate) authorities: Vec<Authority>,
    pub(crate) clause: String,
    pub(crate) says: String,
    pub(crate) confidence: Confidence,
    pub(crate) adoption: Option<Adoption>,
}

impl Honour {
    pub(crate) fn read(mut reader: Reader) -> Result<Self, RetentionError> {
        let row = Self {
            id: reader.id("id")?,
            pack: reader.pack.clone(),
            line: reader.line,
            class: reader.class()?,
            jurisdiction: reader.jurisdiction()?,
            authorities: reader
                .list("authorities", &Authority::ALL.map(|authority| (authority.name(), authority)))?,
            clause: reader.take("clause")?,
            says: reader.take("says")?,
            confidence: reader.confidence()?,
            adoption: None,
        };
        reader.finish()?;
        Ok(row)
    }

    /// Its own name, unique in a policy.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The pack it comes from.
    pub fn pack(&self) -> &str {
        &self.pack
    }

    /// The class it is about.
    pub const fn class(&self) -> DataClass {
        self.class
    }

    /// The place whose people it is about; `None` for everybody.
    pub const fn jurisdiction(&self) -> Option<Jurisdiction> {
        self.jurisdiction
    }

    /// The authorities that are honoured; no other is.
    pub fn authorities(&self) -> &[Authority] {
        &self.authorities
    }

    /// The sections of the source.
    pub fn clause(&self) -> &str {
        &self.clause
    }

    /// What they say, in our own words.
    pub fn says(&self) -> &str {
        &self.says
    }

    /// Whether it decides anything: its source is confirmed, or the organisation adopted it.
    pub const fn is_enabled(&self) -> bool {
        matches!(self.confidence, Confidence::Confirmed) || self.adoption.is_some()
    }

    pub(crate) fn covers(&self, facts: &Facts) -> bool {
        self.is_enabled() && self.class == facts.class() && facts.live_under(self.jurisdiction)
    }
}
