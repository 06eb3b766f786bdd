use crate::trust::check_continues;
use crate::{
    CHECKPOINT_PATH, Checkpoint, CheckpointLock, LedgerError, LogSigner, SignedCheckpoint, TileStore,
};

/// The two places where the newest note of a log lies: the file that outsiders read, and the lock.
pub(crate) struct Heads {
    published: Option<SignedCheckpoint>,
    locked: Option<SignedCheckpoint>,
}

impl Heads {
    /// Reads both; each is signed by one of the signers.
    pub(crate) fn read(
        store: &dyn TileStore,
        lock: &dyn CheckpointLock,
        signers: &[&LogSigner],
        origin: &str,
    ) -> Result<Self, LedgerError> {
        let keys = signers.iter().map(|signer| signer.verifier()).collect::<Vec<_>>();
        let open = |note: Vec<u8>| {
            let note = str::from_utf8(&note).map_err(|_| LedgerError::NoteMalformed)?;
            SignedCheckpoint::open_any(note, &keys, origin).map(|(signed, _)| signed)
        };
        // The lock first: a publication by somebody else in between is then a file ahead of the lock, which stops
        // this one, and not a publication to be finished.
        let locked = lock.load()?.map(open).transpose()?;
        let published = store.read(CHECKPOINT_PATH)?.map(open).transpose()?;
        Ok(Self { published, locked })
    }

    pub(crate) const fn published(&self) -> Option<&SignedCheckpoint> {
        self.published.as_ref()
    }

    pub(crate) const fn locked(&self) -> Option<&SignedCheckpoint> {
        self.locked.as_ref()
    }

    /// The note that the log goes on from.
    pub(crate) fn newest(&self) -> Option<&SignedCheckpoint> {
        self.locked.as_ref().or(self.published.as_ref())
    }

    pub(crate) fn into_newest(self) -> Option<SignedCheckpoint> {
        self.locked.or(self.published)
    }

    /// Whether file and lock hold the same note, or neither any.
    pub(crate) fn agree(&self) -> bool {
        self.published == self.locked
    }

    /// Checks that the file is not ahead of the lock nor beside it, and that both continue the remembered
    /// checkpoint.
    pub(crate) fn check_order(
        &self,
        remembered: Option<&Checkpoint>,
        origin: &str,
    ) -> Result<(), LedgerError> {
        if let (Some(published), Some(locked)) = (&self.published, &self.locked) {
            let (published, locked) = (published.checkpoint(), locked.checkpoint());
            if published.size() > locked.size() {
                return Err(LedgerError::CheckpointMoved);
            }
            if published.size() == locked.size() && published != locked {
                return Err(LedgerError::Forked);
            }
        }
        check_continues(remembered, origin, self.newest().map(SignedCheckpoint::checkpoint))
    }
}
