//! Corrections, the register of requests, reminders of recipients, and what is purged in the end.

use jiff::ToSpan;
use vouchsafe::ledger::{ActorRole, EntryKind as K};
use vouchsafe::retention::rights::{IdentityProof, Place, RequestId, RequestKind, RightsError, TaskStatus};
use vouchsafe::retention::{Authority, Policy, RecipientId, RetentionError};
use vouchsafe::types::{DataClass, FactField, FreeText, Jurisdiction};
use vouchsafe::{
    DataInventory, Destruction, Error, HOLDS_KEPT_YEARS, HoldRequest, JOBS_KEPT_DAYS, Outcome, Refusal,
    SPENT_EVIDENCE_KEPT_DAYS, Subject,
};

use crate::scene::{
    FACE, HOST, Scene, approved_sweep, consented, enrol, face, give, notice, permit, refusal, verify, with,
};

const DPO: ActorRole = ActorRole::Administrator;

fn asked(person: &Subject<'_>, kind: RequestKind) -> RequestId {
    let id = person.request(kind).unwrap();
    let _ =
        person.advance_request(id, DPO, |request, now| request.verify(IdentityProof::SignedIn, now)).unwrap();
    let _ = person.start_request(id, DPO).unwrap();
    id
}

fn status(person: &Subject<'_>, id: RequestId, class: DataClass, place: &Place) -> TaskStatus {
    let request = person.rights_request(id).unwrap();
    request.tasks().find(|(of, at, _)| (*of, *at) == (class, place)).unwrap().2.status().clone()
}

/// Promise: FP-9-correct
#[test]
fn a_template_is_corrected_by_a_new_enrolment_that_destroys_the_old_one() {
    let scene = Scene::new();
    let organisation = scene.service.organisation("acme").unwrap();
    let person = consented(&organisation, "4711");
    enrol(&person, 1);
    let correct = |id, seed| {
        let permit = permit(&person);
        person.correct_embedding(id, &permit, face(&permit, seed), DPO)
    };
    let id = person.request(RequestKind::Correct).unwrap();
    assert!(matches!(correct(id, 2), Err(Error::Rights(RightsError::NotVerified))));
    assert!(verify(&person, 1).is_accepted(), "nothing was touched");
    let know = asked(&person, RequestKind::Know);
    assert!(matches!(correct(know, 2), Err(Error::Rights(RightsError::NoCorrection(_)))));
    let _ =
        person.advance_request(id, DPO, |request, now| request.verify(IdentityProof::SignedIn, now)).unwrap();
    let _ = person.start_request(id, DPO).unwrap();
    let _ = person.carry_out_request(id, DPO).unwrap();
    assert_eq!(status(&person, id, DataClass::Biometric, &Place::Store), TaskStatus::Pending);
    let receipt = correct(id, 2).unwrap().or_refuse().unwrap();
    assert!(!verify(&person, 1).is_accepted());
    assert!(verify(&person, 2).is_accepted());
    let enrolled = TaskStatus::Done { entry: receipt.receipt().entry() };
    assert_eq!(status(&person, id, DataClass::Biometric, &Place::Store), enrolled);
    assert_eq!(status(&person, id, DataClass::Biometric, &Place::Keys), enrolled);
    let kinds = scene.kinds("acme");
    assert_eq!(kinds.iter().filter(|kind| **kind == K::TemplateDestroyed).count(), 1);
    let _ = person.answer_request(id, DPO).unwrap();
}

/// Promise: FP-9-correct
#[test]
fn a_template_that_a_hold_keeps_is_not_replaced_and_a_refused_face_destroys_nothing() {
    let scene = Scene::new();
    let organisation = scene.service.organisation("acme").unwrap();
    let person = consented(&organisation, "4711");
    person.lives_in(Jurisdiction::Eu, DPO).unwrap();
    enrol(&person, 1);
    let id = asked(&person, RequestKind::Correct);
    let stale = permit(&person);
    let _ = person.restrict(DPO);
    let refused = person.correct_embedding(id, &stale, face(&stale, 2), DPO).unwrap();
    assert!(matches!(refused, Outcome::Refused(_)));
    person.lift_restriction(DPO).unwrap();
    assert!(verify(&person, 1).is_accepted(), "nothing was destroyed");
    let hold = HoldRequest {
        matter: "case-26-104",
        authority: Authority::Warrant,
        subject: Some(&person),
        class: None,
        expires: None,
        requested_by: "counsel",
        approved_by: "dpo",
    };
    organisation.place_hold(&hold).unwrap();
    let permit = permit(&person);
    let refused = person.correct_embedding(id, &permit, face(&permit, 2), DPO).unwrap();
    assert_eq!(refusal(refused), Refusal::AlreadyEnrolled);
    assert!(verify(&person, 1).is_accepted());
}

/// Promise: FP-9-correct
#[test]
fn a_corrected_fact_answers_the_request_to_correct() {
    let scene = Scene::new();
    let service = with(&scene, HOST);
    let organisation = service.organisation("acme").unwrap();
    let person = organisation.subject("4711").unwrap();
    let text = |value: &str| FreeText::parse(value).unwrap();
    let fact = person.record_fact(FactField::Name, &text("A. Persn"), DPO).unwrap();
    scene.pass(60);
    let id = asked(&person, RequestKind::Correct);
    let _ = person.carry_out_request(id, DPO).unwrap();
    assert_eq!(status(&person, id, DataClass::Account, &Place::Store), TaskStatus::Pending);
    person.correct_fact(fact, &text("A. Person"), DPO).unwrap();
    let corrected = scene.kinds("acme").iter().rposition(|kind| *kind == K::FactCorrected).unwrap() as u64;
    let _ = person.carry_out_request(id, DPO).unwrap();
    assert_eq!(status(&person, id, DataClass::Account, &Place::Store), TaskStatus::Done { entry: corrected });
    let host = Place::Recipient(RecipientId::parse("host").unwrap());
    assert_eq!(status(&person, id, DataClass::Account, &host), TaskStatus::Pending, "they have to be told");
    let told = TaskStatus::Done { entry: corrected };
    let tell = |request: &mut vouchsafe::retention::rights::RightsRequest, now| {
        request.answer_task(DataClass::Account, &host, told, now)
    };
    let _ = person.advance_request(id, DPO, tell).unwrap();
    let _ = person.answer_request(id, DPO).unwrap();
}

/// Promise: WB-11-ccpa
#[test]
fn the_register_keeps_a_request_for_24_months_from_its_answer_and_an_open_one_until_then() {
    let scene = Scene::new();
    let organisation = scene.service.organisation("acme").unwrap();
    let person = consented(&organisation, "4711");
    let known = || person.rights_requests().unwrap().len();
    let id = asked(&person, RequestKind::Know);
    scene.clock.advance(25.months()).unwrap();
    let _ = approved_sweep(&organisation);
    assert_eq!(known(), 1, "it is open");
    let _ = person.export(id, DPO).unwrap();
    let _ = person.answer_request(id, DPO).unwrap();
    scene.clock.advance(23.months()).unwrap();
    let _ = approved_sweep(&organisation);
    assert_eq!(known(), 1, "23 months from the answer, 48 from the receipt");
    scene.clock.advance(1.month()).unwrap();
    let _ = approved_sweep(&organisation);
    assert_eq!(known(), 0);
    scene.clock.advance(1.day()).unwrap();
    let _ = approved_sweep(&organisation);
    let id = vouchsafe::OrganisationId::parse("acme").unwrap();
    let held = scene.rows(&id, |rows| rows.holdings_of(&id, person.pseudonym()));
    let live = held.iter().filter(|holding| holding.state == vouchsafe::store::HoldingState::Live);
    assert_eq!(
        live.filter(|holding| holding.class == DataClass::RightsRequest).count(),
        0,
        "no step is left"
    );
}

/// Promise: WB-3-30days
#[test]
fn a_late_recipient_is_reminded_once_a_week_until_it_acknowledges() {
    let scene = Scene::new();
    let service = with(&scene, HOST);
    let organisation = service.organisation("acme").unwrap();
    let person = consented(&organisation, "4711");
    let _ = person.erase().unwrap();
    let order = person.deletion_orders().unwrap()[0].0;
    let told = || scene.kinds("acme").iter().filter(|kind| **kind == K::DeletionOrdered).count();
    let remind = || organisation.remind_recipients().unwrap().len();
    scene.clock.advance(29.days()).unwrap();
    assert_eq!((remind(), organisation.overdue_orders(9).unwrap().len(), told()), (0, 0, 1), "in time");
    let _ = organisation.sweep().unwrap();
    scene.clock.advance(2.days()).unwrap();
    assert_eq!((remind(), remind(), told()), (1, 0, 2), "once");
    assert_eq!(organisation.overdue_orders(9).unwrap().len(), 1, "reminded is not acknowledged");
    assert_eq!(organisation.overdue_orders(0).unwrap().len(), 0);
    for week in 1..=10 {
        for _ in 0..7 {
            scene.clock.advance(1.day()).unwrap();
            let _ = organisation.sweep().unwrap();
        }
        assert_eq!(told(), 2 + week, "a sweep reminds, and no more than once a week");
    }
    organisation.recipient_acknowledged(order, &RecipientId::parse("host").unwrap()).unwrap();
    scene.clock.advance(30.days()).unwrap();
    assert_eq!((remind(), organisation.overdue_orders(9).unwrap().len(), told()), (0, 0, 12));
}

/// Promise: WB-3-30days
#[test]
fn a_sweep_that_waits_for_an_approval_reminds_all_the_same() {
    let scene = Scene::new();
    let service = with(&scene, HOST);
    let organisation = service.organisation("acme").unwrap();
    let _ = consented(&organisation, "4711").erase().unwrap();
    for id in 0..12 {
        enrol(&consented(&organisation, &id.to_string()), id);
    }
    let told = || scene.kinds("acme").iter().filter(|kind| **kind == K::DeletionOrdered).count();
    for weeks in 1..200 {
        scene.clock.advance(7.days()).unwrap();
        let before = told();
        match organisation.sweep() {
            Ok(_) => assert!(weeks < 190, "nothing was due"),
            Err(Error::Retention(RetentionError::Breaker { .. })) => {
                assert_eq!(told(), before + 1);
                return;
            }
            Err(other) => panic!("{other}"),
        }
    }
}

/// Promise: WB-4-account
#[test]
fn in_the_end_no_row_of_a_person_is_left() {
    let scene = Scene::new();
    let organisation = scene.service.organisation("acme").unwrap();
    let id = vouchsafe::OrganisationId::parse("acme").unwrap();
    let person = consented(&organisation, "4711");
    enrol(&person, 1);
    let hold = HoldRequest {
        matter: "case-26-104",
        authority: Authority::Warrant,
        subject: Some(&person),
        class: None,
        expires: None,
        requested_by: "counsel",
        approved_by: "dpo",
    };
    let matter = organisation.place_hold(&hold).unwrap();
    let request = asked(&person, RequestKind::Delete);
    organisation.release_hold(matter, DPO).unwrap();
    let _ = person.carry_out_request(request, DPO).unwrap();
    let _ = person.answer_request(request, DPO).unwrap();
    assert_eq!(organisation.jobs().unwrap().len(), 1);
    scene.clock.advance((JOBS_KEPT_DAYS - 1).days()).unwrap();
    let _ = approved_sweep(&organisation);
    assert_eq!(organisation.purge().unwrap().jobs, 0);
    scene.clock.advance(2.days()).unwrap();
    assert_eq!((organisation.purge().unwrap().jobs, organisation.jobs().unwrap().len()), (1, 0));
    for _ in 0..16 {
        scene.clock.advance(1.year()).unwrap();
        let _ = approved_sweep(&organisation);
        let orphans = scene.rows(&id, |rows| rows.orphans(&id));
        assert_eq!(orphans, []);
    }
    scene.clock.advance((SPENT_EVIDENCE_KEPT_DAYS + 1).days()).unwrap();
    let _ = approved_sweep(&organisation);
    let _ = organisation.sweep().unwrap();
    const { assert!(HOLDS_KEPT_YEARS < 16) };
    let left = scene.rows(&id, |rows| {
        let holds = rows.holds(&id)?.len();
        Ok((rows.subject(&id, person.pseudonym())?, rows.holdings_of(&id, person.pseudonym())?.len(), holds))
    });
    assert_eq!(left, (None, 0, 0));
    assert!(matches!(person.erase().unwrap(), Destruction::Done(none) if none.is_empty()));
    give(&person, FACE, &notice(&organisation));
    enrol(&person, 1);
    assert!(verify(&person, 1).is_accepted(), "they may come back");
}

/// The inventory in the docs is the one of the shipped packs. `UPDATE_DOCS=1` rewrites it.
///
/// Promise: FP-2a-minimal, FP-2c-no-cards
#[test]
fn the_data_inventory_is_documented_with_rule_and_region() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/data-inventory.md");
    let inventory = DataInventory::of(&Policy::shipped().unwrap());
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(path, inventory.to_markdown()).unwrap();
    }
    assert_eq!(std::fs::read_to_string(path).unwrap(), inventory.to_markdown(), "run with UPDATE_DOCS=1");
    let columns = vouchsafe::store::INVENTORY;
    for column in columns {
        let line = format!("| {} | {} | ", column.table, column.name);
        assert!(inventory.to_markdown().contains(&line), "{line}");
        assert!(!column.purpose.is_empty());
    }
    let cards = |text: &str| ["card", "cvv", "iban", " pan "].iter().any(|word| text.contains(word));
    assert!(!columns.iter().any(|column| cards(column.name) || cards(column.purpose)));
    let scene = Scene::new();
    let regional = DataInventory::of(with(&scene, HOST).organisation("acme").unwrap().retention_policy());
    assert!(regional.to_markdown().contains("Region of the store: eu."));
}

/// What is stored has a rule: of the shipped packs the organisation has to state the periods that the notices leave
/// open, and once it did nothing is left; a policy that knows nothing of a class is told so.
///
/// Promise: FP-2a-minimal
#[test]
fn a_stored_class_without_a_rule_is_named() {
    let shipped = DataInventory::of(&Policy::shipped().unwrap());
    assert_eq!(shipped.ungoverned(), [DataClass::Billing, DataClass::Support, DataClass::Usage]);
    let mut own =
        String::from("format = 1\nid = \"acme\"\nversion = \"1\"\ntitle = \"A\"\nkind = \"organisation\"\n");
    for rule in ["fp-2c-billing", "wb-1.1-billing", "fp-2a-support", "fp-2d-usage", "wb-1.3-usage"] {
        own.push_str(&format!("[[setting]]\nrule = \"{rule}\"\nperiod = \"1 year\"\n"));
    }
    let mut packs = Policy::shipped_packs();
    packs.push(&own);
    assert_eq!(DataInventory::of(&Policy::from_packs(&packs).unwrap()).ungoverned(), []);
    let library = packs.iter().position(|pack| pack.contains("vs-4-register")).unwrap();
    packs.remove(library);
    let without = Policy::from_packs(&packs).map(|policy| DataInventory::of(&policy).ungoverned().to_vec());
    assert!(without.unwrap().contains(&DataClass::RightsRequest));
}
