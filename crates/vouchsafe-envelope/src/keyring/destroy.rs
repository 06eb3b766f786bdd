//! Destruction, step by step. Each step can be the last before a crash; the next call finishes the work.
//!
//! 1. The exclusive lock.
//! 2. The puncture, in memory.
//! 3. A new state key at the service, of a generation never used before.
//! 4. The new state durable under it, read back and opened.
//! 5. Every other state key destroyed.
//! 6. The service asked again what it holds.
//!
//! A crash before 4 leaves the old state and a stray key; after 4, the new state and old keys. Either way the
//! service holds a key that does not seal the stored state, and the next `destroy` or `provision` rolls on to a
//! further generation and destroys all others. It rolls on even when only old keys are left: an interrupted
//! write may be visible without being durable, and no old key is destroyed before a durable write succeeded.
use vouchsafe_types::{Digest, LeafIndex, OrganisationId, wipe_stack};

use super::{KeyRing, handle};
use crate::port::{DestructionEvidence, ErasureStrength, KeyHandle};
use crate::state::sealed;
use crate::{EnvelopeError, LeafStatus, OrganisationState};

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

    /// How many leaves this call destroyed; the others were destroyed before.
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

impl KeyRing {
    /// Destroys leaves for good. Repeating a call is safe and gives evidence again.
    ///
    /// After an error the leaves may or may not be destroyed: repeat the call until it succeeds.
    ///
    /// # Errors
    /// [`EnvelopeError::NeverAllocated`] when any index was never given out (nothing is destroyed then);
    /// [`EnvelopeError::ErasureIncomplete`] when the service still lists an old state key afterwards;
    /// otherwise as [`Self::with_state`].
    pub fn destroy(
        &self,
        organisation: &OrganisationId,
        leaves: &[LeafIndex],
    ) -> Result<PunctureReport, EnvelopeError> {
        let _guard = self.states.lock_exclusive(organisation).map_err(EnvelopeError::StateStore)?;
        let (mut state, blob) = self.load(organisation)?;
        if leaves.iter().any(|leaf| state.status(*leaf) == LeafStatus::NeverAllocated) {
            return Err(EnvelopeError::NeverAllocated);
        }
        let held = self.held(organisation)?;
        let punctured = state.puncture(leaves);
        let report = if punctured == 0 && holds_only(&held, state.generation()) {
            self.repeat_evidence(organisation, &state, &blob)
        } else {
            self.roll(organisation, &mut state, &held, punctured)
        };
        drop(state);
        wipe_stack();
        report
    }

    /// Finishes what an interrupted destruction left; the caller holds the exclusive lock.
    pub(super) fn settle(
        &self,
        organisation: &OrganisationId,
        held: &[KeyHandle],
    ) -> Result<(), EnvelopeError> {
        let (mut state, _) = self.load(organisation)?;
        if holds_only(held, state.generation()) {
            return Ok(());
        }
        self.roll(organisation, &mut state, held, 0).map(drop)
    }

    /// The organisation's state keys at the service.
    pub(super) fn held(&self, organisation: &OrganisationId) -> Result<Vec<KeyHandle>, EnvelopeError> {
        self.service.list(organisation).map_err(EnvelopeError::KeyService)
    }

    /// Steps 3 to 6.
    fn roll(
        &self,
        organisation: &OrganisationId,
        state: &mut OrganisationState,
        held: &[KeyHandle],
        punctured: usize,
    ) -> Result<PunctureReport, EnvelopeError> {
        let latest = held.iter().map(KeyHandle::generation).fold(state.generation(), u64::max);
        state.advance_to(latest.checked_add(1).ok_or(EnvelopeError::Exhausted)?);
        self.service.create(&handle(organisation, state)).map_err(EnvelopeError::KeyService)?;
        let blob = self.commit(organisation, state)?;
        self.read_back(organisation, &blob)?;
        let evidence = self.destroy_others(organisation, state.generation())?;
        Ok(self.report(state.generation(), punctured, evidence, &blob))
    }

    /// A store or service that lied about the new state is found before the old key is gone.
    fn read_back(&self, organisation: &OrganisationId, written: &[u8]) -> Result<(), EnvelopeError> {
        let (_, stored) = self.load(organisation)?;
        if stored == written { Ok(()) } else { Err(EnvelopeError::StateRolledBack) }
    }

    fn destroy_others(
        &self,
        organisation: &OrganisationId,
        keep: u64,
    ) -> Result<Vec<DestructionEvidence>, EnvelopeError> {
        let others = self.held(organisation)?.into_iter().filter(|key| key.generation() != keep);
        let evidence = others
            .map(|key| self.service.destroy(&key).map_err(EnvelopeError::KeyService))
            .collect::<Result<Vec<_>, _>>()?;
        let held = self.held(organisation)?;
        if holds_only(&held, keep) {
            return Ok(evidence);
        }
        let mut left: Vec<u64> =
            held.iter().map(KeyHandle::generation).filter(|left| *left != keep).collect();
        left.sort_unstable();
        Err(if left.is_empty() { EnvelopeError::KeyMissing } else { EnvelopeError::remaining(left) })
    }

    /// All leaves were destroyed before: the service repeats its statement on the last old state key.
    fn repeat_evidence(
        &self,
        organisation: &OrganisationId,
        state: &OrganisationState,
        blob: &[u8],
    ) -> Result<PunctureReport, EnvelopeError> {
        let before = state.generation().saturating_sub(1);
        let mut evidence = Vec::new();
        if before > 0 {
            let key = KeyHandle::new(organisation.clone(), before);
            evidence.push(self.service.destroy(&key).map_err(EnvelopeError::KeyService)?);
        }
        Ok(self.report(state.generation(), 0, evidence, blob))
    }

    fn report(
        &self,
        generation: u64,
        punctured: usize,
        evidence: Vec<DestructionEvidence>,
        blob: &[u8],
    ) -> PunctureReport {
        let declared = self.service.strength();
        let strength = evidence.iter().map(DestructionEvidence::strength).fold(declared, Ord::max);
        PunctureReport { generation, punctured, evidence, strength, state_digest: sealed::digest(blob) }
    }
}

fn holds_only(held: &[KeyHandle], generation: u64) -> bool {
    matches!(held, [only] if only.generation() == generation)
}
