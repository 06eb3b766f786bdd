//! What a destroyed version is worth, and what a copy of the server's storage brings back.
use serde_json::{Value, json};
use vouchsafe_envelope::port::KeyService;
use vouchsafe_envelope::{EnvelopeError, KeyServiceError};
use vouchsafe_testkit::services::openbao::OpenBaoServer;

use super::{generations, handle, open, secret};
use crate::setup::{Place, acme, allocate, fingerprint};

#[test]
fn a_trimmed_version_opens_for_nobody() {
    let Some(server) = OpenBaoServer::shared() else { return };
    let (service, older, newer) = (open(&server), handle("trimmed", 1), handle("trimmed", 2));
    service.create(&older).unwrap();
    let wrapped = service.wrap(&older, &secret(1), b"").unwrap();
    assert_eq!(service.destroy(&older).err(), Some(KeyServiceError::NewestKey));
    service.create(&newer).unwrap();
    let _ = service.destroy(&older).unwrap();
    assert_eq!(service.unwrap(&older, &wrapped, b"").err(), Some(KeyServiceError::NoSuchKey));
    assert_eq!(service.create(&older), Err(KeyServiceError::NoSuchKey));
    // Root cannot lower the minima again, and the engine holds no such version.
    let config = json!({"min_decryption_version": 1, "min_encryption_version": 1});
    let key = "transit/keys/vouchsafe-trimmed";
    assert_eq!(server.admin("POST", &format!("{key}/config"), &config).0, 400);
    assert_eq!(server.admin("POST", &format!("{key}/trim"), &json!({"min_available_version": 1})).0, 400);
    let ciphertext = String::from_utf8(wrapped).unwrap();
    let body = json!({"ciphertext": ciphertext, "associated_data": ""});
    assert_eq!(server.admin("POST", "transit/decrypt/vouchsafe-trimmed", &body).0, 400);
    let shown = server.must("GET", key, &Value::Null);
    assert_eq!(shown["data"]["min_available_version"], 2);
    assert_eq!(shown["data"]["keys"].as_object().unwrap().keys().collect::<Vec<_>>(), ["2"]);
}

/// A destruction that stopped between its two steps: nothing uses the version, and it still counts as held.
#[test]
fn a_version_taken_out_of_use_is_still_to_be_destroyed() {
    let Some(server) = OpenBaoServer::shared() else { return };
    let (service, older) = (open(&server), handle("half", 1));
    service.create(&older).unwrap();
    let wrapped = service.wrap(&older, &secret(1), b"").unwrap();
    service.create(&handle("half", 2)).unwrap();
    let minima = json!({"min_decryption_version": 2, "min_encryption_version": 2});
    server.must("POST", "transit/keys/vouchsafe-half/config", &minima);
    assert_eq!(service.unwrap(&older, &wrapped, b"").err(), Some(KeyServiceError::NoSuchKey));
    assert_eq!(service.wrap(&older, &secret(1), b"").err(), Some(KeyServiceError::NoSuchKey));
    assert_eq!(generations(&service, &older), [1, 2]);
    let _ = service.destroy(&older).unwrap();
    assert_eq!(generations(&service, &older), [2]);
}

/// The weakness that the declared strength names and a start-up gate has to catch.
#[test]
fn a_restored_copy_of_the_storage_opens_what_was_destroyed() {
    let Some(server) = OpenBaoServer::launch() else { return };
    let backups = tempfile::tempdir().unwrap();
    let (service, older) = (open(&server), handle("restored", 1));
    service.create(&older).unwrap();
    let wrapped = service.wrap(&older, &secret(1), b"context").unwrap();
    server.stop();
    server.snapshot_to(&backups.path().join("before"));
    server.start();
    service.create(&handle("restored", 2)).unwrap();
    let _ = service.destroy(&older).unwrap();
    server.stop();
    server.snapshot_to(&backups.path().join("after"));
    server.start();
    assert_eq!(service.unwrap(&older, &wrapped, b"context").err(), Some(KeyServiceError::NoSuchKey));

    server.stop();
    server.restore_from(&backups.path().join("before"));
    server.start();
    assert_eq!(generations(&service, &older), [1], "the service shows an older past");
    assert_eq!(service.unwrap(&older, &wrapped, b"context").unwrap().expose_secret(), &[1; 32]);

    // A copy from after the destruction brings nothing back.
    server.stop();
    server.restore_from(&backups.path().join("after"));
    server.start();
    assert_eq!(generations(&service, &older), [2]);
    assert_eq!(service.unwrap(&older, &wrapped, b"context").err(), Some(KeyServiceError::NoSuchKey));
}

#[test]
fn a_key_ring_destroys_leaves_over_the_engine() {
    let Some(server) = OpenBaoServer::launch() else { return };
    let place = Place::new();
    let ring = || place.ring_over(std::sync::Arc::new(open(&server)));
    ring().provision(&acme()).unwrap();
    let leaves = allocate(&ring(), 3);
    let kept = fingerprint(&ring(), leaves[2]).unwrap();
    let old_state = std::fs::read(place.state_file()).unwrap();
    for (round, leaf) in leaves[..2].iter().enumerate() {
        let report = ring().destroy(&acme(), &[*leaf]).unwrap();
        assert_eq!(report.evidence().len(), 1);
        assert_eq!(generations(&open(&server), &handle("acme", 1)), [round as u64 + 2]);
    }
    let again = ring().destroy(&acme(), &leaves[..2]).unwrap();
    assert_eq!((again.punctured(), again.evidence().len()), (0, 1));
    assert_eq!(fingerprint(&ring(), leaves[0]), Err(EnvelopeError::Destroyed));
    assert_eq!(fingerprint(&ring(), leaves[2]), Ok(kept));
    // The old state without its key.
    std::fs::write(place.state_file(), &old_state).unwrap();
    std::fs::write(place.replica_file(), old_state).unwrap();
    assert_eq!(fingerprint(&ring(), leaves[2]), Err(EnvelopeError::KeyMissing));
}
