//! A key file with a right checksum behind bytes of any kind.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use tempfile::TempDir;
use vouchsafe_envelope::port::KeyService;
use vouchsafe_fuzz::{acme, folder, put_summed};
use vouchsafe_keys::KeyFile;

static FOLDER: LazyLock<TempDir> = LazyLock::new(folder);

fuzz_target!(|bytes: &[u8]| {
    let path = FOLDER.path().join("keys");
    put_summed(&path, bytes);
    if let Ok(keys) = KeyFile::open(&path) {
        let handles = keys.list(&acme()).expect("what was read is read again");
        assert!(handles.is_sorted());
    }
});
