//! Sealing, and what it takes to forget: key derivation, records, punctures, destruction with its syncs.
#![expect(clippy::unwrap_used, reason = "a bench that cannot run says so")]

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use aes_gcm::aead::AeadInOut;
use aes_gcm::{Aes256Gcm, KeyInit, Nonce};
use criterion::{BatchSize, BenchmarkId, Criterion, criterion_group, criterion_main};
use ring::hkdf::{HKDF_SHA512, KeyType, Prk};
use tempfile::TempDir;
use vouchsafe::envelope::port::StateStore;
use vouchsafe::envelope::tree::KeyTree;
use vouchsafe::envelope::{Context, KeyPorts, KeyRing, record};
use vouchsafe::keys::{BootTicks, FolderFences, FolderStates, KeyFile, OsEntropy, ReplicatedStates};
use vouchsafe::types::{DataClass, Digest, LeafIndex, RecordId};
use vouchsafe::{OrganisationId, Scope};
use vouchsafe_benches::folder;
use vouchsafe_envelope::test_util;

const RECORD: [u8; 2048] = [0x5a; 2048];

fn acme() -> OrganisationId {
    OrganisationId::parse("acme").unwrap()
}

/// A key file, two folders of states and one of fence journals, as `Ports::in_folder` makes them.
fn ring(folder: &TempDir) -> KeyRing {
    let place = |name: &str| -> Arc<dyn StateStore> {
        Arc::new(FolderStates::create_new(folder.path().join(name)).unwrap())
    };
    let ring = KeyRing::new(KeyPorts::new(
        Arc::new(KeyFile::create_new(folder.path().join("service.keys")).unwrap()),
        Arc::new(ReplicatedStates::new(vec![place("state"), place("replica")]).unwrap()),
        Arc::new(FolderFences::at(folder.path().join("fences")).unwrap()),
        Arc::new(OsEntropy::new()),
        Arc::new(BootTicks),
    ));
    ring.provision(&acme()).unwrap();
    ring
}

fn context(leaf: LeafIndex) -> Context {
    Context {
        organisation: acme(),
        leaf,
        class: DataClass::Biometric,
        scope: Some(Scope::FACE_VERIFICATION),
        record: RecordId::from_bytes([9; 16]),
        model: Some(Digest::from_bytes([0x11; 32])),
        dimension: Some(512),
        key_version: 1,
    }
}

struct Length(usize);

impl KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

/// What any record format pays: one HKDF-Expand with SHA-512 and one pass of AES-256-GCM.
fn expand() -> [u8; 76] {
    let mut out = [0; 76];
    let prk = Prk::new_less_safe(HKDF_SHA512, black_box(&[7; 32]));
    prk.expand(&[&[0x11; 187]], Length(out.len())).unwrap().fill(&mut out).unwrap();
    out
}

fn cipher(keys: &[u8; 76]) -> (Aes256Gcm, Nonce<aes_gcm::aead::consts::U12>) {
    let (key, rest) = keys.split_first_chunk::<32>().unwrap();
    (Aes256Gcm::new(&(*key).into()), Nonce::from(*rest.first_chunk::<12>().unwrap()))
}

fn records(criterion: &mut Criterion) {
    let folder = folder(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let ring = ring(&folder);
    let leaf = ring.allocate(&acme(), DataClass::Biometric).unwrap();
    let key = ring.with_state(&acme(), |state| test_util::leaf_record_key(state, leaf, 1)).unwrap().unwrap();
    let (context, entropy) = (context(leaf), OsEntropy::new());
    let sealed = record::seal(&key, &context, &RECORD, &entropy).unwrap();
    let mut bare = RECORD.to_vec();
    let (aead, nonce) = cipher(&expand());
    aead.encrypt_in_place(&nonce, b"", &mut bare).unwrap();

    let mut group = criterion.benchmark_group("record");
    group.bench_function("seal 2 KiB", |bencher| {
        bencher.iter(|| record::seal(&key, &context, black_box(&RECORD), &entropy).unwrap());
    });
    group.bench_function("seal 2 KiB by primitives alone", |bencher| {
        bencher.iter(|| {
            let (aead, nonce) = cipher(&expand());
            let mut out = black_box(&RECORD).to_vec();
            aead.encrypt_in_place(&nonce, b"", &mut out).unwrap();
            out
        });
    });
    group.bench_function("open 2 KiB", |bencher| {
        bencher.iter(|| record::open(&key, &context, black_box(&sealed)).unwrap());
    });
    group.bench_function("open 2 KiB by primitives alone", |bencher| {
        bencher.iter(|| {
            let (aead, nonce) = cipher(&expand());
            let mut out = black_box(&bare).clone();
            aead.decrypt_in_place(&nonce, b"", &mut out).unwrap();
            out
        });
    });
    group.finish();

    let mut group = criterion.benchmark_group("key state");
    group.bench_function("with_state", |bencher| {
        bencher.iter(|| ring.with_state(&acme(), |state| state.revision()).unwrap());
    });
    ring.with_state(&acme(), |state| {
        group.bench_function("seal 2 KiB, its key derived", |bencher| {
            bencher.iter(|| state.seal(&context, black_box(&RECORD), &entropy).unwrap());
        });
        group.bench_function("open 2 KiB, its key derived", |bencher| {
            bencher.iter(|| state.open(&context, black_box(&sealed)).unwrap());
        });
        group.bench_function("derive a record key", |bencher| {
            bencher.iter(|| test_util::leaf_record_key(state, black_box(leaf), 1).unwrap());
        });
    })
    .unwrap();
    group.finish();
}

/// An index among those of biometric data.
fn index(number: u64) -> LeafIndex {
    LeafIndex::new(u64::from(DataClass::Biometric.code()) << 40 | number).unwrap()
}

/// One more leaf, after one in a hundred of the allocated ones was punctured, evenly spread: the worst cover.
fn puncture(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("puncture in memory");
    group.sample_size(20);
    for allocated in [1_000u64, 1_000_000] {
        let mut tree = <KeyTree>::generate(&OsEntropy::new()).unwrap();
        tree.puncture(&(0..allocated).step_by(100).map(index).collect::<Vec<_>>()).unwrap();
        let bytes = tree.encode();
        let leaf = [index(allocated / 2 + 50)];
        group.bench_function(BenchmarkId::from_parameter(allocated), |bencher| {
            let tree = || KeyTree::decode(bytes.expose_secret()).unwrap();
            let act = |mut tree: KeyTree| (tree.puncture(&leaf).unwrap(), tree);
            bencher.iter_batched(tree, act, BatchSize::PerIteration);
        });
    }
    group.finish();
}

/// New state key, new state, old key destroyed; each step synced, so the figure is the disk's.
fn destroy(criterion: &mut Criterion) {
    let folder = folder(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let ring = ring(&folder);
    let mut group = criterion.benchmark_group("destroy");
    group.sample_size(10).warm_up_time(Duration::from_secs(1));
    group.bench_function("one leaf with syncs", |bencher| {
        let leaf = || ring.allocate(&acme(), DataClass::Biometric).unwrap();
        let act = |leaf| ring.destroy(&acme(), &[leaf]).unwrap();
        bencher.iter_batched(leaf, act, BatchSize::PerIteration);
    });
    group.finish();
}

criterion_group!(benches, records, puncture, destroy);
criterion_main!(benches);
