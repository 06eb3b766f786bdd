use std::sync::Mutex;
use std::thread;

use vouchsafe_types::RecordId;

use super::*;
use crate::LeaseRow;

const WORK: u8 = 1;

fn holder(number: u8) -> RecordId {
    RecordId::from_bytes([number; 16])
}

fn take(store: &dyn Store, number: u8, now: i64) -> LeaseRow {
    change(store, &acme(), |rows| rows.take_lease(&acme(), WORK, holder(number), at(now), at(now + 60)))
        .unwrap()
}

fn renew(store: &dyn Store, token: u64, until: i64) -> bool {
    change(store, &acme(), |rows| rows.renew_lease(&acme(), WORK, token, at(until))).unwrap()
}

fn release(store: &dyn Store, token: u64) -> bool {
    change(store, &acme(), |rows| rows.release_lease(&acme(), WORK, token)).unwrap()
}

fn lease(number: u8, token: u64, until: i64) -> LeaseRow {
    LeaseRow { holder: holder(number), token, until: Some(at(until)) }
}

pub(super) fn a_lease_has_one_holder_until_it_ends(fresh: Fresh<'_>) {
    let stage = fresh();
    let store = stage.store();
    add(store, &acme());
    let stored = || ask(store, &acme(), |rows| rows.lease(&acme(), WORK)).unwrap();
    assert_eq!(stored(), None);
    assert_eq!(take(store, 1, 100), lease(1, 1, 160));
    assert_eq!(take(store, 2, 159), lease(1, 1, 160), "held by another");
    assert_eq!(take(store, 1, 110), lease(1, 1, 170), "prolonged by its holder");
    assert_eq!((take(store, 2, 170), stored()), (lease(2, 2, 230), Some(lease(2, 2, 230))));
    assert_eq!(take(store, 1, 171), lease(2, 2, 230));
    assert_eq!(take(store, 3, 100_000), lease(3, 3, 100_060), "by a clock that is ahead");
    assert_eq!(take(store, 4, 99_700), lease(3, 3, 100_060), "within what clocks may differ by");
    assert_eq!(take(store, 1, 171), lease(1, 4, 231), "not believed");
    assert!(!renew(store, 3, 100_100), "and fenced");
    let beside = change(store, &acme(), |rows| rows.take_lease(&acme(), 2, holder(1), at(171), at(180)));
    assert_eq!(beside, Ok(lease(1, 1, 180)), "other work has its own");
    let refused = ask(store, &acme(), |rows| rows.take_lease(&acme(), 3, holder(1), at(1), at(2)));
    assert_eq!(refused, Err(StoreError::ReadOnly));
}

pub(super) fn whoever_lost_the_lease_is_fenced(fresh: Fresh<'_>) {
    let stage = fresh();
    let store = stage.store();
    add(store, &acme());
    let first = take(store, 1, 100).token;
    assert!(renew(store, first, 200));
    assert!(renew(store, first, 210), "also after its end, while nobody took it");
    let second = take(store, 2, 210).token;
    assert!(second > first);
    assert!(!renew(store, first, 999) && !release(store, first));
    let late = change(store, &acme(), |rows| {
        rows.append_entry(&acme(), b"late")?;
        if rows.renew_lease(&acme(), WORK, first, at(999))? { Ok(()) } else { Err(StoreError::Aborted) }
    });
    assert!(late.is_err());
    assert_eq!(ask(store, &acme(), |rows| rows.entry_count(&acme())), Ok(0));
    assert_eq!(ask(store, &acme(), |rows| rows.lease(&acme(), WORK)), Ok(Some(lease(2, second, 270))));
    // The same holder, once it has lost it, is no exception.
    let third = take(store, 1, 270).token;
    assert!(third > second && !renew(store, first, 999) && renew(store, third, 280));
}

pub(super) fn a_lease_that_was_given_back_is_free_at_once(fresh: Fresh<'_>) {
    let stage = fresh();
    let store = stage.store();
    add(store, &acme());
    let first = take(store, 1, 100).token;
    assert!(release(store, first));
    assert!(!renew(store, first, 999), "given back is not held");
    assert_eq!(take(store, 2, 101), lease(2, first + 1, 161));
    assert!(release(store, first + 1));
    assert_eq!(take(store, 2, 102).token, first + 2, "taken anew, also by the same one");
}

pub(super) fn of_many_who_ask_at_once_one_is_granted(fresh: Fresh<'_>) {
    let stage = fresh();
    let store = stage.store();
    add(store, &acme());
    for round in 1..=5 {
        let now = round * 1000;
        let granted = Mutex::new(Vec::new());
        thread::scope(|scope| {
            for number in 0..8 {
                let granted = &granted;
                scope.spawn(move || {
                    let found = take(store, number, now);
                    if found.holder == holder(number) {
                        granted.lock().unwrap().push(found.token);
                    }
                });
            }
        });
        assert_eq!(granted.into_inner().unwrap(), [u64::try_from(round).unwrap()]);
    }
}
