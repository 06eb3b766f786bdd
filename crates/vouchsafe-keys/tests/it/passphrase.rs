//! A key file behind a passphrase.
use std::fs;
use std::sync::Arc;
use std::time::Instant;

use ring::digest::{SHA256, digest};
use vouchsafe_envelope::KeyServiceError;
use vouchsafe_envelope::port::{KeyHandle, KeyService};
use vouchsafe_keys::{KeyFile, KeysError};
use vouchsafe_testkit::conformance;
use vouchsafe_types::{Secret, SecretBytes};

use crate::setup::{Place, acme, allocate, fingerprint};

fn phrase(text: &str) -> SecretBytes {
    SecretBytes::new(text.into())
}

fn handle(generation: u64) -> KeyHandle {
    KeyHandle::new(acme(), generation)
}

fn secret() -> Secret<32> {
    Secret::init_with(|secret| secret.fill(7))
}

/// The service is opened once: one derivation takes about as long as the whole suite.
#[test]
fn a_protected_key_file_conforms() {
    let place = Place::new();
    let path = place.root().join("protected");
    let service = Arc::new(KeyFile::create_with_passphrase(&path, &phrase("correct horse")).unwrap());
    let other = Arc::new(KeyFile::open_with_passphrase(&path, &phrase("correct horse")).unwrap());
    let turn = std::sync::atomic::AtomicBool::new(false);
    conformance::key_service(&|| {
        let second = turn.fetch_xor(true, std::sync::atomic::Ordering::Relaxed);
        if second { other.clone() } else { service.clone() }
    });
}

#[test]
fn only_its_passphrase_opens_a_protected_file() {
    let place = Place::new();
    let path = place.root().join("protected");
    assert_eq!(KeyFile::create_with_passphrase(&path, &phrase("")).unwrap_err(), KeysError::Passphrase);
    assert!(!path.exists());
    let service = KeyFile::create_with_passphrase(&path, &phrase("correct horse")).unwrap();
    service.create(&handle(1)).unwrap();
    let wrapped = service.wrap(&handle(1), &secret(), b"").unwrap();
    assert_eq!(KeyFile::open(&path).unwrap_err(), KeysError::Passphrase);
    let open = |text| KeyFile::open_with_passphrase(&path, &phrase(text));
    for wrong in ["", "correct hors", "correct horse\n"] {
        assert_eq!(open(wrong).unwrap_err(), KeysError::Passphrase);
    }
    let begun = Instant::now();
    let again = open("correct horse").unwrap();
    println!("open with a passphrase: {:.0} ms", begun.elapsed().as_secs_f64() * 1e3);
    assert_eq!(again.unwrap(&handle(1), &wrapped, b"").unwrap().expose_secret(), &[7; 32]);
    let plain = KeyFile::open_with_passphrase(place.key_file(), &phrase("correct horse"));
    assert_eq!(plain.unwrap_err(), KeysError::Unprotected);
    let exists = KeyFile::create_with_passphrase(&path, &phrase("correct horse"));
    assert_eq!(exists.unwrap_err(), KeysError::Exists);
    assert!(!format!("{again:?}").contains("horse"));
}

/// Neither the organisation's name nor the key is to be read.
#[test]
fn a_protected_file_shows_nothing() {
    let place = Place::new();
    let mut service = KeyFile::open(place.key_file()).unwrap();
    service.create(&handle(1)).unwrap();
    let plain = fs::read(place.key_file()).unwrap();
    let key = &plain[plain.len() - 64..plain.len() - 32];
    let shows = |bytes: &[u8], part: &[u8]| bytes.windows(part.len()).any(|window| window == part);
    assert!(shows(&plain, b"acme"));
    service.change_passphrase(&phrase("correct horse")).unwrap();
    let protected = fs::read(place.key_file()).unwrap();
    assert!(!shows(&protected, b"acme") && !shows(&protected, key));
    assert_eq!(service.list(&acme()).unwrap(), [handle(1)]);
}

#[test]
fn damage_is_told_from_a_wrong_passphrase() {
    let place = Place::new();
    let path = place.root().join("protected");
    let service = KeyFile::create_with_passphrase(&path, &phrase("correct horse")).unwrap();
    service.create(&handle(1)).unwrap();
    let whole = fs::read(&path).unwrap();
    for at in [0, 15, 17, 30, 44, 80, whole.len() - 40, whole.len() - 1] {
        let mut changed = whole.clone();
        changed[at] ^= 1;
        fs::write(&path, changed).unwrap();
        let opened = KeyFile::open_with_passphrase(&path, &phrase("correct horse"));
        assert_eq!(opened.unwrap_err(), KeysError::Corrupt, "{at}");
        assert_eq!(service.list(&acme()).unwrap_err(), KeyServiceError::Corrupt);
    }
    // Damage under a right checksum was done on purpose.
    let body = &whole[..whole.len() - 32];
    let forge = |body: &[u8]| fs::write(&path, [body, digest(&SHA256, body).as_ref()].concat()).unwrap();
    let with = |at: usize, bytes: &[u8]| {
        let mut changed = body.to_vec();
        changed[at..at + bytes.len()].copy_from_slice(bytes);
        changed
    };
    for (forged, expected) in [
        (with(15, &[3]), KeysError::Unprotected),
        // A tebibyte of memory, 2³² passes, no lane.
        (with(16, &(1u32 << 30).to_be_bytes()), KeysError::Corrupt),
        (with(20, &u32::MAX.to_be_bytes()), KeysError::Corrupt),
        (with(24, &0u32.to_be_bytes()), KeysError::Corrupt),
        (body[..43].to_vec(), KeysError::Corrupt),
        (body[..60].to_vec(), KeysError::Corrupt),
        (with(30, &[0; 4]), KeysError::Passphrase),
        (with(body.len() - 1, &[0xff]), KeysError::Passphrase),
    ] {
        forge(&forged);
        let begun = Instant::now();
        let opened = KeyFile::open_with_passphrase(&path, &phrase("correct horse"));
        assert_eq!(opened.unwrap_err(), expected);
        assert!(begun.elapsed().as_secs() < 20);
    }
    forge(body);
    assert_eq!(service.list(&acme()).unwrap(), [handle(1)]);
}

/// Promise: WB-3-envelope
#[test]
fn a_changed_passphrase_keeps_the_keys_and_shuts_out_the_old_one() {
    let place = Place::new();
    let path = place.key_file();
    let ring = place.ring_over(place.service());
    ring.provision(&acme()).unwrap();
    let leaf = allocate(&ring, 1)[0];
    let before = fingerprint(&ring, leaf).unwrap();
    let unprotected = place.service();

    let mut service = KeyFile::open(&path).unwrap();
    service.change_passphrase(&phrase("one")).unwrap();
    assert_eq!(unprotected.list(&acme()).unwrap_err(), KeyServiceError::Denied);
    assert_eq!(unprotected.create(&handle(9)).unwrap_err(), KeyServiceError::Denied);
    let left = KeyFile::open_with_passphrase(&path, &phrase("one")).unwrap();

    service.change_passphrase(&phrase("two")).unwrap();
    assert_eq!(left.destroy(&handle(1)).unwrap_err(), KeyServiceError::Denied);
    assert_eq!(KeyFile::open_with_passphrase(&path, &phrase("one")).unwrap_err(), KeysError::Passphrase);
    assert_eq!(service.change_passphrase(&phrase("")).unwrap_err(), KeysError::Passphrase);
    let renewed = KeyFile::open_with_passphrase(&path, &phrase("two")).unwrap();
    assert_eq!(renewed.list(&acme()).unwrap(), [handle(1)]);
    assert_eq!(fingerprint(&place.ring_over(Arc::new(renewed)), leaf), Ok(before));
}

#[test]
fn a_passphrase_that_cannot_be_written_is_not_changed() {
    let place = Place::new();
    let path = place.root().join("protected");
    let mut service = KeyFile::create_with_passphrase(&path, &phrase("one")).unwrap();
    service.create(&handle(1)).unwrap();
    let blocker = place.root().join("protected.tmp");
    fs::create_dir(&blocker).unwrap();
    assert!(service.change_passphrase(&phrase("two")).is_err());
    assert_eq!(service.list(&acme()).unwrap(), [handle(1)]);
    fs::remove_dir(&blocker).unwrap();
    service.create(&handle(2)).unwrap();
    let again = KeyFile::open_with_passphrase(&path, &phrase("one")).unwrap();
    assert_eq!(again.list(&acme()).unwrap(), [handle(1), handle(2)]);
}
