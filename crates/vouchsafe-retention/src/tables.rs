//! The tables of packs that are not about periods: clocks, exports, recipients, the organisation.

use crate::disclosure::Recipient;
use crate::documents::Organisation;
use crate::pack::Reader;
use crate::rights::{Clock, ExportRule};
use crate::wire::pack_v1::PackV1;
use crate::{Problem, RetentionError};

/// What the packs say besides rules, in the order of the packs.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tables {
    pub(crate) clocks: Vec<Clock>,
    pub(crate) exports: Vec<ExportRule>,
    pub(crate) organisation: Option<Organisation>,
    pub(crate) recipients: Vec<Recipient>,
}

impl Tables {
    /// Reads the tables of one pack; `reader` opens a table by the field that names it.
    pub(crate) fn add(
        &mut self,
        wire: &PackV1,
        reader: impl Fn(&toml::Spanned<crate::wire::pack_v1::Fields>, &str) -> Reader,
    ) -> Result<(), RetentionError> {
        for table in &wire.clock {
            let clock = Clock::read(reader(table, "id"))?;
            unique(self.clocks.iter().any(|known| known.id() == clock.id()), &reader(table, "id"))?;
            self.clocks.push(clock);
        }
        for table in &wire.export {
            let rule = ExportRule::read(reader(table, "id"))?;
            unique(self.exports.iter().any(|known| known.id() == rule.id()), &reader(table, "id"))?;
            self.exports.push(rule);
        }
        for table in &wire.recipient {
            let recipient = Recipient::read(reader(table, "id"))?;
            unique(self.recipients.iter().any(|known| known.id() == recipient.id()), &reader(table, "id"))?;
            self.recipients.push(recipient);
        }
        if let Some(table) = &wire.organisation {
            unique(self.organisation.is_some(), &reader(table, "name"))?;
            self.organisation = Some(Organisation::read(reader(table, "name"))?);
        }
        Ok(())
    }

    /// Whether every place of data is allowed or has a safeguard.
    pub(crate) fn check(&self) -> Result<(), (String, Problem)> {
        let Some(organisation) = &self.organisation else { return Ok(()) };
        let outside = |recipient: &&Recipient| {
            recipient.safeguard().is_none() && !organisation.allows(recipient.region())
        };
        match self.recipients.iter().find(outside) {
            Some(recipient) => Err((recipient.id().to_string(), Problem::NoSafeguard)),
            None => Ok(()),
        }
    }
}

fn unique(taken: bool, table: &Reader) -> Result<(), RetentionError> {
    if taken { Err(table.fault(Problem::DuplicateRule)) } else { Ok(()) }
}
