use std::collections::BTreeMap;

use vouchsafe_types::Digest;

use crate::merkle::{self, consistency_proof, verify_consistency};
use crate::{
    CHECKPOINT_PATH, Checkpoint, CheckpointLock, LedgerError, SignedCheckpoint, TileReader, TileStore, Trust,
    Witness, WitnessError, WitnessKey,
};

/// The sizes that witnesses cosigned last, so that a request says the right one at once.
///
/// It saves a round trip and no more: a size that is wrong or lost is learnt from the witness.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CosignedSizes(BTreeMap<String, u64>);

impl CosignedSizes {
    /// The size that the witness is known to have cosigned last, or 0.
    pub fn of(&self, witness: &WitnessKey) -> u64 {
        self.0.get(&witness.to_string()).copied().unwrap_or(0)
    }

    fn set(&mut self, witness: &WitnessKey, size: u64) {
        self.0.insert(witness.to_string(), size);
    }
}

/// What one witness answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum CosignOutcome {
    /// It cosigned more leaves than are published: the log was rolled back, or somebody else publishes it.
    Ahead(u64),
    /// It had cosigned this checkpoint already; nobody was asked.
    Already(u64),
    /// It cosigned at this time, in seconds since 1970-01-01T00:00Z.
    Cosigned(u64),
    /// It knows another root for this size: the log forked.
    Contradicted(u64),
    /// It gave no cosignature that verifies.
    Failed(WitnessError),
}

/// Who cosigned, and who did not and why.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct CosignReport {
    signed: SignedCheckpoint,
    outcomes: Vec<(WitnessKey, CosignOutcome)>,
}

impl CosignReport {
    /// The published checkpoint, with every cosignature that was had.
    pub const fn signed(&self) -> &SignedCheckpoint {
        &self.signed
    }

    /// What each witness answered, in the order they were given.
    pub fn outcomes(&self) -> &[(WitnessKey, CosignOutcome)] {
        &self.outcomes
    }

    /// Whether a witness has seen another history than the published one: somebody must look at once.
    pub fn shows_a_fork_or_rollback(&self) -> bool {
        let shows = |outcome: &CosignOutcome| {
            matches!(outcome, CosignOutcome::Ahead(_) | CosignOutcome::Contradicted(_))
        };
        self.outcomes.iter().any(|(_, outcome)| shows(outcome))
    }
}

/// Has the published checkpoint cosigned, and publishes the cosignatures: swap of the lock, then the file.
///
/// Each witness gets the consistency proof from the size it cosigned last; one that names another size is asked
/// once more. A witness that fails is reported and never an error of the log. Call it where publications are
/// called, between two of them: one that happens meanwhile makes the swap fail. The quorum of the trust's policy is
/// not demanded here, it is what this works towards.
///
/// # Errors
/// [`LedgerError::CheckpointMissing`]; [`LedgerError::CheckpointMoved`] when file and lock do not hold the same
/// note, or no longer do; [`LedgerError::TileMissing`] or [`LedgerError::TileCorrupt`] when the tiles do not lead to
/// the signed root; as [`Trust::open`]; [`LedgerError::StoreUnavailable`], [`LedgerError::LockUnavailable`].
pub fn cosign(
    store: &dyn TileStore,
    lock: &dyn CheckpointLock,
    trust: &Trust<'_>,
    witnesses: &[&dyn Witness],
    sizes: &mut CosignedSizes,
) -> Result<CosignReport, LedgerError> {
    let locked = lock.load()?.ok_or(LedgerError::CheckpointMissing)?;
    if store.read(CHECKPOINT_PATH)?.as_ref() != Some(&locked) {
        return Err(LedgerError::CheckpointMoved);
    }
    let mut signed = trust.open_current(&locked)?;
    trust.check_not_older(Some(signed.checkpoint()))?;
    let mut outcomes = Vec::new();
    for witness in witnesses {
        let (next, outcome) = ask(store, &signed, *witness, sizes)?;
        signed = next;
        outcomes.push((witness.key().clone(), outcome));
    }
    let note = signed.note().as_bytes();
    if note != locked {
        lock.swap(Some(&locked), note)?;
        store.write(CHECKPOINT_PATH, note)?;
    }
    Ok(CosignReport { signed, outcomes })
}

/// The checkpoint with what this witness added to it.
fn ask(
    store: &dyn TileStore,
    signed: &SignedCheckpoint,
    witness: &dyn Witness,
    sizes: &mut CosignedSizes,
) -> Result<(SignedCheckpoint, CosignOutcome), LedgerError> {
    let (key, head) = (witness.key(), signed.checkpoint());
    if let Some(time) = time_of(signed, key)? {
        return Ok((signed.clone(), CosignOutcome::Already(time)));
    }
    let guess = Some(sizes.of(key)).filter(|size| *size <= head.size()).unwrap_or(0);
    let mut old = guess;
    let mut answer = witness.add_checkpoint(old, &proof(store, old, head)?, signed.note());
    if let Err(WitnessError::Conflict(size)) = answer
        && size != old
        && size <= head.size()
    {
        old = size;
        answer = witness.add_checkpoint(old, &proof(store, old, head)?, signed.note());
    }
    let outcome = match answer {
        Ok(lines) => return Ok(accept(signed, key, &lines, sizes)),
        Err(WitnessError::Conflict(size)) if size > head.size() => CosignOutcome::Ahead(size),
        Err(WitnessError::Conflict(size)) if size == old && size == head.size() => {
            CosignOutcome::Contradicted(size)
        }
        // The proof was checked here; what it does not fit is the witness's memory.
        Err(WitnessError::Inconsistent) => CosignOutcome::Contradicted(old),
        Err(error) => CosignOutcome::Failed(error),
    };
    Ok((signed.clone(), outcome))
}

/// Takes over the cosignature in an answer, if there is one that verifies.
fn accept(
    signed: &SignedCheckpoint,
    key: &WitnessKey,
    lines: &str,
    sizes: &mut CosignedSizes,
) -> (SignedCheckpoint, CosignOutcome) {
    let cosigned = signed.with_signature_lines(lines, std::slice::from_ref(key));
    let cosigned = cosigned.and_then(|cosigned| Ok((time_of(&cosigned, key)?, cosigned)));
    match cosigned {
        Ok((Some(time), cosigned)) => {
            sizes.set(key, signed.checkpoint().size());
            (cosigned, CosignOutcome::Cosigned(time))
        }
        _ => (signed.clone(), CosignOutcome::Failed(WitnessError::Malformed)),
    }
}

fn time_of(signed: &SignedCheckpoint, key: &WitnessKey) -> Result<Option<u64>, LedgerError> {
    Ok(signed.cosignatures(std::slice::from_ref(key))?.first().map(crate::Cosignature::time))
}

/// The consistency proof from the old size to the signed head, checked against it.
fn proof(store: &dyn TileStore, old: u64, head: &Checkpoint) -> Result<Vec<Digest>, LedgerError> {
    let reader = TileReader::new(store, head.size());
    let proof = consistency_proof(&reader, old, head.size())?;
    let old_root = if old == head.size() { *head.root() } else { merkle::root(&reader, old)? };
    verify_consistency(old, head.size(), &old_root, head.root(), &proof)
        .map_err(|_| LedgerError::TileCorrupt)?;
    Ok(proof)
}
