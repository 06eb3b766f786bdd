use vouchsafe_types::{OrganisationId, Scope};

use super::*;
use crate::notice::tests::{SHOWN, at, draft};
use crate::{AttestedBy, Notice, NoticeDraft};

fn line(scope: Scope) -> ConsentLine {
    ConsentLine::absent(OrganisationId::parse("acme").unwrap(), SubjectPseudonym::from_bytes([1; 32]), scope)
}

fn mail(role: Role) -> Scope {
    Scope::new(None, role, Purpose::Communication).unwrap()
}

fn notice() -> Notice {
    let draft = NoticeDraft::new("mail", "1", "en", b"We write to you about news.");
    let both = Role::ALL.into_iter().fold(draft, |draft, role| draft.covers(mail(role)));
    both.material(AttestedBy::PrivacyOfficer).finish().unwrap()
}

fn refusal(line: &ConsentLine, now: i64) -> Option<Refusal> {
    let outcome = may_send(MessageKind::Promotional, line, at(now)).or_refuse();
    outcome.err().and_then(|reasons| reasons.as_slice().first().copied())
}

/// Promise: FP-11-email
#[test]
fn promotional_messages_need_an_open_consent_and_service_messages_none() {
    for role in Role::ALL {
        let absent = line(mail(role));
        let given = absent.give(&notice(), at(10)).unwrap();
        let withdrawn = given.withdraw(at(20)).unwrap();
        assert_eq!(refusal(&absent, 11), Some(Refusal::ConsentMissing));
        assert_eq!(refusal(&given, 11), None);
        assert_eq!(refusal(&given, 9), Some(Refusal::ConsentMissing), "clock set back");
        assert_eq!(refusal(&withdrawn, 21), Some(Refusal::ConsentWithdrawn));
        assert_eq!(refusal(&absent.refuse(&notice(), at(10)).unwrap(), 11), Some(Refusal::ConsentRefused));
        for line in [&absent, &given, &withdrawn] {
            let permit = may_send(MessageKind::Service, line, at(30)).or_refuse().unwrap();
            assert_eq!((permit.kind(), permit.sequence()), (MessageKind::Service, line.sequence()));
        }
    }
}

/// Promise: FP-11-email
#[test]
fn no_other_consent_is_a_consent_to_messages() {
    let shown = Scope::all().fold(draft("1", SHOWN.as_bytes()), NoticeDraft::covers).finish().unwrap();
    for scope in Scope::all() {
        let given = line(scope).give(&shown, at(10)).unwrap();
        let is_mail = scope.purpose() == Purpose::Communication;
        assert_eq!(refusal(&given, 11), (!is_mail).then_some(Refusal::ConsentMissing), "{scope:?}");
        if is_mail {
            let end = given.last().unwrap().expires.unwrap().as_second();
            assert_eq!(refusal(&given, end), Some(Refusal::ConsentExpired));
        }
    }
}

#[test]
fn tokens_have_one_encoding() {
    let token = UnsubscribeToken::issue(SubjectPseudonym::from_bytes([7; 32]), Role::EndUser, at(7_300));
    assert_eq!((token.issued_hour, token.scope()), (2, Ok(mail(Role::EndUser))));
    let bytes = token.to_bytes();
    assert_eq!(UnsubscribeToken::from_bytes(&bytes), Ok(token));
    assert_eq!((bytes[0], bytes[33], &bytes[34..]), (1, 2, [0, 0, 0, 2].as_slice()));
    for i in [0, 33] {
        let mut changed = bytes;
        changed[i] = 9;
        assert_eq!(UnsubscribeToken::from_bytes(&changed), Err(ConsentError::Unsubscribe));
    }
    for len in 0..UnsubscribeToken::LEN {
        assert_eq!(UnsubscribeToken::from_bytes(&bytes[..len]), Err(ConsentError::Unsubscribe));
    }
    assert!(UnsubscribeToken::from_bytes(&[bytes.as_slice(), &[0]].concat()).is_err());
}

/// Promise: FP-11-email
#[test]
fn headers_are_those_of_one_click_and_nothing_breaks_out_of_them() {
    let headers = list_unsubscribe_headers("https://acme.example/u?t=", "AbC-_9").unwrap();
    assert_eq!(headers[0], ("List-Unsubscribe", "<https://acme.example/u?t=AbC-_9>".to_owned()));
    assert_eq!(headers[1], ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click".to_owned()));
    for base in [
        "http://acme.example/",
        "HTTPS://acme.example/",
        "https://",
        "https:///u",
        "https://acme.example/\r\nBcc: x@y.example",
        "https://acme.example/>,<http://other.example/",
        "https://acme.example/ u",
        "https://acmé.example/",
        "mailto:x@y.example",
    ] {
        assert_eq!(list_unsubscribe_headers(base, "t"), Err(ConsentError::Unsubscribe), "{base}");
    }
    for token in ["", "a b", "a\n", "a>", "a=", &"a".repeat(900)] {
        assert_eq!(list_unsubscribe_headers("https://acme.example/", token), Err(ConsentError::Unsubscribe));
    }
    assert!(is_one_click_post(b"List-Unsubscribe=One-Click"));
    for body in [b"".as_slice(), b"List-Unsubscribe=One-Click ", b"list-unsubscribe=one-click", b"x=1"] {
        assert!(!is_one_click_post(body));
    }
}
