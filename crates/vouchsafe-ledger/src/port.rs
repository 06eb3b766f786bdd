use vouchsafe_types::Digest;

use crate::{LedgerError, WitnessError, WitnessKey};

/// The committed leaf rows of one log, in order: the truth that tiles and checkpoint are a projection of.
///
/// A row counts from the moment its transaction has committed. Rows are never changed and never removed.
pub trait LeafSource {
    /// How many leaves are committed.
    ///
    /// # Errors
    /// [`LedgerError::SourceUnavailable`] when the rows cannot be read.
    fn len(&self) -> Result<u64, LedgerError>;

    /// Up to `limit` leaves from index `from` on, in order; fewer only at the end.
    ///
    /// # Errors
    /// [`LedgerError::SourceUnavailable`] when the rows cannot be read.
    fn leaves(&self, from: u64, limit: usize) -> Result<Vec<Vec<u8>>, LedgerError>;

    /// Whether no leaf is committed.
    ///
    /// # Errors
    /// As [`Self::len`].
    fn is_empty(&self) -> Result<bool, LedgerError> {
        Ok(self.len()? == 0)
    }
}

/// Where the files of one log lie: tiles, entry bundles, checkpoint.
///
/// Paths are those of [C2SP tlog-tiles](https://c2sp.org/tlog-tiles), relative, with `/`; an adapter refuses any
/// other with [`LedgerError::PathMalformed`].
pub trait TileStore: Send + Sync {
    /// Reads a file.
    ///
    /// Returns: the bytes, or `None` when there is no such file.
    ///
    /// # Errors
    /// [`LedgerError::StoreUnavailable`] when the store cannot answer.
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, LedgerError>;

    /// Writes a file whole and durably, or not at all. What was there is replaced.
    ///
    /// # Errors
    /// [`LedgerError::StoreUnavailable`] when the bytes are not known to be durable.
    fn write(&self, path: &str, bytes: &[u8]) -> Result<(), LedgerError>;
}

/// Where the newest signed note of one log is kept besides the published file: outside the domain that a restore
/// sets back, and changed only by compare-and-swap.
///
/// It is what makes a rollback and a second writer visible. Its owner never merges, repairs or deletes.
pub trait CheckpointLock: Send + Sync {
    /// The newest note.
    ///
    /// Returns: the bytes, or `None` when the log never published.
    ///
    /// # Errors
    /// [`LedgerError::LockUnavailable`] when the lock cannot answer.
    fn load(&self) -> Result<Option<Vec<u8>>, LedgerError>;

    /// Puts a new note in the place of the expected one, durably and in one step.
    ///
    /// # Errors
    /// [`LedgerError::CheckpointMoved`] when it holds anything else than what is expected, and nothing changed;
    /// [`LedgerError::LockUnavailable`] when the new note is not known to be durable.
    fn swap(&self, expected: Option<&[u8]>, new: &[u8]) -> Result<(), LedgerError>;
}

/// Where the logs of many organisations lie.
pub trait LogPlace: Send + Sync {
    /// The log of that name, 1 to 64 of `a-z`, `0-9`. Nothing is made: the first publication makes what it needs.
    ///
    /// # Errors
    /// [`LedgerError::Name`] for another name; otherwise as the place states.
    fn log(&self, name: &str) -> Result<Box<dyn LogFiles>, LedgerError>;
}

/// One log as it is published: its files, the newest note kept outside, and the right to publish.
pub trait LogFiles: Send + Sync {
    /// The files, for reading by everybody and writing by the holder of the lease.
    fn tiles(&self) -> &dyn TileStore;

    /// The files, for a repair that may replace what is damaged; the same, where every file can be replaced.
    fn repairs(&self) -> &dyn TileStore {
        self.tiles()
    }

    /// The newest note, kept outside of what a restore replaces.
    fn outside(&self) -> &dyn CheckpointLock;

    /// Takes the publisher's lease, without waiting.
    ///
    /// # Errors
    /// [`LedgerError::Leased`] when another publisher holds it; otherwise as the place states.
    fn lease(&self) -> Result<Box<dyn PublisherLease>, LedgerError>;
}

/// The right to publish into one log; released on drop.
pub trait PublisherLease: Send + Sync {}

/// Whether a text is the name of a log in a [`LogPlace`].
pub fn is_log_name(name: &str) -> bool {
    (1..=64).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
}

/// Somebody else who remembers the newest checkpoint of the log and cosigns what continues it
/// ([C2SP tlog-witness](https://c2sp.org/tlog-witness)).
///
/// The codecs of the protocol are in [`witness`](crate::witness); an adapter only carries the bytes.
pub trait Witness: Send + Sync {
    /// The key that its cosignatures verify with.
    fn key(&self) -> &WitnessKey;

    /// Submits a signed note with the proof that it continues the tree of `old_size` leaves.
    ///
    /// Returns: the body of the answer, signature lines; they are not believed before they verify.
    ///
    /// # Errors
    /// [`WitnessError`]: no cosignature, and why.
    fn add_checkpoint(&self, old_size: u64, proof: &[Digest], note: &str) -> Result<String, WitnessError>;
}
