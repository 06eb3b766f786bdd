//! The first state of an organisation, and what an interruption left of it.
use std::sync::Arc;
use std::sync::atomic::Ordering;

use vouchsafe_types::{OrganisationId, wipe_stack};

use super::slot::{Live, Slot};
use super::{KeyRing, locked};
use crate::fence::{Journal, Record};
use crate::state::sealed::{self, Blob};
use crate::{EnvelopeError, OrganisationState};

impl KeyRing {
    /// Makes the first state and state key of an organisation. Later calls change nothing, except that the first
    /// one of a process finishes an interrupted provisioning or destruction.
    ///
    /// # Errors
    /// [`EnvelopeError::StateLost`] where keys exist and the state is gone: a new state would hide the loss.
    /// Otherwise as [`Self::with_state`].
    pub fn provision(&self, organisation: &OrganisationId) -> Result<(), EnvelopeError> {
        let slot = self.cache.slot(organisation);
        if slot.settled.load(Ordering::Relaxed) {
            return Ok(());
        }
        if self.begin(organisation, &slot)? {
            self.change(organisation, |slot| {
                let held = self.held(organisation)?;
                let begun = slot.look(|live| Ok(live.journal.count() > 0))?;
                if !begun {
                    self.journal(organisation, slot, Record::Noted)?;
                }
                self.settle(organisation, slot, &held)
            })?;
        }
        slot.settled.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// Makes the first state where there is none; says whether there was one already.
    fn begin(&self, organisation: &OrganisationId, slot: &Slot) -> Result<bool, EnvelopeError> {
        let mut work = locked(&slot.work);
        let _guard = self.ports.states.lock_exclusive(organisation).map_err(EnvelopeError::StateStore)?;
        let blob = self.ports.states.read(organisation).map_err(EnvelopeError::StateStore)?;
        let mark = blob.as_deref().map(Blob::parse).transpose()?;
        if matches!(mark, Some(Blob::State { .. })) {
            return Ok(true);
        }
        // A journal means that there was a state.
        let fences = self.ports.fences.read(organisation, 0).map_err(EnvelopeError::StateStore)?;
        if !fences.records.is_empty() || fences.damaged {
            return Err(EnvelopeError::StateLost);
        }
        let held = self.held(organisation)?;
        match mark {
            // The state of generation 1 was never written, so its key has sealed nothing.
            Some(Blob::Provisioning) if held.iter().all(|key| key.generation() == 1) => {}
            None if held.is_empty() => {
                let mark = sealed::provisioning_mark();
                let written = self.ports.states.write(organisation, Default::default(), &mark);
                written.map_err(EnvelopeError::StateStore)?;
            }
            _ => return Err(EnvelopeError::StateLost),
        }
        work.failure = None;
        // Nobody reads it before it is durable.
        let fresh = Slot::default();
        *fresh.write() = Some(self.first(organisation)?);
        let handle = self.handle(organisation, &fresh)?;
        self.ports.service.create(&handle).map_err(EnvelopeError::KeyService)?;
        self.commit(organisation, &fresh)?;
        self.journal(organisation, &fresh, Record::Noted)?;
        *slot.write() = fresh.write().take();
        slot.gated.store(true, Ordering::Relaxed);
        wipe_stack();
        Ok(false)
    }

    fn first(&self, organisation: &OrganisationId) -> Result<Live, EnvelopeError> {
        let unwrapped = self.ports.ticks.elapsed();
        let state = OrganisationState::generate(&*self.ports.entropy, Arc::clone(&self.ports.audit))?;
        let journal = Journal::new(organisation, state.fence_key());
        let stored = state.version();
        let lease = self.ports.states.lease(organisation, stored).map_err(EnvelopeError::StateStore)?;
        Ok(Live { state, journal, unwrapped, stored, lease })
    }
}
