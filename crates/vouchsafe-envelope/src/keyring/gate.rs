//! The start-up gate's other side: the explicit recovery after a restore of states, keys or journal.
//!
//! The gate itself stands where states are loaded ([`EnvelopeError::StateRolledBack`],
//! [`EnvelopeError::FencesLost`], [`EnvelopeError::Resurrected`], [`EnvelopeError::KeyServiceRolledBack`]): nothing
//! is served until the recovery ran.
use std::sync::atomic::Ordering;

use vouchsafe_types::OrganisationId;

use super::slot::Live;
use super::{KeyRing, PunctureReport, locked};
use crate::EnvelopeError;
use crate::fence::{Journal, Record};
use crate::port::KeyHandle;

/// What a recovery does when the fence journal is missing or older than the state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "the operator decides one way or the other")]
pub enum FenceLoss {
    /// A new journal begins at the present state. What only the lost one knew is not replayed.
    Accepted,
    /// The organisation stays closed.
    Refused,
}

/// What a recovery found and did.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
#[non_exhaustive]
pub struct Replay {
    /// Whether the state was older than the journal.
    pub rolled_back: bool,
    /// Destroyed state keys that were back at the service, ascending; they are destroyed again.
    pub resurrected: Vec<u64>,
    /// How many destroyed leaves opened again, and do no more.
    pub replayed: usize,
    /// What the new destruction did.
    pub report: PunctureReport,
}

impl KeyRing {
    /// Compares the stored state, the service's keys and the journal, as the first use in a process does.
    ///
    /// # Errors
    /// As [`Self::with_state`].
    pub fn check(&self, organisation: &OrganisationId) -> Result<(), EnvelopeError> {
        let _guard = self.ports.states.lock_shared(organisation).map_err(EnvelopeError::StateStore)?;
        self.load(organisation)?.check_keys(&self.held(organisation)?)
    }

    /// Destroys again what the journal says is destroyed, after a restore brought older keys or states back.
    ///
    /// Counters move past every index that the journal knows, so that none is given out twice. What the state
    /// knew and the journal does not (indices reserved but never noted) was never given out. Stop the other
    /// processes first.
    ///
    /// # Errors
    /// [`EnvelopeError::FencesLost`] unless the loss is accepted; [`EnvelopeError::KeyServiceRolledBack`] when no
    /// stored state opens with what the service holds: bring one of the same time back. Otherwise as
    /// [`Self::destroy`].
    pub fn recover(&self, organisation: &OrganisationId, loss: FenceLoss) -> Result<Replay, EnvelopeError> {
        let slot = self.cache.slot(organisation);
        self.forget_reserved(organisation);
        let work = locked(&slot.work);
        let guard = self.ports.states.lock_exclusive(organisation).map_err(EnvelopeError::StateStore)?;
        slot.clear();
        let replay = self.load_after_loss(organisation, loss).and_then(|live| {
            let held = self.held(organisation)?;
            let rolled_back = live.state.version() < live.journal.version;
            let resurrected = match live.check_keys(&held) {
                Err(EnvelopeError::Resurrected(back)) => back.generations().to_vec(),
                _ => Vec::new(),
            };
            *slot.write() = Some(live);
            let replayed = slot.edit(|live| {
                let (state, journal) = (&mut live.state, &live.journal);
                journal.counters.iter().for_each(|(code, next)| state.raise_counter(*code, *next));
                state.skip_to(journal.version.revision);
                state.puncture(&journal.all_leaves())
            })?;
            let report = self.roll(organisation, &slot, &held, replayed)?;
            Ok(Replay { rolled_back, resurrected, replayed, report })
        });
        if replay.is_err() {
            slot.clear();
        }
        drop((guard, work));
        let replay = replay?;
        slot.gated.store(true, Ordering::Relaxed);
        self.await_leases(organisation)?;
        Ok(replay)
    }

    /// Every state key that the service holds for an organisation, and which of them seals the stored state.
    ///
    /// # Errors
    /// As the key service and the state store state.
    pub fn state_keys(
        &self,
        organisation: &OrganisationId,
    ) -> Result<(Vec<KeyHandle>, Option<u64>), EnvelopeError> {
        let stored = self.ports.states.version(organisation).map_err(EnvelopeError::StateStore)?;
        Ok((self.held(organisation)?, stored.map(|version| version.generation)))
    }

    fn load_after_loss(&self, organisation: &OrganisationId, loss: FenceLoss) -> Result<Live, EnvelopeError> {
        let mut live = self.load_any(organisation)?;
        let fences = &*self.ports.fences;
        let read = live.catch_up(fences, organisation);
        let lost = match read {
            Err(EnvelopeError::FencesLost | EnvelopeError::Malformed(_)) => true,
            other => other.map(|()| live.state.fences() > live.journal.count())?,
        };
        if lost && loss == FenceLoss::Refused {
            return Err(EnvelopeError::FencesLost);
        }
        if lost {
            fences.set_aside(organisation).map_err(EnvelopeError::StateStore)?;
            let (state, journal) = (&live.state, &mut live.journal);
            *journal = Journal::new(organisation, state.fence_key());
            journal.append(fences, organisation, state.fence_key(), Record::Begun(state.version()))?;
        }
        Ok(live)
    }

    /// The newest stored state that opens with what the service holds.
    fn load_any(&self, organisation: &OrganisationId) -> Result<Live, EnvelopeError> {
        let unwrapped = self.ports.ticks.elapsed();
        let newest = self.load_state(organisation);
        if !matches!(newest, Err(EnvelopeError::KeyServiceRolledBack)) {
            return newest;
        }
        let heads = self.ports.states.read_all(organisation).map_err(EnvelopeError::StateStore)?;
        let older = heads.iter().skip(1).find_map(|head| self.unseal(organisation, head).ok());
        let state = older.ok_or(EnvelopeError::KeyServiceRolledBack)?;
        self.lend_to_this_process(organisation, state, unwrapped)
    }
}
