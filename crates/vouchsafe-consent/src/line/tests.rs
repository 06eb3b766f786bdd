use super::*;
use crate::danger;
use crate::notice::tests::{SHOWN, at, draft, face};

fn absent() -> ConsentLine {
    ConsentLine::absent(
        OrganisationId::parse("acme").unwrap(),
        SubjectPseudonym::from_bytes([1; 32]),
        Scope::FACE_VERIFICATION,
    )
}

/// Promise: WB-1.4-consent-record
#[test]
fn acts_are_ordered_counted_and_name_their_notice() {
    let notice = face();
    let given = absent().give(&notice, at(10)).unwrap();
    let last = given.last().unwrap();
    assert_eq!((last.status, last.notice, last.at), (ConsentStatus::Given, notice.digest(), at(10)));
    assert_eq!(given.give(&notice, at(9)), Err(ConsentError::BackDated));
    let renewed = given.give(&notice, at(11)).unwrap();
    assert_eq!((renewed.sequence(), renewed.status()), (2, Some(ConsentStatus::Renewed)));
    assert_eq!(renewed.refuse(&notice, at(12)), Err(ConsentError::StillGiven));
    let withdrawn = renewed.withdraw(at(12)).unwrap();
    assert_eq!(withdrawn.last().unwrap().notice, notice.digest());
    assert_eq!(withdrawn.withdraw(at(13)), Err(ConsentError::NothingToWithdraw));
    assert_eq!(withdrawn.refuse(&notice, at(11)), Err(ConsentError::BackDated));
    assert_eq!(withdrawn.give(&notice, at(14)).unwrap().sequence(), 4);
    for end in [ConsentLine::withdraw, ConsentLine::revoke, ConsentLine::invalidate, ConsentLine::expire] {
        assert_eq!(end(&absent(), at(1)), Err(ConsentError::NothingToWithdraw));
        assert_eq!(end(&withdrawn, at(15)), Err(ConsentError::NothingToWithdraw));
    }
}

#[test]
fn a_clock_set_back_never_stops_an_end() {
    let given = absent().give(&face(), at(100)).unwrap();
    for end in [ConsentLine::withdraw, ConsentLine::revoke, ConsentLine::invalidate] {
        let ended = end(&given, at(5)).unwrap();
        assert_eq!(ended.last().unwrap().at, at(100));
        assert!(!ended.is_open(at(200)));
    }
}

#[test]
fn a_term_ends_on_its_calendar_day() {
    let given = absent().give(&face(), "2024-02-29T08:00:00Z".parse().unwrap()).unwrap();
    let end: Timestamp = "2027-02-28T08:00:00Z".parse().unwrap();
    let before: Timestamp = "2027-02-28T07:59:59Z".parse().unwrap();
    assert_eq!(given.last().unwrap().expires, Some(end));
    assert!(given.is_open(before) && !given.is_open(end));
    assert_eq!(given.expire(before), Err(ConsentError::NotYet));
    let expired = given.expire(end).unwrap();
    assert_eq!((expired.status(), expired.last().unwrap().expires), (Some(ConsentStatus::Expired), None));
}

#[test]
fn a_notice_that_is_not_in_force_or_covers_another_scope_is_no_answer() {
    let later =
        draft("2", SHOWN.as_bytes()).covers(Scope::FACE_VERIFICATION).effective(at(50)).finish().unwrap();
    assert_eq!(absent().give(&later, at(49)), Err(ConsentError::NoticeNotInForce));
    assert_eq!(absent().refuse(&later, at(49)), Err(ConsentError::NoticeNotInForce));
    let other = draft("2", SHOWN.as_bytes()).covers(Scope::ADMIN_FACE_VERIFICATION).finish().unwrap();
    assert_eq!(absent().give(&other, at(49)), Err(ConsentError::ScopeNotCovered));
    assert_eq!(absent().give(&face(), Timestamp::MAX), Err(ConsentError::Term));
}

#[test]
fn rows_that_contradict_themselves_are_refused() {
    let given = absent().give(&face(), at(10)).unwrap();
    let stored = |sequence, last| {
        danger::stored_line(given.organisation().clone(), given.subject(), given.scope(), sequence, last)
    };
    assert_eq!(stored(1, given.last()), Ok(given.clone()));
    assert_eq!(stored(0, None), Ok(absent()));
    assert_eq!(stored(0, given.last()), Err(ConsentError::Stored));
    assert_eq!(stored(1, None), Err(ConsentError::Stored));
    let last = given.last().unwrap();
    let closed = LastAct { status: ConsentStatus::Withdrawn, ..last };
    assert_eq!(stored(1, Some(closed)), Err(ConsentError::Stored));
    assert_eq!(stored(1, Some(LastAct { expires: Some(at(9)), ..last })), Err(ConsentError::Stored));
    let full = stored(u64::MAX, Some(last)).unwrap();
    assert_eq!(full.withdraw(at(11)), Err(ConsentError::Stored));
}
