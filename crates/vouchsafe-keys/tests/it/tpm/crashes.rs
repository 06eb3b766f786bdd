//! Every step of a change fails, before or after its act; what is left must be whole and the next try end.
#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "helpers of tests")]

use std::cell::Cell;
use std::fs;

use vouchsafe_envelope::KeyServiceError;
use vouchsafe_envelope::port::KeyService;
use vouchsafe_keys::{KeysError, Tpm};

use super::setup::{Host, handle, no_auth, opens, put, root_in_clear, wrap};
use super::wire::{When, Wire};
use crate::setup::acme;

/// Runs an act over a wire that is cut at its first TPM command, its second, and so on until it meets no cut.
///
/// After the cut the TPM restarts, and `check` gets what the act said. Gives whether there is a TPM at all.
fn at_every_command(
    name: &str,
    prepare: impl Fn() -> Option<Host>,
    act: impl Fn(&Host, &Wire, &dyn Fn()) -> Result<(), KeyServiceError>,
    check: impl Fn(&mut Host, Result<(), KeyServiceError>, &str),
) -> bool {
    for when in [When::Before, When::After] {
        for at in 0.. {
            let Some(mut host) = prepare() else { return false };
            let wire = Wire::new(host.tpm.port());
            let said = act(&host, &wire, &|| wire.cut_at(at, when));
            let cut = wire.is_cut();
            drop(wire);
            host.tpm.kill();
            host.tpm.start().unwrap();
            let point = format!("{name}, {when:?} command {at}: {said:?}");
            check(&mut host, said, &point);
            if !cut {
                assert_eq!(said, Ok(()), "{point}");
                println!("{name}: {at} TPM commands, cut {when:?} each");
                break;
            }
        }
    }
    true
}

/// A host with keys 1 and 2.
fn with_two_keys() -> Option<Host> {
    let host = Host::provisioned()?;
    let service = host.service();
    service.create(&handle(1)).unwrap();
    service.create(&handle(2)).unwrap();
    Some(host)
}

/// Promise: WB-3-30days
#[test]
fn a_destruction_cut_at_any_tpm_command_ends_whole() {
    let act = |host: &Host, wire: &Wire, cut: &dyn Fn()| {
        let service = Tpm::open(host.config_over(&wire.tcti())).unwrap();
        let wrapped = [wrap(&service, 1, 7), wrap(&service, 2, 8)].concat();
        fs::write(host.snapshot(), wrapped).unwrap();
        fs::copy(host.file(), host.file().with_extension("backup")).unwrap();
        cut();
        service.destroy(&handle(1)).map(drop)
    };
    let lost = Cell::new(0);
    let ran = at_every_command("destroy", with_two_keys, act, |host, said, point| {
        let wraps = fs::read(host.snapshot()).unwrap();
        let (first, second) = wraps.split_at(wraps.len() / 2);
        let service = host.service();
        let held = service.list(&acme()).unwrap();
        assert!(held == [handle(2)] || said.is_err() && held == [handle(1), handle(2)], "{point}");
        assert!(opens(&*service, 2, second, 8), "{point}");
        assert_eq!(opens(&*service, 1, first, 7), held.len() == 2, "{point}");
        lost.set(lost.get() + usize::from(said.is_err() && held.len() == 1));
        // Another change may come before the next try.
        if point.len() % 2 == 0 {
            service.create(&handle(3)).unwrap();
            assert!(service.list(&acme()).unwrap().starts_with(&held), "{point}");
        }
        let _ = service.destroy(&handle(1)).unwrap();
        assert!(opens(&*service, 2, second, 8) && !opens(&*service, 1, first, 7), "{point}");
        assert!(!host.fresh().exists(), "{point}");
        fs::copy(host.file().with_extension("backup"), host.file()).unwrap();
        assert_eq!(host.open().unwrap_err(), KeysError::NotAuthentic, "{point}");
    });
    assert!(!ran || lost.get() > 0, "no cut lost the answer to the command that destroys");
}

#[test]
fn a_creation_cut_at_any_tpm_command_ends_whole() {
    let act = |host: &Host, wire: &Wire, cut: &dyn Fn()| {
        let service = Tpm::open(host.config_over(&wire.tcti())).unwrap();
        cut();
        service.create(&handle(3))
    };
    let _ = at_every_command("create", with_two_keys, act, |host, said, point| {
        let held = host.held();
        assert!(held == [1, 2, 3] || said.is_err() && held == [1, 2], "{point}");
        host.service().create(&handle(3)).unwrap();
        assert_eq!(host.held(), [1, 2, 3], "{point}");
    });
}

#[test]
fn a_provisioning_cut_at_any_tpm_command_can_be_done_again() {
    let act = |host: &Host, wire: &Wire, cut: &dyn Fn()| {
        cut();
        match Tpm::provision(host.config_over(&wire.tcti()), &no_auth()) {
            Ok(_) => Ok(()),
            Err(error) => {
                assert_eq!(error, KeysError::Unavailable);
                Err(KeyServiceError::Unavailable)
            }
        }
    };
    let _ = at_every_command("provision", Host::new, act, |host, said, point| {
        if said.is_err() && host.open().is_err() {
            match Tpm::provision(host.config(), &no_auth()) {
                Ok(_) => {}
                Err(KeysError::Exists) => {
                    assert_eq!(host.open().unwrap_err(), KeysError::Corrupt, "{point}");
                    Tpm::unprovision(host.config(), &no_auth()).unwrap();
                    Tpm::provision(host.config(), &no_auth()).unwrap();
                }
                Err(error) => panic!("{point}: {error}"),
            }
        }
        host.service().create(&handle(1)).unwrap();
        assert_eq!(host.held(), [1], "{point}");
    });
}

/// What is on the disk and in the TPM when a destruction is interrupted between two steps.
///
/// Promise: WB-3-30days
#[test]
fn every_state_between_two_steps_ends_whole() {
    let Some(mut host) = with_two_keys() else { return };
    let service = host.service();
    let wrapped = wrap(&*service, 2, 8);
    let (before, after) = (host.file().with_extension("tpm0"), host.file().with_extension("tpm1"));
    let old = fs::read(host.file()).unwrap();
    host.tpm.snapshot_to(&before).unwrap();
    let _ = service.destroy(&handle(1)).unwrap();
    let new = fs::read(host.file()).unwrap();
    host.tpm.snapshot_to(&after).unwrap();

    let none: &[u8] = &[];
    // The TPM, the file, the fresh file (empty: none), what of it is being written, and the keys that are left.
    let states = [
        ("the fresh file is begun", &before, &old[..], none, &new[..9], vec![1, 2]),
        ("the fresh file has no name yet", &before, &old, none, &new, vec![1, 2]),
        ("the fresh file is durable", &before, &old, &new, none, vec![1, 2]),
        ("an earlier fresh file is left", &before, &old, &old[..40], &new[..9], vec![1, 2]),
        ("the root secret is overwritten", &after, &old, &new, none, vec![2]),
        ("the old file is gone", &after, none, &new, none, vec![2]),
        ("the old file is damaged", &after, &old[..40], &new, none, vec![2]),
        ("the fresh file has the file's name", &after, &new, none, none, vec![2]),
        ("an older file came back beside it", &after, &new, &old, &old, vec![2]),
    ];
    for (name, tpm, file, fresh, begun, left) in states {
        host.tpm.restore_from(tpm).unwrap();
        for (path, bytes) in
            [(host.file(), file), (host.fresh(), fresh), (host.file().with_extension("next.tmp"), begun)]
        {
            let _ = fs::remove_file(&path);
            if !bytes.is_empty() {
                put(&path, bytes);
            }
        }
        assert_eq!(host.held(), left, "{name}");
        assert_eq!(Tpm::provision(host.config(), &no_auth()).unwrap_err(), KeysError::Exists, "{name}");
        assert!(opens(&*service, 2, &wrapped, 8), "{name}");
        service.create(&handle(3)).unwrap();
        assert_eq!(host.held(), [left, vec![3]].concat(), "{name}");
        let _ = service.destroy(&handle(1)).unwrap();
        assert_eq!(host.held(), [2, 3], "{name}");
        assert!(opens(&*service, 2, &wrapped, 8), "{name}");
        put(&host.file(), &old);
        assert_eq!(host.open().unwrap_err(), KeysError::NotAuthentic, "{name}");
    }
}

#[test]
fn a_change_that_cannot_be_written_changes_nothing() {
    let Some(host) = with_two_keys() else { return };
    let service = host.service();
    let root = root_in_clear(&host.tpm.tcti());
    for blocked in ["next", "next.tmp"] {
        let blocked = host.file().with_extension(blocked);
        let _ = fs::remove_file(&blocked);
        fs::create_dir(&blocked).unwrap();
        assert!(service.destroy(&handle(1)).is_err());
        assert_eq!(host.held(), [1, 2]);
        assert_eq!(root_in_clear(&host.tpm.tcti()), root, "the root secret is overwritten last");
        fs::remove_dir(&blocked).unwrap();
    }
    let blocked = host.file().with_extension("tmp");
    fs::create_dir(&blocked).unwrap();
    assert!(service.create(&handle(3)).is_err());
    fs::remove_dir(&blocked).unwrap();
    let _ = service.destroy(&handle(1)).unwrap();
    assert_eq!(host.held(), [2]);
}
