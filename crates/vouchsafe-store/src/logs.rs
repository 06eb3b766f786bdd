use std::path::PathBuf;

use vouchsafe_ledger::{
    CheckpointLock, LedgerError, LogFiles, LogPlace, PublisherLease, TileStore, is_log_name,
};

use crate::{FolderLock, FolderTiles, Lease};

/// The logs of many organisations in two folders: `<name>/` in one is what anybody may read, `<name>/` in the other
/// keeps the newest note.
#[derive(Debug, Clone)]
pub struct FolderLogs {
    published: PathBuf,
    outside: PathBuf,
}

impl FolderLogs {
    /// Logs that are published in one folder, with the newest notes in another, on another volume: what a restore of
    /// the first does not set back. Nothing is touched.
    pub fn at(published: impl Into<PathBuf>, outside: impl Into<PathBuf>) -> Self {
        Self { published: published.into(), outside: outside.into() }
    }
}

impl LogPlace for FolderLogs {
    fn log(&self, name: &str) -> Result<Box<dyn LogFiles>, LedgerError> {
        if !is_log_name(name) {
            return Err(LedgerError::Name);
        }
        let tiles = FolderTiles::at(self.published.join(name));
        Ok(Box::new(FolderLog { tiles, lock: FolderLock::at(self.outside.join(name)) }))
    }
}

struct FolderLog {
    tiles: FolderTiles,
    lock: FolderLock,
}

impl LogFiles for FolderLog {
    fn tiles(&self) -> &dyn TileStore {
        &self.tiles
    }

    fn outside(&self) -> &dyn CheckpointLock {
        &self.lock
    }

    fn lease(&self) -> Result<Box<dyn PublisherLease>, LedgerError> {
        Ok(Box::new(self.tiles.lease()?))
    }
}

impl PublisherLease for Lease {}
