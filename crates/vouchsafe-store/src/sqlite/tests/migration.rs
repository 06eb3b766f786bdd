use vouchsafe_types::{DataClass, Digest, RecordId};

use super::*;
use crate::{
    ConsentRow, Holding, HoldingState, KeyUsage, NoticeRow, PayloadRow, RecordRow, SubjectRow, TallyRow,
};

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

/// A notice, a grant and a withdrawal of later acts.
const ROWS_2: &str = "
    INSERT INTO organisation VALUES ('acme', 0);
    INSERT INTO subject VALUES ('acme', zeroblob(32), 0), ('acme', unhex(replace(hex(zeroblob(32)), '00', '01')), 0);
    INSERT INTO notice (organisation, digest, id, version, locale, shown, published_at)
        VALUES ('acme', zeroblob(32), 'biometrics', '1', 'en', x'aa', 7000000);
    INSERT INTO consent VALUES
        ('acme', zeroblob(32), x'010101', 1, 0, zeroblob(32), 8000000),
        ('acme', unhex(replace(hex(zeroblob(32)), '00', '01')), x'010101', 6, 1, zeroblob(32), 9000000);
";

fn schema_1(rows: &str) -> (TempDir, std::path::PathBuf) {
    schema(1, rows)
}

/// A database as the program of an older schema left it.
fn schema(version: usize, rows: &str) -> (TempDir, std::path::PathBuf) {
    let dir = TempDir::new().unwrap();
    let file = dir.path().join("db");
    let connection = Connection::open(&file).unwrap();
    configure(&connection).unwrap();
    for step in &MIGRATIONS[..version] {
        connection.execute_batch(step).unwrap();
    }
    connection.pragma_update(None, "application_id", APPLICATION_ID).unwrap();
    connection.pragma_update(None, "user_version", version).unwrap();
    connection.execute_batch(rows).unwrap();
    (dir, file)
}

fn version(connection: &Connection) -> i64 {
    connection.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap()
}

fn objects(connection: &Connection) -> BTreeSet<(String, Option<String>)> {
    let mut statement = connection.prepare("SELECT name, sql FROM sqlite_schema").unwrap();
    let read = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    read.map(Result::unwrap).collect()
}

#[test]
fn rows_of_schema_1_are_under_the_first_key_and_otherwise_unchanged() {
    let (_dir, file) = schema_1(ROWS_1);
    for _ in ["migrated", "opened again"] {
        let store = SqliteStore::open(&file).unwrap();
        assert_eq!(version(&store.connection()), 8);
        for organisation in ["acme", "other"].map(|id| OrganisationId::parse(id).unwrap()) {
            let read: Result<_, StoreError> = port::read(&store, &organisation, |rows| {
                let records = rows.records_under(&organisation, 2, 9)?;
                Ok((rows.key_usage(&organisation)?, records, rows.payloads_under(&organisation, 2, 9)?))
            });
            let (usage, records, payloads) = read.unwrap();
            let entries: Result<_, StoreError> =
                port::read(&store, &organisation, |rows| rows.entries(&organisation, 0, 9));
            assert_eq!(entries.unwrap(), [[0], [1], [2], [3]]);
            assert_eq!(usage, [KeyUsage { key_version: 1, records: 3, payloads: 4, documents: 0 }]);
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
    assert_eq!(version(&new.connection()), 8);
    assert_eq!(objects(&migrated.connection()), objects(&new.connection()));
    let check: String =
        migrated.connection().query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(check, "ok");
    for store in [migrated, new] {
        let connection = store.connection();
        let on: bool = connection.pragma_query_value(None, "foreign_keys", |row| row.get(0)).unwrap();
        assert!(on);
        let orphan = "INSERT INTO public_payload VALUES ('acme', 99, x'00')";
        let refused = connection.execute(orphan, []).map_err(mapped);
        assert_eq!(refused, Err(StoreError::Conflict), "payloads still refer to entries");
    }
}

#[test]
fn a_row_that_refers_to_nothing_is_damage() {
    let (_dir, file) = schema(2, ROWS_2);
    let connection = Connection::open(&file).unwrap();
    connection.pragma_update(None, "foreign_keys", "OFF").unwrap();
    connection.execute("INSERT INTO public_payload VALUES ('acme', 99, x'00')", []).unwrap();
    drop(connection);
    assert_eq!(SqliteStore::open(&file).unwrap_err(), StoreError::Damaged);
    assert_eq!(version(&Connection::open(&file).unwrap()), 2);
}

#[test]
fn a_migration_that_fails_at_its_last_statement_leaves_schema_1() {
    let (_dir, file) = schema_1(&format!("{ROWS_1} CREATE INDEX payload_of_key ON payload (leaf);"));
    let before = objects(&Connection::open(&file).unwrap());
    assert_eq!(SqliteStore::open(&file).unwrap_err(), StoreError::Io);
    let connection = Connection::open(&file).unwrap();
    assert_eq!((version(&connection), objects(&connection)), (1, before));

    connection.execute_batch("DROP INDEX payload_of_key").unwrap();
    drop(connection);
    let store = SqliteStore::open(&file).unwrap();
    assert_eq!(version(&store.connection()), 8);
}

#[test]
fn rows_of_schema_2_become_the_first_known_acts_and_notices_in_force() {
    let (_dir, file) = schema(2, ROWS_2);
    let at = |second| Timestamp::from_second(second).unwrap();
    let digest = Digest::from_bytes([0; 32]);
    let notice = NoticeRow {
        digest,
        id: "biometrics".to_owned(),
        version: "1".to_owned(),
        locale: "en".to_owned(),
        shown: vec![0xaa],
        published_at: at(7),
        effective_at: at(7),
        material: false,
        attested_by: 0,
        terms: vec![],
        schedule: vec![],
    };
    let act = |sequence, status, second| ConsentRow {
        sequence,
        status,
        notice: digest,
        at: at(second),
        expires: None,
        entry: None,
    };
    let face = Scope::from_code([1, 1, 1]).unwrap();
    for _ in ["migrated", "opened again"] {
        let store = SqliteStore::open(&file).unwrap();
        let read: Result<(), StoreError> = port::read(&store, &acme(), |rows| {
            assert_eq!(rows.notices(&acme())?, std::slice::from_ref(&notice));
            assert_eq!(rows.notice_in_force(&acme(), "biometrics", "en", at(7))?, Some(notice.clone()));
            for (subject, act) in [(0, act(1, 1, 8)), (1, act(6, 4, 9))] {
                let subject = SubjectPseudonym::from_bytes([subject; 32]);
                assert_eq!(rows.consent(&acme(), subject, face)?, Some(act));
                assert_eq!(rows.consent_acts(&acme(), subject, face)?, [act]);
            }
            Ok(())
        });
        read.unwrap();
    }
    let store = SqliteStore::open(&file).unwrap();
    let append = |sequence| {
        let subject = SubjectPseudonym::from_bytes([1; 32]);
        port::write(&store, &acme(), |rows| {
            rows.append_consent(&acme(), subject, face, &act(sequence, 1, 10))
        })
    };
    assert_eq!(append(1), Err(StoreError::Conflict), "a line has one beginning");
    assert_eq!(append(7), Ok(()));
}

/// Two organisations as schema 3 left them: a person with a live, a condemned and a destroyed holding, and a showing.
const ROWS_3: &str = "
    CREATE TEMP TABLE who AS SELECT 'acme' AS id UNION SELECT 'other';
    INSERT INTO organisation SELECT id, 0 FROM who;
    INSERT INTO subject SELECT id, zeroblob(32), 4000000 FROM who;
    INSERT INTO notice (organisation, digest, id, version, locale, shown, published_at)
        SELECT id, zeroblob(32), 'biometrics', '1', 'en', x'aa', 0 FROM who;
    INSERT INTO consent SELECT id, zeroblob(32), x'010101', 1, 1, zeroblob(32), 0, NULL, 0, 1 FROM who;
    INSERT INTO served SELECT id, zeroblob(16), zeroblob(32), x'010101', zeroblob(32), 0, 0, 1 FROM who;
    INSERT INTO subject_mark SELECT id, zeroblob(32), 1, 0, 0 FROM who;
    INSERT INTO entry SELECT id, 0, x'00' FROM who;
    INSERT INTO holding SELECT id, 0, 1, zeroblob(32), x'010101', 1, 5000000, 0, NULL, NULL, NULL FROM who;
    INSERT INTO holding SELECT id, 1, 2, zeroblob(32), NULL, 1, -6000000, NULL, NULL, NULL, NULL FROM who;
    INSERT INTO holding SELECT id, 2, 2, zeroblob(32), NULL, 2, 7000000, NULL, 'rule', 8000000, NULL FROM who;
    INSERT INTO holding SELECT id, 3, 1, zeroblob(32), NULL, 3, 8000000, NULL, 'rule', 9000000, 0 FROM who;
    INSERT INTO record SELECT id, zeroblob(16), 0, zeroblob(32), 512, x'0a', 3 FROM who;
    INSERT INTO payload SELECT id, 0, 1, zeroblob(16), x'0b', 4 FROM who;
";

#[test]
fn holdings_of_schema_3_are_looked_at_at_once_and_counted() {
    let (_dir, file) = schema(3, ROWS_3);
    let subject = person(0);
    let holding = |number, class, scope, state, second, created_entry, review: Option<i64>| Holding {
        leaf: leaf(number),
        class,
        subject,
        scope,
        state,
        created_at: at(second),
        created_entry,
        review_at: review.map(at),
    };
    let (biometric, consent) = (DataClass::Biometric, DataClass::ConsentEvidence);
    let cause = || "rule".to_owned();
    let condemned = HoldingState::Condemned { cause: cause(), at: at(8) };
    let destroyed = HoldingState::Destroyed { cause: cause(), at: at(9), entry: 0 };
    let expected = [
        holding(0, biometric, Some(face()), HoldingState::Live, 5, Some(0), Some(5)),
        holding(1, consent, None, HoldingState::Live, -6, None, Some(-6)),
        holding(2, consent, None, condemned, 7, None, None),
        holding(3, biometric, None, destroyed, 8, None, None),
    ];
    for _ in ["migrated", "opened again"] {
        let store = SqliteStore::open(&file).unwrap();
        assert_eq!(version(&store.connection()), 8);
        for organisation in [acme(), other()] {
            let read: Result<(), StoreError> = port::read(&store, &organisation, |rows| {
                assert_eq!(rows.holdings(&organisation, None, 9)?, expected);
                assert_eq!(rows.holdings_of(&organisation, subject)?, expected);
                let due = rows.holdings_due(&organisation, at(5), None, 9)?;
                assert_eq!(due, [expected[1].clone(), expected[0].clone()]);
                assert_eq!((rows.live_count(&organisation)?, rows.late_count(&organisation, at(4))?), (2, 1));
                assert_eq!(
                    rows.tallies(&organisation)?,
                    [biometric, consent].map(|class| TallyRow { class, live: 1 })
                );
                let known = SubjectRow { pseudonym: subject, last_interaction: at(4), last_act: 0 };
                assert_eq!(rows.subject(&organisation, subject)?, Some(known));
                let usage = rows.key_usage(&organisation)?;
                assert_eq!(
                    usage.iter().map(|key| (key.key_version, key.documents)).collect::<Vec<_>>(),
                    [(3, 0), (4, 0)]
                );
                assert_eq!((rows.jobs(&organisation)?, rows.holds(&organisation)?), (vec![], vec![]));
                assert_eq!((rows.retention(&organisation)?, rows.orphans(&organisation)?), (None, vec![]));
                assert!(rows.served(&organisation, [0; 16])?.is_some());
                assert!(rows.events(&organisation, subject)?.is_empty());
                Ok(())
            });
            read.unwrap();
        }
    }
    let store = SqliteStore::open(&file).unwrap();
    change(&store, &acme(), |rows| rows.condemn(&acme(), leaf(0), "rule", at(9))).unwrap();
    let live = |organisation| ask(&store, &organisation, |rows| rows.live_count(&organisation)).unwrap();
    assert_eq!((live(acme()), live(other())), (1, 2));
}

#[test]
fn a_database_of_schema_3_migrates_to_the_schema_of_a_new_one_or_stays() {
    let (_dir, file) = schema(3, ROWS_3);
    Connection::open(&file).unwrap().execute("CREATE INDEX job_of_subject ON holding (leaf)", []).unwrap();
    let before = objects(&Connection::open(&file).unwrap());
    assert!(SqliteStore::open(&file).is_err());
    let connection = Connection::open(&file).unwrap();
    assert_eq!((version(&connection), objects(&connection)), (3, before));
    connection.execute_batch("DROP INDEX job_of_subject").unwrap();
    drop(connection);
    let (migrated, (_new_dir, new)) = (SqliteStore::open(&file).unwrap(), store());
    assert_eq!(objects(&migrated.connection()), objects(&new.connection()));
}
