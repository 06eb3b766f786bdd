//! What the key ring hears while it lends a state: passed on at once, and alarms written to the log afterwards.

use std::sync::{Arc, Mutex, PoisonError};

use vouchsafe_envelope::port::{Alarm, OpenAudit, Opened};
use vouchsafe_ledger::{ActorRole, EntryKind};
use vouchsafe_types::OrganisationId;

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

    fn take(&self, organisation: &OrganisationId) -> Option<Alarm> {
        let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        let place = heard.iter().position(|(owner, _)| owner == organisation)?;
        Some(heard.remove(place).1)
    }

    fn put_back(&self, organisation: &OrganisationId, alarm: Alarm) {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).push((organisation.clone(), alarm));
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
    /// What cannot be written stays for the next act: an alarm is no reason to call an act failed.
    pub(crate) fn log_alarms(&self, organisation: &OrganisationId) {
        while let Some(alarm) = self.alarms.take(organisation) {
            let written = self.act_once(organisation, &[], |act| {
                let payload = Payload::by(ActorRole::Service, act.now);
                let payload = match alarm {
                    Alarm::HoneyTouched { leaf } => payload.cause(&format!("leaf {}", leaf.get())),
                    _ => payload,
                };
                act.record_public(EntryKind::HoneyTouched, &payload)
            });
            if written.is_err() {
                return self.alarms.put_back(organisation, alarm);
            }
        }
    }
}
