//! The tables of packs that are not about periods: clocks, exports, recipients, the organisation.

use crate::disclosure::Recipient;
use crate::pack::Pack;
use crate::rights::{Clock, ExportRule};
use crate::{Problem, Profile, RetentionError};

/// What the packs say besides rules, in the order of the packs.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tables {
    pub(crate) clocks: Vec<Clock>,
    pub(crate) exports: Vec<ExportRule>,
    pub(crate) recipients: Vec<Recipient>,
    pub(crate) profile: Option<Profile>,
}

impl Tables {
    pub(crate) fn add(&mut self, pack: &Pack) -> Result<(), RetentionError> {
        for (clock, line) in &pack.clocks {
            unique(
                pack,
                *line,
                clock.id().as_str(),
                self.clocks.iter().any(|known| known.id() == clock.id()),
            )?;
            self.clocks.push(clock.clone());
        }
        for (rule, line) in &pack.exports {
            unique(
                pack,
                *line,
                rule.id().as_str(),
                self.exports.iter().any(|known| known.id() == rule.id()),
            )?;
            self.exports.push(rule.clone());
        }
        for (recipient, line) in &pack.recipients {
            let taken = self.recipients.iter().any(|known| known.id() == recipient.id());
            unique(pack, *line, recipient.id().as_str(), taken)?;
            self.recipients.push(recipient.clone());
        }
        if let Some((profile, line)) = &pack.profile {
            unique(pack, *line, "organisation", self.profile.is_some())?;
            self.profile = Some(profile.clone());
        }
        Ok(())
    }
}

fn unique(pack: &Pack, line: usize, rule: &str, taken: bool) -> Result<(), RetentionError> {
    if taken { Err(pack.fault(line, Some(rule), Problem::DuplicateRule)) } else { Ok(()) }
}
