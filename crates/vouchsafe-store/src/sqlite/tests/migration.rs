use vouchsafe_types::{Digest, LeafIndex, RecordId};

use super::*;
use crate::{KeyUsage, PayloadRow, RecordRow};

/// Two organisations, each with four payloads; all but the last stand beside a template.
const ROWS_1: &str = "
    CREATE TEMP TABLE who AS SELECT 'acme' AS id UNION SELECT 'other';
    CREATE TEMP TABLE what (n, bytes);
    INSERT INTO what VALUES (0, x'00'), (1, x'01'), (2, x'02'), (3, x'03');
    INSERT INTO organisation SELECT id, 0 FROM who;
    INSERT INTO subject SELECT id, zeroblob(32), 0 FROM who;
    INSERT INTO holding (organisation, leaf, class, subject, state, created_at)
        SELECT id, n, 2, zeroblob(32), 1, 0 FROM who, what;
    INSERT INTO entry SELECT id, n, bytes FROM who, what;
    INSERT INTO payload (organisation, entry, leaf, id, sealed)
        SELECT id, n, n, zeroblob(16), bytes FROM who, what;
    INSERT INTO record (organisation, id, leaf, model, dimension, sealed)
        SELECT who.id, unhex(replace(hex(zeroblob(16)), '00', hex(bytes))), n, zeroblob(32), 512, bytes FROM who, what
        WHERE n < 3;
";

/// A database as the program of schema 1 left it.
fn schema_1(rows: &str) -> (TempDir, std::path::PathBuf) {
    let dir = TempDir::new().unwrap();
    let file = dir.path().join("db");
    let connection = Connection::open(&file).unwrap();
    configure(&connection).unwrap();
    connection.execute_batch(include_str!("../schema-1.sql")).unwrap();
    connection.pragma_update(None, "application_id", APPLICATION_ID).unwrap();
    connection.pragma_update(None, "user_version", 1).unwrap();
    connection.execute_batch(rows).unwrap();
    (dir, file)
}

fn version(connection: &Connection) -> i64 {
    connection.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap()
}

fn schema(connection: &Connection) -> BTreeSet<(String, Option<String>)> {
    let mut statement = connection.prepare("SELECT name, sql FROM sqlite_schema").unwrap();
    let read = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    read.map(Result::unwrap).collect()
}

#[test]
fn rows_of_schema_1_are_under_the_first_key_and_otherwise_unchanged() {
    let (_dir, file) = schema_1(ROWS_1);
    for _ in ["migrated", "opened again"] {
        let store = SqliteStore::open(&file).unwrap();
        assert_eq!(version(&store.connection()), 3);
        for organisation in ["acme", "other"].map(|id| OrganisationId::parse(id).unwrap()) {
            let read: Result<_, StoreError> = port::read(&store, |rows| {
                let records = rows.records_under(&organisation, 2, 9)?;
                Ok((rows.key_usage(&organisation)?, records, rows.payloads_under(&organisation, 2, 9)?))
            });
            let (usage, records, payloads) = read.unwrap();
            assert_eq!(usage, [KeyUsage { key_version: 1, records: 3, payloads: 4 }]);
            let leaf = |number: u8| LeafIndex::new(number.into()).unwrap();
            let record = |number: u8| RecordRow {
                id: RecordId::from_bytes([number; 16]),
                leaf: leaf(number),
                model: Digest::from_bytes([0; 32]),
                dimension: 512,
                sealed: vec![number],
                key_version: 1,
            };
            let payload = |number: u8| PayloadRow {
                leaf: leaf(number),
                id: RecordId::from_bytes([0; 16]),
                sealed: vec![number],
                key_version: 1,
            };
            assert_eq!(records, [0, 1, 2].map(record));
            assert_eq!(payloads, [0, 1, 2, 3].map(|number| (number.into(), payload(number))));
        }
    }
}

#[test]
fn a_migrated_database_has_the_schema_of_a_new_one() {
    let (_dir, file) = schema_1(ROWS_1);
    let migrated = SqliteStore::open(&file).unwrap();
    let (_new_dir, new) = store();
    assert_eq!(version(&new.connection()), 3);
    assert_eq!(schema(&migrated.connection()), schema(&new.connection()));
    let check: String =
        migrated.connection().query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(check, "ok");
}

#[test]
fn a_migration_that_fails_at_its_last_statement_leaves_schema_1() {
    let (_dir, file) = schema_1(&format!("{ROWS_1} CREATE INDEX payload_of_key ON payload (leaf);"));
    let before = schema(&Connection::open(&file).unwrap());
    assert_eq!(SqliteStore::open(&file).unwrap_err(), StoreError::Io);
    let connection = Connection::open(&file).unwrap();
    assert_eq!((version(&connection), schema(&connection)), (1, before));

    connection.execute_batch("DROP INDEX payload_of_key").unwrap();
    drop(connection);
    let store = SqliteStore::open(&file).unwrap();
    assert_eq!(version(&store.connection()), 3);
}
