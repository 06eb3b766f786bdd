use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use super::*;

const WRITERS: u64 = 8;

fn organisation(number: u64) -> OrganisationId {
    OrganisationId::parse(&format!("o{number}")).unwrap()
}

fn append(store: &dyn Store, id: &OrganisationId, bytes: &[u8]) -> Result<u64, StoreError> {
    change(store, id, |rows| rows.append_entry(id, bytes))
}

fn entries(store: &dyn Store, id: &OrganisationId) -> Vec<Vec<u8>> {
    ask(store, id, |rows| rows.entries(id, 0, u32::MAX)).unwrap()
}

pub(super) fn a_failed_transaction_leaves_nothing(fresh: Fresh<'_>) {
    let stage = fresh();
    let store = stage.store();
    let failed = change(store, &acme(), |rows| {
        rows.insert_organisation(&acme(), at(0))?;
        rows.append_entry(&acme(), b"entry")?;
        rows.insert_organisation(&acme(), at(0))
    });
    assert_eq!(failed, Err(StoreError::Conflict));
    assert_eq!(ask(store, &acme(), |rows| rows.organisation_exists(&acme())), Ok(false));
    add(store, &acme());
    assert_eq!(ask(store, &acme(), |rows| rows.organisation_exists(&acme())), Ok(true));
}

pub(super) fn entries_are_numbered_from_zero_without_a_gap(fresh: Fresh<'_>) {
    let stage = fresh();
    let store = stage.store();
    let numbers: Result<Vec<u64>, StoreError> = change(store, &acme(), |rows| {
        rows.insert_organisation(&acme(), at(0))?;
        (0..3).map(|i| rows.append_entry(&acme(), &[i])).collect()
    });
    assert_eq!(numbers.unwrap(), [0, 1, 2]);
    assert_eq!(ask(store, &acme(), |rows| rows.entries(&acme(), 1, 9)).unwrap(), [vec![1], vec![2]]);
    assert_eq!(ask(store, &acme(), |rows| rows.entry_count(&acme())), Ok(3));
}

pub(super) fn a_transaction_that_reads_cannot_write(fresh: Fresh<'_>) {
    let stage = fresh();
    let store = stage.store();
    add(store, &acme());
    let written = ask(store, &acme(), |rows| rows.append_entry(&acme(), b"x"));
    assert_eq!(written, Err(StoreError::ReadOnly));
    assert_eq!(entries(store, &acme()), Vec::<Vec<u8>>::new());
}

pub(super) fn a_snapshot_stays_as_it_was(fresh: Fresh<'_>) {
    let stage = fresh();
    let store = stage.store();
    add(store, &acme());
    let barrier = Barrier::new(2);
    thread::scope(|scope| {
        scope.spawn(|| {
            let read = ask(store, &acme(), |rows| {
                assert_eq!(rows.entry_count(&acme()), Ok(0));
                barrier.wait();
                barrier.wait();
                assert_eq!(rows.entry_count(&acme()), Ok(0));
                Ok(())
            });
            read.unwrap();
        });
        barrier.wait();
        append(store, &acme(), b"later").unwrap();
        barrier.wait();
    });
    assert_eq!(entries(store, &acme()).len(), 1);
}

pub(super) fn a_reader_sees_nothing_that_is_not_committed(fresh: Fresh<'_>) {
    let stage = fresh();
    let store = stage.store();
    add(store, &acme());
    let number = change(store, &acme(), |rows| {
        let number = rows.append_entry(&acme(), b"open")?;
        assert_eq!(entries(store, &acme()), Vec::<Vec<u8>>::new());
        assert_eq!(rows.entry_count(&acme()), Ok(1));
        Ok(number)
    });
    assert_eq!((number, entries(store, &acme()).len()), (Ok(0), 1));
}

pub(super) fn every_acknowledged_entry_of_many_writers_is_there_once_and_in_order(fresh: Fresh<'_>) {
    let stage = fresh();
    let store = stage.store();
    (0..3).for_each(|number| add(store, &organisation(number)));
    thread::scope(|scope| {
        for writer in 0..WRITERS {
            scope.spawn(move || {
                let id = organisation(writer % 3);
                for step in 0..25_u64 {
                    let bytes = [writer.to_be_bytes(), step.to_be_bytes()].concat();
                    let number = append(store, &id, &bytes).unwrap();
                    // Seen by a reader from the moment of the acknowledgement, at the number given.
                    assert_eq!(ask(store, &id, |rows| rows.entries(&id, number, 1)).unwrap(), [bytes]);
                }
            });
        }
    });
    let mut seen = BTreeSet::new();
    for id in (0..3).map(organisation) {
        let mut next = [0_u64; 8];
        for entry in entries(store, &id) {
            let (writer, step) = entry.split_at(8);
            let writer = usize::try_from(u64::from_be_bytes(writer.try_into().unwrap())).unwrap();
            assert_eq!(u64::from_be_bytes(step.try_into().unwrap()), next[writer], "of {writer}");
            next[writer] += 1;
            assert!(seen.insert(entry));
        }
    }
    assert_eq!(seen.len(), 200);
}

pub(super) fn closures_that_fail_or_panic_take_only_their_own_rows_with_them(fresh: Fresh<'_>) {
    let stage = fresh();
    let store = stage.store();
    add(store, &acme());
    let kept = AtomicUsize::new(0);
    thread::scope(|scope| {
        for writer in 0..WRITERS {
            let kept = &kept;
            scope.spawn(move || {
                for step in 0..15 {
                    let turn = (step + writer) % 3;
                    let act = || {
                        change(store, &acme(), |rows| {
                            let number = rows.append_entry(&acme(), &[u8::from(turn == 0)])?;
                            match turn {
                                0 => Ok(number),
                                1 => Err(StoreError::Conflict),
                                _ => resume_unwind(Box::new("by intention")),
                            }
                        })
                    };
                    match (catch_unwind(AssertUnwindSafe(act)), turn) {
                        (Ok(Ok(_)), 0) => drop(kept.fetch_add(1, Ordering::Relaxed)),
                        (Ok(Err(StoreError::Conflict)), 1) | (Err(_), 2) => {}
                        (other, _) => panic!("{other:?}"),
                    }
                }
            });
        }
    });
    let entries = entries(store, &acme());
    assert_eq!(entries.len(), kept.into_inner());
    assert!(entries.iter().all(|entry| entry == &[1]));
}
