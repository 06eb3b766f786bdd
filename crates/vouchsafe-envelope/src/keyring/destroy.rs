//! Destruction, step by step. Each step can be the last before a crash; the next call finishes the work.
//!
//! 1. The exclusive lock.
//! 2. The fence, durable in the journal: from here on every process that reads the state leaves the leaves out.
//! 3. The puncture, in the state that this process's readers share: from here on none of them derives the leaves.
//! 4. A new state key at the service, of a generation never used before.
//! 5. The new state durable under it in every place, read back and opened.
//! 6. Every other state key destroyed; the service asked again what it holds.
//! 7. The journal says done.
//! 8. The other processes' leases on the former state run out, or are given back.
//!
//! A crash before 5 leaves the old state and a stray key; after 5, the new state and old keys; either way a fence
//! without its end. The next `destroy` or `provision` rolls on to a further generation and destroys all others. It
//! rolls on even when only old keys are left: an interrupted write may be visible without being durable, and no old
//! key is destroyed before a durable write succeeded.
use std::collections::BTreeSet;
use std::time::Duration;

use vouchsafe_types::{Digest, LeafIndex, OrganisationId, wipe_stack};

use super::KeyRing;
use super::slot::Slot;
use crate::fence::Record;
use crate::port::{DestructionEvidence, ErasureStrength, KeyHandle, StateVersion};
use crate::state::sealed;
use crate::{EnvelopeError, LeafStatus};

/// What a destruction did: material for evidence rows and certificates.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct PunctureReport {
    generation: u64,
    punctured: usize,
    evidence: Vec<DestructionEvidence>,
    strength: ErasureStrength,
    state_digest: Digest,
}

impl PunctureReport {
    /// The generation of the state without the leaves.
    pub const fn generation(&self) -> u64 {
        self.generation
    }

    /// How many leaves this call condemned; the others were condemned before.
    pub const fn punctured(&self) -> usize {
        self.punctured
    }

    /// The service's statements on the state keys that could still open an older state, ascending by generation.
    pub fn evidence(&self) -> &[DestructionEvidence] {
        &self.evidence
    }

    /// The weakest strength among the statements.
    pub const fn strength(&self) -> ErasureStrength {
        self.strength
    }

    /// SHA-256 of the sealed state without the leaves.
    pub const fn state_digest(&self) -> Digest {
        self.state_digest
    }
}

/// How long to pause between two looks at the leases.
const PAUSE: Duration = Duration::from_millis(10);

impl KeyRing {
    /// Destroys leaves for good. Repeating a call is safe and gives evidence again.
    ///
    /// After an error the leaves may or may not be destroyed: repeat the call until it succeeds. Once they were
    /// fenced they open nothing, destroyed or not.
    ///
    /// # Errors
    /// [`EnvelopeError::NeverAllocated`] when any index was never given out (nothing is destroyed then);
    /// [`EnvelopeError::ErasureIncomplete`] when the service still lists an old state key afterwards, or another
    /// process still holds the former state unsealed; otherwise as [`Self::with_state`].
    pub fn destroy(
        &self,
        organisation: &OrganisationId,
        leaves: &[LeafIndex],
    ) -> Result<PunctureReport, EnvelopeError> {
        let report = self.change(organisation, |slot| {
            let punctured = self.fence(organisation, slot, leaves)?;
            let held = self.held(organisation)?;
            let (pending, generation) =
                slot.look(|live| Ok((!live.journal.pending.is_empty(), live.state.generation())))?;
            if pending || !holds_only(&held, generation) {
                self.roll(organisation, slot, &held, punctured)
            } else {
                self.repeat_evidence(organisation, generation)
            }
        });
        wipe_stack();
        let report = report?;
        self.await_leases(organisation)?;
        Ok(report)
    }

    /// Steps 2 and 3; gives how many leaves were live.
    fn fence(
        &self,
        organisation: &OrganisationId,
        slot: &Slot,
        leaves: &[LeafIndex],
    ) -> Result<usize, EnvelopeError> {
        let doomed: BTreeSet<u64> = slot.look(|live| {
            if leaves.iter().any(|leaf| live.state.status(*leaf) == LeafStatus::NeverAllocated) {
                return Err(EnvelopeError::NeverAllocated);
            }
            let live_leaves = leaves.iter().filter(|leaf| live.state.status(**leaf) == LeafStatus::Live);
            Ok(live_leaves.map(|leaf| leaf.get()).collect())
        })?;
        if doomed.is_empty() {
            return Ok(0);
        }
        // In one go: no reader gets in between the fence and the puncture.
        slot.edit(|live| {
            let (state, journal) = (&mut live.state, &mut live.journal);
            let fenced = Record::Fenced(doomed.into_iter().collect());
            journal.append(&*self.ports.fences, organisation, state.fence_key(), fenced)?;
            state.puncture(&journal.pending_leaves())
        })
    }

    /// Finishes what an interrupted destruction left; the caller holds the exclusive lock.
    pub(super) fn settle(
        &self,
        organisation: &OrganisationId,
        slot: &Slot,
        held: &[KeyHandle],
    ) -> Result<(), EnvelopeError> {
        let settled = slot
            .look(|live| Ok(holds_only(held, live.state.generation()) && live.journal.pending.is_empty()))?;
        if settled { Ok(()) } else { self.roll(organisation, slot, held, 0).map(drop) }
    }

    /// Steps 4 to 7.
    pub(super) fn roll(
        &self,
        organisation: &OrganisationId,
        slot: &Slot,
        held: &[KeyHandle],
        punctured: usize,
    ) -> Result<PunctureReport, EnvelopeError> {
        let latest = held.iter().map(KeyHandle::generation).fold(0, u64::max);
        // After a recovery a place may hold a later head than the state that was opened.
        let stored = self.ports.states.version(organisation).map_err(EnvelopeError::StateStore)?;
        let stored = stored.unwrap_or_default();
        slot.edit(|live| {
            for known in [live.journal.version, stored] {
                live.state.skip_to(known.revision);
            }
            let latest = [live.journal.version, live.state.version(), stored]
                .iter()
                .fold(latest, |latest, known| latest.max(known.generation));
            live.state.advance_to(latest.checked_add(1).ok_or(EnvelopeError::Exhausted)?);
            Ok(())
        })?;
        let handle = self.handle(organisation, slot)?;
        self.ports.service.create(&handle).map_err(EnvelopeError::KeyService)?;
        let head = self.commit(organisation, slot)?;
        self.read_back(organisation, slot, &head)?;
        let evidence = self.destroy_others(organisation, handle.generation())?;
        self.journal(organisation, slot, Record::Done)?;
        Ok(self.report(handle.generation(), punctured, evidence, &head))
    }

    /// A store or service that lied about the new state is found before the old key is gone.
    fn read_back(
        &self,
        organisation: &OrganisationId,
        slot: &Slot,
        written: &[u8],
    ) -> Result<(), EnvelopeError> {
        let stored = self.ports.states.read_all(organisation).map_err(EnvelopeError::StateStore)?;
        if stored.is_empty() || stored.iter().any(|head| head != written) {
            return Err(EnvelopeError::StateRolledBack);
        }
        let again = self.unseal(organisation, written)?;
        let same = slot.look(|live| Ok(live.state.version() == again.version()))?;
        if same { Ok(()) } else { Err(EnvelopeError::StateRolledBack) }
    }

    fn destroy_others(
        &self,
        organisation: &OrganisationId,
        keep: u64,
    ) -> Result<Vec<DestructionEvidence>, EnvelopeError> {
        let others = self.held(organisation)?.into_iter().filter(|key| key.generation() != keep);
        let evidence = others
            .map(|key| self.ports.service.destroy(&key).map_err(EnvelopeError::KeyService))
            .collect::<Result<Vec<_>, _>>()?;
        let held = self.held(organisation)?;
        if holds_only(&held, keep) {
            return Ok(evidence);
        }
        let mut left: Vec<u64> =
            held.iter().map(KeyHandle::generation).filter(|left| *left != keep).collect();
        left.sort_unstable();
        Err(if left.is_empty() { EnvelopeError::KeyMissing } else { EnvelopeError::incomplete(left, 0) })
    }

    /// All leaves were destroyed before: the service repeats its statement on the last old state key.
    fn repeat_evidence(
        &self,
        organisation: &OrganisationId,
        generation: u64,
    ) -> Result<PunctureReport, EnvelopeError> {
        let mut evidence = Vec::new();
        if let Some(before) = generation.checked_sub(1).filter(|before| *before > 0) {
            let key = KeyHandle::new(organisation.clone(), before);
            evidence.push(self.ports.service.destroy(&key).map_err(EnvelopeError::KeyService)?);
        }
        let head = self.ports.states.read(organisation).map_err(EnvelopeError::StateStore)?;
        Ok(self.report(generation, 0, evidence, &head.ok_or(EnvelopeError::StateLost)?))
    }

    /// Step 8. Later revisions of one generation know no leaf less.
    pub(super) fn await_leases(&self, organisation: &OrganisationId) -> Result<(), EnvelopeError> {
        self.await_from(organisation, |stored| StateVersion { revision: 0, ..stored })
    }

    /// Waits, for a bounded time, until every process that holds the state unsealed holds the stored one.
    ///
    /// # Errors
    /// [`EnvelopeError::ErasureIncomplete`] with the number of leases that are left.
    pub fn await_current(&self, organisation: &OrganisationId) -> Result<(), EnvelopeError> {
        self.await_from(organisation, |stored| stored)
    }

    /// Waits outside of every lock, so that other processes can let go.
    fn await_from(
        &self,
        organisation: &OrganisationId,
        from: impl FnOnce(StateVersion) -> StateVersion,
    ) -> Result<(), EnvelopeError> {
        let states = &*self.ports.states;
        let stored = states.version(organisation).map_err(EnvelopeError::StateStore)?;
        let from = from(stored.ok_or(EnvelopeError::StateLost)?);
        let looks = self.cache.policy.lease_wait.as_millis() / PAUSE.as_millis();
        for look in 0..=looks {
            let leases = states.leased_before(organisation, from).map_err(EnvelopeError::StateStore)?;
            if leases == 0 {
                break;
            }
            if look == looks {
                return Err(EnvelopeError::incomplete(Vec::new(), leases));
            }
            std::thread::sleep(PAUSE);
        }
        Ok(())
    }

    fn report(
        &self,
        generation: u64,
        punctured: usize,
        evidence: Vec<DestructionEvidence>,
        head: &[u8],
    ) -> PunctureReport {
        let declared = self.ports.service.strength();
        let strength = evidence.iter().map(DestructionEvidence::strength).fold(declared, Ord::max);
        PunctureReport { generation, punctured, evidence, strength, state_digest: sealed::digest(head) }
    }
}

fn holds_only(held: &[KeyHandle], generation: u64) -> bool {
    matches!(held, [only] if only.generation() == generation)
}
