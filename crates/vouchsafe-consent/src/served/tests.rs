use std::sync::Mutex;

use vouchsafe_types::{IpPseudonym, Refusal};

use super::*;
use crate::notice::tests::{SHOWN, at, draft, face};
use crate::{
    AgeAttestation, AgePolicy, AttestedBy, ConsentStatus, ExpressionKind, NoPasskeys, NoticeDraft,
    PasskeyAssertion,
};

fn subject() -> SubjectPseudonym {
    SubjectPseudonym::from_bytes([1; 32])
}

fn served(notice: &Notice) -> Served {
    let ticket = TicketId::from_bytes([9; 16]);
    Served::new(ticket, subject(), Scope::FACE_VERIFICATION, notice, at(1_000)).unwrap()
}

/// Promise: WB-1.4-consent-record
#[test]
fn an_act_answers_what_was_shown_and_nothing_else() {
    let notice = face();
    let served = served(&notice);
    let act = || Act::checkbox().attesting_age(18).from(IpPseudonym::new(1, [2; 16]));
    assert_eq!(served.check_act(&notice, &act(), at(1_010)), Ok(at(1_010)));
    assert_eq!(served.check_act(&notice, &act().at(at(1_005)), at(1_010)), Ok(at(1_005)));
    assert_eq!(served.check_act(&notice, &act().at(at(1_000)), at(1_000)), Ok(at(1_000)));

    let check = |notice: &Notice, act: Act, now| served.check_act(notice, &act, at(now));
    assert_eq!(check(&notice, act().at(at(999)), 1_010), Err(ConsentError::BackDated));
    assert_eq!(check(&notice, act(), 999), Err(ConsentError::BackDated), "clock set back");
    assert_eq!(check(&notice, act().at(at(1_011)), 1_010), Err(ConsentError::FromTheFuture));
    let day = 24 * 60 * 60;
    assert_eq!(check(&notice, act(), 1_000 + day), Ok(at(1_000 + day)));
    assert_eq!(check(&notice, act(), 1_001 + day), Err(ConsentError::ServedStale));
    assert_eq!(check(&notice, act().at(at(1_001)), 1_001 + day), Err(ConsentError::ServedStale));

    let passkey = Act::passkey(PasskeyAssertion::new(vec![1]).unwrap());
    assert_eq!(check(&notice, passkey, 1_010), Err(ConsentError::ExpressionNotAccepted));
    let more = format!("{SHOWN} And more.");
    let changed = draft("1", more.as_bytes()).covers(Scope::FACE_VERIFICATION).finish().unwrap();
    assert_eq!(check(&changed, act(), 1_010), Err(ConsentError::NoticeChanged));
    let newer = draft("2", SHOWN.as_bytes()).covers(Scope::FACE_VERIFICATION).finish().unwrap();
    assert_eq!(
        check(&newer, act(), 1_010),
        Err(ConsentError::NoticeChanged),
        "the same bytes, another version"
    );
}

/// Promise: WB-11-consent-first
/// Promise: WB-1.5-voice-consent
#[test]
fn one_answer_gives_one_scope_of_one_person() {
    let shown =
        Scope::all_biometric().fold(draft("1", SHOWN.as_bytes()), NoticeDraft::covers).finish().unwrap();
    let organisation = OrganisationId::parse("acme").unwrap();
    let other = SubjectPseudonym::from_bytes([2; 32]);
    let mut pairs = 0;
    for scope in Scope::all_biometric() {
        let served = Served::new(TicketId::from_bytes([9; 16]), subject(), scope, &shown, at(1_000)).unwrap();
        for asked in Scope::all_biometric() {
            let line = ConsentLine::absent(organisation.clone(), subject(), asked);
            let given = served.give(&line, &shown, &Act::checkbox(), &NoPasskeys, at(1_001));
            let refused = served.refuse(&line, &shown, at(1_001));
            if asked == scope {
                assert_eq!(given.unwrap().status(), Some(ConsentStatus::Given));
                assert_eq!(refused.unwrap().status(), Some(ConsentStatus::Refused));
            } else {
                assert_eq!((given, refused), (Err(ConsentError::WrongLine), Err(ConsentError::WrongLine)));
                pairs += 1;
            }
        }
        let stranger = ConsentLine::absent(organisation.clone(), other, scope);
        let given = served.give(&stranger, &shown, &Act::checkbox(), &NoPasskeys, at(1_001));
        assert_eq!(given, Err(ConsentError::WrongLine));
    }
    assert_eq!(pairs, 8 * 7);
}

#[test]
fn a_refusal_answers_what_was_shown_too() {
    let (notice, organisation) = (face(), OrganisationId::parse("acme").unwrap());
    let line = ConsentLine::absent(organisation, subject(), Scope::FACE_VERIFICATION);
    let served = served(&notice);
    assert_eq!(served.refuse(&line, &notice, at(999)), Err(ConsentError::BackDated));
    assert_eq!(served.refuse(&line, &notice, at(1_001 + 24 * 60 * 60)), Err(ConsentError::ServedStale));
    let newer = draft("2", SHOWN.as_bytes()).covers(Scope::FACE_VERIFICATION).finish().unwrap();
    assert_eq!(served.refuse(&line, &newer, at(1_001)), Err(ConsentError::NoticeChanged));
    let unsigned = Act::passkey(PasskeyAssertion::new(vec![1]).unwrap());
    let given = served.give(&line, &notice, &unsigned, &NoPasskeys, at(1_001));
    assert_eq!(given, Err(ConsentError::ExpressionNotAccepted));
}

#[test]
fn the_language_is_the_one_that_was_served() {
    let in_locale = |locale| {
        let mail = Scope::all().next().unwrap();
        NoticeDraft::new("a", "1", locale, b"x")
            .covers(mail)
            .material(AttestedBy::LegalCounsel)
            .finish()
            .unwrap()
    };
    let (english, german) = (in_locale("en"), in_locale("de"));
    let scope = Scope::all().next().unwrap();
    let served = Served::new(TicketId::from_bytes([0; 16]), subject(), scope, &english, at(0)).unwrap();
    assert_eq!(served.check_act(&english, &Act::checkbox(), at(1)), Ok(at(1)));
    assert_eq!(served.check_act(&german, &Act::checkbox(), at(1)), Err(ConsentError::WrongLocale));
}

#[test]
fn a_notice_is_served_for_a_scope_that_it_covers_while_it_is_in_force() {
    let ticket = TicketId::from_bytes([9; 16]);
    let other = Served::new(ticket, subject(), Scope::ADMIN_FACE_VERIFICATION, &face(), at(1));
    assert_eq!(other, Err(ConsentError::ScopeNotCovered));
    let later =
        draft("2", SHOWN.as_bytes()).covers(Scope::FACE_VERIFICATION).effective(at(5)).finish().unwrap();
    let early = Served::new(ticket, subject(), Scope::FACE_VERIFICATION, &later, at(4));
    assert_eq!(early, Err(ConsentError::NoticeNotInForce));
}

/// Promise: WB-7-children
#[test]
fn age_is_attested_and_at_least_eighteen_by_default() {
    let attested = |at_least| Some(AgeAttestation { at_least });
    let policy = AgePolicy::default();
    assert_eq!(policy.check(attested(18)), Ok(()));
    assert_eq!(policy.check(attested(17)), Err(Refusal::Minor));
    assert_eq!(policy.check(None), Err(Refusal::AgeNotAttested));
    let relaxed = AgePolicy { minimum: 16, required: false };
    assert_eq!(relaxed.check(None), Ok(()));
    assert_eq!(relaxed.check(attested(15)), Err(Refusal::Minor), "an attested minor is one, required or not");
}

#[derive(Default)]
struct Recorder(Mutex<Vec<[u8; 32]>>);

impl PasskeyVerifier for Recorder {
    fn verify(
        &self,
        _: SubjectPseudonym,
        challenge: &[u8; 32],
        assertion: &PasskeyAssertion,
    ) -> Result<(), ConsentError> {
        self.0.lock().unwrap().push(*challenge);
        if assertion.as_bytes() == challenge { Ok(()) } else { Err(ConsentError::PasskeyRejected) }
    }
}

/// The same encoding, told by hand.
fn known_challenge(notice: &Notice) -> [u8; 32] {
    let mut message = b"\0\0\0\0\0\0\0\x1evouchsafe/consent-challenge/v1".to_vec();
    message.extend(b"\0\0\0\0\0\0\0\x04acme");
    message.extend(b"\0\0\0\0\0\0\0\x20");
    message.extend([1; 32]);
    message.extend(b"\0\0\0\0\0\0\0\x03\x01\x02\x01");
    message.extend(b"\0\0\0\0\0\0\0\x20");
    message.extend(notice.digest().as_bytes());
    message.extend(b"\0\0\0\0\0\0\0\x10");
    message.extend([9; 16]);
    *crate::notice::sha256(&message).as_bytes()
}

#[test]
fn a_passkey_signs_this_act_and_no_other() {
    let notice = draft("1", SHOWN.as_bytes())
        .release("By ticking the box or typing", ExpressionKind::ALL)
        .covers(Scope::FACE_VERIFICATION)
        .finish()
        .unwrap();
    let organisation = OrganisationId::parse("acme").unwrap();
    let served = served(&notice);
    let own = served.challenge(&organisation);
    let signed = |bytes: &[u8]| Act::passkey(PasskeyAssertion::new(bytes.to_vec()).unwrap());
    let passkeys = Recorder::default();
    assert_eq!(served.check_signature(&organisation, &signed(&own), &passkeys), Ok(()));
    assert_eq!(passkeys.0.lock().unwrap().as_slice(), [own]);
    assert_eq!(own, known_challenge(&notice));
    assert_eq!(
        served.check_signature(&organisation, &signed(&own), &NoPasskeys),
        Err(ConsentError::PasskeysUnavailable)
    );
    assert_eq!(served.check_signature(&organisation, &Act::checkbox(), &NoPasskeys), Ok(()));
    let line = ConsentLine::absent(organisation.clone(), subject(), Scope::FACE_VERIFICATION);
    let give = |act: &Act| served.give(&line, &notice, act, &passkeys, at(1_001)).map(|line| line.sequence());
    assert_eq!((give(&signed(&own)), give(&signed(&[1]))), (Ok(1), Err(ConsentError::PasskeyRejected)));

    let ticket = TicketId::from_bytes([8; 16]);
    let another = Served::new(ticket, subject(), Scope::FACE_VERIFICATION, &notice, at(1_000)).unwrap();
    assert_ne!(another.challenge(&organisation), own, "another ticket");
    assert_ne!(served.challenge(&OrganisationId::parse("acm").unwrap()), own, "another organisation");
    let rejected = another.check_signature(&organisation, &signed(&own), &passkeys);
    assert_eq!(rejected, Err(ConsentError::PasskeyRejected), "a replayed signature");

    assert_eq!(PasskeyAssertion::new(vec![]), Err(ConsentError::Assertion));
    assert_eq!(PasskeyAssertion::new(vec![0; PasskeyAssertion::MAX_LEN + 1]), Err(ConsentError::Assertion));
}
