//! The TPM service over a software TPM; skipped, aloud, where `swtpm` is not installed.
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::Instant;

use vouchsafe_envelope::port::{ErasureStrength, KeyService};
use vouchsafe_envelope::{EnvelopeError, KeyServiceError};
use vouchsafe_keys::{KeysError, Tpm, TpmConfig};
use vouchsafe_types::SecretBytes;

use crate::setup::{Place, acme, allocate, fingerprint};

mod crashes;
mod setup;
mod wire;

use setup::{
    AUTH, Host, INDEX, auth_value, define_foreign_index, handle, no_auth, opens, put, root_in_clear,
    undefine_index, wrap,
};
use wire::Wire;

#[test]
fn it_does_what_every_key_service_must() {
    let Some(host) = Host::provisioned() else { return };
    vouchsafe_testkit::conformance::key_service(&|| host.service());
}

#[test]
fn provisioning_is_done_once_and_undone_whole() {
    let Some(host) = Host::new() else { return };
    assert_eq!(host.open().unwrap_err(), KeysError::Missing);
    let owner = SecretBytes::new(b"not the owner's".to_vec());
    assert_eq!(Tpm::provision(host.config(), &owner).unwrap_err(), KeysError::TooOpen);
    assert!(!host.file().exists());

    let tpm = Tpm::provision(host.config(), &no_auth()).unwrap();
    assert_eq!(tpm.strength(), ErasureStrength::HostOnly);
    tpm.create(&handle(1)).unwrap();
    assert_eq!(Tpm::provision(host.config(), &no_auth()).unwrap_err(), KeysError::Exists);
    let elsewhere = host.file().with_file_name("other");
    let auth = SecretBytes::new(AUTH.to_vec());
    let other = || TpmConfig::new(&host.tpm.tcti(), INDEX, &auth, &elsewhere).unwrap();
    assert_eq!(Tpm::provision(other(), &no_auth()).unwrap_err(), KeysError::Exists, "the index is taken");
    assert!(!elsewhere.exists());
    assert_eq!(host.held(), [1]);

    assert_eq!(Tpm::unprovision(host.config(), &owner).unwrap_err(), KeysError::TooOpen);
    assert_eq!(host.held(), [1]);
    let kept = fs::read(host.file()).unwrap();
    Tpm::unprovision(host.config(), &no_auth()).unwrap();
    assert!(!host.file().exists());
    assert_eq!(Tpm::unprovision(host.config(), &no_auth()).unwrap_err(), KeysError::Missing);
    Tpm::provision(host.config(), &no_auth()).unwrap();
    assert!(host.held().is_empty());
    put(&host.file(), &kept);
    assert_eq!(host.open().unwrap_err(), KeysError::NotAuthentic, "keys of the index that was removed");
}

#[test]
fn a_wrong_authorization_is_denied_and_locks_nobody_out() {
    let Some(host) = Host::provisioned() else { return };
    host.service().create(&handle(1)).unwrap();
    for _ in 0..40 {
        let wrong = SecretBytes::new(b"correct horse battery stapler".to_vec());
        let config = TpmConfig::new(&host.tpm.tcti(), INDEX, &wrong, host.file()).unwrap();
        assert_eq!(Tpm::open(config).unwrap_err(), KeysError::TooOpen);
    }
    assert_eq!(host.held(), [1]);
}

#[test]
fn what_is_missing_or_not_ours_is_said() {
    let Some(host) = Host::provisioned() else { return };
    let service = host.service();
    service.create(&handle(1)).unwrap();
    let file = fs::read(host.file()).unwrap();
    fs::remove_file(host.file()).unwrap();
    assert_eq!(host.open().unwrap_err(), KeysError::Missing);
    assert_eq!(service.list(&acme()).unwrap_err(), KeyServiceError::Denied);
    assert_eq!(service.create(&handle(2)).unwrap_err(), KeyServiceError::Denied);
    assert!(!host.file().exists(), "a lost file is not made again");

    fs::write(host.file(), &file).unwrap();
    assert_eq!(host.open().unwrap_err(), KeysError::TooOpen, "mode 0644");
    assert_eq!(service.list(&acme()).unwrap_err(), KeyServiceError::Denied);
    fs::set_permissions(host.file(), fs::Permissions::from_mode(0o600)).unwrap();
    assert_eq!(host.held(), [1]);

    undefine_index(&host.tpm.tcti());
    assert_eq!(host.open().unwrap_err(), KeysError::Missing);
    assert_eq!(service.list(&acme()).unwrap_err(), KeyServiceError::Denied);
    define_foreign_index(&host.tpm.tcti());
    assert_eq!(host.open().unwrap_err(), KeysError::NotAuthentic);
    assert_eq!(Tpm::unprovision(host.config(), &no_auth()).unwrap_err(), KeysError::NotAuthentic);
    assert!(host.file().exists());
}

#[test]
fn damage_is_found() {
    let Some(host) = Host::provisioned() else { return };
    let service = host.service();
    service.create(&handle(1)).unwrap();
    let whole = fs::read(host.file()).unwrap();
    let places = [0, 13, 15, 16, 40, 72, 80, whole.len() - 33, whole.len() - 1];
    for at in places {
        let mut changed = whole.clone();
        changed[at] ^= 1;
        fs::write(host.file(), changed).unwrap();
        assert_eq!(host.open().unwrap_err(), KeysError::Corrupt, "{at}");
    }
    for len in [0, 16, 31, 32, 48, whole.len() - 1] {
        fs::write(host.file(), &whole[..len]).unwrap();
        assert_eq!(host.open().unwrap_err(), KeysError::Corrupt, "cut at {len}");
        assert_eq!(service.destroy(&handle(1)).unwrap_err(), KeyServiceError::Corrupt);
    }
    // Who can compute the checksum still cannot change what it covers.
    for at in [16, 40, 72, 80, whole.len() - 33] {
        let mut forged = whole[..whole.len() - 32].to_vec();
        forged[at] ^= 1;
        let sum = ring::digest::digest(&ring::digest::SHA256, &forged);
        forged.extend_from_slice(sum.as_ref());
        fs::write(host.file(), forged).unwrap();
        assert_eq!(host.open().unwrap_err(), KeysError::NotAuthentic, "{at}");
    }
    fs::write(host.file(), whole).unwrap();
    assert_eq!(host.held(), [1]);
}

/// Promise: WB-3-30days
#[test]
fn a_file_from_before_a_destruction_opens_nothing() {
    let Some(host) = Host::provisioned() else { return };
    let service = host.service();
    let mut backups = vec![fs::read(host.file()).unwrap()];
    for generation in 1..=3 {
        service.create(&handle(generation)).unwrap();
        backups.push(fs::read(host.file()).unwrap());
    }
    let wraps: Vec<_> = (1..=3).map(|generation| wrap(&*service, generation, 7)).collect();
    // What was made since a backup is missing from it, but nothing was destroyed and it opens.
    fs::write(host.file(), &backups[2]).unwrap();
    assert_eq!(host.held(), [1, 2]);
    fs::write(host.file(), &backups[3]).unwrap();

    let evidence = service.destroy(&handle(2)).unwrap();
    assert_eq!((evidence.handle(), evidence.strength()), (&handle(2), ErasureStrength::HostOnly));
    assert_eq!(service.destroy(&handle(2)).unwrap(), evidence);
    assert!(opens(&*service, 1, &wraps[0], 7) && opens(&*service, 3, &wraps[2], 7));
    assert_eq!(service.unwrap(&handle(2), &wraps[1], b"context").unwrap_err(), KeyServiceError::NoSuchKey);
    let current = fs::read(host.file()).unwrap();
    for (place, backup) in backups.iter().enumerate() {
        for path in [host.file(), host.fresh()] {
            put(&host.file(), backup);
            put(&path, backup);
            assert_eq!(host.open().unwrap_err(), KeysError::NotAuthentic, "backup {place}");
            assert_eq!(service.list(&acme()).unwrap_err(), KeyServiceError::Corrupt, "backup {place}");
        }
    }
    fs::write(host.file(), &current).unwrap();
    assert_eq!(host.held(), [1, 3]);
    // A file from after the destruction opens still.
    service.create(&handle(4)).unwrap();
    fs::write(host.file(), current).unwrap();
    assert_eq!(host.held(), [1, 3]);
}

/// What a copy of the TPM itself does is said as it is: with the file of then, everything opens again.
#[test]
fn a_snapshot_of_file_and_tpm_together_undoes_a_destruction() {
    let Some(mut host) = Host::provisioned() else { return };
    let service = host.service();
    service.create(&handle(1)).unwrap();
    let wrapped = wrap(&*service, 1, 7);
    let backup = fs::read(host.file()).unwrap();
    let folder = host.snapshot();
    host.tpm.snapshot_to(&folder).unwrap();
    let _ = service.destroy(&handle(1)).unwrap();
    let current = fs::read(host.file()).unwrap();

    host.tpm.restore_from(&folder).unwrap();
    assert_eq!(host.open().unwrap_err(), KeysError::NotAuthentic, "the TPM of then and the file of now");
    fs::write(host.file(), backup).unwrap();
    assert!(opens(&*host.service(), 1, &wrapped, 7), "host only means host only");
    fs::write(host.file(), current).unwrap();
    assert_eq!(host.open().unwrap_err(), KeysError::NotAuthentic);
}

#[test]
fn a_tpm_that_is_gone_is_unavailable_and_comes_back() {
    let Some(mut host) = Host::provisioned() else { return };
    let service = host.service();
    service.create(&handle(1)).unwrap();
    host.tpm.kill();
    assert_eq!(host.open().unwrap_err(), KeysError::Unavailable);
    assert_eq!(service.list(&acme()).unwrap_err(), KeyServiceError::Unavailable);
    assert_eq!(service.destroy(&handle(1)).unwrap_err(), KeyServiceError::Unavailable);
    host.tpm.start().unwrap();
    assert_eq!(host.held(), [1]);
    // Power cuts count as no failed authorizations.
    for _ in 0..5 {
        host.tpm.kill();
        host.tpm.start().unwrap();
        assert_eq!(service.list(&acme()).unwrap(), [handle(1)]);
    }
}

#[test]
fn handles_at_once_lose_no_key_and_bring_none_back() {
    let Some(host) = Host::provisioned() else { return };
    std::thread::scope(|scope| {
        for first in [1, 101, 201, 301] {
            let service = host.service();
            scope.spawn(move || {
                for generation in first..first + 5 {
                    service.create(&handle(generation)).unwrap();
                    let wrapped = wrap(&*service, generation, 1);
                    assert!(opens(&*service, generation, &wrapped, 1));
                    if generation > first {
                        let _ = service.destroy(&handle(generation - 1)).unwrap();
                        assert!(!service.list(&acme()).unwrap().contains(&handle(generation - 1)));
                    }
                }
            });
        }
    });
    assert_eq!(host.held(), [5, 105, 205, 305]);
}

/// Promise: WB-3-30days
#[test]
fn a_key_ring_destroys_leaves_over_it() {
    let Some(host) = Host::provisioned() else { return };
    let place = Place::new();
    let service = host.service();
    let ring = place.ring_over(service.clone());
    ring.provision(&acme()).unwrap();
    let leaves = allocate(&ring, 2);
    let kept = fingerprint(&ring, leaves[1]).unwrap();
    let (keys, state) = (fs::read(host.file()).unwrap(), fs::read(place.state_file()).unwrap());
    let report = ring.destroy(&acme(), &leaves[..1]).unwrap();
    assert_eq!((report.generation(), host.held()), (2, vec![2]));
    assert_eq!(fingerprint(&ring, leaves[0]), Err(EnvelopeError::Destroyed));
    assert_eq!(fingerprint(&ring, leaves[1]), Ok(kept));
    // Where a key file and its states together undo an erasure, these do not.
    fs::write(host.file(), keys).unwrap();
    fs::write(place.state_file(), &state).unwrap();
    fs::write(place.replica_file(), state).unwrap();
    assert_eq!(
        fingerprint(&place.ring_over(service), leaves[0]),
        Err(EnvelopeError::KeyService(KeyServiceError::Corrupt))
    );
}

/// The bus carries neither the root secrets nor the authorization value.
#[test]
fn a_listener_on_the_bus_hears_no_secret() {
    let Some(host) = Host::new() else { return };
    let wire = Wire::new(host.tpm.port());
    let config = || host.config_over(&wire.tcti());
    let mut secrets = vec![auth_value()];
    let tpm = Tpm::provision(config(), &no_auth()).unwrap();
    secrets.push(root_in_clear(&host.tpm.tcti()));
    tpm.create(&handle(1)).unwrap();
    let _ = tpm.destroy(&handle(1)).unwrap();
    secrets.push(root_in_clear(&host.tpm.tcti()));
    assert_ne!(secrets[1], secrets[2], "a destruction changes the root secret");
    for secret in &secrets {
        assert!(!wire.carried(secret) && !wire.carried(&secret[..8]) && !wire.carried(&secret[24..]));
    }
    // Every session is salted by the storage root key: TPM2_StartAuthSession, its handle; never TPM_RH_NULL.
    assert!(wire.carried(&[0, 0, 1, 0x76, 0x81, 0, 0, 1]) && !wire.carried(&[0, 0, 1, 0x76, 0x40, 0, 0, 7]));
    // The same wire hears what is said aloud.
    root_in_clear(&wire.tcti());
    assert!(wire.carried(&secrets[0]) && wire.carried(&secrets[2]));
}

#[test]
fn figures() {
    let Some(host) = Host::provisioned() else { return };
    let service = host.service();
    service.create(&handle(1)).unwrap();
    let wrapped = wrap(&*service, 1, 7);
    let millis = |name: &str, act: &mut dyn FnMut(u64)| {
        let mut all: Vec<_> = (2..42)
            .map(|round| {
                let begun = Instant::now();
                act(round);
                begun.elapsed().as_secs_f64() * 1e3
            })
            .collect();
        all.sort_by(f64::total_cmp);
        println!("{name}: median {:.2} ms, best {:.2} ms, worst {:.2} ms", all[20], all[0], all[39]);
    };
    millis("create", &mut |round| service.create(&handle(round)).unwrap());
    millis("wrap", &mut |_| drop(wrap(&*service, 1, 7)));
    millis("unwrap", &mut |_| assert!(opens(&*service, 1, &wrapped, 7)));
    millis("destroy", &mut |round| drop(service.destroy(&handle(round)).unwrap()));
    println!(
        "unwrap in 8 threads: worst {:.0} ms of {} calls",
        worst_of_eight_threads(&*service, &wrapped),
        8 * 40
    );
    let wire = Wire::new(host.tpm.port());
    let service = Tpm::open(host.config_over(&wire.tcti())).unwrap();
    let count = |name: &str, act: &mut dyn FnMut()| {
        let before = wire.commands();
        act();
        println!("{name}: {} TPM commands", wire.commands() - before);
    };
    count("unwrap", &mut || assert!(opens(&service, 1, &wrapped, 7)));
    count("destroy", &mut || drop(service.destroy(&handle(1)).unwrap()));
}

/// The longest of 40 unwraps in each of eight threads, in milliseconds: a lock that starves somebody shows here.
#[expect(clippy::unwrap_used, reason = "helper of a test")]
fn worst_of_eight_threads(service: &dyn KeyService, wrapped: &[u8]) -> f64 {
    let worst = || {
        let calls = (0..40).map(|_| {
            let begun = Instant::now();
            assert!(opens(service, 1, wrapped, 7));
            begun.elapsed().as_secs_f64() * 1e3
        });
        calls.fold(0.0, f64::max)
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(worst)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).fold(0.0, f64::max)
    })
}
