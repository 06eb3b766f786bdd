use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use vouchsafe_ledger::{
    CheckpointLock, LedgerError, LogFiles, LogPlace, PublisherLease, TileStore, is_log_name,
};
use vouchsafe_types::Clock;

use crate::lease::HeldLease;
use crate::{Bucket, BucketLease, BucketLock, BucketTiles, LeaseTerms, ObjectsError};

/// The logs of many organisations in object storage: `<name>/` in one bucket is what anybody may read, `<name>/` in
/// another keeps the newest note and the publisher's lease.
///
/// The lease is renewed while its holder writes; a write without it is refused. One that a killed process held ends
/// by itself, [`LeaseTerms`] later.
pub struct BucketLogs {
    published: Bucket,
    outside: Bucket,
    terms: LeaseTerms,
    clock: Arc<dyn Clock>,
}

impl BucketLogs {
    /// Logs that are published in one bucket, with the notes and leases in another: what a restore of the first
    /// does not set back. Both servers are tried first: [`Bucket::require_conditions`].
    ///
    /// # Errors
    /// [`ObjectsError::ConditionIgnored`]; otherwise as [`Bucket::check`].
    pub fn open(
        published: Bucket,
        outside: Bucket,
        terms: LeaseTerms,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, ObjectsError> {
        published.require_conditions()?;
        outside.require_conditions()?;
        Ok(Self { published, outside, terms, clock })
    }

    fn files(&self, name: &str) -> Result<BucketLog, ObjectsError> {
        let outside = self.outside.within(name)?;
        let held = Arc::new(Turn { lease: Mutex::default(), clock: Arc::clone(&self.clock) });
        let tiles = BucketTiles::open(self.published.within(name)?)?;
        Ok(BucketLog {
            repairs: Leased { inner: tiles.repairing(), turn: Arc::clone(&held) },
            tiles: Leased { inner: tiles, turn: Arc::clone(&held) },
            lock: Leased { inner: BucketLock::open(outside.clone())?, turn: Arc::clone(&held) },
            lease: BucketLease::open(outside, self.terms)?,
            turn: held,
        })
    }
}

impl std::fmt::Debug for BucketLogs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BucketLogs").field("terms", &self.terms).finish_non_exhaustive()
    }
}

impl LogPlace for BucketLogs {
    fn log(&self, name: &str) -> Result<Box<dyn LogFiles>, LedgerError> {
        if !is_log_name(name) {
            return Err(LedgerError::Name);
        }
        Ok(Box::new(self.files(name).map_err(ObjectsError::as_tiles)?))
    }
}

/// One log, and the lease that this process holds on it.
struct BucketLog {
    tiles: Leased<BucketTiles>,
    repairs: Leased<BucketTiles>,
    lock: Leased<BucketLock>,
    lease: BucketLease,
    turn: Arc<Turn>,
}

impl LogFiles for BucketLog {
    fn tiles(&self) -> &dyn TileStore {
        &self.tiles
    }

    fn repairs(&self) -> &dyn TileStore {
        &self.repairs
    }

    fn outside(&self) -> &dyn CheckpointLock {
        &self.lock
    }

    fn lease(&self) -> Result<Box<dyn PublisherLease>, LedgerError> {
        let mut lease = self.turn.lease();
        if lease.is_some() {
            return Err(LedgerError::Leased);
        }
        *lease = Some(self.lease.acquire(self.turn.clock.now()).map_err(ObjectsError::as_tiles)?);
        Ok(Box::new(Publishing { turn: Arc::clone(&self.turn) }))
    }
}

/// The lease while it is held.
struct Turn {
    lease: Mutex<Option<HeldLease>>,
    clock: Arc<dyn Clock>,
}

impl Turn {
    fn lease(&self) -> MutexGuard<'_, Option<HeldLease>> {
        self.lease.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes sure that the lease is held before something is written.
    fn keep(&self) -> Result<(), LedgerError> {
        match &mut *self.lease() {
            Some(lease) => lease.keep(self.clock.now()).map_err(ObjectsError::as_tiles),
            None => Err(LedgerError::Leased),
        }
    }
}

struct Publishing {
    turn: Arc<Turn>,
}

impl PublisherLease for Publishing {}

impl Drop for Publishing {
    fn drop(&mut self) {
        *self.turn.lease() = None;
    }
}

/// What only the holder of the lease may write.
struct Leased<T> {
    inner: T,
    turn: Arc<Turn>,
}

impl TileStore for Leased<BucketTiles> {
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, LedgerError> {
        self.inner.read(path)
    }

    fn write(&self, path: &str, bytes: &[u8]) -> Result<(), LedgerError> {
        self.turn.keep()?;
        self.inner.write(path, bytes)
    }
}

impl CheckpointLock for Leased<BucketLock> {
    fn load(&self) -> Result<Option<Vec<u8>>, LedgerError> {
        self.inner.load()
    }

    fn swap(&self, expected: Option<&[u8]>, new: &[u8]) -> Result<(), LedgerError> {
        self.turn.keep()?;
        self.inner.swap(expected, new)
    }
}
