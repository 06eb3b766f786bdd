//! The name of a file among the leases: one that says that somebody holds an older state counts while he may, and is
//! cleared away when he is dead; every other one stays and does not count.
#![no_main]

use std::ffi::OsStr;
use std::fs::{self, File};
use std::os::unix::ffi::OsStrExt;
use std::sync::LazyLock;
use std::time::{Duration, SystemTime};

use libfuzzer_sys::fuzz_target;
use tempfile::TempDir;
use vouchsafe_envelope::StateStoreError;
use vouchsafe_envelope::port::{StateGuard, StateStore, StateVersion};
use vouchsafe_fuzz::{acme, folder, is_file_name, put};
use vouchsafe_keys::FolderStates;

static FOLDER: LazyLock<TempDir> = LazyLock::new(folder);
/// Held by another holder than the one who asks.
static LIVE: LazyLock<(FolderStates, Box<dyn StateGuard>)> = LazyLock::new(|| {
    let states = FolderStates::open(FOLDER.path()).expect("a folder of our own");
    let lease = states.lease(&acme(), version(7, 1)).expect("room on the disk");
    (states, lease)
});

fn version(generation: u64, revision: u64) -> StateVersion {
    StateVersion { generation, revision }
}

/// The holder, when the name says that he holds a state from before (9, 5).
fn older(name: &[u8]) -> Option<&str> {
    let parts: Vec<&str> = std::str::from_utf8(name).ok()?.split('.').collect();
    let [holder, _, generation, revision] = parts[..] else { return None };
    let leased = version(generation.parse().ok()?, revision.parse().ok()?);
    (!holder.is_empty() && leased < version(9, 5)).then_some(holder)
}

fuzz_target!(|name: &[u8]| {
    if !is_file_name(name) {
        return;
    }
    let (states, _) = &*LIVE;
    let path = FOLDER.path().join("leases/acme").join(OsStr::from_bytes(name));
    let older = older(name);
    let alive = |holder: &str| FOLDER.path().join("leases").join(format!(".{holder}"));
    // The fuzzer finds out who the live holder is.
    if older.is_some_and(|holder| alive(holder).exists()) {
        return;
    }
    let counted = |count| {
        for asks in [states, &FolderStates::open(FOLDER.path()).expect("a folder of our own")] {
            assert_eq!(asks.leased_before(&acme(), version(9, 5)), Ok(count));
        }
        assert_eq!(asks_early(states), Ok(0));
    };
    // Of a holder of whom nothing else is there: for as long as a state is held at most.
    put(&path, b"");
    counted(1 + usize::from(older.is_some()));
    assert!(path.exists());
    let hour_ago = SystemTime::now() - Duration::from_secs(3600);
    File::options()
        .write(true)
        .open(&path)
        .and_then(|file| file.set_modified(hour_ago))
        .expect("a file of our own");
    counted(1);
    assert_eq!(path.exists(), older.is_none());

    // Of a dead holder.
    if let Some(holder) = older {
        let dead = alive(holder);
        put(&path, b"");
        put(&dead, b"");
        counted(1);
        assert!(!path.exists());
        fs::remove_file(dead).expect("a file of our own");
    }
    let _ = fs::remove_file(path);
});

/// Asked for what was before every lease.
fn asks_early(states: &FolderStates) -> Result<usize, StateStoreError> {
    states.leased_before(&acme(), version(0, 0))
}
