use vouchsafe_types::{DataClass, Digest, RecordId};

use super::*;
use crate::{Holding, HoldingState, KeyUsage, PayloadRow, RecordRow};

fn record(number: u8, key_version: u32) -> RecordRow {
    RecordRow {
        id: RecordId::from_bytes([number; 16]),
        leaf: leaf(number),
        model: Digest::from_bytes([7; 32]),
        dimension: 512,
        sealed: vec![number; 40],
        key_version,
    }
}

fn payload(number: u8, key_version: u32) -> PayloadRow {
    PayloadRow {
        leaf: leaf(number),
        id: RecordId::from_bytes([number; 16]),
        sealed: vec![number; 50],
        key_version,
    }
}

fn add_holding(rows: &mut dyn Transaction, organisation: &OrganisationId, number: u8) {
    let subject = person(number);
    rows.touch_subject(organisation, subject, Timestamp::UNIX_EPOCH, 0).unwrap();
    let holding = Holding {
        leaf: leaf(number),
        class: DataClass::Biometric,
        subject,
        scope: None,
        state: HoldingState::Live,
        created_at: Timestamp::UNIX_EPOCH,
        created_entry: None,
        review_at: None,
    };
    rows.insert_holding(organisation, &holding).unwrap();
}

/// One template and one payload for each key version given: number `i` is under leaf `i` and entry `i`.
fn fill(store: &dyn Store, organisation: &OrganisationId, versions: &[u32]) {
    let filled: Result<(), StoreError> = write(store, organisation, |rows| {
        rows.insert_organisation(organisation, Timestamp::UNIX_EPOCH)?;
        for (number, version) in (0..).zip(versions) {
            add_holding(rows, organisation, number);
            rows.insert_record(organisation, &record(number, *version))?;
            let entry = rows.append_entry(organisation, b"entry")?;
            rows.insert_payload(organisation, entry, &payload(number, *version))?;
        }
        Ok(())
    });
    filled.unwrap();
}

fn usage(store: &dyn Store, organisation: &OrganisationId) -> Vec<(u32, u64, u64)> {
    let used = ask(store, organisation, |rows| rows.key_usage(organisation)).unwrap();
    used.iter()
        .map(|&KeyUsage { key_version, records, payloads, .. }| (key_version, records, payloads))
        .collect()
}

pub(super) fn a_row_keeps_its_key_version_to_the_last_one(fresh: Fresh<'_>) {
    let stage = fresh();
    let store = stage.store();
    fill(store, &acme(), &[1, u32::MAX]);
    for (number, version) in [(0, 1), (1, u32::MAX)] {
        let expected = record(number, version);
        assert_eq!(
            ask(store, &acme(), |rows| rows.record(&acme(), leaf(number))).unwrap().unwrap(),
            expected
        );
        assert_eq!(
            ask(store, &acme(), |rows| rows.record_by_id(&acme(), expected.id)).unwrap().unwrap(),
            expected
        );
        let stored = ask(store, &acme(), |rows| rows.payload(&acme(), u64::from(number))).unwrap();
        assert_eq!(stored.unwrap(), payload(number, version));
    }
}

pub(super) fn key_version_zero_is_never_stored(fresh: Fresh<'_>) {
    let stage = fresh();
    let store = stage.store();
    fill(store, &acme(), &[1]);
    let zero = change(store, &acme(), |rows| {
        add_holding(rows, &acme(), 1);
        rows.insert_record(&acme(), &record(1, 0))
    });
    assert_eq!(zero, Err(StoreError::Conflict));
    let zero = change(store, &acme(), |rows| {
        let entry = rows.append_entry(&acme(), b"entry")?;
        rows.insert_payload(&acme(), entry, &payload(0, 0))
    });
    assert_eq!(zero, Err(StoreError::Conflict));
    let zero = change(store, &acme(), |rows| rows.reseal_record(&acme(), leaf(0), 1, b"new", 0));
    assert_eq!(zero, Err(StoreError::Conflict));
    let zero = change(store, &acme(), |rows| rows.reseal_payload(&acme(), 0, 1, b"new", 0));
    assert_eq!(zero, Err(StoreError::Conflict));
    assert_eq!(usage(store, &acme()), [(1, 1, 1)]);
}

pub(super) fn a_key_version_beyond_the_type_is_damage(fresh: Fresh<'_>) {
    let stage = fresh();
    let store = stage.store();
    fill(store, &acme(), &[1]);
    let beyond = i64::from(u32::MAX) + 1;
    stage.alter(&format!("UPDATE record SET key_version = {beyond}"));
    stage.alter(&format!("UPDATE payload SET key_version = {beyond}"));
    assert_eq!(ask(store, &acme(), |rows| rows.record(&acme(), leaf(0))), Err(StoreError::Damaged));
    assert_eq!(ask(store, &acme(), |rows| rows.payload(&acme(), 0)), Err(StoreError::Damaged));
    assert_eq!(ask(store, &acme(), |rows| rows.key_usage(&acme())), Err(StoreError::Damaged));
}

pub(super) fn usage_counts_templates_and_payloads_of_each_key(fresh: Fresh<'_>) {
    let stage = fresh();
    let store = stage.store();
    fill(store, &acme(), &[10, 2, 10, 1, 2, 10]);
    fill(store, &other(), &[4]);
    assert_eq!(usage(store, &acme()), [(1, 1, 1), (2, 2, 2), (10, 3, 3)]);
    assert_eq!(usage(store, &other()), [(4, 1, 1)]);

    // A version may seal templates only, or payloads only.
    change(store, &acme(), |rows| rows.reseal_record(&acme(), leaf(3), 1, b"new", 3)).unwrap();
    assert_eq!(usage(store, &acme()), [(1, 0, 1), (2, 2, 2), (3, 1, 0), (10, 3, 3)]);
    let nobody = OrganisationId::parse("nobody").unwrap();
    assert_eq!(usage(store, &nobody), []);
}

pub(super) fn usage_falls_only_when_the_bytes_are_deleted(fresh: Fresh<'_>) {
    let stage = fresh();
    let store = stage.store();
    fill(store, &acme(), &[1, 2]);
    change(store, &acme(), |rows| rows.condemn(&acme(), leaf(0), "rule", Timestamp::UNIX_EPOCH)).unwrap();
    assert_eq!(usage(store, &acme()), [(1, 1, 1), (2, 1, 1)]);
    change(store, &acme(), |rows| rows.mark_destroyed(&acme(), leaf(0), Timestamp::UNIX_EPOCH, 1)).unwrap();
    assert_eq!(usage(store, &acme()), [(2, 1, 1)]);
}

pub(super) fn what_is_under_an_older_key_comes_oldest_key_first_up_to_the_limit(fresh: Fresh<'_>) {
    let stage = fresh();
    let store = stage.store();
    fill(store, &acme(), &[3, 2, 1, 4]);
    fill(store, &other(), &[1]);
    let under = |older_than, limit| {
        let records = ask(store, &acme(), |rows| rows.records_under(&acme(), older_than, limit)).unwrap();
        let payloads = ask(store, &acme(), |rows| rows.payloads_under(&acme(), older_than, limit)).unwrap();
        (records, payloads)
    };
    let rows = |all: &[(u8, u32)]| {
        let records: Vec<_> = all.iter().map(|&(number, version)| record(number, version)).collect();
        let entries = all.iter().map(|&(number, version)| (u64::from(number), payload(number, version)));
        (records, entries.collect::<Vec<_>>())
    };
    assert_eq!(under(4, 9), rows(&[(2, 1), (1, 2), (0, 3)]));
    assert_eq!(under(u32::MAX, 9), rows(&[(2, 1), (1, 2), (0, 3), (3, 4)]));
    assert_eq!(under(4, 2), rows(&[(2, 1), (1, 2)]));
    assert_eq!(under(2, u32::MAX), rows(&[(2, 1)]));
    for nothing in [under(4, 0), under(1, 9), under(0, 9)] {
        assert_eq!(nothing, rows(&[]));
    }
}

pub(super) fn resealing_replaces_bytes_and_version_and_nothing_else(fresh: Fresh<'_>) {
    let stage = fresh();
    let store = stage.store();
    fill(store, &acme(), &[1, 1]);
    fill(store, &other(), &[1, 1]);
    let resealed = change(store, &acme(), |rows| {
        rows.reseal_record(&acme(), leaf(0), 1, b"new template", 2)?;
        rows.reseal_payload(&acme(), 0, 1, b"new payload", 2)
    });
    resealed.unwrap();

    let new_record = RecordRow { sealed: b"new template".to_vec(), ..record(0, 2) };
    let new_payload = PayloadRow { sealed: b"new payload".to_vec(), ..payload(0, 2) };
    let records = ask(store, &acme(), |rows| rows.records_under(&acme(), 9, 9)).unwrap();
    assert_eq!(records, [record(1, 1), new_record]);
    let payloads = ask(store, &acme(), |rows| rows.payloads_under(&acme(), 9, 9)).unwrap();
    assert_eq!(payloads, [(1, payload(1, 1)), (0, new_payload)]);
    let untouched = ask(store, &other(), |rows| rows.records_under(&other(), 9, 9)).unwrap();
    assert_eq!(untouched, [record(0, 1), record(1, 1)]);
    assert_eq!(usage(store, &other()), [(1, 2, 2)]);
}

pub(super) fn resealing_from_another_version_or_of_no_row_conflicts(fresh: Fresh<'_>) {
    let stage = fresh();
    let store = stage.store();
    fill(store, &acme(), &[2]);
    for (number, from) in [(0, 1), (0, 3), (9, 2)] {
        let stale =
            change(store, &acme(), |rows| rows.reseal_record(&acme(), leaf(number), from, b"new", 3));
        assert_eq!(stale, Err(StoreError::Conflict));
        let stale =
            change(store, &acme(), |rows| rows.reseal_payload(&acme(), number.into(), from, b"new", 3));
        assert_eq!(stale, Err(StoreError::Conflict));
    }
    assert_eq!(ask(store, &acme(), |rows| rows.record(&acme(), leaf(0))).unwrap().unwrap(), record(0, 2));
    assert_eq!(ask(store, &acme(), |rows| rows.payload(&acme(), 0)).unwrap().unwrap(), payload(0, 2));

    // The second of two that read the same version loses.
    change(store, &acme(), |rows| rows.reseal_record(&acme(), leaf(0), 2, b"first", 3)).unwrap();
    let second = change(store, &acme(), |rows| rows.reseal_record(&acme(), leaf(0), 2, b"second", 3));
    assert_eq!(second, Err(StoreError::Conflict));
    assert_eq!(ask(store, &acme(), |rows| rows.record(&acme(), leaf(0))).unwrap().unwrap().sealed, b"first");
}

