//! Who may talk to whom: addresses, certificates, tokens, policies.
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use vouchsafe_envelope::KeyServiceError;
use vouchsafe_envelope::port::{ErasureStrength, KeyService};
use vouchsafe_keys::{KeysError, OpenBao, OpenBaoConfig, OpenBaoCredentials};
use vouchsafe_testkit::services::openbao::OpenBaoServer;
use vouchsafe_types::SecretBytes;

use super::{config, handle, open, policy, secret, token};

#[test]
fn a_server_must_prove_who_it_is() {
    let (Some(server), Some(other)) = (OpenBaoServer::shared(), OpenBaoServer::launch()) else { return };
    let connect = |address: &str, ca: &[u8]| {
        OpenBao::connect(OpenBaoConfig::new(address, ca, token(server.root_token()))).map(drop)
    };
    let (ca, name) = (server.ca_certificate(), server.address().replace("127.0.0.1", "localhost"));
    assert_eq!(connect(&server.address(), &ca), Ok(()));
    assert_eq!(connect(&server.address(), &other.ca_certificate()), Err(KeysError::TooOpen), "unknown root");
    assert_eq!(connect(&name, &ca), Err(KeysError::TooOpen), "a name that the certificate lacks");
    let no_tls = server.plain_address().replace("http:", "https:");
    assert_eq!(connect(&no_tls, &ca), Err(KeysError::TooOpen), "no TLS behind it");
    for bad in
        [&b""[..], b"no certificate", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"]
    {
        assert_eq!(connect(&server.address(), bad), Err(KeysError::Misconfigured));
    }
    let both = [ca, other.ca_certificate()].concat();
    assert_eq!(connect(&server.address(), &both), Ok(()));
    assert_eq!(connect(&other.address(), &both), Err(KeysError::TooOpen), "another server's token");
}

#[test]
fn plain_http_is_for_loopback_and_only_when_told() {
    let Some(server) = OpenBaoServer::shared() else { return };
    let root = || token(server.root_token());
    let plain = |address: &str| OpenBaoConfig::new(address, b"", root());
    let told = |address: &str| OpenBao::connect(plain(address).plaintext_loopback());
    assert_eq!(OpenBao::connect(plain(&server.plain_address())).err(), Some(KeysError::Misconfigured));
    for elsewhere in ["http://192.0.2.1:8200", "http://bao.example", "http://127.0.0.1.example:8200"] {
        assert_eq!(told(elsewhere).err(), Some(KeysError::Misconfigured), "{elsewhere}");
    }
    for address in [server.plain_address(), server.plain_address().replace("127.0.0.1", "localhost")] {
        let (service, handle) = (told(&address).unwrap(), handle("plain", 1));
        service.create(&handle).unwrap();
        let wrapped = service.wrap(&handle, &secret(1), b"").unwrap();
        assert_eq!(open(&server).unwrap(&handle, &wrapped, b"").unwrap().expose_secret(), &[1; 32]);
    }
}

#[test]
fn settings_that_cannot_be_used_are_refused_before_anything_is_sent() {
    let new = || OpenBaoConfig::new("https://192.0.2.1:8200", b"", token("s.x"));
    for config in [
        new().mount("../sys"),
        new().key_prefix("a-b"),
        new().timeout(Duration::ZERO),
        new().timeout(Duration::from_secs(61)),
        OpenBaoConfig::new("https://192.0.2.1:8200", b"", token("two words")),
        new(),
    ] {
        assert_eq!(OpenBao::connect(config).err(), Some(KeysError::Misconfigured));
    }
    let shown = format!("{:?} {:?}", new(), token("s.hidden"));
    assert!(!shown.contains("192") && !shown.contains("hidden"), "{shown}");
}

/// A cache shows what was never stored: see [`OpenBao`].
#[test]
fn a_server_that_caches_keys_is_refused() {
    let Some(server) = OpenBaoServer::launch_caching() else { return };
    let root = || token(server.root_token());
    assert_eq!(OpenBao::connect(config(&server, root())).err(), Some(KeysError::Misconfigured));
    let blind = policy(&server).replace("sys/config", "sys/other");
    let text = server.token(&blind, &Value::Null);
    assert_eq!(OpenBao::connect(config(&server, token(&text))).err(), Some(KeysError::TooOpen));
}

#[test]
fn the_strength_is_what_the_operator_declares() {
    let Some(server) = OpenBaoServer::shared() else { return };
    assert_eq!(open(&server).strength(), ErasureStrength::HostOnly);
    let declared = config(&server, token(server.root_token())).storage_excluded_from_backup();
    let service = OpenBao::connect(declared).unwrap();
    service.create(&handle("declared", 2)).unwrap();
    let evidence = service.destroy(&handle("declared", 1)).unwrap();
    assert_eq!(evidence.strength(), ErasureStrength::ServiceExcludedFromBackup);
}

#[test]
fn a_revoked_token_is_denied() {
    let Some(server) = OpenBaoServer::shared() else { return };
    let text = server.token(&policy(&server), &Value::Null);
    let (service, handle) = (OpenBao::connect(config(&server, token(&text))).unwrap(), handle("revoked", 1));
    service.create(&handle).unwrap();
    let wrapped = service.wrap(&handle, &secret(1), b"").unwrap();
    server.must("POST", "auth/token/revoke", &json!({"token": text}));
    assert_eq!(service.unwrap(&handle, &wrapped, b"").err(), Some(KeyServiceError::Denied));
    assert_eq!(service.wrap(&handle, &secret(1), b"").err(), Some(KeyServiceError::Denied));
    assert_eq!(service.create(&handle).err(), Some(KeyServiceError::Denied));
    assert_eq!(service.destroy(&handle).err(), Some(KeyServiceError::Denied));
    assert_eq!(service.list(handle.organisation()).err(), Some(KeyServiceError::Denied));
    assert_eq!(OpenBao::connect(config(&server, token(&text))).err(), Some(KeysError::TooOpen));
}

/// Uses a service for longer than its token lives.
fn outlive(service: &dyn KeyService, organisation: &str, life: Duration) {
    let (handle, begun) = (handle(organisation, 1), Instant::now());
    service.create(&handle).unwrap();
    let wrapped = service.wrap(&handle, &secret(1), b"").unwrap();
    while begun.elapsed() < life {
        service.unwrap(&handle, &wrapped, b"").unwrap();
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn a_short_token_is_renewed() {
    let Some(server) = OpenBaoServer::shared() else { return };
    let text = server.token(&policy(&server), &json!({"ttl": "3s"}));
    let service = OpenBao::connect(config(&server, token(&text))).unwrap();
    outlive(&service, "renewed", Duration::from_millis(4500));
    service.keep_alive().unwrap();
    let text = server.token(&policy(&server), &json!({"ttl": "1s", "renewable": false}));
    let service = OpenBao::connect(config(&server, token(&text))).unwrap();
    std::thread::sleep(Duration::from_millis(1500));
    assert_eq!(service.list(handle("renewed", 1).organisation()).err(), Some(KeyServiceError::Denied));
}

#[test]
fn a_role_logs_in_again_when_its_token_ends_or_is_taken() {
    let Some(server) = OpenBaoServer::launch() else { return };
    let lives = json!({"token_ttl": "2s", "token_max_ttl": "3s"});
    let (role_id, secret_id) = server.role(&policy(&server), &lives);
    let role = |secret: &str| {
        let secret_id = SecretBytes::new(secret.as_bytes().to_vec());
        config(&server, OpenBaoCredentials::AppRole { role_id: role_id.clone(), secret_id })
    };
    assert_eq!(OpenBao::connect(role("wrong")).err(), Some(KeysError::TooOpen));
    let service = OpenBao::connect(role(&secret_id)).unwrap();
    outlive(&service, "role", Duration::from_millis(4500));
    // Idle for longer than any of its tokens lives.
    std::thread::sleep(Duration::from_millis(3500));
    assert_eq!(service.list(handle("role", 1).organisation()).unwrap().len(), 1);
    // Every token of the role revoked, from eight threads at once.
    server.must("POST", "sys/leases/revoke-prefix/auth/approle", &json!({}));
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| assert_eq!(service.list(handle("role", 1).organisation()).unwrap().len(), 1));
        }
    });
    // The act is refused, not the token: no login helps.
    server.must("PUT", "sys/policies/acl/vouchsafe", &json!({"policy": "# nothing"}));
    assert_eq!(service.list(handle("role", 1).organisation()).err(), Some(KeyServiceError::Denied));
}

#[test]
fn the_policy_lets_no_key_out_and_makes_none_by_encrypting() {
    let Some(server) = OpenBaoServer::shared() else { return };
    let (service, handle) = (open(&server), handle("policy", 1));
    service.create(&handle).unwrap();
    let text = server.token(&policy(&server), &Value::Null);
    let key = "transit/keys/vouchsafe-policy";
    for (method, path, body) in [
        ("GET", "transit/export/encryption-key/vouchsafe-policy".to_owned(), Value::Null),
        ("GET", "transit/backup/vouchsafe-policy".to_owned(), Value::Null),
        ("POST", "transit/rewrap/vouchsafe-policy".to_owned(), json!({"ciphertext": "vault:v1:AAAA"})),
        ("POST", format!("{key}/config"), json!({"exportable": true})),
        ("POST", format!("{key}/config"), json!({"allow_plaintext_backup": true})),
        ("POST", format!("{key}/config"), json!({"deletion_allowed": true})),
        ("POST", "transit/keys/vouchsafe-other".to_owned(), json!({"exportable": true})),
        ("POST", "transit/keys/vouchsafe-other".to_owned(), json!({"type": "rsa-4096"})),
        ("POST", "transit/keys/vouchsafe-other/import".to_owned(), json!({"ciphertext": "AAAA"})),
        ("DELETE", key.to_owned(), Value::Null),
        ("DELETE", format!("{key}/soft-delete"), Value::Null),
        ("POST", "transit/keys/another-policy".to_owned(), json!({"type": "aes256-gcm96"})),
        ("POST", "transit/encrypt/vouchsafe-other".to_owned(), json!({"plaintext": "AAAA"})),
        ("GET", "sys/mounts".to_owned(), Value::Null),
    ] {
        let (status, answer) = server.ask(&text, method, &path, &body);
        assert!(matches!(status, 400 | 403 | 405), "{method} {path} {body}: {status} {answer}");
        assert!(status == 403 || path.contains("encrypt"), "{method} {path} {body}: {status} {answer}");
    }
    for name in ["other", "another-policy"] {
        assert_eq!(server.admin("GET", &format!("transit/keys/vouchsafe-{name}"), &Value::Null).0, 404);
    }
}

#[test]
fn a_token_with_more_rights_makes_no_key_by_wrapping() {
    let Some(server) = OpenBaoServer::shared() else { return };
    let service = OpenBao::connect(config(&server, token(server.root_token()))).unwrap();
    let handle = handle("upsert", 1);
    assert_eq!(service.wrap(&handle, &secret(1), b"").err(), Some(KeyServiceError::NoSuchKey));
    assert!(service.list(handle.organisation()).unwrap().is_empty());
}

#[test]
fn a_key_that_could_leave_the_server_is_not_used() {
    let Some(server) = OpenBaoServer::shared() else { return };
    let service = open(&server);
    for (organisation, body) in [
        ("lax-1", json!({"type": "aes256-gcm96", "exportable": true})),
        ("lax-2", json!({"type": "aes256-gcm96", "allow_plaintext_backup": true})),
        ("lax-3", json!({"type": "aes256-gcm96", "derived": true})),
        ("lax-4", json!({"type": "chacha20-poly1305"})),
        ("lax-5", json!({"type": "rsa-2048"})),
    ] {
        server.must("POST", &format!("transit/keys/vouchsafe-{organisation}"), &body);
        let handle = handle(organisation, 1);
        assert_eq!(service.create(&handle).err(), Some(KeyServiceError::Denied), "{body}");
        assert_eq!(service.wrap(&handle, &secret(1), b"").err(), Some(KeyServiceError::Denied), "{body}");
        assert_eq!(service.list(handle.organisation()).err(), Some(KeyServiceError::Denied), "{body}");
    }
}

#[test]
fn an_engine_that_is_not_there_is_not_taken_for_missing_keys() {
    let Some(server) = OpenBaoServer::shared() else { return };
    let elsewhere = config(&server, token(server.root_token())).mount("elsewhere");
    let service = OpenBao::connect(elsewhere).unwrap();
    let handle = handle("elsewhere", 1);
    assert_eq!(service.list(handle.organisation()).err(), Some(KeyServiceError::Denied));
    assert_eq!(service.create(&handle).err(), Some(KeyServiceError::Denied));
    assert_eq!(service.destroy(&handle).err(), Some(KeyServiceError::Denied));
}
