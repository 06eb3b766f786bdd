//! A SoftHSM2 token behind the port. Each test runs in a process of its own, see the test kit.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests")]

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Instant;

use cryptoki::context::{CInitializeArgs, Pkcs11 as Context};
use cryptoki::object::{Attribute, AttributeType, KeyType, ObjectClass};
use cryptoki::session::{Session, UserType};
use cryptoki::types::AuthPin;
use vouchsafe_envelope::KeyServiceError;
use vouchsafe_envelope::port::{ErasureStrength, KeyHandle, KeyService};
use vouchsafe_keys::{KeysError, Pkcs11, Pkcs11Config, TokenName};
use vouchsafe_testkit::conformance;
use vouchsafe_testkit::services::softhsm::{LABEL, PIN, SoftHsm, with_token};
use vouchsafe_types::{OrganisationId, Secret, SecretBytes};

use crate::setup::{Place, acme, allocate, fingerprint};

fn config(token: &SoftHsm, name: TokenName, pin: &str) -> Pkcs11Config {
    let config = Pkcs11Config::new(token.module(), name, SecretBytes::new(pin.into()));
    config.with_lock_file(token.scratch().join("token.lock"))
}

fn open(token: &SoftHsm) -> Result<Pkcs11, KeysError> {
    Pkcs11::open(config(token, TokenName::Label(LABEL.into()), PIN))
}

fn handle(generation: u64) -> KeyHandle {
    KeyHandle::new(acme(), generation)
}

fn secret(byte: u8) -> Secret<32> {
    Secret::init_with(|secret| secret.fill(byte))
}

/// A client of the token that is not the adapter: the module is initialised already, or this does it.
fn client(token: &SoftHsm, log_in: bool) -> Session {
    let context = Box::leak(Box::new(Context::new(token.module()).unwrap()));
    let _ = context.initialize(CInitializeArgs::OsThreads);
    let slot = context.get_slots_with_initialized_token().unwrap()[0];
    let session = context.open_rw_session(slot).unwrap();
    if log_in {
        let _ = session.login(UserType::User, Some(&AuthPin::new(PIN.into())));
    }
    session
}

/// Another program on the same token: its session is in a process of its own.
fn in_another_process(token: &SoftHsm, act: &str) -> Vec<String> {
    finish(token.program("pkcs11::acts_as_another_process").env(ACT, act).stdout(Stdio::piped()))
}

fn finish(program: &mut Command) -> Vec<String> {
    let output = program.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    BufReader::new(&output.stdout[..]).lines().map_while(Result::ok).collect()
}

const ACT: &str = "VOUCHSAFE_TEST_ACT";

/// Not a test of its own: what other processes do.
#[test]
fn acts_as_another_process() {
    let (Some(token), Ok(act)) = (SoftHsm::inherited(), std::env::var(ACT)) else { return };
    match act.as_str() {
        "race" => {
            let service = open(&token).unwrap();
            for generation in 1..=8 {
                service.create(&handle(generation)).unwrap();
                let wrapped = service.wrap(&handle(generation), &secret(9), b"race").unwrap();
                println!("\nwrap {generation} {}", hex(&wrapped));
            }
        }
        "destroy" => drop(open(&token).unwrap().destroy(&handle(1)).unwrap()),
        // Without the PIN, so what it makes is a public object.
        "plant public" => plant(&client(&token, false), false),
        "plant private" => plant(&client(&token, true), true),
        "wrong pin" => {
            let client = config(&token, TokenName::Label(LABEL.into()), "9999-wrong");
            assert_eq!(Pkcs11::open(client).unwrap_err(), KeysError::Pin);
        }
        other => panic!("{other}"),
    }
}

/// A key of a known value under the name of acme's first state key.
fn plant(session: &Session, private: bool) {
    let template = [
        Attribute::Class(ObjectClass::SECRET_KEY),
        Attribute::KeyType(KeyType::AES),
        Attribute::Value(vec![0x42; 32]),
        Attribute::Token(true),
        Attribute::Private(private),
        Attribute::Sensitive(private),
        Attribute::Extractable(false),
        Attribute::Encrypt(true),
        Attribute::Decrypt(true),
        Attribute::Label(b"vouchsafe state key acme".to_vec()),
        Attribute::Id(b"vouchsafe\x01\x04acme\0\0\0\0\0\0\0\x01".to_vec()),
    ];
    session.create_object(&template).unwrap();
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len() / 2).map(|at| u8::from_str_radix(&text[2 * at..2 * at + 2], 16).unwrap()).collect()
}

/// Promise: WB-3-envelope
#[test]
fn a_token_conforms() {
    with_token("pkcs11::a_token_conforms", |token| {
        conformance::key_service(&|| Arc::new(open(token).unwrap()))
    });
}

#[test]
fn figures_of_a_token() {
    with_token("pkcs11::figures_of_a_token", |token| {
        let service = open(token).unwrap();
        for keys in [1u64, 100] {
            for at in 0..keys {
                let organisation = OrganisationId::parse(&format!("org-{at}")).unwrap();
                service.create(&KeyHandle::new(organisation, 1)).unwrap();
            }
            let handle = KeyHandle::new(OrganisationId::parse("org-0").unwrap(), 1);
            let wrapped = service.wrap(&handle, &secret(1), &[7; 64]).unwrap();
            let time = |act: &dyn Fn()| {
                let begun = Instant::now();
                (0..20).for_each(|_| act());
                begun.elapsed().as_secs_f64() * 1e6 / 20.0
            };
            let wrap = time(&|| drop(service.wrap(&handle, &secret(1), &[7; 64]).unwrap()));
            let unwrap = time(&|| drop(service.unwrap(&handle, &wrapped, &[7; 64]).unwrap()));
            println!("\nSoftHSM2, {keys} keys: wrap {wrap:.0} us (with its check), unwrap {unwrap:.0} us");
        }
    });
}

#[test]
fn a_key_is_made_never_to_leave_the_token() {
    with_token("pkcs11::a_key_is_made_never_to_leave_the_token", |token| {
        let service = open(token).unwrap();
        service.create(&handle(1)).unwrap();
        let session = client(token, true);
        let id = Attribute::Id(b"vouchsafe\x01\x04acme\0\0\0\0\0\0\0\x01".to_vec());
        let found = session.find_objects(&[id]).unwrap();
        assert_eq!(found.len(), 1);
        let kinds = [
            AttributeType::Private,
            AttributeType::Sensitive,
            AttributeType::AlwaysSensitive,
            AttributeType::NeverExtractable,
            AttributeType::Extractable,
            AttributeType::Copyable,
            AttributeType::Modifiable,
            AttributeType::Wrap,
            AttributeType::Derive,
        ];
        let held: Vec<bool> = session
            .get_attributes(found[0], &kinds)
            .unwrap()
            .iter()
            .map(|attribute| match attribute {
                Attribute::Private(is)
                | Attribute::Sensitive(is)
                | Attribute::AlwaysSensitive(is)
                | Attribute::NeverExtractable(is)
                | Attribute::Extractable(is)
                | Attribute::Copyable(is)
                | Attribute::Modifiable(is)
                | Attribute::Wrap(is)
                | Attribute::Derive(is) => *is,
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(held, [true, true, true, true, false, false, false, false, false]);
        assert!(session.get_attributes(found[0], &[AttributeType::Value]).unwrap().is_empty());
        assert!(session.copy_object(found[0], &[]).is_err());
        assert!(session.update_attributes(found[0], &[Attribute::Id(vec![1])]).is_err());
    });
}

/// A key whose value somebody knows is never used, and a destruction removes it all the same.
#[test]
fn a_planted_key_is_not_used() {
    with_token("pkcs11::a_planted_key_is_not_used", |token| {
        for act in ["plant public", "plant private"] {
            in_another_process(token, act);
            let service = open(token).unwrap();
            assert_eq!(
                service.wrap(&handle(1), &secret(1), b"").unwrap_err(),
                KeyServiceError::NoSuchKey,
                "{act}"
            );
            assert!(service.list(&acme()).unwrap().is_empty());
            service.create(&handle(1)).unwrap();
            let wrapped = service.wrap(&handle(1), &secret(1), b"").unwrap();
            assert_eq!(service.unwrap(&handle(1), &wrapped, b"").unwrap().expose_secret(), &[1; 32]);
            let _ = service.destroy(&handle(1)).unwrap();
            let label = Attribute::Label(b"vouchsafe state key acme".to_vec());
            assert!(client(token, true).find_objects(&[label]).unwrap().is_empty(), "{act}");
        }
    });
}

/// Four processes that take turns make eight keys, not more, and open each other's wraps.
#[test]
fn processes_that_race_lose_no_wrap() {
    with_token("pkcs11::processes_that_race_lose_no_wrap", |token| {
        let spawn = || {
            let mut program = token.program("pkcs11::acts_as_another_process");
            program.env(ACT, "race").stdout(Stdio::piped()).spawn().unwrap()
        };
        let racers: Vec<_> = (0..4).map(|_| spawn()).collect();
        let mut wraps = Vec::new();
        for racer in racers {
            let output = racer.wait_with_output().unwrap();
            assert!(output.status.success());
            let said = String::from_utf8(output.stdout).unwrap();
            wraps.extend(said.lines().filter_map(|line| line.strip_prefix("wrap ")).map(str::to_owned));
        }
        assert_eq!(wraps.len(), 32);
        let service = open(token).unwrap();
        assert_eq!(service.list(&acme()).unwrap(), (1..=8).map(handle).collect::<Vec<_>>());
        let objects = client(token, true).find_objects(&[Attribute::Class(ObjectClass::SECRET_KEY)]).unwrap();
        assert_eq!(objects.len(), 8);
        for line in &wraps {
            let (generation, wrapped) = line.split_once(' ').unwrap();
            let handle = handle(generation.parse().unwrap());
            assert_eq!(service.unwrap(&handle, &unhex(wrapped), b"race").unwrap().expose_secret(), &[9; 32]);
        }
        in_another_process(token, "destroy");
        assert_eq!(service.list(&acme()).unwrap(), (2..=8).map(handle).collect::<Vec<_>>());
        for line in wraps.iter().filter_map(|line| line.strip_prefix("1 ")) {
            let opened = service.unwrap(&handle(1), &unhex(line), b"race");
            assert_eq!(opened.unwrap_err(), KeyServiceError::NoSuchKey);
        }
    });
}

/// Two objects of one name, as a race of two hosts leaves them.
#[test]
fn a_key_made_twice_opens_both_and_dies_whole() {
    with_token("pkcs11::a_key_made_twice_opens_both_and_dies_whole", |token| {
        let service = open(token).unwrap();
        service.create(&handle(1)).unwrap();
        let first = service.wrap(&handle(1), &secret(1), b"").unwrap();
        // The same template again, by a client that did not look first.
        let session = client(token, true);
        let mechanism = cryptoki::mechanism::Mechanism::AesKeyGen;
        let template = [
            Attribute::Class(ObjectClass::SECRET_KEY),
            Attribute::KeyType(KeyType::AES),
            Attribute::ValueLen(32.into()),
            Attribute::Token(true),
            Attribute::Private(true),
            Attribute::Sensitive(true),
            Attribute::Extractable(false),
            Attribute::Encrypt(true),
            Attribute::Decrypt(true),
            Attribute::Label(b"vouchsafe state key acme".to_vec()),
            Attribute::Id(b"vouchsafe\x01\x04acme\0\0\0\0\0\0\0\x01".to_vec()),
        ];
        session.generate_key(&mechanism, &template).unwrap();
        let later: Vec<_> =
            (2..10).map(|byte| (byte, service.wrap(&handle(1), &secret(byte), b"").unwrap())).collect();
        assert_eq!(service.unwrap(&handle(1), &first, b"").unwrap().expose_secret(), &[1; 32]);
        for (byte, wrapped) in &later {
            assert_eq!(service.unwrap(&handle(1), wrapped, b"").unwrap().expose_secret(), &[*byte; 32]);
        }
        assert_eq!(service.unwrap(&handle(1), &first, b"else").unwrap_err(), KeyServiceError::NotAuthentic);
        assert_eq!(service.list(&acme()).unwrap(), [handle(1)]);
        let _ = service.destroy(&handle(1)).unwrap();
        assert!(session.find_objects(&[Attribute::Class(ObjectClass::SECRET_KEY)]).unwrap().is_empty());
    });
}

#[test]
fn a_session_that_was_logged_out_is_opened_again() {
    with_token("pkcs11::a_session_that_was_logged_out_is_opened_again", |token| {
        let service = open(token).unwrap();
        service.create(&handle(1)).unwrap();
        let wrapped = service.wrap(&handle(1), &secret(1), b"").unwrap();
        let other = client(token, true);
        for round in 0..3 {
            other.logout().unwrap();
            match round {
                0 => service.create(&handle(1)).unwrap(),
                1 => assert_eq!(service.list(&acme()).unwrap(), [handle(1)]),
                _ => drop(service.unwrap(&handle(1), &wrapped, b"").unwrap()),
            }
        }
        // A logout must not make a destruction out of nothing found.
        other.logout().unwrap();
        let _ = service.destroy(&handle(1)).unwrap();
        let _ = other.login(UserType::User, Some(&AuthPin::new(PIN.into())));
        assert!(other.find_objects(&[Attribute::Class(ObjectClass::SECRET_KEY)]).unwrap().is_empty());
    });
}

#[test]
fn a_wrong_pin_is_refused_and_not_tried_twice() {
    with_token("pkcs11::a_wrong_pin_is_refused_and_not_tried_twice", |token| {
        in_another_process(token, "wrong pin");
        let label = || TokenName::Label(LABEL.into());
        let opened = |pin| Pkcs11::open(config(token, label(), pin)).map(drop);
        assert_eq!(opened("wrong"), Err(KeysError::Pin));
        assert_eq!(opened(PIN), Ok(()));
        // The process is logged in, and a wrong PIN is still a wrong PIN.
        let service = open(token).unwrap();
        assert_eq!(opened("9999-wrong"), Err(KeysError::Pin));
        assert_eq!(opened(PIN), Ok(()));
        service.create(&handle(1)).unwrap();

        // The PIN changes under a running service.
        let other = client(token, false);
        other.set_pin(&AuthPin::new(PIN.into()), &AuthPin::new("another-pin".into())).unwrap();
        other.logout().unwrap();
        for _ in 0..5 {
            assert_eq!(service.list(&acme()).unwrap_err(), KeyServiceError::Denied);
        }
        // Logged in by somebody else, it still does not go behind the refusal.
        other.login(UserType::User, Some(&AuthPin::new("another-pin".into()))).unwrap();
        assert_eq!(service.destroy(&handle(1)).unwrap_err(), KeyServiceError::Denied);
        let renewed = Pkcs11::open(config(token, label(), "another-pin")).unwrap();
        assert_eq!(renewed.list(&acme()).unwrap(), [handle(1)]);
        let shown = format!("{renewed:?} {:?}", config(token, label(), PIN));
        assert!(!shown.contains(PIN) && !shown.contains("another-pin"), "{shown}");
    });
}

#[test]
fn a_token_that_is_gone_is_unavailable_and_another_is_not_taken_for_it() {
    let name = "pkcs11::a_token_that_is_gone_is_unavailable_and_another_is_not_taken_for_it";
    with_token(name, |token| {
        let service = open(token).unwrap();
        service.create(&handle(1)).unwrap();
        let wrapped = service.wrap(&handle(1), &secret(1), b"").unwrap();
        let away = token.scratch().join("away");
        fs::rename(token.tokens(), &away).unwrap();
        fs::create_dir(token.tokens()).unwrap();
        for _ in 0..2 {
            let gone = Some(KeyServiceError::Unavailable);
            assert_eq!(service.unwrap(&handle(1), &wrapped, b"").err(), gone);
            assert_eq!(service.wrap(&handle(1), &secret(1), b"").err(), gone);
            assert_eq!(service.create(&handle(2)).err(), gone);
            assert_eq!(service.destroy(&handle(1)).err(), gone);
            assert_eq!(service.list(&acme()).err(), gone);
        }
        // A token of the same label in its place has none of its keys.
        assert!(token.add(LABEL));
        assert_eq!(service.destroy(&handle(1)).err(), Some(KeyServiceError::Unavailable));
        fs::remove_dir_all(token.tokens()).unwrap();
        fs::rename(&away, token.tokens()).unwrap();
        drop(service);
        assert_eq!(open(token).unwrap().unwrap(&handle(1), &wrapped, b"").unwrap().expose_secret(), &[1; 32]);
    });
}

#[test]
fn what_is_not_there_is_named() {
    with_token("pkcs11::what_is_not_there_is_named", |token| {
        assert!(token.add("twice") && token.add("twice"));
        let by = |name: TokenName| Pkcs11::open(config(token, name, PIN)).map(drop);
        assert_eq!(by(TokenName::Label("nowhere".into())), Err(KeysError::Token));
        assert_eq!(by(TokenName::Label("twice".into())), Err(KeysError::Token));
        assert_eq!(by(TokenName::Label(String::new())), Err(KeysError::Token));
        assert_eq!(by(TokenName::Serial("0000".into())), Err(KeysError::Token));
        assert_eq!(by(TokenName::Label(LABEL.into())), Ok(()));
        for module in ["/nowhere/module.so", "/etc/hostname", "/"] {
            let pin = SecretBytes::new(PIN.into());
            let opened = Pkcs11::open(Pkcs11Config::new(module, TokenName::Label(LABEL.into()), pin));
            assert_eq!(opened.unwrap_err(), KeysError::Module, "{module}");
        }
    });
}

/// The key ring over a token; what a restored token folder undoes is said as it is.
///
/// Promise: WB-3-30days
#[test]
fn a_ring_over_a_token_destroys_for_good_until_the_token_is_restored() {
    let name = "pkcs11::a_ring_over_a_token_destroys_for_good_until_the_token_is_restored";
    with_token(name, |token| {
        let place = Place::new();
        let service = Arc::new(open(token).unwrap());
        let ring = place.ring_over(service.clone());
        ring.provision(&acme()).unwrap();
        let leaves = allocate(&ring, 2);
        let kept = fingerprint(&ring, leaves[1]).unwrap();
        let state = fs::read(place.state_file()).unwrap();
        let report = ring.destroy(&acme(), &leaves[..1]).unwrap();
        assert_eq!(report.strength(), ErasureStrength::HostOnly);
        assert_eq!(service.list(&acme()).unwrap(), [handle(report.generation())]);
        assert_eq!(fingerprint(&ring, leaves[1]), Ok(kept));
        assert!(fingerprint(&ring, leaves[0]).is_err());
        fs::write(place.state_file(), &state).unwrap();
        fs::write(place.replica_file(), state).unwrap();
        assert!(
            fingerprint(&place.ring_over(service), leaves[0]).is_err(),
            "the old state alone opens nothing"
        );
    });
}

#[test]
fn a_declared_strength_is_what_evidence_says() {
    with_token("pkcs11::a_declared_strength_is_what_evidence_says", |token| {
        for (declared, taken) in [
            (ErasureStrength::ServiceAttested, ErasureStrength::ServiceExcludedFromBackup),
            (ErasureStrength::ServiceExcludedFromBackup, ErasureStrength::ServiceExcludedFromBackup),
            (ErasureStrength::HostOnly, ErasureStrength::HostOnly),
            (ErasureStrength::None, ErasureStrength::None),
        ] {
            let config = config(token, TokenName::Label(LABEL.into()), PIN).with_strength(declared);
            let service = Pkcs11::open(config).unwrap();
            assert_eq!(service.strength(), taken);
            assert_eq!(service.destroy(&handle(1)).unwrap().strength(), taken);
        }
    });
}
