use std::io::ErrorKind;

use vouchsafe_ledger::{CheckpointLock, LedgerError};

use crate::{Bucket, Condition, ObjectsError, Put};

/// The newest signed note of one log in an object of its own, changed by compare-and-swap.
///
/// The bucket belongs to another account or region than the database and the tiles: what a restore of those does not
/// set back. A swap whose answer is lost is looked up: where the new note is stored, it took place.
#[derive(Debug, Clone)]
pub struct BucketLock {
    bucket: Bucket,
}

impl BucketLock {
    /// The lock below this prefix. The server is tried first: [`Bucket::require_conditions`].
    ///
    /// # Errors
    /// [`ObjectsError::ConditionIgnored`]; otherwise as [`Bucket::check`].
    pub fn open(bucket: Bucket) -> Result<Self, ObjectsError> {
        bucket.require_conditions()?;
        Ok(Self { bucket })
    }
}

impl CheckpointLock for BucketLock {
    fn load(&self) -> Result<Option<Vec<u8>>, LedgerError> {
        let stored = self.bucket.get(NEWEST).map_err(ObjectsError::as_lock)?;
        match stored.map(|object| object.bytes) {
            Some(note) if note.len() > MOST_BYTES => {
                Err(LedgerError::LockUnavailable(ErrorKind::FileTooLarge))
            }
            note => Ok(note),
        }
    }

    fn swap(&self, expected: Option<&[u8]>, new: &[u8]) -> Result<(), LedgerError> {
        if new.len() > MOST_BYTES {
            return Err(LedgerError::LockUnavailable(ErrorKind::FileTooLarge));
        }
        let stored = self.bucket.get(NEWEST).map_err(ObjectsError::as_lock)?;
        if stored.as_ref().map(|object| object.bytes.as_slice()) != expected {
            return Err(LedgerError::CheckpointMoved);
        }
        let condition = stored.map_or(Condition::IfAbsent, |object| Condition::IfMatch(object.etag));
        match self.bucket.settle(NEWEST, new, &condition).map_err(ObjectsError::as_lock)? {
            Put::Done(_) => Ok(()),
            Put::Refused => Err(LedgerError::CheckpointMoved),
        }
    }
}

/// Not the name of the published file: one prefix given for both does not mix them up.
const NEWEST: &str = "newest-checkpoint";
/// A note with hundreds of cosignatures has a tenth of this.
const MOST_BYTES: usize = 1 << 20;
