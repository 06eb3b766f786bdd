use std::collections::BTreeSet;
use std::ops::Deref;
use std::sync::MutexGuard;

use rusqlite::params;
use tempfile::TempDir;
use vouchsafe_types::{LeafIndex, OrganisationId, Scope, SubjectPseudonym, Timestamp};

use super::*;
use crate::port;

mod consent;
mod documents;
mod group;
mod holdings;
mod inventory;
mod keys;
mod life;
mod lives;
mod migration;
mod orphans;
mod retention;

/// The writing connection, outside of any batch.
struct Held<'a>(MutexGuard<'a, super::group::Writer>);

impl Deref for Held<'_> {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.0.connection
    }
}

impl SqliteStore {
    fn connection(&self) -> Held<'_> {
        Held(self.group.exclusive())
    }
}

fn store() -> (TempDir, SqliteStore) {
    let dir = TempDir::new().unwrap();
    let store = SqliteStore::open(&dir.path().join("db")).unwrap();
    (dir, store)
}

fn acme() -> OrganisationId {
    OrganisationId::parse("acme").unwrap()
}

fn other() -> OrganisationId {
    OrganisationId::parse("other").unwrap()
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn person(number: u8) -> SubjectPseudonym {
    SubjectPseudonym::from_bytes([number; 32])
}

fn face() -> Scope {
    Scope::from_code([1, 1, 1]).unwrap()
}

fn leaf(number: u8) -> LeafIndex {
    LeafIndex::new(u64::from(number)).unwrap()
}

fn ask<T>(
    store: &SqliteStore,
    organisation: &OrganisationId,
    act: impl FnOnce(&mut dyn Transaction) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    port::read(store, organisation, act)
}

fn add(store: &SqliteStore, organisation: &OrganisationId) {
    change(store, organisation, |rows| rows.insert_organisation(organisation, at(0))).unwrap();
}

fn change<T>(
    store: &SqliteStore,
    organisation: &OrganisationId,
    act: impl FnOnce(&mut dyn Transaction) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    port::write(store, organisation, act)
}

/// How the engine would run a statement.
fn plan(store: &SqliteStore, sql: &str) -> Vec<String> {
    let connection = store.connection();
    let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
    for parameter in 1..=statement.parameter_count() {
        statement.raw_bind_parameter(parameter, 1).unwrap();
    }
    let mut steps = statement.raw_query();
    std::iter::from_fn(|| steps.next().unwrap().map(|row| row.get(3).unwrap())).collect()
}

#[test]
fn a_failed_transaction_leaves_nothing() {
    let (_dir, store) = store();
    let failed: Result<(), StoreError> = port::write(&store, &acme(), |rows| {
        rows.insert_organisation(&acme(), Timestamp::UNIX_EPOCH)?;
        rows.append_entry(&acme(), b"entry")?;
        rows.insert_organisation(&acme(), Timestamp::UNIX_EPOCH)
    });
    assert_eq!(failed, Err(StoreError::Conflict));
    let exists: bool = port::read(&store, &acme(), |rows| rows.organisation_exists(&acme())).unwrap();
    assert!(!exists);
}

#[test]
fn entries_are_numbered_from_zero_without_a_gap() {
    let (_dir, store) = store();
    let numbers: Result<Vec<u64>, StoreError> = port::write(&store, &acme(), |rows| {
        rows.insert_organisation(&acme(), Timestamp::UNIX_EPOCH)?;
        (0..3).map(|i| rows.append_entry(&acme(), &[i])).collect()
    });
    assert_eq!(numbers.unwrap(), [0, 1, 2]);
    let read: Vec<Vec<u8>> = port::read(&store, &acme(), |rows| rows.entries(&acme(), 1, 9)).unwrap();
    assert_eq!(read, [vec![1], vec![2]]);
}

#[test]
fn a_newer_schema_and_a_foreign_database_are_refused() {
    let (dir, store) = store();
    store.connection().pragma_update(None, "user_version", 99).unwrap();
    drop(store);
    assert_eq!(SqliteStore::open(&dir.path().join("db")).unwrap_err(), StoreError::NewerSchema);

    let foreign = dir.path().join("foreign");
    Connection::open(&foreign).unwrap().execute_batch("CREATE TABLE t (x)").unwrap();
    assert_eq!(SqliteStore::open(&foreign).unwrap_err(), StoreError::Damaged);

    let garbage = dir.path().join("garbage");
    fs::write(&garbage, vec![b'x'; 4096]).unwrap();
    assert_eq!(SqliteStore::open(&garbage).unwrap_err(), StoreError::Damaged);
}

#[test]
fn the_file_is_private_and_deleted_bytes_are_gone() {
    let (dir, store) = store();
    let file = dir.path().join("db");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let secret = b"bytes that must not linger in a free page";
    let inserted: Result<(), StoreError> = port::write(&store, &acme(), |rows| {
        rows.insert_organisation(&acme(), Timestamp::UNIX_EPOCH)?;
        rows.append_entry(&acme(), secret).map(drop)
    });
    inserted.unwrap();
    let found = |dir: &TempDir| {
        fs::read_dir(dir.path()).unwrap().any(|file| {
            fs::read(file.unwrap().path()).unwrap().windows(secret.len()).any(|window| window == secret)
        })
    };
    assert!(found(&dir), "the scan finds bytes that are there");
    store.connection().execute("DELETE FROM entry", []).unwrap();
    store.remove_remnants().unwrap();
    assert!(!found(&dir));
}

#[test]
fn a_folder_or_file_that_cannot_be_written_is_refused_with_its_reason() {
    let dir = TempDir::new().unwrap();
    let missing = SqliteStore::open(&dir.path().join("missing").join("db"));
    assert_eq!(missing.unwrap_err(), StoreError::Io);
    let folder = SqliteStore::open(dir.path());
    assert!(matches!(folder.unwrap_err(), StoreError::ReadOnly | StoreError::Io));
}

/// Only a file system of this kind stops a privileged process too.
#[test]
#[cfg(target_os = "linux")]
fn a_file_system_that_takes_no_files_gives_an_error_and_no_store() {
    let opened = SqliteStore::open(Path::new("/proc/self/db"));
    assert!(matches!(opened.unwrap_err(), StoreError::ReadOnly | StoreError::Io));
}

#[test]
#[cfg(unix)]
fn a_database_without_write_permission_is_read_only() {
    use std::os::unix::fs::PermissionsExt;
    let (dir, store) = store();
    let file = dir.path().join("db");
    drop(store);
    let allow = |folder: u32, database: u32| {
        fs::set_permissions(&file, fs::Permissions::from_mode(database)).unwrap();
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(folder)).unwrap();
    };
    allow(0o500, 0o400);
    let privileged = OpenOptions::new().write(true).open(&file).is_ok();
    let refused = SqliteStore::open(&file).and_then(|store| {
        port::write(&store, &acme(), |rows| rows.insert_organisation(&acme(), Timestamp::UNIX_EPOCH))
    });
    allow(0o700, 0o600);
    assert_eq!(refused, if privileged { Ok(()) } else { Err(StoreError::ReadOnly) });
}
