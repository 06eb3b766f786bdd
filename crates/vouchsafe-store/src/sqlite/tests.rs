use std::collections::BTreeSet;
use std::ops::Deref;
use std::sync::MutexGuard;

use tempfile::TempDir;
use vouchsafe_types::{LeafIndex, OrganisationId, Scope, SubjectPseudonym, Timestamp};

use super::*;
use crate::conformance::{Stage, acme, add, ask, at, change, face, leaf, life, other, person};
use crate::port;

mod bulk;
mod group;
mod inventory;
mod migration;
mod plans;

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

/// A store to run the conformance suite on.
pub(crate) fn stage() -> Box<dyn Stage> {
    let (dir, store) = store();
    Box::new(OnSqlite { store, _dir: dir })
}

struct OnSqlite {
    store: SqliteStore,
    _dir: TempDir,
}

impl Stage for OnSqlite {
    fn store(&self) -> &dyn Store {
        &self.store
    }

    fn alter(&self, sql: &str) -> u64 {
        let connection = self.store.connection();
        connection.pragma_update(None, "foreign_keys", "OFF").unwrap();
        let changed = connection.execute(sql, []).unwrap();
        connection.pragma_update(None, "foreign_keys", "ON").unwrap();
        changed as u64
    }

    fn look(&self, sql: &str) -> Vec<(String, i64)> {
        let connection = self.store.connection();
        let mut statement = connection.prepare(sql).unwrap();
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        rows.map(Result::unwrap).collect()
    }
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

#[test]
fn bytes_under_the_older_key_are_gone_after_resealing() {
    let (dir, store) = store();
    change(&store, &acme(), |rows| {
        life::found(rows, &acme())?;
        life::live(rows, &acme(), 1)
    })
    .unwrap();
    let template = b"a template under the first key";
    // Longer than a page.
    let payload: Vec<u8> = b"a payload under the first key ".repeat(400);
    change(&store, &acme(), |rows| {
        rows.reseal_record(&acme(), leaf(10), 1, template, 1)?;
        rows.reseal_payload(&acme(), 1, 1, &payload, 1)
    })
    .unwrap();
    let found = |bytes: &[u8]| {
        fs::read_dir(dir.path()).unwrap().any(|file| {
            fs::read(file.unwrap().path()).unwrap().windows(bytes.len()).any(|window| window == bytes)
        })
    };
    assert!(found(template) && found(&payload[..64]), "the scan finds bytes that are there");
    change(&store, &acme(), |rows| {
        rows.reseal_record(&acme(), leaf(10), 1, b"short", 2)?;
        rows.reseal_payload(&acme(), 1, 1, b"short", 2)
    })
    .unwrap();
    store.remove_remnants().unwrap();
    assert!(!found(template) && !found(&payload[..64]));
}
