use super::*;
use vouchsafe_types::DataClass;

use crate::sql::texts::{OF_A_LIFE, OF_A_PERSON};
use crate::{EventRow, Holding, HoldingState, JobRow, ResidenceRow, SubjectRow};
use life::{census, destroy, event, two_organisations};

fn scene<'a>(fresh: Fresh<'a>) -> Box<dyn Stage + 'a> {
    let stage = fresh();
    let store = stage.store();
    add(store, &acme());
    add(store, &other());
    stage
}

pub(super) fn an_earlier_act_than_the_last_one_changes_nothing(fresh: Fresh<'_>) {
    let stage = scene(fresh);
    let store = stage.store();
    let touch =
        |second, act| change(store, &acme(), |rows| rows.touch_subject(&acme(), person(1), at(second), act));
    let read =
        |organisation| ask(store, &organisation, |rows| rows.subject(&organisation, person(1))).unwrap();
    let row =
        |second, last_act| Some(SubjectRow { pseudonym: person(1), last_interaction: at(second), last_act });
    assert_eq!(read(acme()), None);
    for (second, act, expected) in [
        (10, 3, row(10, 3)),
        (9, 4, row(10, 3)),
        (10, 255, row(10, 255)),
        (11, 0, row(11, 0)),
        (-5, 1, row(11, 0)),
    ] {
        touch(second, act).unwrap();
        assert_eq!(read(acme()), expected);
    }
    assert_eq!(ask(store, &acme(), |rows| rows.last_interaction(&acme(), person(1))), Ok(Some(at(11))));
    assert_eq!(
        (read(other()), ask(store, &acme(), |rows| rows.last_interaction(&acme(), person(2)))),
        (None, Ok(None))
    );
}

pub(super) fn of_two_instants_of_an_event_the_earlier_one_stays(fresh: Fresh<'_>) {
    let stage = scene(fresh);
    let store = stage.store();
    let put =
        |row: EventRow| change(store, &acme(), |rows| rows.put_event(&acme(), person(1), &row)).unwrap();
    let all = |organisation, number| {
        ask(store, &organisation, |rows| rows.events(&organisation, person(number))).unwrap()
    };
    assert!(put(event(Some(face()), 7, 50, 1)));
    assert!(!put(event(Some(face()), 7, 50, 2)), "the same instant");
    assert!(!put(event(Some(face()), 7, 51, 2)));
    assert!(put(event(Some(face()), 7, 49, 3)));
    assert!(put(event(None, 7, 60, 4)), "the person as a whole is another line");
    assert!(put(event(None, 1, 60, 5)));
    let voice = Scope::from_code([2, 1, 1]).unwrap();
    assert!(put(event(Some(voice), 7, 70, 6)));
    let expected = [
        event(None, 1, 60, 5),
        event(None, 7, 60, 4),
        event(Some(face()), 7, 49, 3),
        event(Some(voice), 7, 70, 6),
    ];
    assert_eq!(all(acme(), 1), expected);
    assert_eq!((all(acme(), 2), all(other(), 1)), (vec![], vec![]));
    for trigger in [0, 8] {
        let unknown =
            change(store, &acme(), |rows| rows.put_event(&acme(), person(1), &event(None, trigger, 1, 1)));
        assert_eq!(unknown, Err(StoreError::Conflict));
    }
    let clear = |organisation, scope, trigger| {
        change(store, &organisation, |rows| rows.clear_event(&organisation, person(1), scope, trigger))
            .unwrap()
    };
    assert!(!clear(other(), None, 7));
    assert!(!clear(acme(), Some(face()), 1));
    assert!(clear(acme(), Some(face()), 7) && !clear(acme(), Some(face()), 7));
    assert_eq!(all(acme(), 1), [expected[0], expected[1], expected[3]]);
    assert!(put(event(Some(face()), 7, 90, 9)), "a new life begins later");
}

pub(super) fn places_are_added_and_known_since_the_earliest_instant(fresh: Fresh<'_>) {
    let stage = scene(fresh);
    let store = stage.store();
    let row = |jurisdiction, second, entry| ResidenceRow { jurisdiction, since: at(second), entry };
    let put = |row| change(store, &acme(), |rows| rows.put_residence(&acme(), person(1), &row)).unwrap();
    let all = |organisation, number| {
        ask(store, &organisation, |rows| rows.residences(&organisation, person(number))).unwrap()
    };
    assert!(put(row(9, 5, 1)) && put(row(2, 6, 2)) && put(row(0, 7, 3)));
    assert!(!put(row(9, 5, 8)) && !put(row(9, 6, 8)) && put(row(9, 4, 8)));
    assert_eq!(all(acme(), 1), [row(0, 7, 3), row(2, 6, 2), row(9, 4, 8)]);
    assert_eq!((all(acme(), 2), all(other(), 1)), (vec![], vec![]));
}

fn forget(store: &dyn Store, number: u8) -> bool {
    change(store, &acme(), |rows| rows.forget_subject(&acme(), person(number))).unwrap()
}

pub(super) fn a_person_is_forgotten_once_nothing_but_evidence_of_destruction_is_held(fresh: Fresh<'_>) {
    let stage = two_organisations(fresh);
    let store = stage.store();
    let before = census(&*stage);
    assert!(!forget(store, 1));
    change(store, &acme(), |rows| destroy(rows, &acme(), 10, 60)).unwrap();
    assert!(!forget(store, 1), "consent evidence is live");
    change(store, &acme(), |rows| rows.condemn(&acme(), leaf(11), "rule", at(60))).unwrap();
    assert!(!forget(store, 1), "consent evidence is condemned, not destroyed");
    change(store, &acme(), |rows| rows.mark_destroyed(&acme(), leaf(11), at(60), 0)).unwrap();
    let held = ask(store, &acme(), |rows| rows.holding(&acme(), leaf(12))).unwrap().unwrap();
    assert_eq!(held.state, HoldingState::Live, "evidence of destruction stays");
    assert!(forget(store, 1) && !forget(store, 1));

    // Gone: the record and the payloads and document of the destroyed leaves, and one row of each table of a life.
    let gone = [
        ("consent", 1),
        ("served", 1),
        ("subject_mark", 1),
        ("life_event", 1),
        ("residence", 1),
        ("record", 1),
        ("payload", 2),
        ("document", 1),
    ];
    let expected = before.into_iter().map(|(table, organisation, count)| {
        let lost = gone.iter().find(|gone| gone.0 == table && organisation == "acme");
        (table, organisation, count - lost.map_or(0, |gone| gone.1))
    });
    assert_eq!(census(&*stage), expected.collect::<Vec<_>>());
    assert_eq!(ask(store, &acme(), |rows| rows.orphans(&acme())), Ok(vec![]));
}

pub(super) fn rows_of_the_destroyed_go_before_an_instant_and_the_person_last(fresh: Fresh<'_>) {
    let stage = two_organisations(fresh);
    let store = stage.store();
    let purge = |before| {
        change(store, &acme(), |rows| rows.purge_destroyed(&acme(), person(1), at(before))).unwrap()
    };
    let known = |organisation| {
        ask(store, &organisation, |rows| rows.subject(&organisation, person(1))).unwrap().is_some()
    };
    assert_eq!(purge(999), 0, "nothing live goes");
    change(store, &acme(), |rows| {
        destroy(rows, &acme(), 10, 60)?;
        destroy(rows, &acme(), 11, 70)?;
        rows.condemn(&acme(), leaf(12), "rule", at(10))
    })
    .unwrap();
    assert!(forget(store, 1));
    assert_eq!((purge(60), purge(61), purge(70)), (0, 1, 0));
    assert_eq!(purge(999), 1, "nothing condemned goes");
    change(store, &acme(), |rows| rows.mark_destroyed(&acme(), leaf(12), at(80), 0)).unwrap();
    assert_eq!(purge(81), 1);
    assert!(known(acme()), "a hold and a job name the person");
    change(store, &acme(), |rows| {
        rows.remove_job(&acme(), life::id(10))?;
        rows.release_hold(&acme(), life::id(10), at(90))
    })
    .unwrap();
    assert_eq!(purge(99), 0);
    assert!(known(acme()), "a released hold names the person");
    change(store, &acme(), |rows| rows.purge_holds(&acme(), at(91))).unwrap();
    assert_eq!(purge(99), 0);
    assert!(!known(acme()) && known(other()));
    assert_eq!(ask(store, &acme(), |rows| rows.orphans(&acme())), Ok(vec![]));
    let held = |organisation, number| {
        ask(store, &organisation, |rows| rows.holdings_of(&organisation, person(number))).unwrap().len()
    };
    assert_eq!((held(acme(), 2), held(other(), 1)), (3, 3));
}

pub(super) fn spent_evidence_and_finished_jobs_go_and_the_person_with_the_last_of_them(fresh: Fresh<'_>) {
    let stage = two_organisations(fresh);
    let store = stage.store();
    let evidence = |number: u8, person: SubjectPseudonym| Holding {
        leaf: leaf(number),
        class: DataClass::DestructionEvidence,
        subject: person,
        scope: None,
        state: HoldingState::Live,
        created_at: at(1),
        created_entry: None,
        review_at: None,
    };
    let ben = person(9);
    change(store, &acme(), |rows| {
        rows.touch_subject(&acme(), ben, at(1), 0)?;
        rows.insert_holding(&acme(), &evidence(70, ben))?;
        rows.insert_holding(&acme(), &evidence(71, ben))?;
        destroy(rows, &acme(), 70, 50)?;
        destroy(rows, &acme(), 71, 60)?;
        destroy(rows, &acme(), 10, 40)
    })
    .unwrap();
    let purge = |before, limit| {
        change(store, &acme(), |rows| rows.purge_evidence(&acme(), at(before), limit)).unwrap()
    };
    let known = || ask(store, &acme(), |rows| rows.subject(&acme(), ben)).unwrap().is_some();
    assert_eq!((purge(50, 9), purge(61, 1)), (0, 1), "the oldest first");
    assert!(known());
    assert_eq!(purge(61, 9), 1);
    assert!(!known(), "nothing refers to them");
    assert_eq!(purge(i64::from(i32::MAX), 9), 0, "other destroyed rows are not evidence");

    let finished =
        |number, second| JobRow { finished_at: Some(at(second)), ..life::job(number, 1, Some(9), None) };
    change(store, &acme(), |rows| {
        rows.touch_subject(&acme(), ben, at(1), 0)?;
        rows.insert_job(&acme(), &finished(81, 50))?;
        rows.insert_job(&acme(), &finished(82, 60))
    })
    .unwrap();
    let purge = |before| change(store, &acme(), |rows| rows.purge_jobs(&acme(), at(before), 9)).unwrap();
    assert_eq!((purge(50), purge(51), known()), (0, 1, true));
    assert_eq!((purge(61), known()), (1, false));
    assert_eq!(ask(store, &acme(), |rows| rows.orphans(&acme())), Ok(vec![]));
}

pub(super) fn any_row_that_names_a_person_keeps_theirs(fresh: Fresh<'_>) {
    for table in OF_A_PERSON {
        let stage = two_organisations(fresh);
        let store = stage.store();
        for emptied in OF_A_PERSON.iter().filter(|other| **other != table) {
            stage.alter(&format!("DELETE FROM {emptied}"));
        }
        change(store, &acme(), |rows| rows.purge_destroyed(&acme(), person(1), at(1))).unwrap();
        assert!(ask(store, &acme(), |rows| rows.subject(&acme(), person(1))).unwrap().is_some(), "{table}");
    }
}

pub(super) fn every_table_that_names_a_person_is_known_to_their_end(_: Fresh<'_>) {
    use crate::INVENTORY;
    let mut naming: Vec<_> =
        INVENTORY.iter().filter(|column| column.name == "subject").map(|column| column.table).collect();
    let mut known = OF_A_PERSON.to_vec();
    naming.sort_unstable();
    known.sort_unstable();
    assert_eq!(naming, known);
    assert!(OF_A_LIFE.iter().all(|table| OF_A_PERSON.contains(table)));
}
