//! A key file with a right checksum behind bytes of any kind.
#![no_main]

use std::fs;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use ring::digest::{SHA256, digest};
use tempfile::TempDir;
use vouchsafe_envelope::port::KeyService;
use vouchsafe_fuzz::acme;
use vouchsafe_keys::KeyFile;

static FOLDER: LazyLock<TempDir> = LazyLock::new(|| TempDir::new().expect("a temporary folder"));

fuzz_target!(|bytes: &[u8]| {
    let path = FOLDER.path().join("keys");
    // A new file each time: some file systems flush one that is cut and rewritten.
    let _ = fs::remove_file(&path);
    let file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
    let mut file = file.expect("a file of our own");
    file.write_all(bytes).expect("room on the disk");
    file.write_all(digest(&SHA256, bytes).as_ref()).expect("room on the disk");
    if let Ok(keys) = KeyFile::open(&path) {
        let handles = keys.list(&acme()).expect("what was read is read again");
        assert!(handles.is_sorted());
    }
});
