use crate::{CHECKPOINT_PATH, Checkpoint, LedgerError, SignedCheckpoint, TileStore, VerifierKey};

/// What a verifier knows beforehand: which log, its key, and, better, an older checkpoint.
///
/// Without a remembered checkpoint nobody can see a fork or a rollback that is signed with the log's own key.
/// Keep it outside the domain that can be restored: at a witness, or at a second location.
#[derive(Debug, Clone, Copy)]
#[must_use]
pub struct Trust<'a> {
    key: &'a VerifierKey,
    origin: &'a str,
    remembered: Option<&'a Checkpoint>,
}

impl<'a> Trust<'a> {
    /// Trusts this key for this log.
    pub const fn new(key: &'a VerifierKey, origin: &'a str) -> Self {
        Self { key, origin, remembered: None }
    }

    /// Demands that the log continues this checkpoint.
    pub const fn remembering(self, checkpoint: &'a Checkpoint) -> Self {
        Self { remembered: Some(checkpoint), ..self }
    }

    /// The checkpoint that the log must continue.
    pub const fn remembered(&self) -> Option<&'a Checkpoint> {
        self.remembered
    }

    /// Reads a signed note as a checkpoint of this log. Says nothing about the remembered one.
    ///
    /// # Errors
    /// As [`SignedCheckpoint::open`].
    pub fn open(&self, note: &[u8]) -> Result<SignedCheckpoint, LedgerError> {
        let note = str::from_utf8(note).map_err(|_| LedgerError::NoteMalformed)?;
        SignedCheckpoint::open(note, self.key, self.origin)
    }

    /// Checks that a checkpoint is not older than the remembered one, and the same where it has the same size.
    pub(crate) fn check_not_older(&self, head: Option<&Checkpoint>) -> Result<(), LedgerError> {
        let Some(remembered) = self.remembered else { return Ok(()) };
        match head {
            _ if remembered.origin() != self.origin => Err(LedgerError::OriginMismatch),
            None if remembered.size() == 0 => Ok(()),
            None => Err(LedgerError::RolledBack),
            Some(head) if head.size() < remembered.size() => Err(LedgerError::RolledBack),
            Some(head) if head.size() == remembered.size() && head != remembered => Err(LedgerError::Forked),
            Some(_) => Ok(()),
        }
    }
}

/// The published checkpoint of a log.
///
/// Returns: the checkpoint, or `None` when none was published yet.
///
/// # Errors
/// As [`SignedCheckpoint::open`]; [`LedgerError::RolledBack`] or [`LedgerError::Forked`] when it does not continue
/// the remembered one; [`LedgerError::StoreUnavailable`].
pub fn published(store: &dyn TileStore, trust: &Trust<'_>) -> Result<Option<SignedCheckpoint>, LedgerError> {
    let note = store.read(CHECKPOINT_PATH)?;
    let signed = note.map(|note| trust.open(&note)).transpose()?;
    trust.check_not_older(signed.as_ref().map(SignedCheckpoint::checkpoint))?;
    Ok(signed)
}
