//! Keys turn, honey rings, and a destruction waits for whoever still holds the former state.

use std::sync::{Arc, Mutex};

use vouchsafe::envelope::port::{Alarm, OpenAudit, Opened, OpenedOutcome};
use vouchsafe::ledger::{EntryKind, Leaf};
use vouchsafe::store::Store;
use vouchsafe::types::DataClass;
use vouchsafe::{Destruction, Error, OrganisationId, Vouchsafe};

use crate::scene::{FACE, Scene, consented, enrol, is_without_file, notice, ports_in, verify};

fn kinds(scene: &Scene) -> Vec<EntryKind> {
    let ports = ports_in(scene.dir.path());
    let store: &dyn Store = &*ports.store;
    let id = OrganisationId::parse("acme").unwrap();
    let rows = vouchsafe::store::read(store, &id, |rows| rows.entries(&id, 0, 1000));
    rows.unwrap().iter().map(|row: &Vec<u8>| Leaf::from_bytes(row).unwrap().kind).collect::<Vec<_>>()
}

/// Promise: WB-3-envelope
#[test]
fn every_organisation_has_its_own_data_key_and_it_turns_while_people_verify() {
    let scene = Scene::new();
    let organisation = scene.service.organisation("acme").unwrap();
    let other = scene.service.organisation("other").unwrap();
    let people: Vec<_> = (0..5).map(|number| consented(&organisation, &format!("p{number}"))).collect();
    people.iter().zip(1..).for_each(|(person, seed)| drop(enrol(person, seed)));
    let before = organisation.key_status().unwrap();
    assert_ne!(before.keys.data_keys, other.key_status().unwrap().keys.data_keys);
    assert_eq!((before.keys.data_keys.len(), before.usage.len()), (1, 1));
    assert_eq!((before.usage[0].key_version, before.usage[0].records), (1, 5));

    let plan = organisation.plan_data_key_rotation().unwrap();
    let sealed = before.usage[0].records + before.usage[0].payloads;
    assert_eq!((plan.to, plan.resealed, plan.remaining), (2, 0, sealed));
    assert_eq!(organisation.key_status().unwrap(), before, "a plan changes nothing");

    let mut steps = Vec::new();
    let done = organisation.rotate_data_key(|step| {
        steps.push(step.remaining);
        assert!(verify(&people[0], 1).is_accepted(), "people are served meanwhile");
    });
    assert_eq!(done.unwrap().remaining, 0);
    assert_eq!((steps.first(), steps.last()), (Some(&sealed), Some(&0)));
    let after = organisation.key_status().unwrap();
    assert_eq!(after.usage.iter().map(|usage| usage.key_version).collect::<Vec<_>>(), [2]);
    assert_eq!(after.keys.data_keys.len(), 1);
    assert_ne!(after.keys.data_keys, before.keys.data_keys);
    assert!(after.keys.generation > before.keys.generation);
    assert_eq!(after.keys.held, [after.keys.generation]);
    for (person, seed) in people.iter().zip(1..) {
        assert!(verify(person, seed).is_accepted());
    }
    assert!(kinds(&scene).contains(&EntryKind::KeysRotated));
    assert!(scene.again().organisation("acme").unwrap().verify_log().unwrap().is_sound());
}

#[test]
fn an_interrupted_rotation_goes_on_without_another_key() {
    let scene = Scene::new();
    let organisation = scene.service.organisation("acme").unwrap();
    let person = consented(&organisation, "p");
    enrol(&person, 1);
    let stopped = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        organisation.rotate_data_key(|_| panic!("stopped after the first step"))
    }));
    assert!(stopped.is_err());
    assert_eq!(organisation.key_status().unwrap().keys.data_keys.len(), 2);
    assert!(verify(&person, 1).is_accepted(), "the older key still opens");
    assert_eq!(organisation.rotate_data_key(|_| ()).unwrap().to, 2);
    let status = organisation.key_status().unwrap();
    assert_eq!((status.keys.data_keys.len(), status.keys.data_keys[0].0), (1, 2));
    assert!(verify(&person, 1).is_accepted());
    let generation = status.keys.generation;
    organisation.rotate_state_key().unwrap();
    assert_eq!(organisation.key_status().unwrap().keys.generation, generation + 1);
    assert!(verify(&person, 1).is_accepted());
}

/// What was told.
#[derive(Default)]
struct Ear {
    opened: Mutex<Vec<(DataClass, OpenedOutcome)>>,
    alarms: Mutex<usize>,
}

impl OpenAudit for Ear {
    fn opened(&self, opened: &Opened<'_>) {
        self.opened.lock().unwrap().push((opened.class, opened.outcome));
    }
    fn alarm(&self, _: &OrganisationId, _: Alarm) {
        *self.alarms.lock().unwrap() += 1;
    }
}

fn heard(scene: &Scene) -> (Vouchsafe, Arc<Ear>) {
    let ear = Arc::new(Ear::default());
    let mut ports = ports_in(scene.dir.path()).with_clock(scene.clock.clone());
    ports.audit = Arc::<Ear>::clone(&ear);
    (Vouchsafe::open_with(ports), ear)
}

/// Promise: FP-2b-template
#[test]
fn every_open_of_a_template_is_told_and_a_honey_template_rings() {
    if is_without_file() {
        return;
    }
    let scene = Scene::new();
    let (service, ear) = heard(&scene);
    let organisation = service.organisation("acme").unwrap();
    let person = consented(&organisation, "4711");
    enrol(&person, 1);
    let honey = organisation.plant_honey(&notice(&organisation), FACE, 3).unwrap();
    assert_eq!(organisation.key_status().unwrap().keys.honey, 3);
    assert!(verify(&person, 1).is_accepted());
    let templates = |ear: &Ear| {
        let opened = ear.opened.lock().unwrap();
        opened.iter().filter(|(class, _)| *class == DataClass::Biometric).count()
    };
    assert_eq!((templates(&ear), *ear.alarms.lock().unwrap()), (1, 0));
    organisation.rotate_data_key(|_| ()).unwrap();
    assert_eq!(*ear.alarms.lock().unwrap(), 0, "a rotation is no thief");

    // Somebody with the database puts a honey template in the place of a person's.
    let database = rusqlite::Connection::open(scene.dir.path().join("data/vouchsafe.sqlite")).unwrap();
    let pseudonym = person.pseudonym();
    let leaf = i64::try_from(honey[1].get()).unwrap();
    database.execute("PRAGMA foreign_keys = OFF", []).unwrap();
    database
        .execute("UPDATE holding SET state = 3 WHERE subject = ?1 AND class = 1", [pseudonym.as_bytes()])
        .unwrap();
    database
        .execute(
            "UPDATE holding SET subject = ?1 WHERE leaf = ?2",
            rusqlite::params![pseudonym.as_bytes(), leaf],
        )
        .unwrap();
    let permit = crate::scene::permit(&person);
    let opened = person.verify_embedding(&permit, crate::scene::face(&permit, 1));
    assert!(opened.is_err(), "there is nothing to compare with");
    assert_eq!(*ear.alarms.lock().unwrap(), 1);
    assert_eq!(kinds(&scene).iter().filter(|kind| **kind == EntryKind::HoneyTouched).count(), 1);
}

/// Promise: WB-3-30days
#[test]
fn a_destruction_waits_for_a_process_that_holds_the_former_state() {
    let scene = Scene::new();
    let organisation = scene.service.organisation("acme").unwrap();
    let person = consented(&organisation, "4711");
    enrol(&person, 1);
    let mut ports = ports_in(scene.dir.path()).with_clock(scene.clock.clone());
    // A process that hangs: it looks at nothing any more.
    ports.cache.recheck = std::time::Duration::from_secs(3600);
    let hung = Vouchsafe::open_with(ports);
    let _ = hung.organisation("acme").unwrap().subject("4711").unwrap();
    match person.withdraw(FACE).unwrap().destruction {
        Destruction::Pending(incomplete) => {
            assert_eq!(incomplete.remaining(), Some(1));
            assert!(incomplete.cause().is_retryable());
            assert!(matches!(incomplete.cause(), Error::Envelope(_)));
        }
        Destruction::Done(_) => panic!("done while a process holds the former state"),
    }
    assert!(person.permit(FACE).unwrap().done().is_none(), "refused all the same");
    drop(hung);
    match organisation.resume_destructions() {
        Destruction::Done(certificates) => assert_eq!(certificates.len(), 1),
        Destruction::Pending(incomplete) => panic!("{incomplete:?}"),
    }
}
