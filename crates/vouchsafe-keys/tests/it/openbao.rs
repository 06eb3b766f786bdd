//! The transit adapter against a real server, and against ones that lie.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::sync::Arc;

use serde_json::{Value, json};
use vouchsafe_envelope::KeyServiceError;
use vouchsafe_envelope::port::{KeyHandle, KeyService};
use vouchsafe_keys::{OpenBao, OpenBaoConfig, OpenBaoCredentials};
use vouchsafe_testkit::conformance;
use vouchsafe_testkit::services::openbao::OpenBaoServer;
use vouchsafe_types::{OrganisationId, Secret, SecretBytes};

mod access;
mod destruction;
mod fake;
mod liars;
mod logging;
mod outages;
mod races;
mod transit;

fn token(token: &str) -> OpenBaoCredentials {
    OpenBaoCredentials::Token(SecretBytes::new(token.as_bytes().to_vec()))
}

fn config(server: &OpenBaoServer, credentials: OpenBaoCredentials) -> OpenBaoConfig {
    OpenBaoConfig::new(&server.address(), &server.ca_certificate(), credentials)
}

/// The least that a token must be allowed to do.
fn policy(server: &OpenBaoServer) -> String {
    config(server, token("any")).policy()
}

/// A service whose token has our policy and nothing else.
fn open(server: &OpenBaoServer) -> OpenBao {
    OpenBao::connect(config(server, token(&server.token(&policy(server), &Value::Null)))).unwrap()
}

/// A key of an organisation that no other test uses.
fn handle(organisation: &str, generation: u64) -> KeyHandle {
    KeyHandle::new(OrganisationId::parse(organisation).unwrap(), generation)
}

fn secret(byte: u8) -> Secret<32> {
    Secret::init_with(|secret| secret.fill(byte))
}

fn generations(service: &dyn KeyService, handle: &KeyHandle) -> Vec<u64> {
    service.list(handle.organisation()).unwrap().iter().map(KeyHandle::generation).collect()
}

/// With no more rights than [`OpenBaoConfig::policy`] asks for.
#[test]
fn openbao_conforms() {
    let Some(server) = OpenBaoServer::shared() else { return };
    conformance::key_service(&|| Arc::new(open(&server)));
}

/// Why `rewraps` is false: the engine's rewrap gives no place for associated data, and fails with or without it.
#[test]
fn the_engine_cannot_rewrap_what_is_bound_to_a_context() {
    let Some(server) = OpenBaoServer::shared() else { return };
    let (service, handle) = (open(&server), handle("rewrap", 1));
    service.create(&handle).unwrap();
    let wrapped = service.wrap(&handle, &secret(1), b"context").unwrap();
    let ciphertext = String::from_utf8(wrapped).unwrap();
    for body in
        [json!({"ciphertext": ciphertext}), json!({"ciphertext": ciphertext, "associated_data": "YWFk"})]
    {
        let (status, answer) = server.admin("POST", "transit/rewrap/vouchsafe-rewrap", &body);
        assert_eq!((status, &answer["errors"][0]), (400, &json!("cipher: message authentication failed")));
    }
    assert!(!service.capabilities().rewraps);
}

#[test]
fn an_organisation_may_end_in_a_hyphen() {
    let Some(server) = OpenBaoServer::shared() else { return };
    let (service, dashed, plain) = (open(&server), handle("dash-", 1), handle("dash", 1));
    service.create(&dashed).unwrap();
    let wrapped = service.wrap(&dashed, &secret(1), b"").unwrap();
    assert_eq!(service.unwrap(&dashed, &wrapped, b"").unwrap().expose_secret(), &[1; 32]);
    assert!(service.list(plain.organisation()).unwrap().is_empty());
}

#[test]
fn generations_out_of_reach_are_refused() {
    let Some(server) = OpenBaoServer::shared() else { return };
    let (service, first) = (open(&server), handle("reach", 1));
    for generation in [0, 1025, u64::MAX] {
        assert_eq!(service.create(&handle("reach", generation)), Err(KeyServiceError::Malformed));
    }
    assert!(generations(&service, &first).is_empty());
    service.create(&first).unwrap();
    assert_eq!(service.create(&handle("reach", 0)), Err(KeyServiceError::NoSuchKey));
    assert_eq!(service.create(&handle("reach", 1026)), Err(KeyServiceError::Malformed));
    for generation in [0, 2, u64::MAX] {
        let handle = handle("reach", generation);
        assert_eq!(service.wrap(&handle, &secret(1), b"").err(), Some(KeyServiceError::NoSuchKey));
    }
    assert_eq!(service.destroy(&handle("reach", u64::MAX)).err(), Some(KeyServiceError::NewestKey));
    assert_eq!(generations(&service, &first), [1]);
}

/// Printed with `--nocapture`.
#[test]
fn figures() {
    let Some(server) = OpenBaoServer::shared() else { return };
    let service = open(&server);
    let act = |name: &str, act: &mut dyn FnMut(u64)| {
        let mut all: Vec<f64> = (1..=60)
            .map(|round| {
                let begun = std::time::Instant::now();
                act(round);
                begun.elapsed().as_secs_f64() * 1e3
            })
            .collect();
        all.sort_by(f64::total_cmp);
        println!("{name}: median {:.2} ms, of 60 the slowest {:.2} ms", all[30], all[59]);
    };
    let key = handle("figures", 1);
    act("create, first of an organisation", &mut |n| {
        service.create(&handle(&format!("figures-{n}"), 1)).unwrap()
    });
    service.create(&key).unwrap();
    let wrapped = service.wrap(&key, &secret(1), b"context").unwrap();
    act("wrap", &mut |_| drop(service.wrap(&key, &secret(1), b"context").unwrap()));
    act("unwrap", &mut |_| drop(service.unwrap(&key, &wrapped, b"context").unwrap()));
    act("list", &mut |_| drop(service.list(key.organisation()).unwrap()));
    act("create, the next", &mut |n| service.create(&handle("figures", n + 1)).unwrap());
    act("destroy", &mut |n| drop(service.destroy(&handle("figures", n)).unwrap()));
}
