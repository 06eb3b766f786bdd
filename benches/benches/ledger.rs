//! The log over rows and tiles in memory: publishing, proving, verifying, beside the bare primitives.
#![expect(clippy::unwrap_used, reason = "a bench that cannot run says so")]

use std::collections::BTreeMap;
use std::hint::black_box;
use std::sync::{Mutex, PoisonError};

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use ring::digest::{SHA256, digest};
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use vouchsafe::ledger::{
    CheckpointLock, EntryKind, Leaf, LeafSource, LedgerError, LogSigner, TileStore, Trust, prove_inclusion,
    publish, verify_log, verify_receipt,
};
use vouchsafe::types::Secret;

const ORIGIN: &str = "log.example/acme";
const ENTRIES: u32 = 1_000;
const LARGE: u32 = 100_000;

struct Rows(Vec<Vec<u8>>);

impl Rows {
    fn numbered(count: u32) -> Self {
        Self((0..count).map(|number| leaf(number).to_bytes().to_vec()).collect())
    }
}

fn leaf(number: u32) -> Leaf {
    let mut commitment = [6; 32];
    commitment.iter_mut().zip(number.to_be_bytes()).for_each(|(to, from)| *to = from);
    Leaf { kind: EntryKind::TemplateOpened, hour: 498_764, organisation: [7; 16], commitment }
}

impl LeafSource for Rows {
    fn len(&self) -> Result<u64, LedgerError> {
        Ok(self.0.len() as u64)
    }

    fn leaves(&self, from: u64, limit: usize) -> Result<Vec<Vec<u8>>, LedgerError> {
        let from = usize::try_from(from).map_err(|_| LedgerError::OutOfRange)?;
        Ok(self.0.iter().skip(from).take(limit).cloned().collect())
    }
}

#[derive(Default)]
struct Tiles(Mutex<BTreeMap<String, Vec<u8>>>);

impl TileStore for Tiles {
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, LedgerError> {
        Ok(self.0.lock().unwrap_or_else(PoisonError::into_inner).get(path).cloned())
    }

    fn write(&self, path: &str, bytes: &[u8]) -> Result<(), LedgerError> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(path.to_owned(), bytes.to_vec());
        Ok(())
    }
}

#[derive(Default)]
struct Lock(Mutex<Option<Vec<u8>>>);

impl CheckpointLock for Lock {
    fn load(&self) -> Result<Option<Vec<u8>>, LedgerError> {
        Ok(self.0.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }

    fn swap(&self, expected: Option<&[u8]>, new: &[u8]) -> Result<(), LedgerError> {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if held.as_deref() != expected {
            return Err(LedgerError::CheckpointMoved);
        }
        *held = Some(new.to_vec());
        Ok(())
    }
}

fn ledger(criterion: &mut Criterion) {
    let signer = LogSigner::from_seed(ORIGIN, &Secret::init_with(|seed| seed.fill(42))).unwrap();
    let (few, many) = (Rows::numbered(ENTRIES), Rows::numbered(LARGE));
    let tiles = Tiles::default();
    publish(&many, &tiles, &Lock::default(), &[&signer], ORIGIN).unwrap();
    let trust = Trust::new(signer.verifier(), ORIGIN);
    let middle = LARGE / 2 + 3;
    let receipt = prove_inclusion(&tiles, middle.into(), &trust).unwrap().to_string();

    let mut group = criterion.benchmark_group("log");
    group.sample_size(20);
    group.throughput(Throughput::Elements(ENTRIES.into()));
    group.bench_function("publish 1000 entries", |bencher| {
        let act =
            |tiles: Tiles| (publish(&few, &tiles, &Lock::default(), &[&signer], ORIGIN).unwrap(), tiles);
        bencher.iter_batched(Tiles::default, act, BatchSize::PerIteration);
    });
    // Two thousand SHA-256: what any tree over them pays.
    group.bench_function("publish 1000 entries by hashes alone", |bencher| {
        bencher.iter(|| {
            for row in &few.0 {
                black_box(digest(&SHA256, row));
                black_box(digest(&SHA256, black_box(&[0; 65])));
            }
        });
    });
    group.throughput(Throughput::Elements(LARGE.into()));
    group.sample_size(10);
    group.bench_function("verify 100000 entries", |bencher| {
        bencher.iter(|| verify_log(&many, &tiles, &trust).unwrap().is_sound());
    });
    group.throughput(Throughput::Elements(1));
    group.sample_size(50);
    group.bench_function("prove one of 100000 entries", |bencher| {
        bencher.iter(|| prove_inclusion(&tiles, black_box(middle).into(), &trust).unwrap());
    });
    let entry = leaf(middle).to_bytes();
    group.bench_function("verify a receipt", |bencher| {
        bencher.iter(|| verify_receipt(black_box(&receipt), &entry, signer.verifier(), ORIGIN).unwrap());
    });
    let pair = Ed25519KeyPair::from_seed_unchecked(&[42; 32]).unwrap();
    let signature = pair.sign(&entry);
    let public = UnparsedPublicKey::new(&ED25519, pair.public_key());
    group.bench_function("verify a receipt by Ed25519 alone", |bencher| {
        bencher.iter(|| public.verify(black_box(&entry), signature.as_ref()).unwrap());
    });
    group.finish();
}

criterion_group!(benches, ledger);
criterion_main!(benches);
