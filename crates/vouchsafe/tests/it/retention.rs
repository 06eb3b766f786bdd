//! Holds, events, facts, rights, disclosures, the end of an account and of an organisation.

use jiff::{SignedDuration, ToSpan};
use vouchsafe::ledger::{ActorRole, EntryKind as K};
use vouchsafe::retention::disclosure::{DisclosureRefusal, LegalBasis};
use vouchsafe::retention::rights::{IdentityProof, RequestKind, RequestStatus, RightsError};
use vouchsafe::retention::{Authority, RecipientId, RetentionError};
use vouchsafe::types::{DataClass, FactField, FreeText, Jurisdiction};
use vouchsafe::{
    Destruction, Error, HoldRequest, Organisation, Outcome, Scope, Subject, Vouchsafe, verify_offboarding,
};

use crate::scene::{
    FACE, HOST, Scene, approver, consented, enrol, give, notice, permit, policy, verify, with,
};

const DPO: ActorRole = ActorRole::Administrator;

const PERIODS: &str = "[[setting]]\nrule = \"fp-2c-billing\"\nperiod = \"1 year\"\n\
                       [[setting]]\nrule = \"wb-1.1-billing\"\nperiod = \"1 year\"\n\
                       [[setting]]\nrule = \"fp-2a-support\"\nperiod = \"1 year\"\n";

fn done(destruction: Destruction) -> usize {
    match destruction {
        Destruction::Done(certificates) => certificates.len(),
        Destruction::Pending(pending) => panic!("pending: {pending:?}"),
    }
}

fn hold(
    organisation: &Organisation<'_>,
    person: &Subject<'_>,
    authority: Authority,
) -> vouchsafe::types::RecordId {
    let request = HoldRequest {
        matter: "case-26-104",
        authority,
        subject: Some(person),
        class: None,
        expires: None,
        requested_by: "counsel",
        approved_by: "dpo",
    };
    organisation.place_hold(&request).unwrap()
}

/// Promise: FP-6-necessary, WB-5-revoke
#[test]
fn what_a_hold_keeps_is_used_for_nothing_and_goes_when_the_hold_does() {
    let scene = Scene::new();
    let organisation = scene.service.organisation("acme").unwrap();
    let person = consented(&organisation, "4711");
    person.lives_in(Jurisdiction::Eu, DPO).unwrap();
    enrol(&person, 1);
    let matter = hold(&organisation, &person, Authority::Warrant);
    assert_eq!(done(person.withdraw(FACE).unwrap().destruction), 0, "kept");
    give(&person, FACE, &notice(&organisation));
    assert!(!verify(&person, 1).is_accepted(), "consent came back, the template did not");
    let again = permit(&person);
    let refused = person.enrol_embedding(&again, crate::scene::face(&again, 1)).unwrap();
    assert!(matches!(refused, Outcome::Refused(_)), "there is no room for another while it is kept");
    assert_eq!(done(organisation.sweep().unwrap()), 0);
    organisation.release_hold(matter, DPO).unwrap();
    assert_eq!(done(organisation.sweep().unwrap()), 1);
    enrol(&person, 1);
    assert!(verify(&person, 1).is_accepted(), "a new life");
    let kinds = scene.kinds("acme");
    assert!(kinds.contains(&K::HoldPlaced) && kinds.contains(&K::HoldReleased));
}

/// Promise: FP-6-necessary
#[test]
fn a_hold_that_the_law_does_not_honour_stops_nothing() {
    let scene = Scene::new();
    let organisation = scene.service.organisation("acme").unwrap();
    let person = consented(&organisation, "4711");
    person.lives_in(Jurisdiction::UsIl, DPO).unwrap();
    enrol(&person, 1);
    hold(&organisation, &person, Authority::LitigationNotice);
    assert_eq!(done(person.withdraw(FACE).unwrap().destruction), 1);
    let twice = HoldRequest {
        matter: "case-1",
        authority: Authority::Warrant,
        subject: None,
        class: None,
        expires: None,
        requested_by: "dpo",
        approved_by: "dpo",
    };
    assert!(matches!(organisation.place_hold(&twice), Err(Error::Retention(RetentionError::Hold(_)))));
}

/// Promise: FP-6-necessary
#[test]
fn purpose_met_method_disabled_and_employment_ended_destroy_at_once() {
    let scene = Scene::new();
    let organisation = scene.service.organisation("acme").unwrap();
    let person = consented(&organisation, "4711");
    enrol(&person, 1);
    assert_eq!(done(person.employment_ended(DPO).unwrap()), 0, "an end user is no employee");
    assert_eq!(done(person.purpose_met(FACE, DPO).unwrap()), 1);
    assert!(!verify(&person, 1).is_accepted());
    enrol(&person, 1);
    assert_eq!(done(person.method_disabled(FACE, DPO).unwrap()), 1);
    let certificate = person.certificate(FACE).unwrap().unwrap();
    assert_eq!(certificate.cause(), "method_disabled");
}

fn text(value: &str) -> FreeText {
    FreeText::parse(value).unwrap()
}

/// Promise: FP-2c-billing, FP-2a-support
#[test]
fn what_no_period_is_stated_for_is_not_kept() {
    let scene = Scene::new();
    let organisation = scene.service.organisation("acme").unwrap();
    let person = organisation.subject("4711").unwrap();
    for field in [FactField::BillingName, FactField::SupportMessage, FactField::City] {
        let refused = person.record_fact(field, &text("x"), DPO);
        assert!(matches!(refused, Err(Error::Retention(RetentionError::Gap { .. }))), "{field:?}");
    }
    assert!(person.facts().unwrap().is_empty());
    let filled = with(&scene, PERIODS);
    let organisation = filled.organisation("acme").unwrap();
    assert!(
        matches!(organisation.sweep(), Err(Error::PolicyNotActivated)),
        "a new policy is put in force first"
    );
    organisation.activate_policy().unwrap();
    let person = organisation.subject("4711").unwrap();
    person.record_fact(FactField::BillingName, &text("A. Person"), DPO).unwrap();
    person.record_fact(FactField::SupportMessage, &text("where is my token?"), DPO).unwrap();
    person.record_fact(FactField::SupportMessage, &text("found it"), DPO).unwrap();
    assert_eq!(person.facts().unwrap().len(), 3);
}

/// Promise: FP-9-correct
#[test]
fn a_fact_is_corrected_in_place_and_the_log_says_so() {
    let scene = Scene::new();
    let organisation = scene.service.organisation("acme").unwrap();
    let person = organisation.subject("4711").unwrap();
    let id = person.record_fact(FactField::Name, &text("A. Persn"), DPO).unwrap();
    person.correct_fact(id, &text("A. Person"), ActorRole::Person).unwrap();
    let facts = person.facts().unwrap();
    assert_eq!((facts.len(), facts[0].value.expose_text()), (1, "A. Person"));
    assert_eq!(person.record_fact(FactField::Name, &text("B. Person"), DPO).unwrap(), id, "one name");
    let kinds = scene.kinds("acme");
    assert_eq!(kinds.iter().filter(|kind| **kind == K::FactCorrected).count(), 2);
    let other = organisation.subject("4712").unwrap();
    assert!(matches!(other.correct_fact(id, &text("C"), DPO), Err(Error::UnknownRecord)));
    organisation.rotate_data_key(|_| ()).unwrap();
    assert_eq!(person.facts().unwrap()[0].value.expose_text(), "B. Person", "also under a new key");
}

/// Promise: WB-4-account, WB-5-delete, WB-3-30days
#[test]
fn deleting_an_account_cascades_by_policy_and_orders_the_recipients() {
    let scene = Scene::new();
    let service = with(&scene, HOST);
    let organisation = service.organisation("acme").unwrap();
    let person = consented(&organisation, "4711");
    enrol(&person, 1);
    person.record_fact(FactField::Name, &text("A. Person"), DPO).unwrap();
    let Destruction::Done(certificates) = person.erase().unwrap() else { panic!("pending") };
    let classes: Vec<_> = certificates.iter().map(|certificate| certificate.class()).collect();
    assert_eq!(classes, [DataClass::Biometric, DataClass::Account]);
    assert!(person.facts().unwrap().is_empty());
    let account = &certificates[1];
    assert!(account.not_reached().contains(&"recipients 1".to_owned()), "{:?}", account.not_reached());
    let orders = person.deletion_orders().unwrap();
    assert_eq!(orders.len(), 1);
    scene.clock.advance(31.days()).unwrap();
    assert_eq!(organisation.overdue_orders(10).unwrap().len(), 1);
    let host = RecipientId::parse("host").unwrap();
    let other = RecipientId::parse("other").unwrap();
    assert!(matches!(organisation.recipient_acknowledged(orders[0].0, &other), Err(Error::Foreign)));
    organisation.recipient_acknowledged(orders[0].0, &host).unwrap();
    assert!(organisation.overdue_orders(10).unwrap().is_empty());
    assert!(organisation.jobs().unwrap().iter().all(|job| job.finished_at.is_some()));
    assert_eq!(done(person.erase().unwrap()), 0, "nothing twice");
    assert_eq!(
        person.deletion_orders().unwrap().len(),
        2,
        "what the recipient got since is ordered to be deleted too"
    );
}

/// Promise: WB-5-delete
#[test]
fn a_deletion_request_is_answered_once_the_recipient_acknowledged() {
    let scene = Scene::new();
    let service = with(&scene, HOST);
    let organisation = service.organisation("acme").unwrap();
    let person = consented(&organisation, "4711");
    let id = person.request(RequestKind::Delete).unwrap();
    let _ =
        person.advance_request(id, DPO, |request, now| request.verify(IdentityProof::SignedIn, now)).unwrap();
    let _ = person.start_request(id, DPO).unwrap();
    let host = RecipientId::parse("host").unwrap();
    for orders in [1, 1] {
        let _ = person.carry_out_request(id, DPO).unwrap();
        assert!(matches!(person.answer_request(id, DPO), Err(Error::Rights(RightsError::Incomplete(_)))));
        assert_eq!(person.deletion_orders().unwrap().len(), orders);
    }
    organisation.recipient_acknowledged(person.deletion_orders().unwrap()[0].0, &host).unwrap();
    let _ = person.carry_out_request(id, DPO).unwrap();
    assert_eq!(person.answer_request(id, DPO).unwrap().status(), RequestStatus::Answered);
    assert_eq!(person.deletion_orders().unwrap().len(), 1, "ordered once under one request");
}

#[test]
fn a_policy_is_compared_class_by_class_and_nothing_is_changed() {
    let scene = Scene::new();
    let service = with(&scene, PERIODS);
    let organisation = service.organisation("acme").unwrap();
    let person = consented(&organisation, "4711");
    person.record_fact(FactField::SupportMessage, &text("where is my token?"), DPO).unwrap();
    let same = organisation.compare_policy(&policy(PERIODS)).unwrap();
    assert!(
        same.values().all(|shift| shift.earlier + shift.later + shift.newly_due + shift.gaps == 0),
        "{same:?}"
    );
    let status = organisation.retention_status(SignedDuration::from_hours(1)).unwrap();
    let without = organisation.compare_policy(&policy("")).unwrap();
    let support = without[&DataClass::Support];
    assert_eq!((support.considered, support.later, support.gaps), (1, 1, 1), "{without:?}");
    assert_eq!(organisation.retention_status(SignedDuration::from_hours(1)).unwrap(), status);
    let other = scene.service.organisation("acme").unwrap();
    assert!(matches!(other.activate_policy(), Err(Error::Retention(RetentionError::Gap { .. }))));
    assert_eq!(
        organisation.retention_status(SignedDuration::from_hours(1)).unwrap(),
        status,
        "not activated"
    );
    assert!(matches!(other.compare_policy(&policy("")), Err(Error::PolicyNotActivated)));
}

/// Promise: WB-5-know, WB-5-delete, WB-11-ccpa
#[test]
fn a_deletion_request_is_verified_carried_out_and_answered_for_every_class() {
    let scene = Scene::new();
    let organisation = scene.service.organisation("acme").unwrap();
    let person = consented(&organisation, "4711");
    enrol(&person, 1);
    let id = person.request(RequestKind::Delete).unwrap();
    let unverified = person.start_request(id, DPO);
    assert!(matches!(unverified, Err(Error::Rights(RightsError::NotVerified))));
    let _ =
        person.advance_request(id, DPO, |request, now| request.verify(IdentityProof::SignedIn, now)).unwrap();
    let _ = person.start_request(id, DPO).unwrap();
    assert!(matches!(person.answer_request(id, DPO), Err(Error::Rights(RightsError::Incomplete(_)))));
    let _ = person.carry_out_request(id, DPO).unwrap();
    let answered = person.answer_request(id, DPO).unwrap();
    assert_eq!(answered.status(), RequestStatus::Answered);
    assert!(matches!(person.permit(FACE).unwrap(), Outcome::Refused(_)));
    assert!(matches!(organisation.subject("4712").unwrap().rights_request(id), Err(Error::UnknownRecord)));
    let kinds = scene.kinds("acme");
    assert!(kinds.contains(&K::RightsRequested) && kinds.contains(&K::RightsAnswered));
}

/// Promise: FP-9-restrict
#[test]
fn a_request_to_restrict_closes_the_gate() {
    let scene = Scene::new();
    let organisation = scene.service.organisation("acme").unwrap();
    let person = consented(&organisation, "4711");
    enrol(&person, 1);
    let id = person.request(RequestKind::Restrict).unwrap();
    let _ =
        person.advance_request(id, DPO, |request, now| request.verify(IdentityProof::Session, now)).unwrap();
    let _ = person.start_request(id, DPO).unwrap();
    let _ = person.carry_out_request(id, DPO).unwrap();
    assert!(matches!(person.permit(FACE).unwrap(), Outcome::Refused(_)));
    assert_eq!(person.answer_request(id, DPO).unwrap().status(), RequestStatus::Answered);
    person.lift_restriction(DPO).unwrap();
    assert!(verify(&person, 1).is_accepted(), "reversible");
}

/// Promise: WB-3-no-sharing
#[test]
fn a_disclosure_is_allowed_and_written_down_or_refused_and_written_down() {
    let scene = Scene::new();
    let service = with(&scene, HOST);
    let organisation = service.organisation("acme").unwrap();
    let person = consented(&organisation, "4711");
    let host = RecipientId::parse("host").unwrap();
    let account = [DataClass::Account];
    assert!(person.disclose(&host, LegalBasis::Processor, &account).unwrap().is_ok());
    let face = person.disclose(&host, LegalBasis::Processor, &[DataClass::Biometric]).unwrap();
    assert_eq!(face, Err(DisclosureRefusal::Biometric));
    let consent = |sequence| LegalBasis::ExplicitConsent { scope: Scope::FACE_VERIFICATION, sequence };
    assert!(person.disclose(&host, consent(1), &account).unwrap().is_ok());
    assert_eq!(person.disclose(&host, consent(2), &account).unwrap(), Err(DisclosureRefusal::NoConsent));
    assert_eq!(person.disclosures().unwrap().len(), 2);
    let kinds = scene.kinds("acme");
    assert_eq!(kinds.iter().filter(|kind| **kind == K::DisclosureRefused).count(), 2);
}

/// Promise: WB-3-30days
#[test]
fn lateness_is_seen_measured_and_logged() {
    let scene = Scene::new();
    let organisation = scene.service.organisation("acme").unwrap();
    let person = consented(&organisation, "4711");
    enrol(&person, 1);
    let day = SignedDuration::from_hours(24);
    assert_eq!(organisation.watch_retention(day).unwrap().late, 0);
    scene.clock.advance(91.days()).unwrap();
    let _ = verify(&person, 1);
    scene.clock.advance(2.years()).unwrap();
    let status = organisation.watch_retention(day).unwrap();
    assert!(status.late >= 2 && status.lateness > day, "{status:?}");
    assert!(
        status.to_metrics(organisation.id()).contains("vouchsafe_retention_late{organisation=\"acme\"} ")
    );
    assert!(scene.kinds("acme").contains(&K::RetentionLate));
}

/// Promise: WB-3-30days
#[test]
fn an_organisation_leaves_by_one_approved_plan_with_one_certificate() {
    let scene = Scene::new();
    let organisation = scene.service.organisation("acme").unwrap();
    for (id, seed) in [("1", 1), ("2", 2), ("3", 3)] {
        enrol(&consented(&organisation, id), seed);
    }
    let plan = organisation.plan_offboarding().unwrap();
    assert!(plan.text().contains("\nbiometric destroy 3 keep 0\n"), "{}", plan.text());
    let one = approver().approve_offboarding(&plan).unwrap();
    assert!(matches!(organisation.offboard(&plan, &[&one]), Err(Error::NotApproved)), "it takes two");
    assert!(matches!(organisation.offboard(&plan, &[&one, &one]), Err(Error::NotApproved)), "different ones");
    let mut ports = scene.ports();
    let seed = vouchsafe::types::Secret::init_with(|seed| seed.fill(9));
    let second = vouchsafe::Approver::from_seed("ciso.example", &seed).unwrap();
    ports.approvers.push(second.key().clone());
    let service = Vouchsafe::open_with(ports);
    let organisation = service.organisation("acme").unwrap();
    let two = second.approve_offboarding(&plan).unwrap();
    let other = service.organisation("other").unwrap();
    assert!(matches!(other.offboard(&plan, &[&one, &two]), Err(Error::Foreign)), "approved for acme only");
    let note = organisation.offboard(&plan, &[&one, &two]).unwrap();
    let text = verify_offboarding(&note, &organisation.verifier_key().unwrap()).unwrap();
    assert!(text.contains("\nbiometric destroyed 3 kept 0\n"), "{text}");
    assert!(
        text.lines()
            .any(|line| line.starts_with("consent_evidence destroyed 0 kept ") && line.contains(" until 20"))
    );
    assert!(matches!(organisation.subject("1").unwrap().permit(FACE).unwrap(), Outcome::Refused(_)));
}

/// Promise: FP-6-aggregate
#[test]
fn statistics_outlive_the_people_and_tell_of_no_small_group() {
    let scene = Scene::new();
    let service = with(&scene, "[aggregate]\nminimum = \"3\"\n");
    let organisation = service.organisation("acme").unwrap();
    let people = ["1", "2", "3", "4"].map(|id| consented(&organisation, id));
    let given = organisation.statistics().unwrap();
    assert_eq!(given.to_text(), "face\tend_user\tverification\tgiven\t3\n", "four people are at least three");
    for person in &people[..2] {
        done(person.withdraw(FACE).unwrap().destruction);
    }
    let halved = organisation.statistics().unwrap();
    assert_eq!(halved.to_text(), "", "two and two are few");
    assert_eq!(halved.groups.len(), given.groups.len(), "an empty group is listed as a small one is");
    for person in people {
        done(person.erase_by(DPO).unwrap());
    }
    assert_eq!(given.minimum, 3, "what was counted before names nobody");
}

/// Promise: WB-5-delete, WB-4-account
#[test]
fn what_arrives_after_a_deletion_goes_with_the_next_one() {
    let scene = Scene::new();
    let organisation = scene.service.organisation("acme").unwrap();
    let name = || FreeText::parse("A. Person").unwrap();
    let person = consented(&organisation, "4711");
    enrol(&person, 1);
    person.record_fact(FactField::Name, &name(), DPO).unwrap();
    let _ = person.erase().unwrap();
    // An administrator writes something down, though there is no account.
    scene.clock.advance(2.days()).unwrap();
    person.record_fact(FactField::Name, &name(), DPO).unwrap();
    scene.clock.advance(2.days()).unwrap();
    assert_eq!(done(person.erase().unwrap()), 1);
    assert_eq!(person.facts().unwrap().len(), 0);
    // The person comes back with a consent and does not enrol.
    scene.clock.advance(2.days()).unwrap();
    give(&person, FACE, &notice(&organisation));
    person.record_fact(FactField::Name, &name(), DPO).unwrap();
    scene.clock.advance(2.days()).unwrap();
    assert_eq!(done(person.erase_by(DPO).unwrap()), 1);
    assert_eq!(person.facts().unwrap().len(), 0);
    let events = || scene.kinds("acme").iter().filter(|kind| **kind == K::SubjectEvent).count();
    assert_eq!((done(person.erase().unwrap()), events()), (0, 3), "nothing is deleted twice");
}

/// Promise: WB-7-children
#[test]
fn what_arrives_after_a_minor_was_learned_of_goes_when_it_is_said_again() {
    let scene = Scene::new();
    let organisation = scene.service.organisation("acme").unwrap();
    let person = consented(&organisation, "4711");
    let _ = person.learned_minor(DPO).unwrap();
    scene.clock.advance(2.days()).unwrap();
    let name = FreeText::parse("A. Person").unwrap();
    person.record_fact(FactField::Name, &name, DPO).unwrap();
    scene.clock.advance(2.days()).unwrap();
    assert_eq!(done(person.learned_minor(DPO).unwrap()), 1);
    assert_eq!(person.facts().unwrap().len(), 0);
}

/// Promise: WB-3-30days
#[test]
fn a_clock_that_was_set_back_is_refused_by_whoever_asks_what_is_due() {
    let scene = Scene::new();
    let organisation = scene.service.organisation("acme").unwrap();
    let _ = organisation.sweep().unwrap();
    scene.clock.set("2025-04-01T12:00:00Z".parse().unwrap());
    let set_back = |result: Result<(), Error>| {
        matches!(result, Err(Error::Retention(RetentionError::ClockSetBack { .. })))
    };
    assert!(set_back(organisation.plan_retention().map(drop)));
    assert!(set_back(organisation.sweep().map(drop)));
    assert!(set_back(organisation.retention_status(SignedDuration::ZERO).map(drop)));
}
