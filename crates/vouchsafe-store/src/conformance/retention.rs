use vouchsafe_types::Digest;

use super::life::{hold, id, job};
use super::*;
use crate::{HoldRow, JobRow, RetentionRow};

fn scene<'a>(fresh: Fresh<'a>) -> Box<dyn Stage + 'a> {
    let stage = fresh();
    let store = stage.store();
    add(store, &acme());
    add(store, &other());
    stage
}

pub(super) fn a_person_is_under_their_own_holds_and_those_on_everybody(fresh: Fresh<'_>) {
    let stage = scene(fresh);
    let store = stage.store();
    let bare = HoldRow { class: None, expires: None, ..hold(4, None) };
    let holds = [hold(1, Some(1)), hold(2, Some(2)), hold(3, None), bare];
    change(store, &acme(), |rows| holds.iter().rev().try_for_each(|hold| rows.insert_hold(&acme(), hold)))
        .unwrap();
    change(store, &other(), |rows| rows.insert_hold(&other(), &hold(1, None))).unwrap();
    let all = || ask(store, &acme(), |rows| rows.holds(&acme())).unwrap();
    let of = |organisation, number| {
        let found = ask(store, &organisation, |rows| rows.holds_of(&organisation, person(number))).unwrap();
        found.iter().map(|hold| hold.id.as_bytes()[0]).collect::<Vec<_>>()
    };
    assert_eq!(all(), holds);
    assert_eq!((of(acme(), 1), of(acme(), 2), of(acme(), 9)), (vec![1, 3, 4], vec![2, 3, 4], vec![3, 4]));
    assert_eq!(of(other(), 9), [1]);

    let release = |organisation, number, second| {
        change(store, &organisation, |rows| rows.release_hold(&organisation, id(number), at(second)))
    };
    assert_eq!(release(acme(), 3, 70), Ok(()));
    assert_eq!(release(acme(), 3, 80), Err(StoreError::Conflict), "released already");
    assert_eq!(release(acme(), 9, 70), Err(StoreError::Conflict));
    assert_eq!(release(other(), 4, 70), Err(StoreError::Conflict));
    assert_eq!(of(acme(), 1), [1, 4]);
    assert_eq!(all()[2], HoldRow { released_at: Some(at(70)), ..holds[2].clone() });
}

pub(super) fn a_hold_needs_a_new_id_and_two_persons(fresh: Fresh<'_>) {
    let stage = scene(fresh);
    let store = stage.store();
    let insert = |row: &HoldRow| change(store, &acme(), |rows| rows.insert_hold(&acme(), row));
    insert(&hold(1, None)).unwrap();
    assert_eq!(insert(&hold(1, Some(3))), Err(StoreError::Conflict));
    let alone = HoldRow { approved_by: "counsel".to_owned(), ..hold(2, None) };
    assert_eq!(insert(&alone), Err(StoreError::Conflict));
    let nowhere = OrganisationId::parse("none").unwrap();
    assert_eq!(
        change(store, &nowhere, |rows| rows.insert_hold(&nowhere, &hold(2, None))),
        Err(StoreError::Conflict)
    );
}

pub(super) fn holds_that_ended_are_purged_and_no_others(fresh: Fresh<'_>) {
    let stage = scene(fresh);
    let store = stage.store();
    let lasting = |number| HoldRow { expires: None, ..hold(number, None) };
    change(store, &acme(), |rows| {
        rows.insert_hold(&acme(), &HoldRow { expires: Some(at(49)), ..hold(1, None) })?;
        rows.insert_hold(&acme(), &HoldRow { expires: Some(at(50)), ..hold(2, None) })?;
        rows.insert_hold(&acme(), &HoldRow { released_at: Some(at(49)), ..hold(3, None) })?;
        rows.insert_hold(&acme(), &HoldRow { released_at: Some(at(50)), ..lasting(4) })?;
        rows.insert_hold(&acme(), &lasting(5))
    })
    .unwrap();
    let others = HoldRow { expires: Some(at(1)), ..hold(6, None) };
    change(store, &other(), |rows| rows.insert_hold(&other(), &others)).unwrap();
    let purge = || change(store, &acme(), |rows| rows.purge_holds(&acme(), at(50)));
    assert_eq!((purge(), purge()), (Ok(2), Ok(0)));
    let left = |organisation| ask(store, &organisation, |rows| rows.holds(&organisation)).unwrap();
    assert_eq!(left(acme()).iter().map(|hold| hold.id.as_bytes()[0]).collect::<Vec<_>>(), [2, 4, 5]);
    assert_eq!(left(other()), [others]);
}

pub(super) fn a_job_is_claimed_by_one_at_a_time_the_longest_due_first(fresh: Fresh<'_>) {
    let stage = scene(fresh);
    let store = stage.store();
    change(store, &acme(), |rows| {
        for new in [
            job(1, 1, None, Some(20)),
            job(2, 1, Some(1), Some(10)),
            job(3, 1, None, Some(99)),
            job(4, 2, None, Some(1)),
            job(5, 1, None, None),
        ] {
            rows.insert_job(&acme(), &new)?;
        }
        Ok(())
    })
    .unwrap();
    change(store, &other(), |rows| rows.insert_job(&other(), &job(6, 1, None, Some(1)))).unwrap();
    let claim =
        |now, until| change(store, &acme(), |rows| rows.claim_job(&acme(), 1, at(now), at(until))).unwrap();
    let claimed = |number: u8, row: JobRow, times: u32, until| {
        let plain = if number == 2 { job(2, 1, Some(1), Some(10)) } else { job(1, 1, None, Some(20)) };
        assert_eq!(
            row,
            JobRow { attempts: times, fence: times.into(), lease_until: Some(at(until)), ..plain }
        );
    };
    assert_eq!(claim(9, 50), None);
    claimed(2, claim(20, 50).unwrap(), 1, 50);
    claimed(1, claim(20, 60).unwrap(), 1, 60);
    assert_eq!(claim(49, 90), None, "both are leased");
    claimed(2, claim(50, 90).unwrap(), 2, 90);
    assert_eq!(claim(59, 90), None);
    claimed(1, claim(60, 90).unwrap(), 2, 90);
    assert_eq!(ask(store, &acme(), |rows| rows.job(&acme(), id(3))), Ok(Some(job(3, 1, None, Some(99)))));
    let refused = ask(store, &acme(), |rows| rows.claim_job(&acme(), 1, at(99), at(100)));
    assert_eq!(refused, Err(StoreError::ReadOnly));
}

pub(super) fn whoever_lost_the_claim_saves_nothing(fresh: Fresh<'_>) {
    let stage = scene(fresh);
    let store = stage.store();
    change(store, &acme(), |rows| rows.insert_job(&acme(), &job(1, 1, Some(1), Some(5)))).unwrap();
    let claim = |now| {
        change(store, &acme(), |rows| rows.claim_job(&acme(), 1, at(now), at(now + 10))).unwrap().unwrap()
    };
    let save = |row: &JobRow| change(store, &acme(), |rows| rows.save_job(&acme(), row));
    let stored = || ask(store, &acme(), |rows| rows.job(&acme(), id(1))).unwrap().unwrap();
    let (first, second) = (claim(5), claim(15));
    assert_eq!(save(&JobRow { state: b"late".to_vec(), ..first }), Err(StoreError::Conflict));
    assert_eq!(stored(), second);

    let step = JobRow { state: b"half".to_vec(), lease_until: Some(at(40)), ..second };
    assert_eq!((save(&step), stored()), (Ok(()), step.clone()));
    let ended = JobRow { run_at: None, lease_until: None, finished_at: Some(at(30)), ..step };
    assert_eq!((save(&ended), stored()), (Ok(()), ended.clone()));
    assert_eq!(change(store, &acme(), |rows| rows.claim_job(&acme(), 1, at(999), at(9_999))), Ok(None));
    assert_eq!(save(&JobRow { id: id(9), ..ended.clone() }), Err(StoreError::Conflict));
    assert_eq!(change(store, &other(), |rows| rows.save_job(&other(), &ended)), Err(StoreError::Conflict));
    let renamed = JobRow { kind: 7, subject: None, created_at: at(77), ..ended.clone() };
    assert_eq!((save(&renamed), stored()), (Ok(()), ended), "what a job is about never changes");
}

pub(super) fn jobs_come_in_the_order_of_creation_and_go_when_removed(fresh: Fresh<'_>) {
    let stage = scene(fresh);
    let store = stage.store();
    change(store, &acme(), |rows| {
        rows.insert_job(&acme(), &job(2, 1, None, None))?;
        rows.insert_job(&acme(), &job(1, 9, None, Some(1)))
    })
    .unwrap();
    change(store, &other(), |rows| rows.insert_job(&other(), &job(1, 1, None, None))).unwrap();
    let again = change(store, &acme(), |rows| rows.insert_job(&acme(), &job(1, 1, None, None)));
    assert_eq!(again, Err(StoreError::Conflict));
    let all = |organisation| ask(store, &organisation, |rows| rows.jobs(&organisation)).unwrap();
    assert_eq!(all(acme()), [job(1, 9, None, Some(1)), job(2, 1, None, None)]);
    let remove = |number| change(store, &acme(), |rows| rows.remove_job(&acme(), id(number)));
    assert_eq!((remove(1), remove(1)), (Ok(true), Ok(false)));
    assert_eq!((all(acme()).len(), all(other()).len()), (1, 1));
}

pub(super) fn how_retention_stands_is_one_row_for_each_organisation(fresh: Fresh<'_>) {
    let stage = scene(fresh);
    let store = stage.store();
    let row = |number: u8| RetentionRow {
        policy: Digest::from_bytes([number; 32]),
        activated_at: at(number.into()),
        newest: at(50),
        swept_at: (number > 1).then(|| at(60)),
    };
    let put = |organisation, number| {
        change(store, &organisation, |rows| rows.put_retention(&organisation, &row(number)))
    };
    let read = |organisation| ask(store, &organisation, |rows| rows.retention(&organisation)).unwrap();
    assert_eq!(read(acme()), None);
    assert_eq!((put(acme(), 1), read(acme())), (Ok(()), Some(row(1))));
    assert_eq!((put(acme(), 2), put(other(), 3)), (Ok(()), Ok(())));
    assert_eq!((read(acme()), read(other())), (Some(row(2)), Some(row(3))));
    assert_eq!(put(OrganisationId::parse("none").unwrap(), 1), Err(StoreError::Conflict));
}
