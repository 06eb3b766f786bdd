//! Consent, enrolment, verification, withdrawal, destruction, retention.

use jiff::ToSpan;
use vouchsafe::ledger::ActorRole;
use vouchsafe::types::{Jurisdiction, Secret};
use vouchsafe::{Act, Approver, Decision, Destruction, Error, Pace, Plan, Reasons, Refusal, Role, Scope};

use crate::scene::{
    FACE, Scene, approved_sweep, approver, consented, draft, enrol, face, give, is_without_file, notice,
    permit, refusal, try_give, verify,
};

fn rejected_with(decision: Decision) -> Reasons {
    match decision {
        Decision::Rejected(reasons) => reasons,
        other => panic!("not rejected: {other:?}"),
    }
}

/// Promise: WB-11-consent-first
#[test]
fn no_permit_before_consent_nor_for_another_scope() {
    let scene = Scene::new();
    let organisation = scene.service.organisation("acme").unwrap();
    let person = organisation.subject("4711").unwrap();
    assert_eq!(refusal(person.permit(FACE).unwrap()), Refusal::ConsentMissing);
    give(&person, FACE, &notice(&organisation));
    assert!(person.permit(FACE).unwrap().done().is_some());
    for scope in Scope::all_biometric().filter(|scope| *scope != FACE) {
        assert_eq!(refusal(person.permit(scope).unwrap()), Refusal::ConsentMissing, "{scope:?}");
    }
    let stranger = organisation.subject("4712").unwrap();
    assert_eq!(refusal(stranger.permit(FACE).unwrap()), Refusal::ConsentMissing);
    assert_eq!(FACE.role(), Role::EndUser);
}

/// Promise: WB-11-consent-first
#[test]
fn a_changed_notice_closes_the_gate_until_consent_is_renewed() {
    let scene = Scene::new();
    let organisation = scene.service.organisation("acme").unwrap();
    let person = consented(&organisation, "4711");
    let newer = organisation.publish_notice(draft("2", "we measure more")).unwrap();
    assert_eq!(refusal(person.permit(FACE).unwrap()), Refusal::ConsentOutdated);
    try_give(&person, FACE, &newer, Act::typed_signature()).unwrap();
    assert!(person.permit(FACE).unwrap().done().is_some());
    let old = draft("1", "we measure your face").finish().unwrap();
    let outdated = try_give(&person, FACE, &old, Act::checkbox());
    assert!(matches!(outdated, Err(Error::UnknownNotice)));
}

/// Promise: WB-1.2-512d
#[test]
fn the_same_person_is_accepted_and_another_is_not() {
    let scene = Scene::new();
    let organisation = scene.service.organisation("acme").unwrap();
    let person = consented(&organisation, "4711");
    assert!(rejected_with(verify(&person, 1)).contains(Refusal::NotEnrolled));
    let receipt = enrol(&person, 1);
    assert!(receipt.receipt().is_consistent());
    assert!(verify(&person, 1).is_accepted());
    assert!(rejected_with(verify(&person, 2)).contains(Refusal::NoMatch));
    let again = permit(&person);
    assert_eq!(refusal(person.enrol_embedding(&again, face(&again, 1)).unwrap()), Refusal::AlreadyEnrolled);
}

#[test]
fn a_permit_of_somebody_else_or_of_ten_minutes_ago_is_refused() {
    let scene = Scene::new();
    let organisation = scene.service.organisation("acme").unwrap();
    let (one, two) = (consented(&organisation, "1"), consented(&organisation, "2"));
    let of_one = permit(&one);
    let foreign = two.enrol_embedding(&of_one, face(&of_one, 1));
    assert!(matches!(foreign, Err(Error::Foreign)));
    let elsewhere = scene.service.organisation("other").unwrap();
    let namesake = consented(&elsewhere, "1");
    assert!(matches!(namesake.verify_embedding(&of_one, face(&of_one, 1)), Err(Error::Foreign)));
    scene.pass(600);
    assert_eq!(refusal(one.enrol_embedding(&of_one, face(&of_one, 1)).unwrap()), Refusal::PermitStale);
    assert!(
        rejected_with(one.verify_embedding(&of_one, face(&of_one, 1)).unwrap())
            .contains(Refusal::PermitStale)
    );
}

/// Promise: WB-5-revoke
#[test]
fn a_withdrawal_wins_over_permits_that_were_made_before_it() {
    let scene = Scene::new();
    let organisation = scene.service.organisation("acme").unwrap();
    let person = consented(&organisation, "4711");
    let enrolment = enrol(&person, 1);
    let in_flight = permit(&person);
    let probe = face(&in_flight, 1);

    let withdrawal = person.withdraw(FACE).unwrap();
    let Destruction::Done(certificates) = withdrawal.destruction else { panic!("pending") };
    assert_eq!(certificates.len(), 1);
    assert!(certificates[0].is_about(&enrolment));
    assert_eq!(certificates[0].strength(), "host_only");

    let reasons = rejected_with(person.verify_embedding(&in_flight, probe).unwrap());
    assert!(reasons.contains(Refusal::ConsentWithdrawn));
    assert_eq!(refusal(person.permit(FACE).unwrap()), Refusal::ConsentWithdrawn);
    assert!(matches!(person.withdraw(FACE), Err(Error::Consent(_))), "nothing is left to withdraw");
}

/// Promise: WB-5-revoke
#[test]
fn enrolling_again_after_a_withdrawal_is_a_new_act_with_a_new_key() {
    let scene = Scene::new();
    let organisation = scene.service.organisation("acme").unwrap();
    let person = consented(&organisation, "4711");
    let first = enrol(&person, 1);
    let old_permit = permit(&person);
    let _ = person.withdraw(FACE).unwrap();
    give(&person, FACE, &notice(&organisation));
    let stale = person.verify_embedding(&old_permit, face(&old_permit, 1)).unwrap();
    assert!(rejected_with(stale).contains(Refusal::PermitStale), "a permit of before the withdrawal");
    assert!(rejected_with(verify(&person, 1)).contains(Refusal::TemplateDestroyed));
    let second = enrol(&person, 1);
    assert_ne!(first.receipt().entry(), second.receipt().entry());
    assert!(verify(&person, 1).is_accepted());
}

/// Promise: WB-5-revoke, WB-3-30days
#[test]
fn erasing_a_person_destroys_every_template_at_once() {
    let scene = Scene::new();
    let organisation = scene.service.organisation("acme").unwrap();
    let person = consented(&organisation, "4711");
    enrol(&person, 1);
    let Destruction::Done(certificates) = person.erase().unwrap() else { panic!("pending") };
    assert_eq!(certificates.len(), 1);
    assert_eq!(certificates[0].cause(), "account_deletion");
    assert_eq!(refusal(person.permit(FACE).unwrap()), Refusal::ConsentWithdrawn);
    let Destruction::Done(again) = person.erase().unwrap() else { panic!("pending") };
    assert!(again.is_empty(), "erasing twice destroys nothing twice");
}

/// Promise: WB-4-face-user
#[test]
fn three_years_after_the_last_interaction_and_not_a_second_earlier() {
    let scene = Scene::new();
    let organisation = scene.service.organisation("acme").unwrap();
    let person = consented(&organisation, "4711");
    let enrolment = enrol(&person, 1);
    person.lives_in(Jurisdiction::Elsewhere, ActorRole::Administrator).unwrap();
    scene.clock.advance(1.year()).unwrap();
    assert!(verify(&person, 1).is_accepted(), "the person's own act starts the period again");
    scene.clock.advance(3.years()).unwrap();
    scene.pass(-1);
    let templates = |destruction| match destruction {
        Destruction::Done(certificates) => certificates
            .into_iter()
            .filter(|certificate: &vouchsafe::DestructionCertificate| certificate.is_about(&enrolment))
            .collect::<Vec<_>>(),
        Destruction::Pending(pending) => panic!("pending: {pending:?}"),
    };
    assert!(templates(approved_sweep(&organisation)).is_empty(), "one second early");
    scene.pass(1);
    let destroyed = templates(approved_sweep(&organisation));
    assert_eq!(destroyed.len(), 1);
    assert_eq!(destroyed[0].cause(), "retention_rule");
    assert_eq!(destroyed[0].rule(), Some(("wb-4-face-user-inactivity", "WB 4")));
    assert!(rejected_with(verify(&person, 1)).contains(Refusal::TemplateDestroyed));
}

/// Promise: WB-4-face-user
#[test]
fn a_strangers_attempt_does_not_extend_the_period() {
    let scene = Scene::new();
    let organisation = scene.service.organisation("acme").unwrap();
    let person = consented(&organisation, "4711");
    enrol(&person, 1);
    person.lives_in(Jurisdiction::Elsewhere, ActorRole::Administrator).unwrap();
    scene.clock.advance(2.years()).unwrap();
    assert!(!verify(&person, 2).is_accepted());
    scene.clock.advance(1.year()).unwrap();
    let plan = organisation.plan_retention().unwrap();
    assert!(plan.items().iter().any(|item| item.rule() == "wb-4-face-user-inactivity"));
}

#[test]
fn a_plan_runs_only_with_its_own_approval() {
    let scene = Scene::new();
    let organisation = scene.service.organisation("acme").unwrap();
    let person = consented(&organisation, "4711");
    enrol(&person, 1);
    scene.clock.advance(4.years()).unwrap();
    let plan = organisation.plan_retention().unwrap();
    let approval = approver().approve(&plan).unwrap();
    scene.pass(60);
    let other = organisation.plan_retention().unwrap();
    let run =
        |plan: &Plan, approvals: &[&str]| organisation.run_plan(plan.clone(), approvals, Pace::default());
    assert!(matches!(run(&other, &[&approval]), Err(Error::NotApproved)));
    assert!(run(&plan, &["no note"]).is_err());
    assert!(matches!(run(&plan, &[]), Err(Error::NotApproved)));
    let stranger = Approver::from_seed("dpo.example", &Secret::init_with(|seed| seed.fill(8))).unwrap();
    let forged = stranger.approve(&plan).unwrap();
    assert!(
        matches!(run(&plan, &[&forged]), Err(Error::NotApproved)),
        "a key that the service does not know"
    );
    let elsewhere = scene.service.organisation("other").unwrap();
    let carried = elsewhere.run_plan(plan.clone(), &[&approval], Pace::default());
    assert!(matches!(carried, Err(Error::Foreign)), "approved for one organisation only");
    let Destruction::Done(done) = run(&plan, &[&approval]).unwrap() else { panic!() };
    assert_eq!(done.len(), plan.items().len());
    let Destruction::Done(again) = run(&plan, &[&approval]).unwrap() else { panic!() };
    assert!(again.is_empty(), "running a plan twice destroys nothing twice");
}

#[test]
fn a_still_picture_is_not_enough_for_an_administrator() {
    let scene = Scene::new();
    let organisation = scene.service.organisation("acme").unwrap();
    let admin = organisation.subject("root").unwrap();
    let scope = Scope::ADMIN_FACE_VERIFICATION;
    try_give(&admin, scope, &notice(&organisation), Act::typed_signature()).unwrap();
    let permit = admin.permit(scope).unwrap().or_refuse().unwrap();
    let refused = admin.enrol_embedding(&permit, face(&permit, 1)).unwrap();
    assert_eq!(refusal(refused), Refusal::AssuranceTooLow);
    let decision = admin.verify_embedding(&permit, face(&permit, 1)).unwrap();
    assert!(rejected_with(decision).contains(Refusal::AssuranceTooLow));
}

/// Promise: WB-3-30days
#[test]
fn a_destruction_is_done_only_when_its_remnants_are_gone_too() {
    if is_without_file() {
        return;
    }
    let scene = Scene::new();
    let organisation = scene.service.organisation("acme").unwrap();
    let person = consented(&organisation, "4711");
    enrol(&person, 1);
    // A reader in another process keeps the write-ahead log from being truncated.
    let reader = rusqlite::Connection::open(scene.dir.path().join("data/vouchsafe.sqlite")).unwrap();
    reader.execute_batch("BEGIN; SELECT count(*) FROM record;").unwrap();
    let Destruction::Pending(pending) = person.withdraw(FACE).unwrap().destruction else { panic!("done") };
    assert!(pending.cause().is_retryable());
    assert!(matches!(organisation.resume_destructions(), Destruction::Pending(_)), "still held back");
    reader.execute_batch("COMMIT").unwrap();
    assert!(matches!(organisation.resume_destructions(), Destruction::Done(_)));
    let wal = std::fs::metadata(scene.dir.path().join("data/vouchsafe.sqlite-wal")).unwrap();
    assert_eq!(wal.len(), 0);
    assert!(person.certificate(FACE).unwrap().is_some(), "the certificate is issued again");
}

#[test]
fn a_certificate_of_another_organisation_is_not_about_my_enrolment() {
    let scene = Scene::new();
    let (acme, other) =
        (scene.service.organisation("acme").unwrap(), scene.service.organisation("other").unwrap());
    let (alice, bob) = (consented(&acme, "alice"), consented(&other, "bob"));
    let (mine, theirs) = (enrol(&alice, 1), enrol(&bob, 2));
    assert_eq!(mine.receipt().entry(), theirs.receipt().entry(), "the same number in two logs");
    let Destruction::Done(certificates) = bob.withdraw(FACE).unwrap().destruction else { panic!("pending") };
    assert!(certificates[0].is_about(&theirs));
    assert!(!certificates[0].is_about(&mine));
}

/// Promise: WB-5-revoke
#[test]
fn a_clock_that_went_back_does_not_stand_in_the_way_of_a_withdrawal() {
    let scene = Scene::new();
    let organisation = scene.service.organisation("acme").unwrap();
    let person = consented(&organisation, "4711");
    enrol(&person, 1);
    scene.pass(-3600);
    let Destruction::Done(certificates) = person.withdraw(FACE).unwrap().destruction else {
        panic!("pending")
    };
    assert_eq!(certificates.len(), 1);
    assert_eq!(refusal(person.permit(FACE).unwrap()), Refusal::ConsentWithdrawn);
}

/// Promise: WB-11-consent-first
#[test]
fn what_was_captured_under_one_permit_is_not_used_under_another() {
    let scene = Scene::new();
    let organisation = scene.service.organisation("acme").unwrap();
    let person = consented(&organisation, "4711");
    enrol(&person, 1);
    let old = permit(&person);
    let kept = face(&old, 1);
    scene.pass(600);
    let fresh = permit(&person);
    assert!(matches!(person.verify_embedding(&fresh, kept), Err(Error::Foreign)));
}

#[test]
fn a_withdrawal_gives_the_persons_own_certificate_only() {
    if is_without_file() {
        return;
    }
    let scene = Scene::new();
    let organisation = scene.service.organisation("acme").unwrap();
    let (one, two) = (consented(&organisation, "1"), consented(&organisation, "2"));
    let (first, second) = (enrol(&one, 1), enrol(&two, 2));
    let reader = rusqlite::Connection::open(scene.dir.path().join("data/vouchsafe.sqlite")).unwrap();
    reader.execute_batch("BEGIN; SELECT count(*) FROM record;").unwrap();
    assert!(matches!(one.withdraw(FACE).unwrap().destruction, Destruction::Pending(_)));
    assert!(one.certificate(FACE).is_err(), "no certificate while its remnants are there");
    reader.execute_batch("COMMIT").unwrap();
    let Destruction::Done(certificates) = two.withdraw(FACE).unwrap().destruction else { panic!("pending") };
    assert_eq!(certificates.len(), 1);
    assert!(certificates[0].is_about(&second));
    assert!(one.certificate(FACE).unwrap().unwrap().is_about(&first));
}

/// Promise: WB-4-consent-7y
#[test]
fn evidence_of_a_long_consent_outlives_its_end_by_seven_years() {
    let scene = Scene::new();
    let organisation = scene.service.organisation("acme").unwrap();
    let person = consented(&organisation, "4711");
    enrol(&person, 1);
    for _ in 0..4 {
        scene.clock.advance(2.years()).unwrap();
        assert!(verify(&person, 1).is_accepted());
    }
    let _ = person.withdraw(FACE).unwrap();
    let due = |organisation: &vouchsafe::Organisation<'_>| {
        let plan = organisation.plan_retention().unwrap();
        let evidence = vouchsafe::types::DataClass::ConsentEvidence;
        plan.items().iter().filter(|item| item.class() == evidence).count()
    };
    scene.clock.advance(7.years()).unwrap();
    scene.pass(-1);
    assert_eq!(due(&organisation), 0);
    scene.pass(1);
    assert_eq!(due(&organisation), 2, "the day of the consent and the day of the withdrawal");
}

#[test]
fn a_notice_is_recorded_under_its_published_label() {
    let scene = Scene::new();
    let organisation = scene.service.organisation("acme").unwrap();
    notice(&organisation);
    let forged = draft("7-forged", "we measure your face").finish().unwrap();
    let receipt = give(&organisation.subject("1").unwrap(), FACE, &forged);
    let payload = String::from_utf8(receipt.receipt().payload().to_vec()).unwrap();
    assert!(payload.contains("\"version\":\"1\"") && !payload.contains("forged"), "{payload}");
    let elsewhere = organisation.publish_notice(draft("2", "we measure your face"));
    assert!(matches!(elsewhere, Err(Error::Store(vouchsafe::store::StoreError::Conflict))));
}
