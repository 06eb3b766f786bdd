//! Bad folders: a clear typed error, nothing half-written, no panic.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use vouchsafe::keys::KeysError;
use vouchsafe::store::StoreError;
use vouchsafe::{Act, Error, Ports};

use crate::scene::{
    FACE, Scene, consented, enrol, face, give, is_without_file, notice, open, try_give, verify,
};

#[test]
fn a_missing_key_file_is_not_replaced_by_a_new_one() {
    if is_without_file() {
        return;
    }
    let scene = Scene::new();
    scene.service.organisation("acme").unwrap();
    let keys = scene.dir.path().join("keys/service.keys");
    fs::rename(&keys, scene.dir.path().join("elsewhere")).unwrap();
    assert!(matches!(Ports::in_folder(scene.dir.path()), Err(Error::KeysMissing)));
    assert!(!keys.exists());
}

#[test]
fn a_world_readable_key_file_is_refused() {
    if is_without_file() {
        return;
    }
    let scene = Scene::new();
    scene.service.organisation("acme").unwrap();
    let keys = scene.dir.path().join("keys/service.keys");
    fs::set_permissions(&keys, Permissions::from_mode(0o644)).unwrap();
    assert!(matches!(Ports::in_folder(scene.dir.path()), Err(Error::Keys(KeysError::TooOpen))));
    fs::set_permissions(&keys, Permissions::from_mode(0o600)).unwrap();
    assert!(Ports::in_folder(scene.dir.path()).is_ok());
}

#[test]
fn a_key_folder_that_others_can_write_to_is_refused() {
    if is_without_file() {
        return;
    }
    let scene = Scene::new();
    let keys = scene.dir.path().join("keys");
    fs::set_permissions(&keys, Permissions::from_mode(0o777)).unwrap();
    assert!(matches!(Ports::in_folder(scene.dir.path()), Err(Error::Keys(KeysError::TooOpen))));
    fs::set_permissions(&keys, Permissions::from_mode(0o700)).unwrap();
    assert!(Ports::in_folder(scene.dir.path()).is_ok());
}

#[test]
fn a_damaged_key_file_and_a_lost_key_state_are_named() {
    let scene = Scene::new();
    let organisation = scene.service.organisation("acme").unwrap();
    enrol(&consented(&organisation, "4711"), 1);
    let keys = scene.dir.path().join("keys/service.keys");
    let good = fs::read(&keys).unwrap();
    fs::write(&keys, &good[..good.len() - 1]).unwrap();
    assert!(scene.again_fails());
    fs::write(&keys, &good).unwrap();
    fs::remove_file(scene.dir.path().join("keys/state/acme.state")).unwrap();
    scene.again().organisation("acme").unwrap();
    fs::remove_file(scene.dir.path().join("outside/state/acme.state")).unwrap();
    let error = scene.again().organisation("acme").unwrap_err();
    assert_eq!(error.to_string(), "keys: ".to_owned() + &state_lost());
    assert!(!error.is_retryable());
}

fn state_lost() -> String {
    vouchsafe::envelope::EnvelopeError::StateLost.to_string()
}

impl Scene {
    fn again_fails(&self) -> bool {
        match Ports::in_folder(self.dir.path()) {
            Err(Error::Keys(error)) => !error.is_retryable(),
            Err(_) => false,
            Ok(ports) => vouchsafe::Vouchsafe::open_with(ports).organisation("acme").is_err(),
        }
    }
}

#[test]
fn a_locked_database_is_unavailable_after_a_bounded_wait() {
    if is_without_file() {
        return;
    }
    let scene = Scene::new();
    let organisation = scene.service.organisation("acme").unwrap();
    let person = organisation.subject("4711").unwrap();
    let shown = notice(&organisation);
    let other = rusqlite::Connection::open(scene.dir.path().join("data/vouchsafe.sqlite")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let error = try_give(&person, FACE, &shown, Act::checkbox()).unwrap_err();
    assert!(matches!(error, Error::Store(StoreError::Locked)));
    assert!(error.is_retryable());
    other.execute_batch("ROLLBACK").unwrap();
    give(&person, FACE, &shown);
}

#[test]
fn the_database_refuses_to_grow_beyond_its_limit_and_keeps_what_it_has() {
    if is_without_file() {
        return;
    }
    let scene = Scene::new();
    let organisation = scene.service.organisation("acme").unwrap();
    let person = consented(&organisation, "4711");
    enrol(&person, 1);
    let store = &scene.dir.path().join("data/vouchsafe.sqlite");
    let limited = vouchsafe::store::SqliteStore::open_limited(store, 1).unwrap();
    let failed: Result<u64, StoreError> = vouchsafe::store::write(&limited, organisation.id(), |rows| {
        let id = organisation.id().clone();
        (0..10_000).try_fold(0, |_, _| rows.append_entry(&id, &[0; 1000]))
    });
    assert_eq!(failed, Err(StoreError::Full));
    drop(limited);
    assert!(verify(&person, 1).is_accepted());
    organisation.publish_log().unwrap();
    assert!(organisation.verify_log().unwrap().is_sound());
}

/// A real file system of a few megabytes, where the test may mount one.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    fn mount() -> Option<Self> {
        let dir = tempfile::TempDir::new().unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=1500k", "tmpfs"])
            .arg(dir.path())
            .output()
            .is_ok_and(|output| output.status.success());
        if !mounted {
            eprintln!("SKIPPED: a small disk cannot be mounted here (needs root)");
        }
        mounted.then_some(Self(dir))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0.path()).output();
    }
}

#[test]
fn a_full_disk_is_unavailable_and_loses_nothing_that_was_acknowledged() {
    if is_without_file() {
        return;
    }
    let Some(disk) = SmallDisk::mount() else { return };
    let scene = Scene::new();
    let service = open(disk.0.path(), &scene.clock);
    let organisation = service.organisation("acme").unwrap();
    let mut acknowledged = Vec::new();
    let shown = notice(&organisation);
    // Other files take the disk, as they do.
    let rest = disk.0.path().join("rest");
    fs::write(&rest, vec![7; 600 << 10]).unwrap();
    let error = loop {
        let id = format!("person-{}", acknowledged.len());
        let person = organisation.subject(&id).unwrap();
        let enrolled = try_give(&person, FACE, &shown, Act::checkbox()).and_then(|_| {
            let permit = person.permit(FACE)?.or_refuse().unwrap();
            person.enrol_embedding(&permit, face(&permit, acknowledged.len() as u64 + 1))
        });
        match enrolled {
            Ok(outcome) => {
                let _ = outcome.or_refuse().unwrap();
                acknowledged.push(id);
            }
            Err(error) => break error,
        }
    };
    assert!(error.is_retryable(), "{error}");
    assert!(!acknowledged.is_empty());

    fs::remove_file(rest).unwrap();
    let again = open(disk.0.path(), &scene.clock);
    let organisation = again.organisation("acme").unwrap();
    for (i, id) in acknowledged.iter().enumerate() {
        assert!(verify(&organisation.subject(id).unwrap(), i as u64 + 1).is_accepted(), "{id}");
    }
    organisation.publish_log().unwrap();
    assert!(organisation.verify_log().unwrap().is_sound());
}

#[test]
fn a_read_only_disk_is_named() {
    if is_without_file() {
        return;
    }
    let Some(disk) = SmallDisk::mount() else { return };
    let scene = Scene::new();
    open(disk.0.path(), &scene.clock).organisation("acme").unwrap();
    let remounted = Command::new("mount").args(["-o", "remount,ro"]).arg(disk.0.path()).status();
    assert!(remounted.unwrap().success());
    let error = Ports::in_folder(disk.0.path())
        .map(vouchsafe::Vouchsafe::open_with)
        .and_then(|service| service.organisation("acme").map(drop))
        .unwrap_err();
    println!("{error}");
    assert!(
        matches!(error, Error::Store(StoreError::ReadOnly) | Error::Keys(_) | Error::Folder(_)),
        "{error:?}"
    );
}

#[test]
fn a_corrupted_database_is_named() {
    if is_without_file() {
        return;
    }
    let scene = Scene::new();
    scene.service.organisation("acme").unwrap();
    let database = scene.dir.path().join("data/vouchsafe.sqlite");
    drop(scene.service);
    fs::write(&database, vec![0x55; 8192]).unwrap();
    assert!(matches!(Ports::in_folder(scene.dir.path()), Err(Error::Store(StoreError::Damaged))));
}

#[test]
fn organisations_have_one_alphabet_and_do_not_reach_each_other() {
    let scene = Scene::new();
    assert!(matches!(scene.service.organisation("../acme"), Err(Error::Type(_))));
    let (acme, other) =
        (scene.service.organisation("acme").unwrap(), scene.service.organisation("other").unwrap());
    let person = consented(&acme, "4711");
    enrol(&person, 1);
    let namesake = other.subject("4711").unwrap();
    assert_ne!(person.pseudonym(), namesake.pseudonym());
    assert!(namesake.permit(FACE).unwrap().done().is_none());
    assert_ne!(acme.log_origin().unwrap(), other.log_origin().unwrap());
}
