use vouchsafe_ledger::{CHECKPOINT_PATH, LedgerError, TILE_WIDTH, TilePath, TileStore, is_log_path};

use crate::{Bucket, Condition, ObjectsError, Put};

/// The files of one log as objects, under the paths that [C2SP tlog-tiles](https://c2sp.org/tlog-tiles) gives them.
///
/// Full tiles and bundles never change: one is written only where none is, and one that is there must be equal. Of
/// two publishers that signed different histories the second is stopped by its first full tile. What lies beyond
/// the published checkpoint was never signed, as after a restore of the rows, and is replaced. A checkpoint
/// replaces another by compare-and-swap, and never one of more leaves. Partial tiles are replaced.
#[derive(Debug, Clone)]
pub struct BucketTiles {
    bucket: Bucket,
    repairing: bool,
}

impl BucketTiles {
    /// The log below this prefix. The server is tried first: [`Bucket::require_conditions`].
    ///
    /// # Errors
    /// [`ObjectsError::ConditionIgnored`]; otherwise as [`Bucket::check`].
    pub fn open(bucket: Bucket) -> Result<Self, ObjectsError> {
        bucket.require_conditions()?;
        Ok(Self { bucket, repairing: false })
    }

    /// The same log for a repair: what is written replaces a full tile that differs.
    #[must_use]
    pub fn repairing(&self) -> Self {
        Self { bucket: self.bucket.clone(), repairing: true }
    }

    fn put(&self, path: &str, bytes: &[u8]) -> Result<(), ObjectsError> {
        match TilePath::parse(path) {
            Ok(tile) if tile.width() == TILE_WIDTH => self.put_full(tile, path, bytes),
            // Its width is in its name, so whoever writes it writes the same.
            Ok(_) => self.bucket.put(path, bytes, &Condition::Always).map(drop),
            Err(_) => self.bucket.replace(path, bytes, |stored| in_order(path, stored, bytes)).map(drop),
        }
    }

    fn put_full(&self, tile: TilePath, path: &str, bytes: &[u8]) -> Result<(), ObjectsError> {
        if let Put::Done(_) = self.bucket.settle(path, bytes, &Condition::IfAbsent)? {
            return Ok(());
        }
        let stored = self.bucket.get(path)?.ok_or(ObjectsError::Unavailable(std::io::ErrorKind::NotFound))?;
        if stored.bytes == bytes {
            return Ok(());
        }
        if !self.repairing && !self.is_unsigned(tile)? {
            return Err(ObjectsError::Contradiction);
        }
        match self.bucket.settle(path, bytes, &Condition::IfMatch(stored.etag))? {
            Put::Done(_) => Ok(()),
            Put::Refused => Err(ObjectsError::Moved),
        }
    }

    /// Whether the tile reaches beyond what the published checkpoint covers.
    fn is_unsigned(&self, tile: TilePath) -> Result<bool, ObjectsError> {
        let Some(checkpoint) = self.bucket.get(CHECKPOINT_PATH)? else { return Ok(true) };
        let leaves = u128::from(TILE_WIDTH).checked_pow(u32::from(tile.level().unwrap_or(0)));
        let hashes = u128::from(tile.index()) * u128::from(TILE_WIDTH) + u128::from(tile.width());
        let end = leaves.and_then(|leaves| leaves.checked_mul(hashes));
        Ok(size(&checkpoint.bytes).is_some_and(|size| end.is_none_or(|end| end > u128::from(size))))
    }
}

impl TileStore for BucketTiles {
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, LedgerError> {
        if !is_log_path(path) {
            return Err(LedgerError::PathMalformed);
        }
        let stored = self.bucket.get(path).map_err(ObjectsError::as_tiles)?;
        Ok(stored.map(|object| object.bytes))
    }

    fn write(&self, path: &str, bytes: &[u8]) -> Result<(), LedgerError> {
        if !is_log_path(path) {
            return Err(LedgerError::PathMalformed);
        }
        self.put(path, bytes).map_err(ObjectsError::as_tiles)
    }
}

/// Refuses a checkpoint in the place of one of more leaves.
fn in_order(path: &str, stored: Option<&[u8]>, bytes: &[u8]) -> Result<(), ObjectsError> {
    let later = path == CHECKPOINT_PATH && stored.and_then(size) > size(bytes) && size(bytes).is_some();
    if later { Err(ObjectsError::Moved) } else { Ok(()) }
}

/// The number of leaves that a note names in its second line.
fn size(note: &[u8]) -> Option<u64> {
    let line = note.split(|byte| *byte == b'\n').nth(1)?;
    std::str::from_utf8(line).ok()?.parse().ok()
}
