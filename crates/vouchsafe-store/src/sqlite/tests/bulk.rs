use vouchsafe_types::{DataClass, Digest};

use super::*;
use crate::conformance::life::{holding, id};
use crate::{RecordRow, TallyRow};

/// Two persons and no holding.
fn scene() -> (TempDir, SqliteStore) {
    let (dir, store) = store();
    add(&store, &acme());
    for number in [1, 2] {
        change(&store, &acme(), |rows| rows.touch_subject(&acme(), person(number), at(0), 0)).unwrap();
    }
    (dir, store)
}

#[test]
fn holdings_loaded_at_once_are_those_inserted_one_by_one() {
    let (loaded_dir, loaded) = scene();
    let (_dir, inserted) = scene();
    let record = |number: u8| RecordRow {
        id: id(number),
        leaf: leaf(number),
        model: Digest::from_bytes([7; 32]),
        dimension: 512,
        sealed: vec![number; 40],
        key_version: 1,
    };
    let class = |number: u8| if number.is_multiple_of(2) { DataClass::Biometric } else { DataClass::Account };
    let held = |number: u8| holding(number, class(number), number, Some(i64::from(number % 4)));
    change(&inserted, &acme(), |rows| {
        (1..20).try_for_each(|number| {
            rows.touch_subject(&acme(), person(number), at(0), 0)?;
            rows.insert_holding(&acme(), &held(number))?;
            rows.insert_record(&acme(), &record(number))
        })
    })
    .unwrap();
    change(&loaded, &acme(), |rows| {
        rows.insert_holding(&acme(), &held(1))?;
        rows.insert_record(&acme(), &record(1))
    })
    .unwrap();
    drop(loaded);
    let file = loaded_dir.path().join("db");
    let many = (2..20).map(|number| (held(number), record(number)));
    assert_eq!(load_holdings(&file, &acme(), many), Ok(18));
    let loaded = SqliteStore::open(&file).unwrap();
    let all = |store: &dyn Store| {
        ask(store, &acme(), |rows| {
            Ok((
                rows.holdings(&acme(), None, 99)?,
                rows.tallies(&acme())?,
                rows.records_under(&acme(), 9, 99)?.len(),
                rows.holdings_due(&acme(), at(9), None, 99)?,
                rows.orphans(&acme())?,
            ))
        })
        .unwrap()
    };
    assert_eq!(all(&loaded), all(&inserted));
    assert_eq!(
        all(&loaded).1,
        [DataClass::Biometric, DataClass::Account]
            .map(|class| TallyRow { class, live: if class == DataClass::Biometric { 9 } else { 10 } })
    );
    let mode: String = loaded.connection().query_row("PRAGMA journal_mode", [], |row| row.get(0)).unwrap();
    assert_eq!(mode, "wal");
    assert_eq!(load_holdings(&file, &acme(), None), Err(StoreError::Locked), "somebody has it open");
}
