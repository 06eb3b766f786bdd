use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use tempfile::TempDir;
use vouchsafe_ledger::merkle::leaf_hash;
use vouchsafe_ledger::{Checkpoint, LogSigner};
use vouchsafe_types::{Digest, Secret, Timestamp};

use super::tables::TABLES;
use super::*;
use crate::conformance::{acme, add, ask, change, other, populate};
use crate::{INVENTORY, SqliteStore, Store};

/// The instant of every backup and restore here.
fn noon() -> Timestamp {
    "2026-06-01T12:00:00.25Z".parse().unwrap()
}

/// A SQLite store with two organisations that have a row in most tables, and a third without any.
struct Scene {
    dir: TempDir,
    store: SqliteStore,
}

impl Scene {
    fn new() -> Self {
        let dir = TempDir::new().unwrap();
        let store = SqliteStore::open(&dir.path().join("live")).unwrap();
        fill(&store);
        Self { dir, store }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn backup(&self, name: &str) -> Backup {
        take(&self.store, &self.path(name)).unwrap()
    }
}

fn fill(store: &dyn Store) {
    for (organisation, number) in [(acme(), 1), (other(), 2)] {
        populate(store, &organisation, number);
        change(store, &organisation, |rows| {
            for entry in 0..300u32 {
                rows.append_entry(&organisation, &entry.to_be_bytes())?;
            }
            Ok(())
        })
        .unwrap();
    }
    add(store, &OrganisationId::parse("bare").unwrap());
}

fn signer() -> LogSigner {
    LogSigner::from_seed("vouchsafe/acme", &Secret::init_with(|seed| seed.fill(3))).unwrap()
}

/// A signed checkpoint over what acme has; the others never published.
fn note(store: &dyn Store, id: &OrganisationId) -> Result<Option<String>, BackupError> {
    if *id != acme() {
        return Ok(None);
    }
    let entries = ask(store, id, |rows| rows.entries(id, 0, u32::MAX)).unwrap();
    let hashes: Vec<_> = entries.iter().map(|entry| leaf_hash(entry)).collect();
    let root = vouchsafe_ledger::merkle::tree_hash(&hashes);
    let checkpoint = Checkpoint::new("vouchsafe/acme", hashes.len() as u64, root).unwrap();
    Ok(Some(signer().sign(&checkpoint.to_string()).unwrap()))
}

fn take(store: &dyn Store, folder: &std::path::Path) -> Result<Backup, BackupError> {
    Backup::take(store, folder, noon(), &mut |id| note(store, id))
}

/// The digest of each table file.
fn tables(backup: &Backup) -> Vec<Digest> {
    backup.manifest.tables.iter().map(|table| table.digest).collect()
}

/// The same, where the jobs of a recovery are not looked at.
fn compared(backup: &Backup) -> Vec<(&'static str, Digest)> {
    let named = TABLES.iter().map(|table| table.name).zip(tables(backup));
    named.filter(|(name, _)| *name != "job").collect()
}

#[test]
fn the_tables_are_those_of_the_inventory_with_every_column() {
    let listed: BTreeSet<_> = INVENTORY.iter().map(|column| (column.table, column.name)).collect();
    let copied: BTreeSet<_> =
        TABLES.iter().flat_map(|table| table.columns.iter().map(|(name, _)| (table.name, *name))).collect();
    assert_eq!(copied, listed);
    #[cfg(feature = "postgres")]
    assert_eq!(SCHEMA, crate::PostgresStore::SCHEMA);
}

#[test]
fn a_backup_restores_to_the_same_rows() {
    let scene = Scene::new();
    let backup = scene.backup("backup");
    backup.verify().unwrap();
    backup.verify_note("acme", signer().verifier()).unwrap();
    assert_eq!(backup.verify_note("acme", strange().verifier()), Err(BackupError::NotSigned));
    let manifest = backup.manifest();
    let ids: Vec<_> = manifest.organisations().iter().map(|copied| copied.id().as_str()).collect();
    assert_eq!(ids, ["acme", "bare", "other"]);
    let size = manifest.organisations()[0].checkpoint().unwrap().size();
    assert_eq!(size, manifest.organisations()[0].entries());
    assert!(manifest.tables().filter(|(_, rows)| *rows > 0).count() >= 17, "{manifest:?}");

    let restored = scene.path("restored");
    SqliteStore::restore(&restored, &Backup::open(&scene.path("backup")).unwrap(), noon()).unwrap();
    let store = SqliteStore::open(&restored).unwrap();
    let again = take(&store, &scene.path("again")).unwrap();
    assert_eq!(compared(&again), compared(&backup));
    for id in [acme(), other()] {
        let jobs = ask(&store, &id, |rows| rows.jobs(&id)).unwrap();
        assert_eq!(jobs.iter().filter(|job| job.kind == RECOVERY && job.run_at == Some(noon())).count(), 1);
    }
    assert_eq!(
        SqliteStore::restore(&restored, &backup, noon()),
        Err(BackupError::Occupied),
        "never over a database"
    );
}

fn strange() -> LogSigner {
    LogSigner::from_seed("vouchsafe/acme", &Secret::init_with(|seed| seed.fill(4))).unwrap()
}

#[test]
fn a_backup_is_whole_or_not_there() {
    let scene = Scene::new();
    let folder = scene.path("backup");
    let failing = Backup::take(&scene.store, &folder, noon(), &mut |_| Err(BackupError::NotSigned));
    assert_eq!(failing.map(drop), Err(BackupError::NotSigned));
    // A checkpoint over more than the rows have.
    let ahead = Checkpoint::new("vouchsafe/acme", 10_000, Digest::from_bytes([1; 32])).unwrap();
    let ahead = signer().sign(&ahead.to_string()).unwrap();
    let behind = Backup::take(&scene.store, &folder, noon(), &mut |_| Ok(Some(ahead.clone())));
    assert_eq!(behind.map(drop), Err(BackupError::RootDiffers));
    assert_eq!(fs::read_dir(scene.dir.path()).unwrap().filter(is_backup).count(), 0, "nothing is left");
    scene.backup("backup");
    assert_eq!(take(&scene.store, &folder).map(drop), Err(BackupError::Exists));
    assert_eq!(fs::read_dir(scene.dir.path()).unwrap().filter(is_backup).count(), 1);
}

fn is_backup(entry: &std::io::Result<fs::DirEntry>) -> bool {
    entry.as_ref().unwrap().file_name().to_string_lossy().starts_with("backup")
}

#[test]
fn a_snapshot_is_copied_while_others_write() {
    let scene = Scene::new();
    let mut done = false;
    let backup = Backup::take(&scene.store, &scene.path("backup"), noon(), &mut |id| {
        let note = note(&scene.store, id)?;
        // What is committed after the checkpoint and before the snapshot is in the rows.
        change(&scene.store, id, |rows| rows.append_entry(id, b"later")).unwrap();
        done = true;
        Ok(note)
    })
    .unwrap();
    assert!(done);
    backup.verify().unwrap();
    let copied = &backup.manifest().organisations()[0];
    assert_eq!(copied.entries(), copied.checkpoint().unwrap().size() + 1);
}

#[test]
fn any_flipped_bit_and_any_missing_file_is_named() {
    let scene = Scene::new();
    scene.backup("backup");
    let folder = scene.path("backup");
    let mut names: Vec<_> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names.len(), TABLES.len() + 1);
    for name in names {
        let path = folder.join(&name);
        let plain = fs::read(&path).unwrap();
        let part = name.strip_suffix(".rows").unwrap_or(&name);
        let step = (plain.len() / 40).max(1);
        for place in (0..plain.len()).step_by(step).chain(plain.len().checked_sub(1)) {
            let mut flipped = plain.clone();
            flipped[place] ^= 1 << (place % 8);
            fs::write(&path, &flipped).unwrap();
            let verdict = Backup::open(&folder).and_then(|backup| backup.verify());
            let named = match verdict {
                Err(BackupError::Damaged(named)) => named == part,
                // The number of the format or of the schema.
                Err(BackupError::Newer | BackupError::Older) => name == "manifest.json",
                _ => false,
            };
            assert!(named, "{name} at {place}: {verdict:?}");
            let file = scene.path("never");
            let restored =
                Backup::open(&folder).and_then(|backup| SqliteStore::restore(&file, &backup, noon()));
            assert!(restored.is_err() && !file.exists(), "not a row is written of it");
        }
        for cut in
            [0, plain.len() / 2, plain.len().saturating_sub(1)].into_iter().filter(|cut| *cut < plain.len())
        {
            fs::write(&path, &plain[..cut]).unwrap();
            assert!(Backup::open(&folder).and_then(|backup| backup.verify()).is_err(), "{name} cut at {cut}");
        }
        fs::write(&path, [&plain[..], b"\0"].concat()).unwrap();
        assert!(Backup::open(&folder).and_then(|backup| backup.verify()).is_err(), "{name} grew");
        fs::remove_file(&path).unwrap();
        let missing = Backup::open(&folder).map(drop).unwrap_err();
        assert!(matches!(missing, BackupError::Missing(named) if named == part), "{missing:?}");
        fs::write(&path, &plain).unwrap();
    }
    Backup::open(&folder).unwrap().verify().unwrap();
}

#[test]
fn a_newer_format_is_refused_before_anything_else() {
    let scene = Scene::new();
    scene.backup("backup");
    let path = scene.path("backup").join("manifest.json");
    let plain = fs::read_to_string(&path).unwrap();
    for (from, to, expected) in [
        ("\"format\": 1", "\"format\": 2", BackupError::Newer),
        ("\"schema\": 8", "\"schema\": 9", BackupError::Newer),
        ("\"schema\": 8", "\"schema\": 7", BackupError::Older),
        ("\"engine\": \"sqlite\"", "\"engine\": \"other\"", BackupError::Damaged("manifest.json")),
        ("\"engine\": ", "\"more\": 1, \"engine\": ", BackupError::Damaged("manifest.json")),
    ] {
        let changed = plain.replacen(from, to, 1);
        assert_ne!(changed, plain);
        fs::write(&path, changed).unwrap();
        assert_eq!(Backup::open(&scene.path("backup")).map(drop), Err(expected), "{to}");
    }
}

#[test]
fn a_log_that_was_changed_before_the_backup_is_noticed() {
    let scene = Scene::new();
    let folder = scene.path("backup");
    let wrong = Backup::take(&scene.store, &folder, noon(), &mut |id| {
        let head = note(&scene.store, id)?;
        Ok(head.map(|_| {
            let checkpoint = Checkpoint::new("vouchsafe/acme", 5, Digest::from_bytes([9; 32])).unwrap();
            signer().sign(&checkpoint.to_string()).unwrap()
        }))
    })
    .unwrap();
    assert_eq!(wrong.verify(), Err(BackupError::RootDiffers));
    let file = scene.path("never");
    assert_eq!(SqliteStore::restore(&file, &wrong, noon()), Err(BackupError::RootDiffers));
    assert!(!file.exists());
}

#[test]
fn a_half_restored_file_is_refused_by_name() {
    let scene = Scene::new();
    let backup = scene.backup("backup");
    let file = scene.path("half");
    // A row too many is found while the rows are written: the marked file stays.
    let connection = rusqlite::Connection::open(&file).unwrap();
    connection.pragma_update(None, "application_id", 0x7663_6872).unwrap();
    drop(connection);
    assert_eq!(SqliteStore::open(&file).map(drop), Err(StoreError::HalfRestored));
    assert_eq!(SqliteStore::restore(&file, &backup, noon()), Err(BackupError::Occupied));
}

#[cfg(feature = "postgres")]
mod postgres {
    use super::*;
    use crate::PostgresStore;
    use crate::test_util::Postgres;

    fn open(database: &crate::test_util::Database<'_>) -> PostgresStore {
        PostgresStore::open(&database.service().unwrap(), Timestamp::now()).unwrap()
    }

    #[test]
    fn rows_move_between_the_engines_and_back() {
        let Some(server) = Postgres::shared().unwrap() else { return };
        let (scene, database) = (Scene::new(), server.database().unwrap());
        let backup = scene.backup("backup");
        PostgresStore::restore(&database.owner().unwrap(), &backup, noon()).unwrap();
        let store = open(&database);
        let moved = take(&store, &scene.path("moved")).unwrap();
        assert_eq!((moved.manifest().engine(), backup.manifest().engine()), ("postgres", "sqlite"));
        moved.verify().unwrap();
        assert_eq!(compared(&moved), compared(&backup));

        // New notices are numbered behind the restored ones.
        change(&store, &acme(), |rows| rows.notices(&acme())).unwrap();
        let file = scene.path("returned");
        SqliteStore::restore(&file, &moved, noon()).unwrap();
        let returned = take(&SqliteStore::open(&file).unwrap(), &scene.path("again")).unwrap();
        assert_eq!(compared(&returned), compared(&backup));
    }

    #[test]
    fn a_server_is_restored_by_its_owner_into_an_empty_database_only() {
        let Some(server) = Postgres::shared().unwrap() else { return };
        let (scene, database) = (Scene::new(), server.database().unwrap());
        let backup = scene.backup("backup");
        let denied = PostgresStore::restore(&database.service().unwrap(), &backup, noon());
        assert_eq!(denied, Err(BackupError::Store(StoreError::Denied)));
        add(&open(&database), &acme());
        let occupied = PostgresStore::restore(&database.owner().unwrap(), &backup, noon());
        assert_eq!(occupied, Err(BackupError::Occupied));
        let bare = server.empty_database().unwrap();
        let unmigrated = PostgresStore::restore(&bare.owner().unwrap(), &backup, noon());
        assert_eq!(unmigrated, Err(BackupError::Store(StoreError::OlderSchema)));
    }

    #[test]
    fn a_restore_that_was_cut_short_is_refused_by_everybody() {
        let Some(server) = Postgres::shared().unwrap() else { return };
        let (scene, database) = (Scene::new(), server.database().unwrap());
        let backup = scene.backup("backup");
        // A table that takes no rows stands for the cut.
        database.alter("ALTER TABLE vouchsafe.job DISABLE TRIGGER ALL").unwrap();
        let differs = PostgresStore::restore(&database.owner().unwrap(), &backup, noon());
        assert_eq!(differs, Err(BackupError::Store(StoreError::SchemaDiffers)));
        database.alter("ALTER TABLE vouchsafe.job ENABLE TRIGGER ALL").unwrap();
        database.alter("COMMENT ON SCHEMA vouchsafe IS 'vouchsafe 8 restoring'").unwrap();
        let half = StoreError::HalfRestored;
        let opened = PostgresStore::open(&database.service().unwrap(), Timestamp::now());
        assert_eq!(opened.map(drop), Err(half));
        let migrated = PostgresStore::migrate(&database.owner().unwrap(), database.service_role());
        assert_eq!(migrated, Err(half));
        let again = PostgresStore::restore(&database.owner().unwrap(), &backup, noon());
        assert_eq!(again, Err(BackupError::Store(half)));
    }
}
