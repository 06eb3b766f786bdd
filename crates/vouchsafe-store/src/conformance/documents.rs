use vouchsafe_types::DataClass;

use super::*;
use crate::{DocumentRow, KeyUsage};
use life::{document, found, holding};

/// Two organisations, in each a person under leaves 1 and 2 and another under leaf 3.
fn scene<'a>(fresh: Fresh<'a>) -> Box<dyn Stage + 'a> {
    let stage = fresh();
    let store = stage.store();
    for organisation in [&acme(), &other()] {
        change(store, organisation, |rows| {
            found(rows, organisation)?;
            for (number, class, subject) in
                [(1, DataClass::Account, 1), (2, DataClass::RightsRequest, 1), (3, DataClass::Disclosure, 2)]
            {
                rows.touch_subject(organisation, person(subject), at(0), 0)?;
                rows.insert_holding(organisation, &holding(number, class, subject, None))?;
            }
            Ok(())
        })
        .unwrap();
    }
    stage
}

fn insert(store: &dyn Store, documents: &[DocumentRow]) -> Result<(), StoreError> {
    change(store, &acme(), |rows| documents.iter().try_for_each(|row| rows.insert_document(&acme(), row)))
}

pub(super) fn documents_are_found_by_id_and_by_person_and_kind(fresh: Fresh<'_>) {
    let stage = scene(fresh);
    let store = stage.store();
    let rows = [
        document(1, 1, 1, None),
        document(2, 2, 2, Some(9)),
        document(3, 1, 1, Some(i64::from(i32::MAX))),
        DocumentRow {
            closed_at: Some(at(5)),
            key_version: u32::MAX,
            sealed: vec![],
            ..document(4, 3, 1, None)
        },
    ];
    insert(store, &rows).unwrap();
    for row in &rows {
        assert_eq!(ask(store, &acme(), |all| all.document(&acme(), row.id)), Ok(Some(row.clone())));
        assert_eq!(ask(store, &other(), |all| all.document(&other(), row.id)), Ok(None));
    }
    let of = |organisation, subject, kind| {
        ask(store, &organisation, |rows| rows.documents(&organisation, person(subject), kind)).unwrap()
    };
    assert_eq!(of(acme(), 1, 1), [rows[0].clone(), rows[2].clone()]);
    assert_eq!(of(acme(), 1, 2), [rows[1].clone()]);
    assert_eq!(of(acme(), 2, 1), [rows[3].clone()]);
    assert_eq!((of(acme(), 1, 3), of(other(), 1, 1)), (vec![], vec![]));
    change(store, &acme(), |rows| rows.condemn(&acme(), leaf(1), "rule", at(1))).unwrap();
    assert_eq!(of(acme(), 1, 1), [], "a fenced holding is not read");
    assert_eq!(of(acme(), 1, 2), [rows[1].clone()]);
}

pub(super) fn a_document_needs_a_new_id_a_holding_an_entry_a_kind_and_a_key(fresh: Fresh<'_>) {
    let stage = scene(fresh);
    let store = stage.store();
    insert(store, &[document(1, 1, 1, None)]).unwrap();
    for bad in [
        document(1, 2, 2, None),
        document(2, 9, 1, None),
        document(2, 1, 0, None),
        DocumentRow { key_version: 0, ..document(2, 1, 1, None) },
        DocumentRow { entry: 99, ..document(2, 1, 1, None) },
    ] {
        assert_eq!(insert(store, std::slice::from_ref(&bad)), Err(StoreError::Conflict), "{bad:?}");
    }
}

pub(super) fn open_documents_fall_due_in_order(fresh: Fresh<'_>) {
    let stage = scene(fresh);
    let store = stage.store();
    let closed = DocumentRow { closed_at: Some(at(1)), ..document(6, 1, 2, Some(5)) };
    insert(
        store,
        &[
            document(1, 2, 2, Some(20)),
            document(2, 3, 2, Some(10)),
            document(3, 2, 2, None),
            document(4, 2, 4, Some(1)),
            document(5, 1, 2, Some(20)),
            closed,
            document(7, 1, 2, Some(21)),
        ],
    )
    .unwrap();
    let due = |organisation, before, limit| {
        let found =
            ask(store, &organisation, |rows| rows.documents_due(&organisation, 2, at(before), limit))
                .unwrap();
        found.iter().map(|row| row.id.as_bytes()[0]).collect::<Vec<_>>()
    };
    assert_eq!(due(acme(), 20, 9), [2, 1, 5]);
    assert_eq!(due(acme(), 20, 2), [2, 1]);
    assert_eq!((due(acme(), 9, 9), due(other(), 99, 9)), (vec![], vec![]));
    change(store, &acme(), |rows| rows.condemn(&acme(), leaf(3), "rule", at(1))).unwrap();
    assert_eq!(due(acme(), 20, 9), [1, 5], "a fenced holding has nothing to do");
}

pub(super) fn a_document_is_replaced_whole_and_removed_once(fresh: Fresh<'_>) {
    let stage = scene(fresh);
    let store = stage.store();
    insert(store, &[document(1, 1, 1, Some(3)), document(2, 1, 1, Some(3))]).unwrap();
    let new = DocumentRow {
        field: 7,
        sealed: b"new".to_vec(),
        key_version: 4,
        next_at: None,
        closed_at: Some(at(8)),
        ..document(1, 2, 3, None)
    };
    change(store, &acme(), |rows| rows.replace_document(&acme(), &new)).unwrap();
    assert_eq!(ask(store, &acme(), |rows| rows.document(&acme(), new.id)), Ok(Some(new.clone())));
    let second = document(2, 1, 1, Some(3));
    assert_eq!(ask(store, &acme(), |rows| rows.document(&acme(), second.id)), Ok(Some(second)), "untouched");
    for organisation in [acme(), other()] {
        let absent = change(store, &organisation, |rows| {
            rows.replace_document(&organisation, &document(9, 1, 1, None))
        });
        assert_eq!(absent, Err(StoreError::Conflict));
    }
    let remove =
        |organisation| change(store, &organisation, |rows| rows.remove_document(&organisation, new.id));
    assert_eq!((remove(other()), remove(acme()), remove(acme())), (Ok(false), Ok(true), Ok(false)));
}

pub(super) fn documents_change_their_key_and_die_with_their_leaf(fresh: Fresh<'_>) {
    let stage = scene(fresh);
    let store = stage.store();
    insert(
        store,
        &[
            DocumentRow { key_version: 2, ..document(1, 1, 1, None) },
            document(2, 1, 1, None),
            document(3, 2, 2, None),
        ],
    )
    .unwrap();
    let under = |older_than, limit| {
        let found = ask(store, &acme(), |rows| rows.documents_under(&acme(), older_than, limit)).unwrap();
        found.iter().map(|row| (row.key_version, row.id.as_bytes()[0])).collect::<Vec<_>>()
    };
    assert_eq!((under(1, 9), under(2, 9), under(3, 2)), (vec![], vec![(1, 2), (1, 3)], vec![(1, 2), (1, 3)]));
    assert_eq!(under(u32::MAX, 9), [(1, 2), (1, 3), (2, 1)]);
    let usage = || ask(store, &acme(), |rows| rows.key_usage(&acme())).unwrap();
    let key = |key_version, documents| KeyUsage { key_version, records: 0, payloads: 0, documents };
    assert_eq!(usage(), [key(1, 2), key(2, 1)]);

    let second = document(2, 1, 1, None);
    let reseal = |organisation, from, to| {
        change(store, &organisation, |rows| {
            rows.reseal_document(&organisation, second.id, from, b"again", to)
        })
    };
    assert_eq!(reseal(acme(), 2, 3), Err(StoreError::Conflict), "another key");
    assert_eq!(reseal(other(), 1, 3), Err(StoreError::Conflict));
    assert_eq!(reseal(acme(), 1, 0), Err(StoreError::Conflict));
    assert_eq!(reseal(acme(), 1, 3), Ok(()));
    let resealed = DocumentRow { sealed: b"again".to_vec(), key_version: 3, ..second.clone() };
    assert_eq!(ask(store, &acme(), |rows| rows.document(&acme(), second.id)), Ok(Some(resealed)));
    assert_eq!(usage(), [key(1, 1), key(2, 1), key(3, 1)]);

    change(store, &acme(), |rows| life::destroy(rows, &acme(), 1, 5)).unwrap();
    assert_eq!(under(9, 9), [(1, 3)], "those under other leaves stay");
    assert_eq!(usage(), [key(1, 1)]);
}

