//! A key file behind a passphrase, with a right checksum; and any contents sealed under the right one.
//!
//! `cargo fuzz` sets `cfg(fuzzing)`, with which a derivation costs next to nothing.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use tempfile::TempDir;
use vouchsafe_envelope::port::{KeyHandle, KeyService};
use vouchsafe_fuzz::{acme, folder, put_summed};
use vouchsafe_keys::{KeyFile, KeysError};
use vouchsafe_types::SecretBytes;

static FOLDER: LazyLock<TempDir> = LazyLock::new(folder);

fuzz_target!(|bytes: &[u8]| {
    let (path, phrase) = (FOLDER.path().join("keys"), SecretBytes::new(b"example".to_vec()));
    put_summed(&path, bytes);
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
