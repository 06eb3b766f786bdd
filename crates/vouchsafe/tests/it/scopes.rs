//! Every scope is consented to apart from every other.

use vouchsafe::consent::MessageKind;
use vouchsafe::ledger::Trust;
use vouchsafe::store::ConsentRow;
use vouchsafe::{Act, Error, Organisation, Refusal, Role, Scope, Subject};

use crate::scene::{
    COMMUNICATION, Scene, communication, content, face, give, permit_for, proven, refusal, rejected,
    try_give, wide_notice,
};

/// Every biometric scope, and communication in each role.
fn scopes() -> Vec<Scope> {
    Scope::all_biometric().chain(COMMUNICATION.into_iter().map(communication)).collect()
}

fn pairs() -> impl Iterator<Item = (Scope, Scope)> {
    let all = scopes();
    let others = all.clone();
    let pairs = all.into_iter().flat_map(move |one| others.clone().into_iter().map(move |two| (one, two)));
    pairs.filter(|(one, two)| one != two)
}

fn biometric_pairs() -> impl Iterator<Item = (Scope, Scope)> {
    pairs().filter(|(one, two)| one.modality().is_some() && two.modality().is_some())
}

fn person<'a>(organisation: &'a Organisation<'a>, (one, two): (Scope, Scope)) -> Subject<'a> {
    organisation.subject(&format!("{}+{}", one.name(), two.name())).unwrap()
}

#[test]
fn the_pairs_are_all_there() {
    assert_eq!(pairs().count(), 10 * 9);
    assert_eq!(biometric_pairs().count(), 8 * 7);
}

/// Promise: WB-1.2-admin-consent, WB-1.5-voice-consent, WB-11-consent-first
#[test]
fn a_grant_for_one_scope_opens_no_other() {
    let scene = Scene::new();
    let organisation = scene.service.organisation("acme").unwrap();
    let notice = wide_notice(&organisation);
    for granted in scopes() {
        let person = organisation.subject(&granted.name()).unwrap();
        give(&person, granted, &notice);
        for other in scopes() {
            let biometric = other.modality().is_some();
            let opens = other == granted && biometric;
            let asked = person.permit(other).unwrap();
            if opens {
                assert_eq!(asked.done().unwrap().binding().scope(), granted);
            } else {
                assert_eq!(
                    refusal(asked),
                    Refusal::ConsentMissing,
                    "{} for {}",
                    granted.name(),
                    other.name()
                );
            }
        }
        for role in COMMUNICATION {
            let may = person.may_send(MessageKind::Promotional, role).unwrap().done().is_some();
            assert_eq!(may, communication(role) == granted, "{} for {role:?}", granted.name());
        }
    }
}

/// Promise: WB-1.2-admin-consent, WB-1.5-voice-consent, WB-11-consent-first
#[test]
fn a_permit_of_one_scope_neither_enrols_nor_verifies_in_another() {
    let scene = Scene::new();
    let service = scene.lenient();
    let organisation = service.organisation("acme").unwrap();
    let notice = wide_notice(&organisation);
    for (one, two) in biometric_pairs() {
        let case = format!("{} and {}", one.name(), two.name());
        let person = person(&organisation, (one, two));
        give(&person, one, &notice);
        let permit = permit_for(&person, one);
        let enrolled = person.enrol_embedding(&permit, face(&permit, 1)).unwrap().or_refuse().unwrap();
        assert_eq!(content(enrolled.receipt())["scope"], one.name(), "{case}");

        give(&person, two, &notice);
        let other = permit_for(&person, two);
        let crossed = person.enrol_embedding(&other, face(&permit, 1));
        assert!(matches!(crossed, Err(Error::Foreign)), "{case}");
        let crossed = person.verify_embedding(&other, face(&permit, 1));
        assert!(matches!(crossed, Err(Error::Foreign)), "{case}");
        let own = person.verify_embedding(&other, face(&other, 1)).unwrap();
        assert_eq!(rejected(own), Refusal::NotEnrolled, "{case}");
        let kept = scene.rows(organisation.id(), |rows| {
            rows.biometric_holding(organisation.id(), person.pseudonym(), two)
        });
        assert!(kept.is_none(), "{case}");
        assert!(person.verify_embedding(&permit, face(&permit, 1)).unwrap().is_accepted(), "{case}");
    }
}

/// Promise: WB-1.2-admin-consent, WB-1.5-voice-consent, WB-5-revoke
#[test]
fn the_end_of_one_consent_leaves_the_other_as_it_is() {
    let scene = Scene::new();
    let service = scene.lenient();
    let organisation = service.organisation("acme").unwrap();
    let notice = wide_notice(&organisation);
    for (one, two) in biometric_pairs() {
        let case = format!("{} and {}", one.name(), two.name());
        let person = person(&organisation, (one, two));
        for scope in [one, two] {
            give(&person, scope, &notice);
            let permit = permit_for(&person, scope);
            person.enrol_embedding(&permit, face(&permit, 1)).unwrap().or_refuse().unwrap();
        }
        let ended = permit_for(&person, one);
        let _ = person.withdraw(one).unwrap();
        let after = person.verify_embedding(&ended, face(&ended, 1)).unwrap();
        assert_eq!(rejected(after), Refusal::ConsentWithdrawn, "{case}");
        let kept = permit_for(&person, two);
        assert!(person.verify_embedding(&kept, face(&kept, 1)).unwrap().is_accepted(), "{case}");
    }
}

/// Promise: WB-1.2-admin-consent, WB-1.5-voice-consent, WB-11-consent-first
#[test]
fn one_ticket_gives_one_scope() {
    let scene = Scene::new();
    let organisation = scene.service.organisation("acme").unwrap();
    let notice = wide_notice(&organisation);
    for (one, two) in pairs() {
        let person = person(&organisation, (one, two));
        let served = person.serve_notice(one, &notice).unwrap();
        let act = || Act::checkbox().attesting_age(18);
        let receipt = person.give_consent(served.ticket(), act()).unwrap().or_refuse().unwrap();
        assert_eq!(content(receipt.receipt())["scope"], one.name());
        for again in [person.give_consent(served.ticket(), act()).map(drop), {
            person.refuse_consent(served.ticket(), act()).map(drop)
        }] {
            assert!(matches!(again, Err(Error::Replayed)), "{again:?}");
        }
        let line = |scope| -> Option<ConsentRow> {
            scene.rows(organisation.id(), |rows| rows.consent(organisation.id(), person.pseudonym(), scope))
        };
        assert_eq!(line(one).unwrap().sequence, 1);
        assert_eq!(line(two), None, "{} gave {}", one.name(), two.name());
    }
}

/// Promise: WB-1.2-admin-consent
#[test]
fn an_administrators_grant_is_proven_to_be_in_the_log() {
    let scene = Scene::new();
    let organisation = scene.service.organisation("acme").unwrap();
    let notice = wide_notice(&organisation);
    let admin = organisation.subject("root").unwrap();
    let act = Act::typed_signature();
    let receipt = try_give(&admin, Scope::ADMIN_FACE_VERIFICATION, &notice, act).unwrap();
    let payload = content(receipt.receipt());
    assert_eq!(payload["scope"], Scope::ADMIN_FACE_VERIFICATION.name());
    assert_eq!(payload["expression"], "typed_signature");
    assert_eq!(payload["notice"]["sha256"], notice.digest().to_string());

    let (key, origin) = (organisation.verifier_key().unwrap(), organisation.log_origin().unwrap());
    assert!(receipt.receipt().verify(&Trust::new(&key, &origin)).is_err(), "without a proof");
    let proven = proven(&organisation, receipt.receipt());
    let checkpoint = proven.verify(&Trust::new(&key, &origin)).unwrap();
    assert!(checkpoint.size() > proven.entry());

    let other = scene.service.organisation("other").unwrap();
    let (other_key, other_origin) = (other.verifier_key().unwrap(), other.log_origin().unwrap());
    assert!(proven.verify(&Trust::new(&other_key, &other_origin)).is_err());
    assert!(proven.verify(&Trust::new(&key, &other_origin)).is_err());
    let end_user = organisation.subject("4711").unwrap();
    let own = give(&end_user, Scope::FACE_VERIFICATION, &notice);
    let mut mixed: serde_json::Value = serde_json::from_str(&own.receipt().to_json().unwrap()).unwrap();
    mixed["proof"] = proven.proof().unwrap().into();
    let mixed = vouchsafe::Receipt::from_json(&mixed.to_string()).unwrap();
    assert!(mixed.verify(&Trust::new(&key, &origin)).is_err(), "the proof of another entry");
    assert_eq!(Scope::ADMIN_FACE_VERIFICATION.role(), Role::Administrator);
}
