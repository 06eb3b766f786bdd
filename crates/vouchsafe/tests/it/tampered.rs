//! What somebody with the database can hide from the audit of payloads and from the start-up gate: nothing.

use std::fs;
use std::path::Path;
use std::process::Command;

use jiff::ToSpan;
use rusqlite::Connection;
use tempfile::TempDir;
use vouchsafe::ledger::ActorRole;
use vouchsafe::{Destruction, Organisation};

use crate::scene::{Scene, consented, enrol, is_without_file, open, verify};

/// A person whose verification log came to its end after 90 days.
fn lived(scene: &Scene, organisation: &Organisation<'_>) {
    let person = consented(organisation, "4711");
    enrol(&person, 1);
    assert!(verify(&person, 1).is_accepted());
    scene.clock.advance(91.days()).unwrap();
    assert!(matches!(crate::scene::approved_sweep(organisation), Destruction::Done(_)));
    organisation.publish_log().unwrap();
    let report = organisation.verify_payloads().unwrap();
    assert!(report.is_sound() && report.destroyed > 0 && report.unaccounted == 0, "{report:?}");
}

fn database(folder: &Path) -> Connection {
    let database = Connection::open(folder.join("data/vouchsafe.sqlite")).unwrap();
    database.execute("PRAGMA foreign_keys = OFF", []).unwrap();
    database
}

/// Promise: WB-1.4-immutable
#[test]
fn evidence_of_a_destruction_that_is_deleted_excuses_nothing() {
    if is_without_file() {
        return;
    }
    let scene = Scene::new();
    let organisation = scene.service.organisation("acme").unwrap();
    lived(&scene, &organisation);
    let evidence = "DELETE FROM payload WHERE entry = 3 OR entry IN \
                    (SELECT number FROM entry WHERE substr(bytes, 2, 2) = x'0501')";
    assert!(database(scene.dir.path()).execute(evidence, []).unwrap() >= 2);
    let report = organisation.verify_payloads().unwrap();
    assert!(!report.is_sound(), "a consent record is gone a day after: {report:?}");
}

/// Promise: WB-1.4-immutable
#[test]
fn a_holding_that_is_called_condemned_or_destroyed_hides_nothing() {
    if is_without_file() {
        return;
    }
    for state in ["2, cause = 'x', changed_at = 0", "3, cause = 'x', changed_at = 0, destroyed_entry = 1"] {
        let scene = Scene::new();
        let organisation = scene.service.organisation("acme").unwrap();
        lived(&scene, &organisation);
        let database = database(scene.dir.path());
        let of = "leaf IN (SELECT leaf FROM payload WHERE entry = 3)";
        assert_eq!(
            database.execute(&format!("UPDATE holding SET state = {state} WHERE {of}"), []).unwrap(),
            1
        );
        database.execute("UPDATE payload SET sealed = zeroblob(300) WHERE entry = 3", []).unwrap();
        let report = organisation.verify_payloads().unwrap();
        assert!(!report.is_sound(), "{state}: {report:?}");
    }
}

/// Promise: WB-1.4-immutable
#[test]
fn the_gate_refuses_a_fork_that_is_as_long_as_the_checkpoint_outside() {
    if is_without_file() {
        return;
    }
    for more in [0, 1, 3] {
        let scene = Scene::new();
        let organisation = scene.service.organisation("acme").unwrap();
        let person = consented(&organisation, "4711");
        organisation.publish_log().unwrap();
        let place = TempDir::new().unwrap();
        let copy = place.path().join("copy");
        let copied = Command::new("cp").arg("-a").args([scene.dir.path(), &copy]).status().unwrap();
        assert!(copied.success());
        person.restrict(ActorRole::Person).unwrap();
        organisation.publish_log().unwrap();

        // Everything but the checkpoint outside is set back, goes on otherwise, and is signed with the log's own key.
        {
            let service = open(&copy, &scene.clock);
            let organisation = service.organisation("acme").unwrap();
            for number in 0..=more {
                organisation.subject(&format!("other-{number}")).unwrap().object().unwrap();
            }
            organisation.publish_log().unwrap();
        }
        let kept = |folder: &Path| {
            let logs = fs::read_dir(folder.join("outside/checkpoints")).unwrap();
            logs.map(|log| log.unwrap().path().join("checkpoint")).next().unwrap()
        };
        fs::copy(kept(scene.dir.path()), kept(&copy)).unwrap();
        let service = open(&copy, &scene.clock);
        let organisation = service.organisation("acme").unwrap();
        let act = organisation.subject("one-more").map(|person| person.object());
        assert!(!matches!(act, Ok(Ok(()))), "{more} more: an act on a fork was acknowledged");
    }
}
