//! The restore drill over every key service: what a backup opens, with and without the key service in it.
//!
//! Each stage runs in a process of its own, as a service does that starts again after a restore:
//!
//! 1. people enrol through the facade; the whole world is saved: `data`, `keys`, `log`, `outside`, key service;
//! 2. some of them withdraw, and the world is saved again;
//! 3. (a) the old database is put back beside everything of now;
//! 4. (b) database, key states and the key service's own state are put back; `outside` and `log` are those of now. The
//!    start-up gate must refuse every act, and only the recovery may go on. What a thief of all that would open without
//!    the gate is counted past it, and shown beside the declared strength.
//!
//! `VOUCHSAFE_DRILL_SUBJECTS=1000` makes it 1,000 people of whom 37 withdraw; 100 and 4 when it is not set.
#![expect(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "a drill")]

#[path = "restore_providers/service.rs"]
mod service;
#[path = "restore_providers/stage.rs"]
mod stage;
#[path = "restore_providers/world.rs"]
mod world;

use std::time::Instant;

use service::Service;
use stage::Size;
use world::World;

/// Not a test of its own: what the processes do.
#[test]
fn stage_of_a_drill() {
    stage::run_if_asked();
}

/// Promise: WB-3-30days
#[test]
fn a_key_file() {
    drill(Service::key_file);
}

/// Promise: WB-3-30days
#[test]
fn a_key_file_with_a_passphrase() {
    drill(Service::passphrase);
}

/// Promise: WB-3-30days
#[cfg(feature = "pkcs11")]
#[test]
fn softhsm2() {
    drill(Service::softhsm);
}

/// Promise: WB-3-30days
#[cfg(feature = "openbao")]
#[test]
fn openbao() {
    drill(Service::openbao);
}

/// Promise: WB-3-30days
#[cfg(feature = "tpm")]
#[test]
fn swtpm() {
    drill(Service::swtpm);
}

fn drill(service: impl FnOnce(&std::path::Path) -> Option<Service>) {
    let begun = Instant::now();
    let home = tempfile::tempdir().unwrap();
    let Some(service) = service(home.path()) else { return };
    let size = Size::asked_for();
    let mut world = World::new(home.path(), service, size);
    let line = a_then_b(&mut world, size);
    println!("provider={} {line} seconds={:.1}", world.provider(), begun.elapsed().as_secs_f64());
}

fn a_then_b(world: &mut World, Size { people, destroyed }: Size) -> String {
    let (none, survivors) = (format!("0/{destroyed}"), format!("{0}/{0}", people - destroyed));
    let all = format!("{destroyed}/{destroyed}");
    let strength = world.stage("enrol").of("strength");
    world.save("before");
    assert_eq!(world.stage("withdraw").of("withdrawn"), destroyed.to_string());
    world.save("after");

    // (a) The database of before. By arithmetic, whatever the software says; then through it.
    world.restore("before", &["data"]);
    let a = world.stage("count");
    let a_gate = world.stage("gate").of("gate");
    let a_recovery = world.stage("recover");
    for said in [a_recovery, world.stage("verify")] {
        assert_eq!((said.of("destroyed"), said.of("survivors")), (none.clone(), survivors.clone()));
    }

    // (b) The careless backup, with everything of the host and of the key service in it.
    world.restore_all("after");
    world.restore("before", &["data", "keys"]);
    world.restore_service("before");
    let b_gate = world.stage("gate").of("gate");
    let ungated = world.stage("count");
    let recovery = world.stage("recover");
    let after = world.stage("verify");
    let by_arithmetic = world.stage("count");
    let opened_by_the_gate = b_gate.split(',').any(|name| name == "none");

    // (b) again, with both places of the key states in the backup: only the fence journal is of now.
    world.restore_all("after");
    world.restore("before", &["data", "keys", "outside/state"]);
    world.restore_service("before");
    let b_gate_both = world.stage("gate").of("gate");
    let both = world.stage("recover");

    let line = format!(
        "strength={strength} a_destroyed={} a_survivors={} a_gate={a_gate} b_gate={b_gate} b_ungated={} b_after={} \
         b_after_survivors={} b_replayed={} b_resurrected={} b_gate_both_places={b_gate_both} b_after_both_places={}",
        a.of("destroyed"),
        a.of("survivors"),
        ungated.of("destroyed"),
        after.of("destroyed"),
        after.of("survivors"),
        recovery.of("replayed"),
        recovery.of("resurrected"),
        both.of("destroyed"),
    );
    assert_eq!((a.of("destroyed"), a.of("survivors")), (none.clone(), survivors.clone()), "{line}");
    assert_eq!(a_gate, "RecoveryRequired", "{line}");
    assert!(!opened_by_the_gate && !b_gate.contains(','), "{line}");
    assert_eq!(
        (b_gate.as_str(), b_gate_both.as_str()),
        ("KeyServiceRolledBack", "StateRolledBack"),
        "{line}"
    );
    // Reported as it is: no service of this list keeps a copy of itself from opening what it opened.
    assert_eq!((ungated.of("destroyed"), ungated.of("survivors")), (all, survivors.clone()), "{line}");
    assert_eq!(strength, "host_only", "{line}");
    for said in [recovery, after, by_arithmetic, both] {
        assert_eq!((said.of("destroyed"), said.of("survivors")), (none.clone(), survivors.clone()), "{line}");
    }
    line
}
