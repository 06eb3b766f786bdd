use vouchsafe_types::{Modality, OrganisationId, Purpose, Role, Scope, SubjectPseudonym};

use super::*;
use crate::danger::stored_line;
use crate::notice::tests::{SHOWN, at, draft, draft_in, face};
use crate::{AttestedBy, ConsentError, NoticeDraft};

fn line(scope: Scope) -> ConsentLine {
    let organisation = OrganisationId::parse("acme").unwrap();
    ConsentLine::absent(organisation, SubjectPseudonym::from_bytes([1; 32]), scope)
}

fn standing<'a>(line: &'a ConsentLine, given: &'a Notice) -> Standing<'a> {
    Standing { line, given: Some(given), since: &[], marks: Marks::default() }
}

fn refusals(standing: &Standing<'_>, now: Timestamp) -> Vec<Refusal> {
    let outcome = Gate::default().permit(standing, now).or_refuse();
    outcome.err().map(|reasons| reasons.as_slice().to_vec()).unwrap_or_default()
}

fn everything() -> Notice {
    Scope::all_biometric().fold(draft("1", SHOWN.as_bytes()), NoticeDraft::covers).finish().unwrap()
}

/// Promise: WB-11-consent-first
#[test]
fn no_permit_without_a_live_grant_of_this_scope() {
    let shown = face();
    let absent = line(Scope::FACE_VERIFICATION);
    assert_eq!(refusals(&standing(&absent, &shown), at(10)), [Refusal::ConsentMissing]);

    let given = absent.give(&shown, at(10)).unwrap();
    let permit = Gate::default().permit(&standing(&given, &shown), at(11)).or_refuse().unwrap();
    assert_eq!((permit.binding().sequence(), permit.binding().notice()), (1, shown.digest()));
    assert!(permit.is_live(at(11 + 299)));
    assert!(!permit.is_live(at(11 + 300)), "five minutes, not one second more");
    assert_eq!(refusals(&standing(&given, &shown), at(9)), [Refusal::ConsentMissing], "clock set back");

    for (ended, refusal) in [
        (given.withdraw(at(20)), Refusal::ConsentWithdrawn),
        (given.revoke(at(20)), Refusal::ConsentRevoked),
        (given.invalidate(at(20)), Refusal::ConsentInvalidated),
        (absent.refuse(&shown, at(20)), Refusal::ConsentRefused),
    ] {
        assert_eq!(refusals(&standing(&ended.unwrap(), &shown), at(21)), [refusal]);
    }
}

/// Promise: WB-11-consent-first
#[test]
fn a_term_closes_by_its_date_and_a_permit_does_not_outlive_it() {
    let shown = face();
    let given = line(Scope::FACE_VERIFICATION).give(&shown, at(0)).unwrap();
    let end = given.last().unwrap().expires.unwrap();
    let just_before = end - SignedDuration::from_secs(1);
    let permit = Gate::default().permit(&standing(&given, &shown), just_before).or_refuse().unwrap();
    assert_eq!(permit.expires(), end);
    assert_eq!(refusals(&standing(&given, &shown), end), [Refusal::ConsentExpired]);
    assert_eq!(refusals(&standing(&given.expire(end).unwrap(), &shown), end), [Refusal::ConsentExpired]);
}

/// Promise: WB-9-reconsent
#[test]
fn a_material_version_in_force_closes_and_an_editorial_one_does_not() {
    let shown = face();
    let given = line(Scope::FACE_VERIFICATION).give(&shown, at(10)).unwrap();
    let text = SHOWN.replace("forged", "false").into_bytes();
    let purpose = "We use it to confirm that it is you and to find false identities.";
    let later = |version, locale| {
        let next = draft_in(locale, version, &text).purpose(purpose).covers(Scope::FACE_VERIFICATION);
        next.effective(at(100))
    };
    let ask = |since: &[Notice], now| refusals(&Standing { since, ..standing(&given, &shown) }, at(now));
    let material = later("2", "de").finish().unwrap();
    assert_eq!(ask(std::slice::from_ref(&material), 99), []);
    assert_eq!(ask(std::slice::from_ref(&material), 100), [Refusal::ConsentOutdated]);
    let editorial = later("3", "en").editorial(AttestedBy::LegalCounsel).finish().unwrap();
    assert_eq!(ask(std::slice::from_ref(&editorial), 200), []);
    assert_eq!(
        ask(&[material.clone(), editorial], 200),
        [Refusal::ConsentOutdated],
        "an editorial one hides nothing"
    );
    assert_eq!(ask(&[later("1", "de").finish().unwrap()], 200), [], "another language of the same version");
    let slipped = later("1", "en").finish().unwrap();
    assert_eq!(ask(&[slipped], 200), [Refusal::ConsentOutdated], "other words under the same version");
    assert_eq!(ask(std::slice::from_ref(&shown), 200), [], "the notice itself");
    let undated = draft_in("en", "2", &text).purpose(purpose).covers(Scope::FACE_VERIFICATION);
    let undated = undated.effective(at(-1)).finish().unwrap();
    assert_eq!(ask(&[undated], 11), [Refusal::ConsentOutdated], "published later, whatever it is dated");

    let soon = Standing { since: std::slice::from_ref(&material), ..standing(&given, &shown) };
    let permit = Gate::default().permit(&soon, at(90)).or_refuse().unwrap();
    assert_eq!(permit.expires(), at(100), "a permit does not outlive the notice it rests on");

    let renewed = given.give(&material, at(150)).unwrap();
    assert_eq!(refusals(&standing(&renewed, &material), at(151)), []);
    assert_eq!(
        refusals(&standing(&renewed, &shown), at(151)),
        [Refusal::ConsentOutdated],
        "another notice's digest"
    );
    let unknown = Standing { given: None, ..standing(&given, &shown) };
    assert_eq!(refusals(&unknown, at(11)), [Refusal::ConsentOutdated]);
}

/// Promise: WB-7-children
#[test]
fn marks_close_the_gate_and_every_reason_is_told() {
    let shown = face();
    let given = line(Scope::FACE_VERIFICATION).give(&shown, at(10)).unwrap();
    let marked = |marks| refusals(&Standing { marks, ..standing(&given, &shown) }, at(11));
    let none = Marks::default();
    assert_eq!(marked(Marks { minor: true, ..none }), [Refusal::Minor]);
    assert_eq!(marked(Marks { restricted: true, ..none }), [Refusal::ProcessingRestricted]);
    assert_eq!(marked(Marks { objected: true, ..none }), [Refusal::ProcessingObjected]);
    let withdrawn = given.withdraw(at(12)).unwrap();
    let all = Standing {
        marks: Marks { minor: true, restricted: true, objected: true },
        ..standing(&withdrawn, &shown)
    };
    assert_eq!(
        refusals(&all, at(13)),
        [
            Refusal::ConsentWithdrawn,
            Refusal::ProcessingRestricted,
            Refusal::ProcessingObjected,
            Refusal::Minor
        ]
    );
}

/// Promise: WB-2-exclusive
/// Promise: WB-1.2-admin-consent
/// Promise: WB-1.5-voice-consent
#[test]
fn a_grant_for_one_scope_never_opens_another() {
    let shown = everything();
    let mut pairs = 0;
    for granted in Scope::all_biometric() {
        let given = line(granted).give(&shown, at(10)).unwrap();
        let permit = Gate::default().permit(&standing(&given, &shown), at(11)).or_refuse().unwrap();
        assert_eq!(permit.binding().scope(), granted, "the permit is for what was granted");
        for asked in Scope::all_biometric().filter(|asked| *asked != granted) {
            let untouched = line(asked);
            assert_eq!(refusals(&standing(&untouched, &shown), at(11)), [Refusal::ConsentMissing]);
            let only = draft("1", SHOWN.as_bytes()).covers(granted).finish().unwrap();
            assert_eq!(line(asked).give(&only, at(10)), Err(ConsentError::ScopeNotCovered));
            let (organisation, subject) = (untouched.organisation().clone(), untouched.subject());
            let moved = stored_line(organisation, subject, asked, 1, given.last()).unwrap();
            assert_eq!(
                refusals(&standing(&moved, &only), at(11)),
                [Refusal::ConsentOutdated],
                "a row moved over"
            );
            pairs += 1;
        }
    }
    assert_eq!(pairs, 8 * 7);
}

/// Promise: WB-2-exclusive
#[test]
fn scopes_without_a_template_never_make_a_permit() {
    let shown = Scope::all().fold(draft("1", SHOWN.as_bytes()), NoticeDraft::covers).finish().unwrap();
    for scope in Scope::all().filter(|scope| scope.modality().is_none()) {
        let given = line(scope).give(&shown, at(10)).unwrap();
        assert_eq!(refusals(&standing(&given, &shown), at(11)), [Refusal::ConsentMissing], "{scope:?}");
    }
    let voice = Scope::new(Some(Modality::Voice), Role::EndUser, Purpose::Verification).unwrap();
    let given = line(voice).give(&shown, at(10)).unwrap();
    assert_eq!(refusals(&standing(&given, &shown), at(11)), []);
}
