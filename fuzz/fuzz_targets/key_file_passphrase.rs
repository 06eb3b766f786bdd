//! A key file behind a passphrase, with a right checksum; and any contents sealed under the right one.
//!
//! `cargo fuzz` sets `cfg(fuzzing)`, with which a derivation costs next to nothing.
#![no_main]

use std::fs;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use ring::digest::{SHA256, digest};
use tempfile::TempDir;
use vouchsafe_envelope::port::{KeyHandle, KeyService};
use vouchsafe_fuzz::acme;
use vouchsafe_keys::{KeyFile, KeysError};
use vouchsafe_types::SecretBytes;

static FOLDER: LazyLock<TempDir> = LazyLock::new(|| TempDir::new().expect("a temporary folder"));

fn store(path: &Path, bytes: &[u8]) {
    let _ = fs::remove_file(path);
    let file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    let mut file = file.expect("a file of our own");
    file.write_all(bytes).expect("room on the disk");
    file.write_all(digest(&SHA256, bytes).as_ref()).expect("room on the disk");
}

fuzz_target!(|bytes: &[u8]| {
    let (path, phrase) = (FOLDER.path().join("keys"), SecretBytes::new(b"example".to_vec()));
    store(&path, bytes);
    match KeyFile::open_with_passphrase(&path, &phrase) {
        Ok(keys) => {
            assert!(keys.list(&acme()).expect("what was read is read again").is_sorted());
            keys.create(&KeyHandle::new(acme(), u64::MAX)).expect("room on the disk");
            KeyFile::open_with_passphrase(&path, &phrase).expect("what was written is read");
            assert_eq!(KeyFile::open(&path).err(), Some(KeysError::Passphrase));
        }
        Err(error) => {
            assert!(matches!(error, KeysError::Corrupt | KeysError::Passphrase | KeysError::Unprotected))
        }
    }
});
