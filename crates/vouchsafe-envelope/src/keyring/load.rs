//! From a sealed state to one that can be lent.
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use vouchsafe_types::OrganisationId;

use super::metrics::count;
use super::slot::{Failure, Live, Slot};
use super::{KeyRing, locked};
use crate::fence::Journal;
use crate::port::{FenceStore, KeyHandle, ShardName};
use crate::state::sealed::{self, Blob};
use crate::{EnvelopeError, OrganisationState};

impl KeyRing {
    /// Makes sure that the slot holds a state that may be served. One caller unwraps, the others wait for it.
    pub(super) fn fill(&self, organisation: &OrganisationId, slot: &Slot) -> Result<(), EnvelopeError> {
        let mut work = locked(&slot.work);
        let now = self.ports.ticks.elapsed();
        if let Some(failure) = work.failure.take_if(|failure| failure.until > now) {
            count(&self.cache.metrics.negative);
            let error = failure.error.clone();
            work.failure = Some(failure);
            return Err(error);
        }
        if self.is_usable(organisation, slot, now)? {
            return Ok(());
        }
        if slot.clear() {
            count(&self.cache.metrics.expired);
        }
        count(&self.cache.metrics.misses);
        let loaded = self.load_shared(organisation, slot);
        work.failure = loaded.as_ref().err().filter(|error| is_lasting(error)).map(|error| Failure {
            until: now.saturating_add(self.cache.policy.negative),
            error: error.clone(),
        });
        let live = loaded.inspect_err(|_| count(&self.cache.metrics.failures))?;
        slot.mark_checked(now);
        slot.touch(now);
        *slot.write() = Some(live);
        drop(work);
        self.cache.make_room(organisation);
        Ok(())
    }

    /// Unwraps a state again, before it expires. Failures leave the old one to its end.
    pub(super) fn refresh(&self, organisation: &OrganisationId, slot: &Slot) {
        let _work = locked(&slot.work);
        if let Ok(live) = self.load_shared(organisation, slot) {
            count(&self.cache.metrics.refreshes);
            *slot.write() = Some(live);
        } else {
            count(&self.cache.metrics.failures);
        }
    }

    fn is_usable(
        &self,
        organisation: &OrganisationId,
        slot: &Slot,
        now: Duration,
    ) -> Result<bool, EnvelopeError> {
        let Some(stored) =
            slot.read().as_ref().filter(|live| self.is_fresh(live, now)).map(|live| live.stored)
        else {
            return Ok(false);
        };
        let version = self.ports.states.version(organisation).map_err(EnvelopeError::StateStore)?;
        if version != Some(stored) {
            count(&self.cache.metrics.superseded);
            return Ok(false);
        }
        Ok(true)
    }

    fn load_shared(&self, organisation: &OrganisationId, slot: &Slot) -> Result<Live, EnvelopeError> {
        // Asking for an unknown organisation leaves no lock file behind.
        if self.ports.states.version(organisation).map_err(EnvelopeError::StateStore)?.is_none() {
            return self.load_state(organisation);
        }
        let _guard = self.ports.states.lock_shared(organisation).map_err(EnvelopeError::StateStore)?;
        let live = self.load(organisation)?;
        if !slot.gated.load(Ordering::Relaxed) {
            live.check_keys(&self.held(organisation)?)?;
            slot.gated.store(true, Ordering::Relaxed);
        }
        Ok(live)
    }

    /// Opens the stored state and compares it with its journal; the caller holds a lock.
    pub(super) fn load(&self, organisation: &OrganisationId) -> Result<Live, EnvelopeError> {
        let mut live = self.load_state(organisation)?;
        live.catch_up(&*self.ports.fences, organisation)?;
        live.journal.check(&live.state)?;
        // What is fenced opens nothing, whoever wrote the fence and however far its destruction came.
        live.state.puncture(&live.journal.pending_leaves())?;
        Ok(live)
    }

    /// Opens the stored state, with a journal of which nothing was read.
    pub(super) fn load_state(&self, organisation: &OrganisationId) -> Result<Live, EnvelopeError> {
        let unwrapped = self.ports.ticks.elapsed();
        let blob = self.ports.states.read(organisation).map_err(EnvelopeError::StateStore)?;
        let Some(blob) = blob else {
            let lost = !self.held(organisation)?.is_empty();
            return Err(if lost { EnvelopeError::StateLost } else { EnvelopeError::NotProvisioned });
        };
        let state =
            self.unseal(organisation, &blob).map_err(|error| self.explain(organisation, &blob, error))?;
        self.lend_to_this_process(organisation, state, unwrapped)
    }

    pub(super) fn lend_to_this_process(
        &self,
        organisation: &OrganisationId,
        state: OrganisationState,
        unwrapped: Duration,
    ) -> Result<Live, EnvelopeError> {
        let stored = state.version();
        let lease = self.ports.states.lease(organisation, stored).map_err(EnvelopeError::StateStore)?;
        let journal = Journal::new(organisation, state.fence_key());
        Ok(Live { state, journal, unwrapped, stored, lease })
    }

    pub(super) fn unseal(
        &self,
        organisation: &OrganisationId,
        blob: &[u8],
    ) -> Result<OrganisationState, EnvelopeError> {
        let Blob::State { generation, wrapped, message } = Blob::parse(blob)? else {
            return Err(EnvelopeError::NotProvisioned);
        };
        let audit = Arc::clone(&self.ports.audit);
        let parts = (generation, wrapped, message);
        let mut state = sealed::open(organisation, &*self.ports.service, parts, audit)?;
        if state.shard_count() > 0 {
            state.load_shards(organisation, &|name| self.read_shard(organisation, name))?;
        }
        Ok(state)
    }

    /// A missing state key was destroyed, or is not there yet: a service that was restored holds older ones only.
    fn explain(&self, organisation: &OrganisationId, blob: &[u8], error: EnvelopeError) -> EnvelopeError {
        let (EnvelopeError::KeyMissing, Ok(Blob::State { generation, .. })) = (&error, Blob::parse(blob))
        else {
            return error;
        };
        match self.held(organisation) {
            Ok(held) if !held.is_empty() && held.iter().all(|key| key.generation() < generation) => {
                EnvelopeError::KeyServiceRolledBack
            }
            _ => error,
        }
    }

    /// The organisation's state keys at the service.
    pub(super) fn held(&self, organisation: &OrganisationId) -> Result<Vec<KeyHandle>, EnvelopeError> {
        self.ports.service.list(organisation).map_err(EnvelopeError::KeyService)
    }

    fn read_shard(&self, organisation: &OrganisationId, name: &ShardName) -> Result<Vec<u8>, EnvelopeError> {
        let shard = self.ports.states.read_shard(organisation, name).map_err(EnvelopeError::StateStore)?;
        shard.ok_or(EnvelopeError::StateLost)
    }
}

impl Live {
    pub(super) fn catch_up(
        &mut self,
        fences: &dyn FenceStore,
        organisation: &OrganisationId,
    ) -> Result<(), EnvelopeError> {
        self.journal.catch_up(fences, organisation, self.state.fence_key())
    }

    /// Refuses to go on while destroyed state keys are at the service.
    pub(super) fn check_keys(&self, held: &[KeyHandle]) -> Result<(), EnvelopeError> {
        let mut back: Vec<u64> =
            held.iter().map(KeyHandle::generation).filter(|held| *held < self.journal.live_from).collect();
        back.sort_unstable();
        if back.is_empty() { Ok(()) } else { Err(EnvelopeError::resurrected(back)) }
    }
}

/// Failures that the next caller would meet too.
const fn is_lasting(error: &EnvelopeError) -> bool {
    matches!(error, EnvelopeError::NotProvisioned | EnvelopeError::KeyService(_))
}
