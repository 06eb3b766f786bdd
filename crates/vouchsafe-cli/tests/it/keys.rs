//! Status, strength, rotation, pending destructions, the key state, honey.

use std::fs;

use serde_json::Value;
use vouchsafe::envelope::port::{KeyHandle, KeyService};
use vouchsafe::keys::KeyFile;
use vouchsafe::{Destruction, OrganisationId};

use crate::scene::{FACE, Run, Scene, copy, enrol};

/// Two people of `acme`, whom nobody has open any more.
fn enrolled() -> Scene {
    let scene = Scene::new();
    let service = scene.service();
    let organisation = service.organisation("acme").unwrap();
    enrol(&organisation, "gone", 1);
    enrol(&organisation, "stays", 2);
    drop(service);
    scene
}

/// The value of the first line that begins with this name, up to a space.
fn value<'a>(out: &'a str, name: &str) -> &'a str {
    let line = out.lines().find_map(|line| line.strip_prefix(&format!("{name}="))).expect(out);
    line.split(' ').next().unwrap()
}

fn fingerprints(out: &str, name: &str) -> Vec<String> {
    let lines = out.lines().filter(|line| line.starts_with(&format!("{name}=")));
    lines.map(|line| line.split("fingerprint=").nth(1).unwrap()[..32].to_owned()).collect()
}

#[test]
fn the_status_names_keys_and_what_they_seal() {
    let scene = enrolled();
    let out = scene.run(&["keys", "status"]).done();
    let figures =
        ["organisation", "generation", "held", "data_key", "shards", "pending", "destroyed", "honey"];
    assert_eq!(figures.map(|name| value(&out, name)), ["acme", "1", "1", "1", "0", "0", "0", "0"], "{out}");
    assert!(out.contains(" templates=2 payloads="), "{out}");
    let declared = ["strength", "destroys", "rewraps", "attests", "remote", "cache_seconds"];
    assert_eq!(
        declared.map(|name| value(&out, name)),
        ["host_only", "any", "false", "false", "false", "300"]
    );
    let fingerprint = fingerprints(&out, "data_key").pop().unwrap();
    assert!(fingerprint.bytes().all(|byte| byte.is_ascii_hexdigit()));

    let json: Value = serde_json::from_str(&scene.run(&["keys", "status", "--json"]).done()).unwrap();
    assert_eq!(json["data_keys"][0]["fingerprint"], Value::from(fingerprint));
    assert_eq!((&json["data_keys"][0]["templates"], &json["held"][0]), (&Value::from(2), &Value::from(1)));
    for name in
        ["generation", "revision", "nodes", "shards", "pending", "destroyed", "honey", "cache_seconds"]
    {
        assert_eq!(json[name].to_string(), value(&out, name), "{name}");
    }
    for name in ["strength", "destroys"] {
        assert_eq!(json[name], *value(&out, name));
    }
    assert_eq!(json["locked"].to_string(), value(&out, "locked"));
}

#[test]
fn the_strength_says_what_it_means() {
    let scene = enrolled();
    let out = scene.run(&["keys", "strength"]).done();
    assert!(out.starts_with("strength=host_only\ndestroys=any\n"), "{out}");
    assert!(
        out.contains(
            "\nmeans=whoever has copies of the key service's disk, the key state and the data from before"
        ),
        "{out}"
    );
    assert_eq!(scene.run_anywhere(&["keys", "strength", "--dir", "store"]).done(), out);
    let json: Value = serde_json::from_str(&scene.run(&["keys", "strength", "--json"]).done()).unwrap();
    assert_eq!(json["strength"], "host_only");
    let nowhere = scene.run_anywhere(&["keys", "strength", "--dir", "nowhere"]);
    nowhere.fails(2, "the key file does not exist");
    assert!(!scene.path("nowhere").exists());
}

#[test]
fn the_state_key_is_rotated_and_a_dry_run_rotates_nothing() {
    let scene = enrolled();
    let dry = scene.run(&["keys", "rotate", "state", "--dry-run"]).done();
    assert_eq!(dry, "before_generation=1 held=1\ndry_run=state to=2 destroys=1\n");
    let rotated = scene.run(&["keys", "rotate", "state"]).done();
    let expected = "before_generation=1 held=1\nafter_generation=2 held=2\nrotated=state\n";
    assert_eq!(rotated, expected);
    assert_eq!(value(&scene.run(&["keys", "status"]).done(), "generation"), "2");
    assert!(scene.run(&["log", "publish"]).code() == Some(0));
    assert!(scene.run(&["log", "verify"]).done().ends_with("sound\n"));
}

#[test]
fn the_data_key_is_rotated_with_progress_and_fingerprints() {
    let scene = enrolled();
    let before = fingerprints(&scene.run(&["keys", "status"]).done(), "data_key");
    let dry = scene.run(&["keys", "rotate", "data", "--dry-run"]).done();
    let remaining = value(dry.lines().last().unwrap().split("to=2 ").nth(1).unwrap(), "remaining").to_owned();
    assert!(dry.contains("\ndry_run=data to=2 remaining=") && remaining != "0", "{dry}");
    assert_eq!(fingerprints(&scene.run(&["keys", "status"]).done(), "data_key"), before);

    let rotated = scene.run(&["keys", "rotate", "data"]).done();
    assert!(rotated.contains(&format!("progress to=2 resealed=0 remaining={remaining}\n")), "{rotated}");
    assert!(rotated.contains(&format!("progress to=2 resealed={remaining} remaining=0\n")), "{rotated}");
    assert_eq!(fingerprints(&rotated, "before_data_key"), before);
    let after = fingerprints(&rotated, "after_data_key");
    assert!(after.len() == 1 && after != before, "{rotated}");
    assert!(rotated.contains("\nrotated=data\nnote="), "{rotated}");
    let status = scene.run(&["keys", "status"]).done();
    assert_eq!(fingerprints(&status, "data_key"), after);
    assert_eq!(value(&status, "data_key"), "2");
}

#[test]
fn a_pending_destruction_says_who_must_act_and_is_finished_later() {
    let scene = enrolled();
    enrol(&scene.service().organisation("acme").unwrap(), "first", 3);
    assert_eq!(scene.run(&["keys", "destroy"]).done(), "done=0\npending=0\n");
    let service = scene.service();
    let organisation = service.organisation("acme").unwrap();
    // Its evidence reserves key indices for the next one, too.
    let _ = organisation.subject("first").unwrap().withdraw(FACE).unwrap();
    // Now one place of the key state cannot be written: what is withdrawn is fenced and not destroyed.
    let place = scene.path("store/outside/state/acme.state");
    fs::rename(&place, scene.path("aside")).unwrap();
    fs::create_dir(&place).unwrap();
    let withdrawal = organisation.subject("gone").unwrap().withdraw(FACE).unwrap();
    assert!(matches!(withdrawal.destruction, Destruction::Pending(_)));
    drop(service);
    let pending = scene.run(&["keys", "destroy"]);
    let said = pending.fails(1, "fenced and not yet destroyed: run this again once that is mended");
    assert!(said.starts_with("pending=1\ncause=keys: state store: "), "{said}");
    assert!(said.contains("\nactor=operator\nact=mend what the cause names"), "{said}");

    fs::remove_dir(&place).unwrap();
    fs::rename(scene.path("aside"), &place).unwrap();
    let done = scene.run(&["keys", "destroy"]).done();
    assert!(done.contains(" destroyed: entry ") && done.ends_with("\ndone=1\npending=0\n"), "{done}");
    assert_eq!(value(&scene.run(&["keys", "status"]).done(), "destroyed"), "2");
}

fn check(scene: &Scene) -> Run {
    scene.run(&["keys", "state", "check"])
}

const NOT_SOUND: &str = "the key state is not whole in every place, or its gate is not open";
const STOPPED: &str = "note=every other process on the folder must be stopped while this runs\n";

#[test]
fn a_lost_place_is_found_and_mended() {
    let scene = enrolled();
    let whole = check(&scene).done();
    assert!(whole.starts_with("place=keys newest generation=1 revision="), "{whole}");
    assert!(
        whole.contains("\nplace=outside newest generation=1 ") && whole.ends_with("\ngate=open\n"),
        "{whole}"
    );

    for lost in ["outside", "keys"] {
        fs::remove_file(scene.path(&format!("store/{lost}/state/acme.state"))).unwrap();
        let found = check(&scene).fails(1, NOT_SOUND);
        assert!(found.contains(&format!("place={lost} missing\n")), "{found}");
        assert_eq!(found.matches(" newest ").count(), 1, "{found}");
        assert!(found.ends_with("gate=open\n"), "{found}");
        let mended = scene.run(&["keys", "state", "replicate"]).done();
        assert!(mended.starts_with(STOPPED) && mended.ends_with("mended=1\n"), "{mended}");
        assert_eq!(mended.matches(" newest ").count(), 2, "{mended}");
        assert_eq!(check(&scene).done().matches(" newest ").count(), 2);
    }
    assert!(scene.run(&["keys", "state", "replicate"]).done().ends_with("mended=0\n"));
}

#[test]
fn a_place_whose_folder_is_gone_damaged_or_old_is_told_apart() {
    let scene = enrolled();
    let place = scene.path("store/outside/state");
    copy(&place, &scene.path("old"));
    scene.run(&["keys", "rotate", "state"]).done();
    let found = |what: &str| {
        let found = check(&scene).fails(1, NOT_SOUND);
        assert!(found.contains(&format!("place=outside {what}")), "{what} {found}");
        assert!(found.contains("place=keys newest generation=2 "), "{found}");
        assert!(scene.run(&["keys", "state", "replicate"]).done().ends_with("mended=1\n"));
        check(&scene).done();
    };
    fs::remove_dir_all(&place).unwrap();
    found("missing\n");
    fs::remove_dir_all(&place).unwrap();
    copy(&scene.path("old"), &place);
    found("behind generation=1 ");
    fs::write(place.join("acme.state"), b"nonsense").unwrap();
    found("unreadable cause=stored state is damaged\n");
}

#[test]
fn a_place_that_is_no_folder_hides_no_other() {
    let scene = enrolled();
    let place = scene.path("store/outside/state");
    fs::rename(&place, scene.path("aside")).unwrap();
    fs::write(&place, b"").unwrap();
    let found = check(&scene).fails(1, NOT_SOUND);
    assert!(found.contains("place=keys newest generation=1 "), "{found}");
    assert!(found.contains("place=outside unreadable cause=access is refused or too open\n"), "{found}");
    assert!(
        found.contains("\ngate=unknown actor=operator retryable=false cause=key file: not a plain"),
        "{found}"
    );
    scene
        .run(&["keys", "state", "replicate"])
        .fails(1, "a place of the key state: not a plain file or folder");
}

#[test]
fn a_lost_key_file_leaves_the_places_readable() {
    let scene = enrolled();
    fs::remove_file(scene.path("store/keys/service.keys")).unwrap();
    let found = check(&scene).fails(1, NOT_SOUND);
    assert_eq!(found.matches(" newest ").count(), 2, "{found}");
    let said = "gate=unknown actor=operator retryable=false cause=the key file is missing: restore the keys";
    assert!(found.contains(said), "{found}");
}

/// Data and keys come from one copy; the journal outside and the published log are live.
#[test]
fn restored_keys_shut_the_gate_until_the_recovery() {
    let scene = enrolled();
    copy(&scene.path("store"), &scene.path("copy"));
    {
        let service = scene.service();
        let organisation = service.organisation("acme").unwrap();
        let _ = organisation.subject("gone").unwrap().withdraw(FACE).unwrap();
    }
    for folder in ["data", "keys"] {
        fs::remove_dir_all(scene.path(&format!("store/{folder}"))).unwrap();
        copy(&scene.path(&format!("copy/{folder}")), &scene.path(&format!("store/{folder}")));
    }
    let shut = check(&scene).fails(1, NOT_SOUND);
    assert!(shut.contains("place=keys behind generation=1 "), "{shut}");
    assert!(
        shut.contains("\ngate=shut actor=operator retryable=false cause=keys: key service holds only older")
    );
    assert!(shut.contains("\nact=stop every other process on the folder, then run `keys state recover`\n"));
    assert_eq!(scene.run(&["keys", "rotate", "state"]).code(), Some(1));

    let recovered = scene.run(&["keys", "state", "recover"]).done();
    assert!(recovered.starts_with(STOPPED), "{recovered}");
    assert!(recovered.contains("\nreplayed       1 leaf key(s)"), "{recovered}");
    assert!(recovered.contains("\ndestroyed      1 holding(s)"), "{recovered}");
    assert!(check(&scene).done().ends_with("gate=open\n"));
    assert!(scene.run(&["log", "verify"]).done().ends_with("sound\n"));
    assert!(
        scene.run(&["keys", "state", "recover"]).done().starts_with(&format!("{STOPPED}nothing to recover"))
    );
}

/// The database is current, so there is no gap; the recovery says what came back all the same.
#[test]
fn a_destroyed_key_that_is_back_is_destroyed_again() {
    let scene = enrolled();
    scene.run(&["keys", "rotate", "state"]).done();
    let keys = KeyFile::open(scene.path("store/keys/service.keys")).unwrap();
    keys.create(&KeyHandle::new(OrganisationId::parse("acme").unwrap(), 1)).unwrap();
    let shut = check(&scene).fails(1, NOT_SOUND);
    let said = "\ngate=shut actor=operator retryable=false cause=keys: 1 destroyed state keys are back";
    assert!(shut.contains(said), "{shut}");
    let recovered = scene.run(&["keys", "state", "recover"]).done();
    assert!(recovered.contains("\nresurrected    1 state key(s)"), "{recovered}");
    assert!(recovered.contains("\ngap            none"), "{recovered}");
    check(&scene).done();
    assert_eq!(value(&scene.run(&["keys", "status"]).done(), "held"), "3");
}

#[test]
fn a_state_that_is_lost_everywhere_is_not_made_anew() {
    let scene = enrolled();
    for place in ["keys", "outside"] {
        fs::remove_file(scene.path(&format!("store/{place}/state/acme.state"))).unwrap();
    }
    let lost = check(&scene).fails(1, NOT_SOUND);
    assert_eq!(lost.matches(" missing\n").count(), 2, "{lost}");
    assert!(lost.contains("\ngate=unknown actor=operator"), "{lost}");
    assert!(scene.run(&["keys", "state", "replicate"]).done().ends_with("mended=0\n"));
    assert!(!scene.path("store/keys/state/acme.state").exists());
}

#[test]
fn a_lost_journal_is_replaced_only_when_that_is_accepted() {
    let scene = enrolled();
    scene.run(&["keys", "rotate", "state"]).done();
    fs::remove_dir_all(scene.path("store/outside/fences")).unwrap();
    let found = check(&scene).fails(1, NOT_SOUND);
    assert!(
        found.contains("\ngate=shut actor=operator retryable=false cause=keys: fence journal"),
        "{found}"
    );
    let refused = "keys: fence journal is missing or older than the organisation state";
    scene.run(&["keys", "state", "recover"]).fails(1, refused);
    let accepted = scene.run(&["keys", "state", "recover", "--accept-unexplained"]).done();
    assert!(accepted.contains("\ngap            none"), "{accepted}");
    check(&scene).done();
}

#[test]
fn honey_is_planted_under_a_published_notice() {
    let scene = enrolled();
    let plant = |notice: &str, count: &str| {
        let locale = ["--notice-id", notice, "--locale", "en", "--count", count];
        scene.run(&[&["keys", "honey", "plant"], &locale[..]].concat())
    };
    plant("other", "1").fails(2, "the organisation published no such notice");
    let planted = plant("face", "2").done();
    assert!(planted.matches("leaf=").count() == 2 && planted.contains("\nplanted=2\n"), "{planted}");
    let status = scene.run(&["keys", "status"]).done();
    assert_eq!(value(&status, "honey"), "2");
    assert!(status.contains(" templates=4 "), "{status}");
}
