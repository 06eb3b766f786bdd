use std::fs::{self, File, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};

use vouchsafe_envelope::StateStoreError;
use vouchsafe_envelope::port::{StateStore, StateVersion};
use vouchsafe_keys::{FolderStates, KeysError};

use crate::setup::{Place, acme};

fn at(generation: u64) -> StateVersion {
    StateVersion { generation, revision: 1 }
}

#[test]
fn a_blob_is_replaced_whole_and_checked() {
    let place = Place::new();
    let states = place.folder("states");
    assert_eq!(states.read(&acme()).unwrap(), None);
    states.write(&acme(), at(1), b"one").unwrap();
    states.write(&acme(), at(1), b"one again").unwrap();
    states.write(&acme(), at(2), b"two").unwrap();
    assert_eq!(states.write(&acme(), at(1), b"one"), Err(StateStoreError::OlderGeneration));
    assert_eq!(states.read(&acme()).unwrap().unwrap(), b"two");
    let path = place.state_file();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let whole = fs::read(&path).unwrap();
    for at in 0..whole.len() {
        let mut changed = whole.clone();
        changed[at] ^= 0x10;
        fs::write(&path, changed).unwrap();
        assert_eq!(states.read(&acme()), Err(StateStoreError::Corrupt), "{at}");
        fs::write(&path, &whole[..at]).unwrap();
        assert_eq!(states.read(&acme()), Err(StateStoreError::Corrupt), "cut at {at}");
    }
    assert_eq!(
        states.write(&acme(), at(3), b"three"),
        Err(StateStoreError::Corrupt),
        "damage is not papered over"
    );
}

#[test]
fn links_and_lax_modes_are_refused() {
    let place = Place::new();
    let (states, path) = (place.folder("states"), place.state_file());
    states.write(&acme(), at(1), b"one").unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
    assert_eq!(states.read(&acme()), Err(StateStoreError::Denied));
    let elsewhere = place.root().join("elsewhere");
    fs::rename(&path, &elsewhere).unwrap();
    symlink(&elsewhere, &path).unwrap();
    assert_eq!(states.read(&acme()), Err(StateStoreError::Denied));
    assert_eq!(states.write(&acme(), at(2), b"two"), Err(StateStoreError::Denied));

    let folder = place.root().join("states");
    assert_eq!(FolderStates::create_new(&folder).unwrap_err(), KeysError::Exists);
    fs::set_permissions(&folder, Permissions::from_mode(0o770)).unwrap();
    assert_eq!(FolderStates::open(&folder).unwrap_err(), KeysError::TooOpen);
    symlink(&folder, place.root().join("link")).unwrap();
    assert_eq!(FolderStates::open(place.root().join("link")).unwrap_err(), KeysError::NotPlain);
    assert_eq!(FolderStates::open(place.root().join("missing")).unwrap_err(), KeysError::Missing);
    assert_eq!(FolderStates::open(place.key_file()).unwrap_err(), KeysError::NotPlain);
}

#[test]
fn a_write_that_fails_leaves_the_old_blob() {
    let place = Place::new();
    let states = place.folder("states");
    states.write(&acme(), at(1), b"one").unwrap();
    let blocker = place.root().join("states/acme.state.tmp");
    fs::create_dir(&blocker).unwrap();
    assert!(states.write(&acme(), at(2), b"two").is_err());
    assert_eq!(states.read(&acme()).unwrap().unwrap(), b"one");
    fs::remove_dir(&blocker).unwrap();
    fs::write(&blocker, b"half a bl").unwrap();
    states.write(&acme(), at(2), b"two").unwrap();
    assert_eq!(states.read(&acme()).unwrap().unwrap(), b"two");
    assert!(!blocker.exists());
}

#[test]
fn locks_exclude_and_a_wait_has_an_end() {
    let place = Place::new();
    let states = place.folder("states");
    let (first, second) = (states.lock_shared(&acme()).unwrap(), states.lock_shared(&acme()).unwrap());
    assert!(matches!(states.lock_exclusive(&acme()), Err(StateStoreError::Unavailable)));
    drop((first, second));
    let writer = states.lock_exclusive(&acme()).unwrap();
    let lock = File::open(place.root().join("states/acme.lock")).unwrap();
    assert!(lock.try_lock_shared().is_err());
    drop(writer);
    assert!(lock.try_lock_shared().is_ok());
}

/// Two handles on one folder, as two processes have them.
#[test]
fn a_lease_counts_until_it_is_dropped_or_its_holder_ends() {
    let place = Place::new();
    let (one, two) = (place.folder("states"), place.folder("states"));
    let before = |version| two.leased_before(&acme(), at(version)).unwrap();
    assert_eq!(before(9), 0);
    let first = one.lease(&acme(), at(1)).unwrap();
    let second = one.lease(&acme(), at(3)).unwrap();
    assert_eq!((before(1), before(2), before(4)), (0, 1, 2));
    assert_eq!(one.leased_before(&acme(), at(2)), Ok(1), "its own count as well");
    drop(first);
    assert_eq!((before(2), before(4)), (0, 1));
    // A process that is killed leaves its files and loses its lock.
    std::mem::forget(second);
    drop(one);
    assert_eq!(before(4), 0);
    let files = fs::read_dir(place.root().join("states/leases/acme")).unwrap().count();
    assert_eq!(files, 0, "and what it left is cleared away");
}
