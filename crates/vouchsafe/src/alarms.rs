//! What the key ring hears while it lends a state: passed on at once, and alarms written to the log afterwards.

use std::sync::{Arc, Mutex, PoisonError};

use vouchsafe_envelope::port::{Alarm, OpenAudit, Opened};
use vouchsafe_ledger::EntryKind;
use vouchsafe_types::OrganisationId;

use crate::Error;
use crate::core::Core;
use crate::payload::Payload;

/// Stands before the caller's audit port.
pub(crate) struct Alarms {
    next: Arc<dyn OpenAudit>,
    heard: Mutex<Vec<(OrganisationId, Alarm)>>,
}

impl Alarms {
    pub(crate) fn before(next: Arc<dyn OpenAudit>) -> Self {
        Self { next, heard: Mutex::default() }
    }

    fn take(&self, organisation: &OrganisationId) -> Vec<Alarm> {
        let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        let (own, others) = heard.drain(..).partition(|(owner, _)| owner == organisation);
        *heard = others;
        own.into_iter().map(|(_, alarm)| alarm).collect()
    }
}

impl OpenAudit for Alarms {
    fn opened(&self, opened: &Opened<'_>) {
        self.next.opened(opened);
    }

    fn alarm(&self, organisation: &OrganisationId, alarm: Alarm) {
        let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        heard.push((organisation.clone(), alarm));
        drop(heard);
        self.next.alarm(organisation, alarm);
    }
}

impl Core {
    /// Writes the alarms of an organisation to its log; which leaf it was stands there for those who look into it.
    pub(crate) fn log_alarms(&self, organisation: &OrganisationId) -> Result<(), Error> {
        for alarm in self.alarms.take(organisation) {
            self.act(organisation, &[], |act| {
                let payload = Payload::at(act.now);
                match alarm {
                    Alarm::HoneyTouched { leaf } => {
                        let payload = payload.cause(&format!("leaf {}", leaf.get()));
                        act.record_public(EntryKind::HoneyTouched, &payload)
                    }
                    _ => act.record_public(EntryKind::HoneyTouched, &payload),
                }
            })?;
        }
        Ok(())
    }
}
