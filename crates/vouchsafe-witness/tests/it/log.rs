//! A log in memory, and its checkpoints.

use std::collections::BTreeMap;
use std::sync::Mutex;

use vouchsafe_ledger::{
    CheckpointLock, CosignReport, CosignedSizes, EntryKind, Leaf, LeafSource, LedgerError, LogSigner,
    SignedCheckpoint, TileStore, Trust, Witness, WitnessKey, cosign, prove_consistency, publish,
};
use vouchsafe_types::{Digest, Secret};

pub(crate) const ORIGIN: &str = "log.example/acme";

/// A log whose history may differ from that of another with the same key.
pub(crate) struct Log {
    signer: LogSigner,
    tiles: Tiles,
    lock: Lock,
    rows: Rows,
    origin: String,
}

impl Log {
    pub(crate) fn new(origin: &str, seed: u8) -> Self {
        let signer = LogSigner::from_seed(origin, &Secret::init_with(|bytes| bytes.fill(seed))).unwrap();
        let (tiles, lock, rows) = Default::default();
        Self { signer, tiles, lock, rows, origin: origin.to_owned() }
    }

    pub(crate) fn key(&self) -> String {
        self.signer.verifier().to_string()
    }

    /// Appends leaves up to this size and publishes.
    pub(crate) fn grow(&mut self, size: usize, commitment: u8) -> SignedCheckpoint {
        let leaf = |hour| {
            let (organisation, commitment) = ([7; 16], [commitment; 32]);
            Leaf { kind: EntryKind::ALL[0], hour, organisation, commitment }.to_bytes().to_vec()
        };
        let length = self.rows.0.len();
        self.rows.0.extend((length..size).map(|index| leaf(u32::try_from(index).unwrap())));
        publish(&self.rows, &self.tiles, &self.lock, &[&self.signer], &self.origin).unwrap()
    }

    /// One round: whatever the witness cosigned last is learnt from it, or from `sizes`.
    pub(crate) fn cosign(&self, witness: &dyn Witness, sizes: &mut CosignedSizes) -> CosignReport {
        cosign(&self.tiles, &self.lock, &self.trust(), &[witness], sizes).unwrap()
    }

    fn trust(&self) -> Trust<'_> {
        Trust::new(self.signer.verifier(), &self.origin)
    }

    /// The proof that the newest checkpoint continues the tree of `old` leaves.
    pub(crate) fn proof(&self, old: u64) -> Vec<Digest> {
        prove_consistency(&self.tiles, old, self.rows.len().unwrap(), &self.trust()).unwrap()
    }
}

/// A witness key that nobody signs with.
pub(crate) fn some_key() -> WitnessKey {
    WitnessKey::parse("witness.example/w1+8ffc2dbb+BCvCD2pd0yWqo1U3GUACpIFUKOy9Kx0pOGF+uNqc529Z").unwrap()
}

#[derive(Default)]
struct Rows(Vec<Vec<u8>>);

impl LeafSource for Rows {
    fn len(&self) -> Result<u64, LedgerError> {
        Ok(self.0.len() as u64)
    }

    fn leaves(&self, from: u64, limit: usize) -> Result<Vec<Vec<u8>>, LedgerError> {
        Ok(self.0.iter().skip(usize::try_from(from).unwrap()).take(limit).cloned().collect())
    }
}

#[derive(Default)]
struct Tiles(Mutex<BTreeMap<String, Vec<u8>>>);

impl TileStore for Tiles {
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, LedgerError> {
        Ok(self.0.lock().unwrap().get(path).cloned())
    }

    fn write(&self, path: &str, bytes: &[u8]) -> Result<(), LedgerError> {
        self.0.lock().unwrap().insert(path.to_owned(), bytes.to_vec());
        Ok(())
    }
}

#[derive(Default)]
struct Lock(Mutex<Option<Vec<u8>>>);

impl CheckpointLock for Lock {
    fn load(&self) -> Result<Option<Vec<u8>>, LedgerError> {
        Ok(self.0.lock().unwrap().clone())
    }

    fn swap(&self, expected: Option<&[u8]>, new: &[u8]) -> Result<(), LedgerError> {
        let mut held = self.0.lock().unwrap();
        if held.as_deref() != expected {
            return Err(LedgerError::CheckpointMoved);
        }
        *held = Some(new.to_vec());
        Ok(())
    }
}
