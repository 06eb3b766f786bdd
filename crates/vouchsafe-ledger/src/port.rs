use crate::LedgerError;

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
