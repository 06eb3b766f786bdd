//! A consent from its first act to the end of its evidence.

use std::sync::Arc;
use std::thread;

use jiff::ToSpan;
use vouchsafe::consent::{AttestedBy, ConsentStatus, ExpressionKind, MessageKind};
use vouchsafe::ledger::{ActorRole, EntryKind as K, Trust};
use vouchsafe::types::DataClass;
use vouchsafe::{
    Act, Clock, Destruction, Error, Notice, NoticeDraft, Organisation, Receipt, Refusal, Role, Scope,
    Subject, Vouchsafe,
};

use crate::pause::{Place, Stop, stopping};
use crate::scene::{
    FACE, Scene, communication, consented, content, draft, enrol, face, give, notice, permit, proven,
    refusal, rejected, try_give, verify, wide_notice,
};

fn adult() -> Act {
    Act::checkbox().attesting_age(18)
}

fn refuse(person: &Subject<'_>, notice: &Notice) -> Result<vouchsafe::ConsentReceipt, Error> {
    let served = person.serve_notice(FACE, notice)?;
    person.refuse_consent(served.ticket(), adult())
}

fn status(person: &Subject<'_>, clock: &dyn Clock) -> Option<ConsentStatus> {
    person.consent_at(FACE, clock.now(), ActorRole::Administrator).unwrap().status
}

const SHOWN: &str = "We keep it for a year.";

/// A notice whose consent ends after a year.
fn yearly<'a>(version: &'a str) -> NoticeDraft<'a> {
    let ways = [ExpressionKind::Checkbox];
    NoticeDraft::new("yearly", version, "en", SHOWN.as_bytes())
        .covers(FACE)
        .collected(SHOWN)
        .purpose(SHOWN)
        .term(SHOWN, "P1Y")
        .release(SHOWN, ways)
        .schedule(b"A year.")
        .material(AttestedBy::PrivacyOfficer)
}

/// Promise: WB-11-consent-first, WB-5-revoke
#[test]
fn every_state_is_reached_closes_or_opens_the_gate_and_is_an_entry() {
    let scene = Scene::new();
    let organisation = scene.service.organisation("acme").unwrap();
    let person = organisation.subject("4711").unwrap();
    let notice = organisation.publish_notice(yearly("1")).unwrap();
    assert_eq!(status(&person, &*scene.clock), None);
    let mut expected = vec![K::OrganisationCreated, K::NoticePublished];
    let mut reached = Vec::new();
    let mut step = |kinds: &[K], gate: Option<Refusal>| {
        expected.extend(kinds);
        let asked = person.permit(FACE).unwrap();
        match gate {
            None => assert!(asked.done().is_some(), "{kinds:?}"),
            Some(refused) => {
                assert_eq!(refusal(asked), refused);
                expected.push(K::PermitRefused);
            }
        }
        reached.extend(status(&person, &*scene.clock));
        expected.push(K::ConsentDisclosed);
        assert_eq!(scene.kinds("acme"), expected);
        scene.pass(1);
    };

    let receipt = refuse(&person, &notice).unwrap();
    assert_eq!(receipt.receipt().kind().unwrap(), K::ConsentRefused);
    step(&[K::NoticeServed, K::ConsentRefused], Some(Refusal::ConsentRefused));
    assert_eq!(give(&person, FACE, &notice).receipt().kind().unwrap(), K::ConsentGiven);
    step(&[K::NoticeServed, K::ConsentGiven], None);
    assert_eq!(give(&person, FACE, &notice).receipt().kind().unwrap(), K::ConsentRenewed);
    step(&[K::NoticeServed, K::ConsentRenewed], None);
    assert_eq!(person.withdraw(FACE).unwrap().receipt.receipt().kind().unwrap(), K::ConsentWithdrawn);
    step(&[K::ConsentWithdrawn], Some(Refusal::ConsentWithdrawn));
    give(&person, FACE, &notice);
    assert_eq!(person.revoke(FACE).unwrap().receipt.receipt().kind().unwrap(), K::ConsentRevoked);
    step(&[K::NoticeServed, K::ConsentGiven, K::ConsentRevoked], Some(Refusal::ConsentRevoked));
    give(&person, FACE, &notice);
    assert_eq!(person.invalidate(FACE).unwrap().receipt.receipt().kind().unwrap(), K::ConsentInvalidated);
    step(&[K::NoticeServed, K::ConsentGiven, K::ConsentInvalidated], Some(Refusal::ConsentInvalidated));
    give(&person, FACE, &notice);
    scene.clock.advance(1.year()).unwrap();
    assert!(matches!(organisation.expire_consents().unwrap(), Destruction::Done(_)));
    step(&[K::NoticeServed, K::ConsentGiven, K::ConsentExpired], Some(Refusal::ConsentExpired));
    reached.sort_unstable();
    reached.dedup();
    assert_eq!(reached.len(), ConsentStatus::ALL.len(), "{reached:?}");
    organisation.publish_log().unwrap();
    assert!(organisation.verify_log().unwrap().is_sound());
}

/// Promise: WB-5-revoke
#[test]
fn only_what_is_given_ends_and_what_is_given_is_not_refused() {
    let scene = Scene::new();
    let organisation = scene.service.organisation("acme").unwrap();
    let person = consented(&organisation, "4711");
    let before = scene.kinds("acme").len();
    assert!(matches!(refuse(&person, &notice(&organisation)), Err(Error::Consent(_))), "withdraw it instead");
    assert_eq!(scene.kinds("acme").len(), before + 1, "the showing alone");
    let _ = person.withdraw(FACE).unwrap();
    let ended = scene.kinds("acme").len();
    for again in [person.withdraw(FACE), person.revoke(FACE), person.invalidate(FACE)] {
        assert!(matches!(again, Err(Error::Consent(_))));
    }
    let Destruction::Done(none) = organisation.expire_consents().unwrap() else { panic!("pending") };
    assert!(none.is_empty());
    assert_eq!(scene.kinds("acme").len(), ended, "nothing was recorded");
}

/// Promise: WB-11-consent-first
#[test]
fn the_gate_refuses_from_the_date_on_whether_or_not_the_end_was_recorded() {
    let scene = Scene::new();
    let organisation = scene.service.organisation("acme").unwrap();
    let notice = organisation.publish_notice(yearly("1")).unwrap();
    let person = organisation.subject("4711").unwrap();
    let receipt = give(&person, FACE, &notice);
    assert_eq!(content(receipt.receipt())["expires"], "2027-04-01T12:00:00Z");
    let enrolment = enrol(&person, 1);
    scene.clock.advance(1.year()).unwrap();
    scene.pass(-1);
    let last = permit(&person);
    let Destruction::Done(early) = organisation.expire_consents().unwrap() else { panic!("pending") };
    assert!(early.is_empty(), "one second early");
    assert!(person.verify_embedding(&last, face(&last, 1)).unwrap().is_accepted());
    scene.pass(1);
    assert_eq!(refusal(person.permit(FACE).unwrap()), Refusal::ConsentExpired);
    let late = person.verify_embedding(&last, face(&last, 1)).unwrap();
    assert_eq!(rejected(late), Refusal::ConsentExpired, "a permit of before ends with the consent");
    assert!(!scene.kinds("acme").contains(&K::ConsentExpired), "nobody recorded it yet");

    let Destruction::Done(destroyed) = organisation.expire_consents().unwrap() else { panic!("pending") };
    assert_eq!(destroyed.len(), 1);
    assert!(destroyed[0].is_about(&enrolment));
    assert_eq!(destroyed[0].cause(), "expiry");
    let Destruction::Done(again) = organisation.expire_consents().unwrap() else { panic!("pending") };
    assert!(again.is_empty());
    assert_eq!(scene.kinds("acme").iter().filter(|kind| **kind == K::ConsentExpired).count(), 1);
}

/// Promise: WB-11-consent-first
#[test]
fn a_renewal_wins_over_the_recording_of_an_end() {
    let scene = Scene::new();
    let stop = Arc::new(Stop::default());
    let service = Vouchsafe::open_with(stopping(scene.ports(), &stop));
    let organisation = service.organisation("acme").unwrap();
    let notice = organisation.publish_notice(yearly("1")).unwrap();
    let person = organisation.subject("4711").unwrap();
    give(&person, FACE, &notice);
    enrol(&person, 1);
    scene.clock.advance(1.year()).unwrap();
    let beside = scene.again();
    let there = beside.organisation("acme").unwrap();
    give(&there.subject("warm").unwrap(), FACE, &notice);
    thread::scope(|scope| {
        let recording = scope.spawn(|| {
            stop.here_at(Place::Write);
            organisation.expire_consents().unwrap()
        });
        stop.reached();
        give(&there.subject("4711").unwrap(), FACE, &notice);
        stop.release();
        let Destruction::Done(none) = recording.join().unwrap() else { panic!("pending") };
        assert!(none.is_empty());
    });
    assert!(verify(&person, 1).is_accepted());
    assert!(!scene.kinds("acme").contains(&K::ConsentExpired));
}

/// Promise: WB-9-reconsent
#[test]
fn only_a_material_version_asks_again_and_every_decision_names_its_version() {
    let scene = Scene::new();
    let organisation = scene.service.organisation("acme").unwrap();
    let person = consented(&organisation, "4711");
    let first = notice(&organisation);
    enrol(&person, 1);
    let publish = |draft: NoticeDraft<'_>| organisation.publish_notice(draft).unwrap();
    let opened_under = |notice: &Notice| {
        assert!(verify(&person, 1).is_accepted());
        let entry = scene.kinds("acme").iter().rposition(|kind| *kind == K::TemplateOpened).unwrap() as u64;
        let payload = scene.payload("acme", entry);
        assert_eq!(payload["consented"], notice.digest().to_string());
        let behind = person.consent_behind(entry, ActorRole::Auditor).unwrap();
        assert_eq!(behind.deciding.unwrap().notice, notice.digest());
    };
    opened_under(&first);

    let editorial = draft("1a", "we measure your face, dear friend").editorial(AttestedBy::LegalCounsel);
    let editorial = publish(editorial);
    opened_under(&first);
    assert!(matches!(person.serve_notice(FACE, &first), Err(Error::UnknownNotice)), "no longer in force");
    // The same version in another language is the same notice.
    publish(translated("1", "wir vermessen Ihr Gesicht", None));
    opened_under(&first);

    // A material version in another language asks again, from its date on.
    scene.pass(60);
    let date = vouchsafe::Timestamp::from_second(scene.clock.now().as_second() + 120).unwrap();
    let later = publish(translated("2", "wir vermessen mehr", Some(date)));
    opened_under(&first);
    let early = permit(&person);
    assert_eq!(early.expires(), date, "no permit outlives it");
    assert!(matches!(person.serve_notice(FACE, &later), Err(Error::UnknownNotice)), "not yet in force");
    scene.pass(119);
    opened_under(&first);
    scene.pass(1);
    assert_eq!(refusal(person.permit(FACE).unwrap()), Refusal::ConsentOutdated);
    let in_flight = person.verify_embedding(&early, face(&early, 1)).unwrap();
    assert_eq!(rejected(in_flight), Refusal::ConsentOutdated);
    let still_older = try_give(&person, FACE, &editorial, Act::checkbox());
    assert!(still_older.is_ok(), "that language has no newer version");
    assert_eq!(refusal(person.permit(FACE).unwrap()), Refusal::ConsentOutdated);

    give(&person, FACE, &later);
    opened_under(&later);
}

fn translated<'a>(
    version: &'a str,
    text: &'a str,
    effective: Option<vouchsafe::Timestamp>,
) -> NoticeDraft<'a> {
    let ways = [ExpressionKind::Checkbox];
    let draft = NoticeDraft::new("face", version, "de", text.as_bytes())
        .covers(FACE)
        .collected(text)
        .purpose(text)
        .until_destroyed(text)
        .release(text, ways)
        .schedule(b"Bis zum Widerruf.")
        .material(AttestedBy::DataProtectionOfficer);
    match effective {
        Some(date) => draft.effective(date),
        None => draft,
    }
}

/// Promise: WB-7-children
#[test]
fn nobody_below_the_age_or_without_an_attested_one_consents() {
    let scene = Scene::new();
    let organisation = scene.service.organisation("acme").unwrap();
    let notice = notice(&organisation);
    for (act, refused) in [
        (Act::checkbox(), Refusal::AgeNotAttested),
        (Act::checkbox().attesting_age(17), Refusal::Minor),
        (Act::checkbox().attesting_age(0), Refusal::Minor),
    ] {
        let person = organisation.subject(&format!("{act:?}")).unwrap();
        let served = person.serve_notice(FACE, &notice).unwrap();
        assert_eq!(refusal(person.give_consent(served.ticket(), act).unwrap()), refused);
        assert_eq!(refusal(person.permit(FACE).unwrap()), Refusal::ConsentMissing);
        let kinds = scene.kinds("acme");
        assert_eq!(kinds[kinds.len() - 3..], [K::NoticeServed, K::ConsentNotTaken, K::PermitRefused]);
        // A ticket is good for an act that can be taken, unless a minor has answered it.
        let mut taken = person.give_consent(served.ticket(), adult());
        if refused == Refusal::Minor {
            assert!(matches!(taken, Err(Error::Replayed)));
            taken = person.give_consent(person.serve_notice(FACE, &notice).unwrap().ticket(), adult());
        }
        let taken = taken.unwrap();
        assert_eq!(content(taken.or_refuse().unwrap().receipt())["age"], 18);
    }
    let mut ports = scene.ports();
    ports.age = vouchsafe::consent::AgePolicy { minimum: 13, required: false };
    let lenient = Vouchsafe::open_with(ports);
    let there = lenient.organisation("acme").unwrap();
    let young = there.subject("young").unwrap();
    for act in [Act::checkbox(), Act::checkbox().attesting_age(13)] {
        let served = young.serve_notice(FACE, &notice).unwrap();
        assert!(young.give_consent(served.ticket(), act).unwrap().done().is_some());
    }
}

/// Promise: WB-7-children
#[test]
fn what_was_taken_from_a_child_is_destroyed_and_nothing_more_is_taken() {
    let scene = Scene::new();
    let organisation = scene.service.organisation("acme").unwrap();
    let notice = wide_notice(&organisation);
    let person = organisation.subject("4711").unwrap();
    let letters = communication(Role::EndUser);
    for scope in [FACE, letters] {
        give(&person, scope, &notice);
    }
    let enrolment = enrol(&person, 1);
    let before = permit(&person);
    let learned = person.learned_minor(ActorRole::Administrator).unwrap();
    let Destruction::Done(certificates) = learned else { panic!("pending") };
    assert_eq!(certificates.len(), 1);
    assert!(certificates[0].is_about(&enrolment));
    assert_eq!(certificates[0].cause(), "learned_minor");
    let refused = person.permit(FACE).unwrap().or_refuse().unwrap_err();
    assert!(refused.contains(Refusal::Minor) && refused.contains(Refusal::ConsentInvalidated));
    assert!(!person.verify_embedding(&before, face(&before, 1)).unwrap().is_accepted());
    assert!(person.may_send(MessageKind::Promotional, Role::EndUser).unwrap().done().is_none());
    let served = person.serve_notice(FACE, &notice).unwrap();
    assert_eq!(refusal(person.give_consent(served.ticket(), adult()).unwrap()), Refusal::Minor);
    let kinds = scene.kinds("acme");
    assert_eq!(kinds.iter().filter(|kind| **kind == K::ConsentInvalidated).count(), 2);
    assert!(kinds.contains(&K::SubjectMarked) && kinds.contains(&K::ConsentNotTaken));
}

#[test]
fn a_restriction_and_an_objection_close_the_gate_until_they_are_lifted() {
    let scene = Scene::new();
    let organisation = scene.service.organisation("acme").unwrap();
    let person = consented(&organisation, "4711");
    enrol(&person, 1);
    person.restrict(ActorRole::Administrator).unwrap();
    person.object().unwrap();
    let both = person.permit(FACE).unwrap().or_refuse().unwrap_err();
    assert_eq!(both.as_slice(), [Refusal::ProcessingRestricted, Refusal::ProcessingObjected]);
    person.lift_restriction(ActorRole::Administrator).unwrap();
    assert_eq!(refusal(person.permit(FACE).unwrap()), Refusal::ProcessingObjected);
    person.withdraw_objection().unwrap();
    person.withdraw_objection().unwrap();
    assert!(verify(&person, 1).is_accepted(), "nothing was destroyed");
    let lifted = scene.kinds("acme").iter().filter(|kind| **kind == K::SubjectUnmarked).count();
    assert_eq!(lifted, 2, "what is not there is not lifted");
}

/// Promise: FP-11-email
#[test]
fn promotional_messages_need_consent_and_one_click_ends_it() {
    let scene = Scene::new();
    let organisation = scene.service.organisation("acme").unwrap();
    let notice = wide_notice(&organisation);
    let person = organisation.subject("4711").unwrap();
    let may = |kind, role| person.may_send(kind, role).unwrap().done().is_some();
    assert!(may(MessageKind::Service, Role::EndUser));
    assert!(!may(MessageKind::Promotional, Role::EndUser));
    for scope in [communication(Role::EndUser), communication(Role::Administrator), FACE] {
        give(&person, scope, &notice);
    }
    enrol(&person, 1);
    let token = person.unsubscribe_token(Role::EndUser).unwrap();
    assert!(vouchsafe::consent::list_unsubscribe_headers("https://acme.example/u/", &token).is_ok());
    let other = scene.service.organisation("other").unwrap();
    for (organisation, token) in [(&other, token.as_str()), (&organisation, &token[1..]), (&organisation, "")]
    {
        assert!(matches!(organisation.unsubscribe(token), Err(Error::Format(_))));
    }
    assert!(may(MessageKind::Promotional, Role::EndUser));

    let ended = organisation.unsubscribe(&token).unwrap().unwrap();
    assert_eq!(ended.receipt.receipt().kind().unwrap(), K::ConsentWithdrawn);
    assert_eq!(content(ended.receipt.receipt())["scope"], communication(Role::EndUser).name());
    let once = scene.kinds("acme").len();
    assert!(organisation.unsubscribe(&token).unwrap().is_none(), "a second click changes nothing");
    assert_eq!(scene.kinds("acme").len(), once);
    assert!(!may(MessageKind::Promotional, Role::EndUser));
    assert!(may(MessageKind::Service, Role::EndUser));
    assert!(may(MessageKind::Promotional, Role::Administrator), "the other role is another consent");
    assert!(verify(&person, 1).is_accepted(), "the template is under another consent");

    give(&person, communication(Role::EndUser), &notice);
    assert!(organisation.unsubscribe(&token).unwrap().is_some(), "an old message still unsubscribes");
}

/// Promise: WB-11-lawful-before
#[test]
fn what_was_consented_at_any_instant_is_answered_with_proof() {
    let scene = Scene::new();
    let organisation = scene.service.organisation("acme").unwrap();
    let notice = organisation.publish_notice(yearly("1")).unwrap();
    let person = organisation.subject("4711").unwrap();
    let at = |second: i64| vouchsafe::Timestamp::from_second(start() + second).unwrap();
    scene.pass(100);
    give(&person, FACE, &notice);
    scene.pass(100);
    let enrolment = enrol(&person, 1);
    assert!(verify(&person, 1).is_accepted());
    let opened = scene.kinds("acme").iter().rposition(|kind| *kind == K::TemplateOpened).unwrap() as u64;
    scene.pass(100);
    let _ = person.withdraw(FACE).unwrap();
    scene.pass(100);
    give(&person, FACE, &notice);
    let year = 365 * 24 * 60 * 60;
    scene.pass(2 * year);

    use ConsentStatus::{Expired, Given, Withdrawn};
    let (key, origin) = (organisation.verifier_key().unwrap(), organisation.log_origin().unwrap());
    let trust = Trust::new(&key, &origin);
    for (second, status, acts) in [
        (0, None, (None, Some(1))),
        (99, None, (None, Some(1))),
        (100, Some(Given), (Some(1), Some(2))),
        (250, Some(Given), (Some(1), Some(2))),
        (299, Some(Given), (Some(1), Some(2))),
        (300, Some(Withdrawn), (Some(2), Some(3))),
        (399, Some(Withdrawn), (Some(2), Some(3))),
        (400, Some(Given), (Some(3), None)),
        (400 + year - 1, Some(Given), (Some(3), None)),
        (400 + year, Some(Expired), (Some(3), None)),
        (400 + 2 * year, Some(Expired), (Some(3), None)),
    ] {
        let answer = person.consent_at(FACE, at(second), ActorRole::Auditor).unwrap();
        assert_eq!(answer.status, status, "{second}");
        assert_eq!(answer.was_given(), status == Some(Given), "{second}");
        let numbers = [&answer.deciding, &answer.next].map(|act| act.as_ref().map(|act| act.sequence));
        assert_eq!((numbers[0], numbers[1]), acts, "{second}");
        for act in [answer.deciding, answer.next].into_iter().flatten() {
            assert_eq!(act.notice, notice.digest());
            let receipt = act.receipt.unwrap();
            receipt.receipt().verify(&trust).unwrap();
            assert_eq!(content(receipt.receipt())["sequence"], act.sequence);
        }
        assert_eq!(scene.kinds("acme").last(), Some(&K::ConsentDisclosed), "that it was asked is an entry");
    }
    for entry in [opened, enrolment.receipt().entry()] {
        let behind = person.consent_behind(entry, ActorRole::Auditor).unwrap();
        assert_eq!((behind.at, behind.was_given()), (at(200), true), "lawful before the withdrawal");
        assert_eq!(behind.deciding.unwrap().sequence, 1);
        assert_eq!(behind.next.unwrap().at, at(300));
    }
    let stranger = organisation.subject("4712").unwrap();
    assert!(matches!(stranger.consent_behind(opened, ActorRole::Auditor), Err(Error::Format(_))));
    let never = person.consent_at(Scope::ADMIN_FACE_VERIFICATION, at(500), ActorRole::Auditor).unwrap();
    assert!(never.status.is_none() && never.deciding.is_none() && never.next.is_none());
}

fn start() -> i64 {
    "2026-04-01T12:00:00Z".parse::<vouchsafe::Timestamp>().unwrap().as_second()
}

fn evidence_due(organisation: &Organisation<'_>) -> usize {
    let plan = organisation.plan_retention().unwrap();
    plan.items().iter().filter(|item| item.class() == DataClass::ConsentEvidence).count()
}

/// Promise: WB-4-consent-7y, WB-1.4-immutable
#[test]
fn evidence_is_destroyed_after_seven_years_and_receipts_in_hand_still_verify() {
    let scene = Scene::new();
    let organisation = scene.service.organisation("acme").unwrap();
    let person = organisation.subject("4711").unwrap();
    let given = give(&person, FACE, &notice(&organisation));
    let enrolment = enrol(&person, 1);
    let withdrawn = person.withdraw(FACE).unwrap().receipt;
    let kept: Vec<String> = [given.receipt(), enrolment.receipt(), withdrawn.receipt()]
        .map(|receipt| proven(&organisation, receipt).to_json().unwrap())
        .into();
    scene.clock.advance(7.years()).unwrap();
    scene.pass(-1);
    assert_eq!(evidence_due(&organisation), 0, "one second early");
    scene.pass(1);
    assert_eq!(evidence_due(&organisation), 1, "the day of all three");
    assert!(matches!(crate::scene::approved_sweep(&organisation), Destruction::Done(_)));
    assert!(scene.kinds("acme").contains(&K::PayloadDestroyed));

    let asked = vouchsafe::Timestamp::from_second(start()).unwrap();
    let answer = person.consent_at(FACE, asked, ActorRole::Auditor).unwrap();
    assert!(answer.deciding.is_none(), "the rows in clear went with the evidence");
    let gone = person.consent_behind(enrolment.receipt().entry(), ActorRole::Auditor);
    assert!(gone.is_err(), "and so is what the enrolment rested on");
    assert!(organisation.verify_payloads().unwrap().is_sound(), "its destruction is accounted for");

    let (key, origin) = (organisation.verifier_key().unwrap(), organisation.log_origin().unwrap());
    let trust = Trust::new(&key, &origin);
    for receipt in kept {
        Receipt::from_json(&receipt).unwrap().verify(&trust).unwrap();
    }
    organisation.publish_log().unwrap();
    assert!(organisation.verify_log().unwrap().is_sound());
}
