//! The table of transitions, clocks that stand still, days that do not exist, and how long the register keeps.

use vouchsafe_retention::rights::{
    ActionKind, ExtensionReason, IdentityProof, Inventory, Place, RefusalGround, RequestEvent, RequestId,
    RequestKind, RequestStatus, RightsError, RightsRequest, TRANSITIONS, TaskStatus, Urgency, next,
};
use vouchsafe_retention::{Policy, Verdict};
use vouchsafe_types::{DataClass, Jurisdiction, Role, Timestamp};

use crate::rows::at;

fn open_at(kind: RequestKind, place: Jurisdiction, received: &str) -> RightsRequest {
    let policy = Policy::shipped().unwrap();
    RightsRequest::open(&policy, RequestId::from_bytes([5; 16]), kind, [place], at(received)).unwrap()
}

fn inventory() -> Inventory {
    Inventory::new(DataClass::ALL.map(|class| (class, Place::Store))).unwrap()
}

#[test]
fn the_table_has_each_pair_once_and_closed_requests_stay_closed() {
    for (i, row) in TRANSITIONS.iter().enumerate() {
        let same = |other: &&_| -> bool {
            let other: &vouchsafe_retention::rights::Transition = other;
            (other.from, other.event) == (row.from, row.event)
        };
        assert_eq!(TRANSITIONS.iter().filter(same).count(), 1, "row {i}");
        assert!(!row.from.is_closed());
        assert_eq!(next(row.from, row.event), Some(row.to));
    }
    let reachable = |to| to == RequestStatus::Received || TRANSITIONS.iter().any(|row| row.to == to);
    assert!(RequestStatus::ALL.into_iter().all(reachable));
    for from in RequestStatus::ALL.into_iter().filter(|status| status.is_closed()) {
        assert!(RequestEvent::ALL.into_iter().all(|event| next(from, event).is_none()), "{from}");
    }
}

/// Every event against every status that can be reached: what the table does not have changes nothing.
#[test]
fn what_is_not_in_the_table_is_refused_and_changes_nothing() {
    let start = open_at(RequestKind::Object, Jurisdiction::Eu, "2026-04-03T09:00:00Z");
    let (mut seen, mut open) = (Vec::new(), vec![start]);
    while let Some(request) = open.pop() {
        if seen.contains(&request.status()) {
            continue;
        }
        seen.push(request.status());
        for event in RequestEvent::ALL {
            let mut moved = request.clone();
            let to = next(request.status(), event);
            match apply(&mut moved, event) {
                Ok(()) => {
                    assert_eq!(Some(moved.status()), to, "{event} of {}", request.status());
                    open.push(moved);
                }
                Err(_) => assert_eq!(moved, request, "{event} of {}", request.status()),
            }
        }
    }
    assert_eq!(seen.len(), RequestStatus::ALL.len());
}

fn apply(request: &mut RightsRequest, event: RequestEvent) -> Result<(), RightsError> {
    let now = at("2026-04-04T09:00:00Z");
    match event {
        RequestEvent::Abandon => request.abandon(now),
        RequestEvent::Answer => {
            let _ = request.answer_task(DataClass::Biometric, &Place::Store, TaskStatus::NotHeld, now);
            request.answer(&inventory(), now)
        }
        RequestEvent::AskIdentity => request.ask_identity(now),
        RequestEvent::Confirm => request.confirm(now),
        RequestEvent::Extend => request.extend(ExtensionReason::Complexity, now),
        RequestEvent::Refuse => request.refuse(RefusalGround::ManifestlyUnfounded, now),
        RequestEvent::Start => request.start(&inventory(), now),
        RequestEvent::Verify => request.verify(IdentityProof::Session, now),
    }
}

#[test]
fn the_clock_of_the_gdpr_stands_still_while_the_person_proves_who_they_are() {
    let mut request = open_at(RequestKind::Know, Jurisdiction::Eu, "2026-04-03T09:00:00Z");
    request.ask_identity(at("2026-04-05T09:00:00Z")).unwrap();
    let waiting = request.deadlines(at("2026-04-15T09:00:00Z"));
    assert!(waiting.is_paused());
    assert_eq!(waiting.answer_by(), at("2026-05-13T09:00:00Z"), "ten days later so far");
    let asked = request.due_actions(at("2026-05-06T09:00:00Z"));
    let kinds: Vec<_> = asked.iter().map(|action| (action.kind(), action.urgency())).collect();
    assert_eq!(kinds, [(ActionKind::AskAgain, Urgency::Overdue)], "and somebody looks after 30 days");
    request.verify(IdentityProof::SignedIn, at("2026-04-15T09:00:00Z")).unwrap();
    let running = request.deadlines(at("2026-04-30T09:00:00Z"));
    assert!(!running.is_paused());
    assert_eq!(running.answer_by(), at("2026-05-13T09:00:00Z"));
}

#[test]
fn californias_clock_does_not_stand_still() {
    let mut request = open_at(RequestKind::Know, Jurisdiction::UsCa, "2026-04-03T09:00:00Z");
    request.ask_identity(at("2026-04-05T09:00:00Z")).unwrap();
    assert_eq!(request.deadlines(at("2026-04-15T09:00:00Z")).answer_by(), at("2026-05-18T09:00:00Z"));
}

#[test]
fn a_month_ends_on_a_day_that_exists() {
    let answer = |received: &str| {
        open_at(RequestKind::Know, Jurisdiction::Eu, received).deadlines(at(received)).answer_by()
    };
    assert_eq!(answer("2028-01-31T09:00:00Z"), at("2028-02-29T09:00:00Z"), "leap year");
    assert_eq!(answer("2027-01-31T09:00:00Z"), at("2027-02-28T09:00:00Z"));
    assert_eq!(answer("2028-02-29T09:00:00Z"), at("2028-03-29T09:00:00Z"));
    let mut request = open_at(RequestKind::Know, Jurisdiction::Eu, "2027-12-31T09:00:00Z");
    request.verify(IdentityProof::SignedIn, at("2027-12-31T10:00:00Z")).unwrap();
    request.start(&inventory(), at("2027-12-31T11:00:00Z")).unwrap();
    request.extend(ExtensionReason::Complexity, at("2028-01-15T09:00:00Z")).unwrap();
    let answer = request.deadlines(at("2028-01-15T09:00:00Z")).answer_by();
    assert_eq!(answer, at("2028-03-31T09:00:00Z"), "two months after the first end");
}

/// A weekend day starts nothing: ten business days from a Saturday end on the Friday of the second week.
#[test]
fn business_days_skip_weekends() {
    let confirm = |received: &str| {
        open_at(RequestKind::Delete, Jurisdiction::UsCa, received).deadlines(at(received)).confirm_by()
    };
    assert_eq!(confirm("2026-04-04T09:00:00Z"), Some(at("2026-04-17T09:00:00Z")), "from a Saturday");
    assert_eq!(confirm("2026-04-06T09:00:00Z"), Some(at("2026-04-20T09:00:00Z")), "from a Monday");
}

#[test]
fn reminders_come_a_week_and_two_days_ahead() {
    let request = open_at(RequestKind::Withdraw, Jurisdiction::Eu, "2026-04-03T09:00:00Z");
    let at_marks = ["2026-04-26T09:00:00Z", "2026-05-01T09:00:00Z", "2026-05-03T09:00:00Z"];
    let mut now = request.received_at();
    for mark in at_marks {
        assert_eq!(request.next_at(now), Some(at(mark)));
        now = at(mark);
    }
    let urgency = |now: Timestamp| request.due_actions(now).first().map(|action| action.urgency());
    assert_eq!(urgency(at("2026-04-26T08:59:59Z")), None);
    assert_eq!(
        at_marks.map(|mark| urgency(at(mark)).unwrap()),
        [Urgency::Soon, Urgency::Pressing, Urgency::Overdue]
    );
}

/// Promise: FP-9-correct, FP-9-restrict
#[test]
fn a_correction_needs_the_person_and_a_restriction_only_their_session() {
    let now = at("2026-04-04T09:00:00Z");
    let mut correct = open_at(RequestKind::Correct, Jurisdiction::Eu, "2026-04-03T09:00:00Z");
    assert!(matches!(
        correct.verify(IdentityProof::Session, now),
        Err(RightsError::ProofTooWeak { kind: RequestKind::Correct, .. })
    ));
    correct.verify(IdentityProof::Biometric, now).unwrap();
    correct.start(&inventory(), now).unwrap();
    let classes: Vec<_> = correct.tasks().map(|(class, ..)| class).collect();
    assert!(classes.contains(&DataClass::Account) && !classes.contains(&DataClass::AuditLog));
    let mut restrict = open_at(RequestKind::Restrict, Jurisdiction::Eu, "2026-04-03T09:00:00Z");
    restrict.verify(IdentityProof::Session, now).unwrap();
    restrict.start(&inventory(), now).unwrap();
    let done = TaskStatus::Done { entry: 4 };
    restrict.answer_task(DataClass::Biometric, &Place::Store, done, now).unwrap();
    restrict.answer(&inventory(), now).unwrap();
    assert_eq!(RightsRequest::parse(&restrict.to_bytes().unwrap()).unwrap(), restrict);
}

/// 24 months from its closing (Cal. Code Regs. tit. 11, 7101(a): how it was answered, too), and an open one until then.
///
/// Promise: WB-11-ccpa
#[test]
fn the_register_keeps_a_request_for_24_months_from_its_closing_and_an_open_one_until_then() {
    let policy = Policy::shipped().unwrap();
    let mut request = open_at(RequestKind::Object, Jurisdiction::Eu, "2026-04-03T09:00:00Z");
    let verdict = |request: &RightsRequest, now: &str| {
        let facts = request.facts(Role::EndUser).unwrap();
        policy.decide(&facts, &[], at(now)).unwrap().verdict()
    };
    let (before, after) = ("2028-04-10T08:59:59Z", "2028-04-10T09:00:00Z");
    assert!(request.freezes_evidence());
    assert_eq!(verdict(&request, after), Verdict::Open);
    request.refuse(RefusalGround::ManifestlyUnfounded, at("2026-04-10T09:00:00Z")).unwrap();
    assert!(!request.freezes_evidence());
    assert_eq!(verdict(&request, before), Verdict::Later(at(after)));
    assert_eq!(verdict(&request, after), Verdict::Due);
}

/// A grant of time, a proof, a refusal: each has one encoding, and a file that could not have come about is refused.
#[test]
fn forged_histories_do_not_parse() {
    let mut request = open_at(RequestKind::Delete, Jurisdiction::Eu, "2026-04-03T09:00:00Z");
    request.verify(IdentityProof::SignedIn, at("2026-04-04T09:00:00Z")).unwrap();
    request.start(&inventory(), at("2026-04-05T09:00:00Z")).unwrap();
    let json = String::from_utf8(request.to_bytes().unwrap()).unwrap();
    assert_eq!(RightsRequest::parse(json.as_bytes()).unwrap(), request);
    for (from, to) in [
        ("\"version\":1", "\"version\":2"),
        ("signed_in", "session"),
        ("2026-04-05", "2026-04-02"),
        ("\"event\":\"start\"", "\"event\":\"answer\""),
        ("\"status\":\"pending\"", "\"status\":\"not_held\""),
        (",", ", "),
    ] {
        let forged = json.replacen(from, to, 1);
        assert_ne!(forged, json, "{from}");
        assert!(RightsRequest::parse(forged.as_bytes()).is_err(), "{from}");
    }
}
