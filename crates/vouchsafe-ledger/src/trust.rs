use crate::{
    CHECKPOINT_PATH, Checkpoint, KeyChain, LedgerError, Policy, SignedCheckpoint, TileStore, VerifierKey,
};

/// What a verifier knows beforehand: which log, its key, and, better, an older checkpoint and witnesses.
///
/// Without a remembered checkpoint or a quorum of witnesses nobody can see a fork or a rollback that is signed with
/// the log's own key. Keep the checkpoint outside the domain that can be restored: at a witness, or at a second
/// location.
#[derive(Debug, Clone, Copy)]
#[must_use]
pub struct Trust<'a> {
    key: &'a VerifierKey,
    origin: &'a str,
    remembered: Option<&'a Checkpoint>,
    policy: Option<&'a Policy>,
    chain: Option<&'a KeyChain>,
}

impl<'a> Trust<'a> {
    /// Trusts this key for this log.
    pub const fn new(key: &'a VerifierKey, origin: &'a str) -> Self {
        Self { key, origin, remembered: None, policy: None, chain: None }
    }

    /// Trusts the current key of this chain, and each older one up to its handover.
    pub fn chained(chain: &'a KeyChain) -> Self {
        Self { chain: Some(chain), ..Self::new(chain.current(), chain.origin()) }
    }

    /// Demands that the log continues this checkpoint.
    pub const fn remembering(self, checkpoint: &'a Checkpoint) -> Self {
        Self { remembered: Some(checkpoint), ..self }
    }

    /// Demands the quorum of this policy; the logs that it lists are not looked at.
    pub const fn demanding(self, policy: &'a Policy) -> Self {
        Self { policy: Some(policy), ..self }
    }

    /// The key that signs now.
    pub const fn key(&self) -> &'a VerifierKey {
        self.key
    }

    /// The key that handovers are followed from.
    pub(crate) fn initial_key(&self) -> &'a VerifierKey {
        self.chain.map_or(self.key, KeyChain::initial)
    }

    /// The checkpoint that the log must continue.
    pub const fn remembered(&self) -> Option<&'a Checkpoint> {
        self.remembered
    }

    /// Which log it is about.
    pub const fn origin(&self) -> &'a str {
        self.origin
    }

    /// The policy whose quorum is demanded.
    pub const fn policy(&self) -> Option<&'a Policy> {
        self.policy
    }

    /// Reads a signed note as a checkpoint of this log. Says nothing about the remembered one.
    ///
    /// # Errors
    /// As [`SignedCheckpoint::open`]; [`LedgerError::QuorumMissing`] when the cosignatures do not make the quorum;
    /// [`LedgerError::KeyRetired`] under a key of the chain that was handed over before this size.
    pub fn open(&self, note: &[u8]) -> Result<SignedCheckpoint, LedgerError> {
        let note = str::from_utf8(note).map_err(|_| LedgerError::NoteMalformed)?;
        match self.chain {
            Some(chain) => chain.open(note, self.policy),
            None => {
                let signed = SignedCheckpoint::open(note, self.key, self.origin)?;
                self.policy.map_or(Ok(()), |policy| policy.check_quorum(&signed))?;
                Ok(signed)
            }
        }
    }

    /// Reads a note that the current key signed, without the quorum.
    pub(crate) fn open_current(&self, note: &[u8]) -> Result<SignedCheckpoint, LedgerError> {
        let note = str::from_utf8(note).map_err(|_| LedgerError::NoteMalformed)?;
        SignedCheckpoint::open(note, self.key, self.origin)
    }

    /// Checks that a checkpoint is not older than the remembered one, and the same where it has the same size.
    pub(crate) fn check_not_older(&self, head: Option<&Checkpoint>) -> Result<(), LedgerError> {
        check_continues(self.remembered, self.origin, head)
    }
}

/// Checks that a head of this log is not older than the remembered one, and the same where it has the same size.
pub(crate) fn check_continues(
    remembered: Option<&Checkpoint>,
    origin: &str,
    head: Option<&Checkpoint>,
) -> Result<(), LedgerError> {
    let Some(remembered) = remembered else { return Ok(()) };
    match head {
        _ if remembered.origin() != origin => Err(LedgerError::OriginMismatch),
        None if remembered.size() == 0 => Ok(()),
        None => Err(LedgerError::RolledBack),
        Some(head) if head.size() < remembered.size() => Err(LedgerError::RolledBack),
        Some(head) if head.size() == remembered.size() && head != remembered => Err(LedgerError::Forked),
        Some(_) => Ok(()),
    }
}

/// The published checkpoint of a log.
///
/// Returns: the checkpoint, or `None` when none was published yet.
///
/// # Errors
/// As [`Trust::open`]; [`LedgerError::RolledBack`] or [`LedgerError::Forked`] when it does not continue the
/// remembered one; [`LedgerError::StoreUnavailable`].
pub fn published(store: &dyn TileStore, trust: &Trust<'_>) -> Result<Option<SignedCheckpoint>, LedgerError> {
    let note = store.read(CHECKPOINT_PATH)?;
    let signed = note.map(|note| trust.open(&note)).transpose()?;
    trust.check_not_older(signed.as_ref().map(SignedCheckpoint::checkpoint))?;
    Ok(signed)
}
