//! Durable changes of a state: under the exclusive lock, in place, then sealed and written.
use vouchsafe_types::{OrganisationId, wipe_stack};

use super::slot::Slot;
use super::{KeyRing, locked};
use crate::EnvelopeError;
use crate::fence::Record;
use crate::port::{KeyHandle, StateVersion};
use crate::state::sealed;

impl KeyRing {
    /// Runs a change of the newest state. After an error the slot is empty, so that the stored state is read again.
    pub(super) fn change<R>(
        &self,
        organisation: &OrganisationId,
        change: impl FnOnce(&Slot) -> Result<R, EnvelopeError>,
    ) -> Result<R, EnvelopeError> {
        let slot = self.cache.slot(organisation);
        let mut work = locked(&slot.work);
        let _guard = self.ports.states.lock_exclusive(organisation).map_err(EnvelopeError::StateStore)?;
        work.failure = None;
        let changed = self.make_newest(organisation, &slot).and_then(|()| change(&slot));
        if changed.is_err() {
            slot.clear();
        }
        drop(work);
        wipe_stack();
        self.cache.make_room(organisation);
        changed
    }

    /// Makes sure that the slot holds what the store holds; the caller holds the exclusive lock.
    fn make_newest(&self, organisation: &OrganisationId, slot: &Slot) -> Result<(), EnvelopeError> {
        let now = self.ports.ticks.elapsed();
        let stored = self.ports.states.version(organisation).map_err(EnvelopeError::StateStore)?;
        let usable = |live: &super::slot::Live| self.is_fresh(live, now) && stored == Some(live.stored);
        if slot.read().as_ref().is_some_and(usable) {
            // Another process may have fenced and stopped.
            return slot.edit(|live| {
                live.catch_up(&*self.ports.fences, organisation)?;
                live.journal.check(&live.state)?;
                live.state.puncture(&live.journal.pending_leaves()).map(drop)
            });
        }
        slot.clear();
        let live = self.load(organisation)?;
        live.check_keys(&self.held(organisation)?)?;
        slot.gated.store(true, std::sync::atomic::Ordering::Relaxed);
        slot.touch(now);
        slot.mark_checked(now);
        *slot.write() = Some(live);
        Ok(())
    }

    /// Seals the slot's state under the state key of its generation and makes it durable; gives the head.
    pub(super) fn commit(
        &self,
        organisation: &OrganisationId,
        slot: &Slot,
    ) -> Result<Vec<u8>, EnvelopeError> {
        let fresh = slot.edit(|live| {
            live.state.set_fences(live.journal.count());
            live.state.reshard(organisation, &*self.ports.entropy)
        })?;
        let states = &*self.ports.states;
        for shard in &fresh {
            states
                .write_shard(organisation, &shard.name, &shard.sealed)
                .map_err(EnvelopeError::StateStore)?;
        }
        let (head, version, shards) = slot.look(|live| {
            let head = sealed::seal(&live.state, organisation, &*self.ports.service, &*self.ports.entropy)?;
            Ok((head, live.state.version(), live.state.shard_names()))
        })?;
        states.ensure_shards(organisation, &shards).map_err(EnvelopeError::StateStore)?;
        states.write(organisation, version, &head).map_err(EnvelopeError::StateStore)?;
        let lease = states.lease(organisation, version).map_err(EnvelopeError::StateStore)?;
        slot.edit(|live| {
            (live.stored, live.lease) = (version, lease);
            Ok(())
        })?;
        // What cannot be removed is ciphertext under keys that this head no longer holds; the next write tries again.
        let _ = states.retain_shards(organisation, &shards);
        Ok(head)
    }

    /// Appends to the organisation's fence journal.
    pub(super) fn journal(
        &self,
        organisation: &OrganisationId,
        slot: &Slot,
        record: impl FnOnce(StateVersion) -> Record,
    ) -> Result<(), EnvelopeError> {
        slot.edit(|live| {
            let (state, journal) = (&live.state, &mut live.journal);
            let record = record(state.version());
            journal.append(&*self.ports.fences, organisation, state.fence_key(), record)
        })
    }

    /// The handle of the slot's state key.
    pub(super) fn handle(
        &self,
        organisation: &OrganisationId,
        slot: &Slot,
    ) -> Result<KeyHandle, EnvelopeError> {
        slot.look(|live| Ok(KeyHandle::new(organisation.clone(), live.state.generation())))
    }
}
