//! What a record of 2 KiB costs beside its primitives: one HKDF-Expand with SHA-512 and one AES-256-GCM.
//!
//! Prints one JSON object a line, as `benches/peers/peers.py` does, and at the end the two ratios. Each figure is
//! taken from many short series, in turn, so that a busy moment of the machine falls on all of them.
#![expect(clippy::expect_used, clippy::print_stdout, reason = "a bench prints, and stops when it cannot run")]

use std::{hint::black_box, time::Instant};

use aes_gcm::{Aes256Gcm, KeyInit, Nonce, aead::AeadInOut};
use ring::{
    hkdf::{HKDF_SHA512, KeyType, Prk},
    rand::{SecureRandom, SystemRandom},
};
use vouchsafe_envelope::{Context, RecordKey, record, test_util};
use vouchsafe_types::{
    DataClass, Digest, Entropy, EntropyUnavailable, LeafIndex, OrganisationId, RecordId, Scope, Secret,
};

const RECORD: [u8; 2048] = [0x5a; 2048];
const SERIES: usize = 400;
const CALLS: u32 = 100;
/// Label, salt and context of a biometric record.
const INFO_LEN: usize = 48 + 24 + 115;

struct Os(SystemRandom);

impl Entropy for Os {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), EntropyUnavailable> {
        self.0.fill(buffer).map_err(|_| EntropyUnavailable)
    }
}

struct Length;

impl KeyType for Length {
    fn len(&self) -> usize {
        76
    }
}

fn context() -> Context {
    Context {
        organisation: OrganisationId::parse("acme").expect("a name"),
        leaf: LeafIndex::new(0x0100_0000_0007).expect("an index"),
        class: DataClass::Biometric,
        scope: Some(Scope::FACE_VERIFICATION),
        record: RecordId::from_bytes([9; 16]),
        model: Some(Digest::from_bytes([0x11; 32])),
        dimension: Some(512),
        key_version: 1,
    }
}

/// The primitives' key derivation, and the cipher it keys.
fn cipher() -> (Aes256Gcm, Nonce<aes_gcm::aead::consts::U12>) {
    let mut out = [0; 76];
    let prk = Prk::new_less_safe(HKDF_SHA512, black_box(&[7; 32]));
    let info = [&[0x11; INFO_LEN][..]];
    prk.expand(black_box(&info), Length).and_then(|okm| okm.fill(&mut out)).expect("76 bytes");
    let (key, rest) = out.split_first_chunk::<32>().expect("76 bytes");
    let nonce = rest.first_chunk::<12>().expect("44 bytes");
    (Aes256Gcm::new(key.into()), Nonce::from(*nonce))
}

fn primitives_seal(plaintext: &[u8]) -> Vec<u8> {
    let (aead, nonce) = cipher();
    let mut out = plaintext.to_vec();
    aead.encrypt_in_place(&nonce, b"", &mut out).expect("2 KiB");
    out
}

fn primitives_open(sealed: &[u8]) -> Vec<u8> {
    let (aead, nonce) = cipher();
    let mut out = sealed.to_vec();
    aead.decrypt_in_place(&nonce, b"", &mut out).expect("an honest tag");
    out
}

/// Nanoseconds of one call, from a series.
fn series(act: &dyn Fn()) -> f64 {
    let began = Instant::now();
    (0..CALLS).for_each(|_| act());
    began.elapsed().as_secs_f64() * 1e9 / f64::from(CALLS)
}

/// Prints an operation's figures and gives the least.
fn report(operation: &str, mut spent: Vec<f64>) -> f64 {
    spent.sort_by(f64::total_cmp);
    let (least, median) = (spent.first().copied(), spent.get(spent.len() / 2).copied());
    let (least, median) = (least.unwrap_or_default(), median.unwrap_or_default());
    let (version, n) = (env!("CARGO_PKG_VERSION"), SERIES * CALLS as usize);
    println!(
        "{{\"name\": \"vouchsafe-envelope\", \"version\": \"{version}\", \"operation\": \"{operation}\", \
         \"ns_median\": {median:.0}, \"ns_least\": {least:.0}, \"n\": {n}}}"
    );
    least
}

fn main() {
    let (context, entropy) = (context(), Os(SystemRandom::new()));
    let key: RecordKey = test_util::record_key(Secret::init_with(|key| key.fill(1)));
    let sealed = record::seal(&key, &context, &RECORD, &entropy).expect("entropy");
    let bare = primitives_seal(&RECORD);
    let acts: [(&str, &dyn Fn()); 4] = [
        ("seal 2 KiB", &|| drop(black_box(record::seal(&key, &context, black_box(&RECORD), &entropy)))),
        ("open 2 KiB", &|| drop(black_box(record::open(&key, &context, black_box(&sealed))))),
        ("primitives of a seal of 2 KiB", &|| drop(black_box(primitives_seal(black_box(&RECORD))))),
        ("primitives of an open of 2 KiB", &|| drop(black_box(primitives_open(black_box(&bare))))),
    ];
    let mut spent = [const { Vec::new() }; 4];
    for _ in 0..SERIES {
        spent.iter_mut().zip(&acts).for_each(|(spent, (_, act))| spent.push(series(act)));
    }
    let mut least = acts.iter().zip(spent).map(|((operation, _), spent)| report(operation, spent));
    let mut next = || least.next().unwrap_or_default();
    let (seal, open, bare_seal, bare_open) = (next(), next(), next(), next());
    println!(
        "seal={:.2}x open={:.2}x of the primitives, seal + open = {:.1} us",
        seal / bare_seal,
        open / bare_open,
        (seal + open) / 1e3
    );
}
