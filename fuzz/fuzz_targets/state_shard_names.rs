//! The name of a file among the shards: it has one spelling, and what is no shard is cleared away.
#![no_main]

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use tempfile::TempDir;
use vouchsafe_envelope::port::{ShardName, StateStore};
use vouchsafe_fuzz::{acme, folder, is_file_name, put_summed};
use vouchsafe_keys::FolderStates;

static FOLDER: LazyLock<TempDir> = LazyLock::new(folder);
const OWN: ShardName = ShardName::from_bytes([1; 16]);

fuzz_target!(|name: &[u8]| {
    if !is_file_name(name) {
        return;
    }
    let states = FolderStates::open(FOLDER.path()).expect("a folder of our own");
    states.write_shard(&acme(), &OWN, b"example").expect("room on the disk");
    let path = FOLDER.path().join("acme.shards").join(OsStr::from_bytes(name));
    put_summed(&path, b"example");
    let found = states.shards(&acme()).expect("a folder of our own");
    for shard in &found {
        assert_eq!(states.read_shard(&acme(), shard), Ok(Some(b"example".to_vec())), "one spelling");
    }
    states.retain_shards(&acme(), &found).expect("files of our own");
    assert_eq!(path.exists(), found.len() == 2 || name == b"01010101010101010101010101010101");
    states.retain_shards(&acme(), &[OWN]).expect("files of our own");
    assert_eq!(fs::read_dir(FOLDER.path().join("acme.shards")).expect("a folder").count(), 1);
});
