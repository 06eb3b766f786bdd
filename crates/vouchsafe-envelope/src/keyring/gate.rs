//! The start-up gate's other side: the explicit recovery after a restore of states, keys or journal.
//!
//! The gate itself stands where states are loaded ([`EnvelopeError::StateRolledBack`],
//! [`EnvelopeError::FencesLost`], [`EnvelopeError::Resurrected`], [`EnvelopeError::KeyServiceRolledBack`]): nothing
//! is served until the recovery ran.
use std::sync::atomic::Ordering;

use vouchsafe_types::{DataClass, LeafIndex, OrganisationId, Secret, wipe_stack};

use super::slot::Live;
use super::{KeyRing, PunctureReport, locked};
use crate::EnvelopeError;
use crate::fence::{Journal, Record};
use crate::port::KeyHandle;
use crate::state::MAX_COUNTER;

/// How many indices of each class a replaced journal skips.
const COUNTER_GAP: u64 = 1 << 24;

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
    /// Whether a new fence journal was begun, because the former was lost and the operator accepted that. What stood
    /// in the authentic part of the former was taken over.
    pub journal_replaced: bool,
    /// Destroyed state keys that were back at the service, ascending; they are destroyed again.
    pub resurrected: Vec<u64>,
    /// How many destroyed leaves opened again, and do no more.
    pub replayed: usize,
    /// What the new destruction did.
    pub report: PunctureReport,
}

/// What an organisation's log is named and signed with.
pub struct LogIdentity {
    /// The organisation's pseudonym.
    pub organisation: [u8; 16],
    /// The Ed25519 seed (RFC 8032) of the log.
    pub seed: Secret<32>,
}

impl std::fmt::Debug for LogIdentity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LogIdentity").finish_non_exhaustive()
    }
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
        let replay = self.load_after_loss(organisation, loss).and_then(|(mut live, journal_replaced)| {
            let held = self.held(organisation)?;
            let rolled_back = live.state.version() < live.journal.version;
            let resurrected = match live.check_keys(&held) {
                Err(EnvelopeError::Resurrected(back)) => back.generations().to_vec(),
                _ => Vec::new(),
            };
            let (state, journal) = (&mut live.state, &live.journal);
            journal.counters.iter().for_each(|(code, next)| state.raise_counter(*code, *next));
            let replayed = state.puncture(&journal.all_leaves())?;
            // Nobody reads it before what was destroyed is out of it.
            *slot.write() = Some(live);
            let report = self.roll(organisation, &slot, &held, replayed)?;
            Ok(Replay { rolled_back, journal_replaced, resurrected, replayed, report })
        });
        if replay.is_err() {
            slot.clear();
        }
        drop((guard, work));
        wipe_stack();
        let replay = replay?;
        slot.gated.store(true, Ordering::Relaxed);
        self.await_leases(organisation)?;
        Ok(replay)
    }

    /// What an organisation's log is named and signed with, also while the gate is closed: what was published can be
    /// read and proven then. No record opens with it.
    ///
    /// # Errors
    /// As [`Self::with_state`], but for the gate.
    pub fn log_identity(&self, organisation: &OrganisationId) -> Result<LogIdentity, EnvelopeError> {
        let _guard = self.ports.states.lock_shared(organisation).map_err(EnvelopeError::StateStore)?;
        let live = self.load_any(organisation)?;
        let (organisation, seed) = (live.state.organisation_pseudonym(), live.state.log_seed());
        wipe_stack();
        Ok(LogIdentity { organisation, seed })
    }

    /// Moves an index counter past what the caller's rows name, so that no index is given out twice after a loss.
    ///
    /// # Errors
    /// As [`Self::with_state`].
    pub fn raise_counter(
        &self,
        organisation: &OrganisationId,
        class: DataClass,
        past: LeafIndex,
    ) -> Result<(), EnvelopeError> {
        self.forget_reserved(organisation);
        self.change(organisation, |slot| {
            let next = slot.edit(|live| {
                live.state.raise_counter(class.code(), live.state.counter_past(past));
                live.state.revise();
                Ok(live.state.counter(class))
            })?;
            self.commit(organisation, slot)?;
            self.journal(organisation, slot, |version| Record::Counted(version, class.code(), next))
        })
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

    /// The newest state that opens, with its journal; tells whether the journal had to be replaced.
    fn load_after_loss(
        &self,
        organisation: &OrganisationId,
        loss: FenceLoss,
    ) -> Result<(Live, bool), EnvelopeError> {
        let mut live = self.load_any(organisation)?;
        let lost = match live.catch_up(&*self.ports.fences, organisation) {
            Err(EnvelopeError::FencesLost | EnvelopeError::Malformed(_)) => true,
            other => other.map(|()| live.state.fences() > live.journal.count())?,
        };
        if lost && loss == FenceLoss::Refused {
            return Err(EnvelopeError::FencesLost);
        }
        if lost {
            self.replace_journal(organisation, &mut live)?;
        }
        Ok((live, lost))
    }

    /// Begins a new journal with what the authentic part of the former says, and leaves a wide gap in every counter
    /// for the indices that only the lost part knew.
    fn replace_journal(&self, organisation: &OrganisationId, live: &mut Live) -> Result<(), EnvelopeError> {
        let fences = &*self.ports.fences;
        fences.set_aside(organisation).map_err(EnvelopeError::StateStore)?;
        let key = *live.state.fence_key();
        let former = std::mem::replace(&mut live.journal, Journal::new(organisation, &key));
        let version = live.state.version().max(former.version);
        let mut append = |record| live.journal.append(fences, organisation, &key, record);
        append(Record::Noted(version))?;
        let leaves: Vec<u64> = former.all_leaves().iter().map(|leaf| leaf.get()).collect();
        if !leaves.is_empty() {
            append(Record::Fenced(leaves))?;
        }
        for class in DataClass::ALL {
            let known = former.counters.get(&class.code()).copied().unwrap_or(0);
            let next = known.max(live.state.counter(class)).saturating_add(COUNTER_GAP);
            // A class that is nearly used up has no room for the gap.
            live.state.raise_counter(class.code(), next.min(MAX_COUNTER));
        }
        Ok(())
    }

    /// The newest stored state that opens with what the service holds.
    fn load_any(&self, organisation: &OrganisationId) -> Result<Live, EnvelopeError> {
        let unwrapped = self.ports.ticks.elapsed();
        let refused = match self.load_state(organisation) {
            Err(
                error @ (EnvelopeError::KeyServiceRolledBack
                | EnvelopeError::KeyMissing
                | EnvelopeError::NotAuthentic),
            ) => error,
            newest => return newest,
        };
        let heads = self.ports.states.read_all(organisation).map_err(EnvelopeError::StateStore)?;
        let older = heads.iter().find_map(|head| self.unseal(organisation, head).ok());
        self.lend_to_this_process(organisation, older.ok_or(refused)?, unwrapped)
    }
}
