use std::fs::{self, OpenOptions, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};

use vouchsafe_envelope::KeyServiceError;
use vouchsafe_envelope::port::{ErasureStrength, KeyHandle, KeyService};
use vouchsafe_keys::{KeyFile, KeysError};
use vouchsafe_types::Secret;

use crate::setup::{Place, acme};

fn secret(byte: u8) -> Secret<32> {
    Secret::init_with(|secret| secret.fill(byte))
}

fn handle(generation: u64) -> KeyHandle {
    KeyHandle::new(acme(), generation)
}

/// Promise: WB-3-envelope
#[test]
fn wraps_are_bound_to_key_and_context_and_die_with_the_key() {
    let place = Place::new();
    let service = place.service();
    service.create(&handle(1)).unwrap();
    service.create(&handle(2)).unwrap();
    let wrapped = service.wrap(&handle(1), &secret(7), b"here").unwrap();
    service.create(&handle(1)).unwrap();
    assert_eq!(place.held(), [1, 2]);
    let again = place.service();
    assert_eq!(again.unwrap(&handle(1), &wrapped, b"here").unwrap().expose_secret(), &[7; 32]);
    let mut changed = wrapped.clone();
    *changed.last_mut().unwrap() ^= 1;
    for result in [
        again.unwrap(&handle(2), &wrapped, b"here"),
        again.unwrap(&handle(1), &wrapped, b"there"),
        again.unwrap(&handle(1), &changed, b"here"),
    ] {
        assert_eq!(result.unwrap_err(), KeyServiceError::NotAuthentic);
    }
    assert_eq!(again.unwrap(&handle(1), b"short", b"here").unwrap_err(), KeyServiceError::Malformed);
    let evidence = service.destroy(&handle(1)).unwrap();
    assert_eq!((evidence.handle(), evidence.strength()), (&handle(1), ErasureStrength::HostOnly));
    assert_eq!(service.destroy(&handle(1)).unwrap(), evidence);
    assert_eq!(again.unwrap(&handle(1), &wrapped, b"here").unwrap_err(), KeyServiceError::NoSuchKey);
    service.create(&handle(1)).unwrap();
    assert_eq!(again.unwrap(&handle(1), &wrapped, b"here").unwrap_err(), KeyServiceError::NotAuthentic);
}

#[test]
fn only_a_plain_file_of_this_user_alone_is_opened() {
    let place = Place::new();
    let mode = fs::metadata(place.key_file()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    for lax in [0o640, 0o604, 0o620, 0o602, 0o610, 0o601] {
        fs::set_permissions(place.key_file(), Permissions::from_mode(lax)).unwrap();
        assert_eq!(KeyFile::open(place.key_file()).unwrap_err(), KeysError::TooOpen, "{lax:o}");
    }
    fs::set_permissions(place.key_file(), Permissions::from_mode(0o600)).unwrap();
    let link = place.root().join("link");
    symlink(place.key_file(), &link).unwrap();
    assert_eq!(KeyFile::open(&link).unwrap_err(), KeysError::NotPlain);
    assert_eq!(KeyFile::create_new(&link).unwrap_err(), KeysError::Exists);
    let dangling = place.root().join("dangling");
    symlink(place.root().join("nowhere"), &dangling).unwrap();
    assert_eq!(KeyFile::create_new(&dangling).unwrap_err(), KeysError::Exists);
    assert_eq!(KeyFile::open(place.root()).unwrap_err(), KeysError::NotPlain);
    assert_eq!(KeyFile::open(place.root().join("missing")).unwrap_err(), KeysError::Missing);
    assert_eq!(KeyFile::create_new(place.key_file()).unwrap_err(), KeysError::Exists);
}

#[test]
fn damage_is_found_and_a_service_that_lost_its_file_says_so() {
    let place = Place::new();
    let service = place.service();
    service.create(&handle(1)).unwrap();
    let whole = fs::read(place.key_file()).unwrap();
    for at in [0, 15, 20, 40, whole.len() - 1] {
        let mut changed = whole.clone();
        changed[at] ^= 1;
        fs::write(place.key_file(), changed).unwrap();
        assert_eq!(KeyFile::open(place.key_file()).unwrap_err(), KeysError::Corrupt, "{at}");
        assert_eq!(service.list(&acme()).unwrap_err(), KeyServiceError::Corrupt);
    }
    for len in [0, 1, 31, 32, whole.len() - 1] {
        fs::write(place.key_file(), &whole[..len]).unwrap();
        assert_eq!(KeyFile::open(place.key_file()).unwrap_err(), KeysError::Corrupt, "{len}");
    }
    fs::remove_file(place.key_file()).unwrap();
    assert_eq!(service.list(&acme()).unwrap_err(), KeyServiceError::Denied);
    assert_eq!(service.create(&handle(2)).unwrap_err(), KeyServiceError::Denied);
    assert!(!place.key_file().exists(), "a lost file is not made again");
}

#[test]
fn a_destroyed_key_leaves_no_bytes_in_the_folder() {
    let place = Place::new();
    let service = place.service();
    service.create(&handle(1)).unwrap();
    let with_key = fs::read(place.key_file()).unwrap();
    // The last 32 bytes before the checksum are the key.
    let key = with_key[with_key.len() - 64..with_key.len() - 32].to_vec();
    let leftover = place.root().join("keys.tmp");
    fs::write(&leftover, &with_key).unwrap();
    let old = OpenOptions::new().read(true).open(place.key_file()).unwrap();
    service.create(&handle(2)).unwrap();
    fs::write(&leftover, &with_key).unwrap();
    let _ = service.destroy(&handle(1)).unwrap();
    assert!(!leftover.exists());
    for entry in fs::read_dir(place.root()).unwrap().filter_map(Result::ok).filter(|e| e.path().is_file()) {
        let bytes = fs::read(entry.path()).unwrap();
        assert!(!bytes.windows(32).any(|window| window == key), "{:?}", entry.file_name());
    }
    let mut replaced = Vec::new();
    std::io::Read::read_to_end(&mut &old, &mut replaced).unwrap();
    assert!(replaced.iter().all(|byte| *byte == 0), "the replaced file was overwritten");
    // Gone already, but a leftover of an interrupted change holds it: destroying again clears that too.
    fs::write(&leftover, &with_key).unwrap();
    let _ = service.destroy(&handle(1)).unwrap();
    assert!(!leftover.exists());
}

#[test]
fn a_change_that_cannot_be_written_changes_nothing() {
    let place = Place::new();
    let service = place.service();
    service.create(&handle(1)).unwrap();
    fs::create_dir(place.root().join("keys.tmp")).unwrap();
    assert!(service.create(&handle(2)).is_err());
    assert!(service.destroy(&handle(1)).is_err());
    assert_eq!(place.held(), [1]);
    fs::remove_dir(place.root().join("keys.tmp")).unwrap();
    service.create(&handle(2)).unwrap();
    assert_eq!(place.held(), [1, 2]);
}

#[test]
fn two_services_on_one_file_lose_no_key() {
    let place = Place::new();
    std::thread::scope(|scope| {
        for first in [1, 1001, 2001, 3001] {
            let service = place.service();
            scope.spawn(move || {
                for generation in first..first + 20 {
                    service.create(&handle(generation)).unwrap();
                    let wrapped = service.wrap(&handle(generation), &secret(1), b"").unwrap();
                    service.unwrap(&handle(generation), &wrapped, b"").unwrap();
                }
            });
        }
    });
    assert_eq!(place.held().len(), 80);
}
