//! Servers that answer wrongly: every call ends in a typed error, and nothing is believed that was not shown.
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use vouchsafe_envelope::KeyServiceError;
use vouchsafe_envelope::port::KeyService;
use vouchsafe_keys::{KeysError, OpenBao};

use super::fake::{Fake, Reply};
use super::{handle, secret};

/// A service on a server that begins well.
fn fake(script: impl Fn(&str, &str, &str) -> Reply + Send + Sync + 'static) -> (Fake, OpenBao) {
    let fake = Fake::welcoming(script);
    let service = OpenBao::connect(fake.config()).unwrap();
    (fake, service)
}

type Garbage = fn() -> Reply;

fn wrapped(generation: u64) -> Vec<u8> {
    format!("vault:v{generation}:{}", "A".repeat(80)).into_bytes()
}

fn answer(body: &str) -> Reply {
    Reply::Answer(200, body.to_owned())
}

#[test]
fn what_is_no_answer_is_a_typed_error() {
    let huge = || {
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", 64 << 20);
        Reply::Raw([head.into_bytes(), vec![b' '; 8 << 20]].concat())
    };
    let head = || Reply::Raw(format!("HTTP/1.1 200 OK\r\nX: {}\r\n\r\n", "x".repeat(1 << 20)).into_bytes());
    let cut = || Reply::Raw(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"data\":".to_vec());
    let bomb = || {
        let gzip = "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\n\x1f\x08";
        Reply::Raw([gzip.as_bytes(), b"xx"].concat())
    };
    let scripts: [(&str, Garbage, &[KeyServiceError]); 11] = [
        ("no JSON", || answer("<html>"), &[KeyServiceError::Corrupt]),
        ("nothing", || answer(""), &[KeyServiceError::Corrupt]),
        ("no data", || answer("{}"), &[KeyServiceError::Corrupt]),
        (
            "other types",
            || answer(r#"{"data":{"plaintext":7,"ciphertext":[]}}"#),
            &[KeyServiceError::Corrupt],
        ),
        ("204", || Reply::Raw(b"HTTP/1.1 204 X\r\n\r\n".to_vec()), &[KeyServiceError::Corrupt]),
        ("huge body", huge, &[KeyServiceError::Corrupt]),
        ("huge head", head, &[KeyServiceError::Corrupt, KeyServiceError::Unavailable]),
        ("cut", cut, &[KeyServiceError::Corrupt, KeyServiceError::Unavailable]),
        ("encoded", bomb, &[KeyServiceError::Corrupt, KeyServiceError::Unavailable]),
        (
            "no HTTP",
            || Reply::Raw(b"SSH-2.0-x\r\n\r\n".to_vec()),
            &[KeyServiceError::Corrupt, KeyServiceError::Unavailable],
        ),
        ("hangs up", || Reply::Raw(Vec::new()), &[KeyServiceError::Unavailable]),
    ];
    for (name, script, expected) in scripts {
        let (_fake, service) = fake(move |_, _, _| script());
        let handle = handle("acme", 1);
        for (call, error) in [
            ("create", service.create(&handle).unwrap_err()),
            ("wrap", service.wrap(&handle, &secret(1), b"").unwrap_err()),
            ("unwrap", service.unwrap(&handle, &wrapped(1), b"").unwrap_err()),
            ("destroy", service.destroy(&handle).unwrap_err()),
            ("list", service.list(handle.organisation()).unwrap_err()),
        ] {
            assert!(expected.contains(&error), "{name}, {call}: {error:?}");
        }
        let fake = Fake::new(move |_, _, _| script());
        let error = OpenBao::connect(fake.config()).unwrap_err();
        assert!(matches!(error, KeysError::Corrupt | KeysError::Unavailable), "{name}, connect: {error:?}");
    }
}

#[test]
fn a_status_says_who_must_act() {
    for (status, expected) in [
        (307, KeyServiceError::Unavailable),
        (403, KeyServiceError::Denied),
        (413, KeyServiceError::Malformed),
        (429, KeyServiceError::Unavailable),
        (500, KeyServiceError::Unavailable),
        (503, KeyServiceError::Unavailable),
    ] {
        let (_fake, service) = fake(move |_, _, _| Reply::Answer(status, r#"{"errors":[]}"#.to_owned()));
        let handle = handle("acme", 1);
        assert_eq!(service.create(&handle), Err(expected), "{status}");
        assert_eq!(service.wrap(&handle, &secret(1), b"").err(), Some(expected), "{status}");
        assert_eq!(service.unwrap(&handle, &wrapped(1), b"").err(), Some(expected), "{status}");
        assert_eq!(service.destroy(&handle).err(), Some(expected), "{status}");
        assert_eq!(service.list(handle.organisation()).err(), Some(expected), "{status}");
    }
}

#[test]
fn a_redirection_takes_the_token_nowhere() {
    let elsewhere = Arc::new(Fake::new(|_, _, _| Fake::key(0, 1)));
    let target = elsewhere.address();
    let (_fake, service) = fake(move |_, path, _| {
        let head = format!("HTTP/1.1 307 X\r\nLocation: {target}{path}\r\nContent-Length: 0\r\n\r\n");
        Reply::Raw(head.into_bytes())
    });
    assert_eq!(service.list(handle("acme", 1).organisation()).err(), Some(KeyServiceError::Unavailable));
    assert_eq!(service.create(&handle("acme", 1)), Err(KeyServiceError::Unavailable));
    assert!(elsewhere.requests().is_empty());
}

#[test]
fn a_wrap_under_another_version_is_not_taken() {
    for text in ["vault:v2:", "vault:v01:", "vault:v1:", ""] {
        let ciphertext =
            format!("{text}{}", if text == "vault:v1:" { "AAAA".to_owned() } else { "A".repeat(80) });
        let (_fake, service) = fake(move |method, _, _| match method {
            "GET" => Fake::key(0, 2),
            _ => answer(&json!({"data": {"ciphertext": ciphertext}}).to_string()),
        });
        let error = service.wrap(&handle("acme", 1), &secret(1), b"").unwrap_err();
        assert_eq!(error, KeyServiceError::Corrupt, "{text}");
    }
}

#[test]
fn a_plaintext_of_another_length_is_not_taken() {
    for len in [0, 16, 31, 33, 48, 1 << 16] {
        let plaintext = STANDARD.encode(vec![1; len]);
        let (_fake, service) =
            fake(move |_, _, _| answer(&json!({"data": {"plaintext": plaintext}}).to_string()));
        let error = service.unwrap(&handle("acme", 1), &wrapped(1), b"").unwrap_err();
        assert_eq!(error, KeyServiceError::Corrupt, "{len}");
    }
}

/// What does not belong to the handle is not even sent.
#[test]
fn a_wrap_of_another_version_is_not_asked_about() {
    let (fake, service) = fake(|_, _, _| answer("{}"));
    for (bytes, error) in [
        (wrapped(2), KeyServiceError::NotAuthentic),
        (b"vault:v1:AAAA".to_vec(), KeyServiceError::Malformed),
        (vec![b'x'; 1 << 20], KeyServiceError::Malformed),
        (vec![0xff; 89], KeyServiceError::NotAuthentic),
    ] {
        assert_eq!(service.unwrap(&handle("acme", 1), &bytes, b"").err(), Some(error));
    }
    assert_eq!(fake.requests().len(), 2, "only the beginning");
}

#[test]
fn a_destruction_is_believed_when_it_is_shown() {
    // Every act succeeds and nothing changes.
    let (fake, service) = fake(|_, _, _| Fake::key(0, 2));
    assert_eq!(service.destroy(&handle("acme", 1)).err(), Some(KeyServiceError::Unavailable));
    assert!(fake.requests().iter().any(|request| request.ends_with("/trim")));
    // The key vanishes in the middle: nobody can say what became of its versions.
    let reads = AtomicUsize::new(0);
    let (_fake, service) = self::fake(move |method, _, _| {
        if method == "GET" && reads.fetch_add(1, Ordering::SeqCst) > 0 {
            return Reply::Answer(404, r#"{"errors":[]}"#.to_owned());
        }
        Fake::key(0, 2)
    });
    assert_eq!(service.destroy(&handle("acme", 1)).err(), Some(KeyServiceError::NewestKey));
}

#[test]
fn a_creation_is_believed_when_it_is_shown() {
    let (fake, service) = fake(|_, _, _| Fake::key(0, 1));
    assert_eq!(service.create(&handle("acme", 4)), Err(KeyServiceError::Corrupt));
    let rotations = fake.requests().iter().filter(|request| request.ends_with("/rotate")).count();
    assert_eq!(rotations, 3, "no more than it takes");
    let (_fake, service) = self::fake(|_, _, _| Fake::key(0, u64::MAX));
    assert_eq!(service.list(handle("acme", 1).organisation()).err(), Some(KeyServiceError::Corrupt));
}

/// A connection that breaks is tried once more, except for the act that would add a version twice.
#[test]
fn only_a_rotation_is_never_repeated() {
    let (fake, service) = fake(|_, path, _| match path {
        path if path.ends_with("/rotate") => Reply::Raw(Vec::new()),
        path if path.contains("decrypt") => Reply::Raw(Vec::new()),
        _ => Fake::key(0, 1),
    });
    assert_eq!(service.create(&handle("acme", 2)), Err(KeyServiceError::Unavailable));
    let error = service.unwrap(&handle("acme", 1), &wrapped(1), b"").unwrap_err();
    assert_eq!(error, KeyServiceError::Unavailable);
    let count = |end: &str| fake.requests().iter().filter(|request| request.contains(end)).count();
    assert_eq!((count("/rotate"), count("/decrypt")), (1, 2));
}
