use std::collections::BTreeMap;
use std::sync::Mutex;

use vouchsafe_ledger::{
    CheckpointLock, EntryKind, Leaf, LeafSource, LedgerError, LogSigner, SignedCheckpoint, TileStore, Trust,
    is_log_path,
};
use vouchsafe_types::Secret;

pub(crate) const ORIGIN: &str = "log.example/acme";

pub(crate) fn signer() -> LogSigner {
    LogSigner::from_seed(ORIGIN, &Secret::init_with(|seed| seed.fill(42))).unwrap()
}

pub(crate) fn trust(signer: &LogSigner) -> Trust<'_> {
    Trust::new(signer.verifier(), ORIGIN)
}

/// Leaf rows in memory.
#[derive(Clone, Default)]
pub(crate) struct Rows(pub(crate) Vec<Vec<u8>>);

impl Rows {
    pub(crate) fn numbered(count: u64) -> Self {
        Self((0..count).map(|i| leaf(i).to_bytes().to_vec()).collect())
    }

    pub(crate) fn first(&self, count: usize) -> Self {
        Self(self.0[..count].to_vec())
    }
}

pub(crate) fn leaf(index: u64) -> Leaf {
    let kinds = EntryKind::ALL;
    let mut commitment = [0; 32];
    commitment[..8].copy_from_slice(&index.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes());
    commitment[24..].copy_from_slice(&index.to_be_bytes());
    let kind = kinds[length(index) % kinds.len()];
    Leaf { kind, hour: 498_764 + u32::try_from(index / 100).unwrap(), organisation: [7; 16], commitment }
}

fn length(count: u64) -> usize {
    usize::try_from(count).unwrap()
}

impl LeafSource for Rows {
    fn len(&self) -> Result<u64, LedgerError> {
        Ok(self.0.len() as u64)
    }

    fn leaves(&self, from: u64, limit: usize) -> Result<Vec<Vec<u8>>, LedgerError> {
        Ok(self.0.iter().skip(length(from)).take(limit).cloned().collect())
    }
}

/// A tile store in memory that refuses other paths, as every adapter must.
#[derive(Default)]
pub(crate) struct MemoryTiles {
    pub(crate) files: Mutex<BTreeMap<String, Vec<u8>>>,
    /// How many more writes succeed; then the disk is full.
    pub(crate) writes_left: Mutex<Option<usize>>,
    /// The lock beside it, empty for a restored one.
    pub(crate) lock: MemoryLock,
}

impl MemoryTiles {
    pub(crate) fn snapshot(&self) -> BTreeMap<String, Vec<u8>> {
        self.files.lock().unwrap().clone()
    }

    pub(crate) fn restored(files: BTreeMap<String, Vec<u8>>) -> Self {
        Self { files: Mutex::new(files), ..Self::default() }
    }
}

impl TileStore for MemoryTiles {
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, LedgerError> {
        if !is_log_path(path) {
            return Err(LedgerError::PathMalformed);
        }
        Ok(self.files.lock().unwrap().get(path).cloned())
    }

    fn write(&self, path: &str, bytes: &[u8]) -> Result<(), LedgerError> {
        if !is_log_path(path) {
            return Err(LedgerError::PathMalformed);
        }
        if let Some(left) = self.writes_left.lock().unwrap().as_mut() {
            *left =
                left.checked_sub(1).ok_or(LedgerError::StoreUnavailable(std::io::ErrorKind::StorageFull))?;
        }
        self.files.lock().unwrap().insert(path.to_owned(), bytes.to_vec());
        Ok(())
    }
}

/// Publishes into a store and the lock beside it.
pub(crate) fn publish(
    source: &dyn LeafSource,
    store: &MemoryTiles,
    signer: &LogSigner,
    origin: &str,
) -> Result<SignedCheckpoint, LedgerError> {
    vouchsafe_ledger::publish(source, store, &store.lock, &[signer], origin)
}

/// A checkpoint lock in memory.
#[derive(Default)]
pub(crate) struct MemoryLock {
    pub(crate) held: Mutex<Option<Vec<u8>>>,
    /// How many more swaps succeed; then the second location cannot be reached.
    pub(crate) swaps_left: Mutex<Option<usize>>,
}

impl MemoryLock {
    pub(crate) fn holding(note: Option<&[u8]>) -> Self {
        Self { held: Mutex::new(note.map(<[u8]>::to_vec)), swaps_left: Mutex::default() }
    }

    pub(crate) fn note(&self) -> Option<Vec<u8>> {
        self.held.lock().unwrap().clone()
    }
}

impl CheckpointLock for MemoryLock {
    fn load(&self) -> Result<Option<Vec<u8>>, LedgerError> {
        Ok(self.note())
    }

    fn swap(&self, expected: Option<&[u8]>, new: &[u8]) -> Result<(), LedgerError> {
        if let Some(left) = self.swaps_left.lock().unwrap().as_mut() {
            *left = left.checked_sub(1).ok_or(LedgerError::LockUnavailable(std::io::ErrorKind::TimedOut))?;
        }
        let mut held = self.held.lock().unwrap();
        if held.as_deref() != expected {
            return Err(LedgerError::CheckpointMoved);
        }
        *held = Some(new.to_vec());
        Ok(())
    }
}

/// A small fixed-seed generator (xorshift64*), so that a failing case can be run again.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % bound
    }
    pub(crate) fn byte(&mut self) -> u8 {
        self.below(256).to_le_bytes()[0]
    }
}
