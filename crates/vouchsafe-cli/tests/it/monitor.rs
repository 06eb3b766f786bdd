//! Looking from elsewhere, and asking witnesses.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use vouchsafe::Destruction;

use crate::scene::{FACE, Run, Scene, copy, enrol};
use crate::witness::{Neighbour, policy};

fn published() -> Scene {
    let scene = Scene::new();
    enrol(&scene.service().organisation("acme").unwrap(), "4711", 1);
    scene.run(&["log", "publish"]).done();
    scene
}

fn look(scene: &Scene, folder: &str, key: &str, more: &[&str]) -> Run {
    scene.run_anywhere(&[&["log", "monitor", folder, "--key", key, "--state", "state"], more].concat())
}

/// Promise: WB-1.4-immutable
#[test]
fn a_monitor_remembers_and_sees_a_rollback_and_a_fork() {
    let scene = published();
    let key = scene.key();
    copy(&scene.log_folder(), &scene.path("early"));
    let first = look(&scene, "early", &key, &[]).done();
    assert!(
        first.contains("\nfirst    nothing was remembered: this checkpoint is trusted on first use\n"),
        "{first}"
    );
    let early = fs::read(scene.path("state")).unwrap();
    assert_eq!(early, fs::read(scene.path("early/checkpoint")).unwrap());
    assert_eq!(fs::metadata(scene.path("state")).unwrap().permissions().mode() & 0o777, 0o600);

    // Two histories that begin alike.
    copy(&scene.path("store"), &scene.path("fork"));
    enrol(&scene.service().organisation("acme").unwrap(), "4712", 2);
    scene.run(&["log", "publish"]).done();
    copy(&scene.log_folder(), &scene.path("late"));
    let second = look(&scene, "late", &key, &[]).done();
    assert!(second.contains("checked  3 entries\ncontinues what was remembered\nsound\n"), "{second}");
    let late = fs::read(scene.path("state")).unwrap();
    assert_ne!(early, late);

    let rolled_back = look(&scene, "early", &key, &[]);
    let found = rolled_back.fails(1, "the log is not sound: 1 finding(s)");
    assert!(found.contains("finding  log is shorter than the remembered checkpoint\n"), "{found}");

    fs::rename(scene.path("store"), scene.path("aside")).unwrap();
    fs::rename(scene.path("fork"), scene.path("store")).unwrap();
    enrol(&scene.service().organisation("acme").unwrap(), "4713", 3);
    scene.run(&["log", "publish"]).done();
    copy(&scene.log_folder(), &scene.path("other"));
    let forked = look(&scene, "other", &key, &[]);
    assert!(forked.code() == Some(1) && forked.out.contains("contradicts the remembered"), "{}", forked.out);
    assert_eq!(fs::read(scene.path("state")).unwrap(), late, "only what is sound is remembered");
    look(&scene, "late", &key, &[]).done();
}

#[test]
fn a_monitor_finds_a_changed_entry_and_remembers_nothing() {
    let scene = published();
    let bundle = scene.log_folder().join("tile/entries/000.p/5");
    let mut bytes = fs::read(&bundle).unwrap();
    bytes[40] ^= 1;
    fs::write(&bundle, bytes).unwrap();
    let folder = scene.log_folder();
    assert_eq!(look(&scene, folder.to_str().unwrap(), &scene.key(), &[]).code(), Some(1));
    assert!(!scene.path("state").exists());
}

#[test]
fn a_monitor_is_told_what_is_wrong_with_its_input() {
    let scene = published();
    let (folder, key) = (scene.log_folder(), scene.key());
    let folder = folder.to_str().unwrap();
    look(&scene, "nowhere", &key, &[]).fails(2, "the log folder does not exist");
    look(&scene, folder, "key", &[]).fails(2, "the verifier key is malformed");
    look(&scene, folder, &key, &["--policy", "nowhere"]).fails(2, "the policy file does not exist");
    fs::write(scene.path("policy"), "quorum two\n").unwrap();
    look(&scene, folder, &key, &["--policy", "policy"]).fails(2, "the policy file is malformed");
    fs::write(scene.path("state"), "what a state is not").unwrap();
    look(&scene, folder, &key, &[]).fails(2, "the state file is malformed");
    assert_eq!(fs::read_to_string(scene.path("state")).unwrap(), "what a state is not");
    let stranger = {
        let other = Scene::new();
        enrol(&other.service().organisation("acme").unwrap(), "4711", 1);
        other.key()
    };
    fs::remove_file(scene.path("state")).unwrap();
    assert_eq!(look(&scene, folder, &stranger, &[]).code(), Some(1));
    assert!(!scene.path("state").exists());
}

/// Promise: WB-1.4-immutable
#[test]
fn a_quorum_is_demanded_of_what_is_looked_at() {
    let scene = published();
    let (one, two) = (Neighbour::new("one.example/w"), Neighbour::new("two.example/w2"));
    fs::write(scene.path("policy"), policy(&[&one, &two], 2)).unwrap();
    let (folder, key) = (scene.log_folder(), scene.key());
    let folder = folder.to_str().unwrap().to_owned();
    let demanding = ["--policy", "policy"];
    assert_eq!(look(&scene, &folder, &key, &demanding).code(), Some(1));
    two.sleep(true);
    let partly = scene.run(&["log", "cosign", "--policy", "policy"]);
    let said = partly.fails(1, "log: cosignatures do not make the quorum");
    assert!(
        said.contains("one.example/w cosigned at ") && said.contains("two.example/w2 failed: "),
        "{said}"
    );
    let files = ["log", "verify-files", &folder, "--key", &key, "--policy", "policy"];
    assert_eq!(scene.run_anywhere(&files).code(), Some(1));
    two.sleep(false);
    let whole = scene.run(&["log", "cosign", "--policy", "policy"]).done();
    assert!(whole.starts_with("one.example/w cosigned already at "), "{whole}");
    scene.run_anywhere(&files).done();
    let seen = look(&scene, &folder, &key, &demanding).done();
    assert!(
        seen.contains("\ncosigned one.example/w 2027-01-15T08:00:00Z\ncosigned two.example/w2 "),
        "{seen}"
    );
}

#[test]
fn witnesses_are_named_on_the_command_line_and_each_answer_is_told() {
    let scene = published();
    let one = Neighbour::new("one.example/w");
    let cosigned = scene.run(&["log", "cosign", "--witness", &one.argument()]).done();
    assert!(cosigned.contains("\n\u{2014} one.example/w "), "{cosigned}");
    enrol(&scene.service().organisation("acme").unwrap(), "4712", 2);
    let gone = format!("{}=http://127.0.0.1:1/w", Neighbour::new("gone.example").key);
    let partly = scene.run(&["log", "cosign", "--witness", &one.argument(), "--witness", &gone]);
    let said = partly.fails(1, "1 of the witnesses gave no cosignature");
    assert!(said.contains("gone.example failed: witness is unavailable\n"), "{said}");
}

#[test]
fn a_witness_that_saw_more_stops_everything() {
    let scene = published();
    let one = Neighbour::new("one.example/w");
    one.dream(1_000_000);
    let run = scene.run(&["log", "cosign", "--witness", &one.argument()]);
    run.fails(1, "a witness has seen another history of the log");
}

#[test]
fn a_witness_that_cannot_be_asked_is_refused_before_anything_is_published() {
    let scene = published();
    let one = Neighbour::new("one.example/w");
    let before = fs::read(scene.log_folder().join("checkpoint")).unwrap();
    enrol(&scene.service().organisation("acme").unwrap(), "4712", 2);
    let cosign = |arguments: &[&str]| scene.run(&[&["log", "cosign"], arguments].concat());
    let none = "no witness to ask: name one with --witness, or in the policy file with its address";
    cosign(&[]).fails(2, none);
    fs::write(scene.path("policy"), "quorum none\n").unwrap();
    cosign(&["--policy", "policy"]).fails(2, none);
    let named = "a witness is named as VKEY=URL: the key that its cosignatures verify with, and where it is";
    cosign(&["--witness", &one.key]).fails(2, named);
    cosign(&["--witness", &format!("{}=http://127.0.0.1/w", scene.key())]).fails(2, named);
    let far = format!("{}=http://witness.example/w", one.key);
    cosign(&["--witness", &far]).fails(2, "the witness: submission prefix cannot be used");
    let rootless = format!("{}=https://witness.example/w", one.key);
    cosign(&["--witness", &rootless]).fails(2, "the witness: root certificates cannot be used");
    let missing = ["--witness", &one.argument(), "--witness-ca", "nowhere"];
    cosign(&missing).fails(2, "the file of root certificates does not exist");
    assert_eq!(fs::read(scene.log_folder().join("checkpoint")).unwrap(), before);
}

#[test]
fn a_compromised_key_is_handed_over_with_witnesses_only() {
    let scene = published();
    let first = scene.key();
    scene.run(&["log", "rotate-key"]).code().filter(|code| *code == 2).expect("a reason is needed");
    let alone = scene.run(&["log", "rotate-key", "--reason", "compromised"]);
    alone.fails(1, "log: cosignatures do not make the quorum");
    assert!(scene.run(&["log", "handovers"]).done().ends_with("handovers=0\n"));
    let one = Neighbour::new("one.example/w");
    fs::write(scene.path("policy"), policy(&[&one], 1)).unwrap();
    let rotate = ["log", "rotate-key", "--reason", "compromised", "--policy", "policy"];
    let rotated = scene.run(&rotate).done();
    assert!(rotated.contains(&format!("old      {first}\n")), "{rotated}");
    let now = scene.key();
    assert!(now != first && rotated.contains(&format!("new      {now}\n")), "{rotated}");

    let folder = scene.log_folder();
    let files = ["log", "verify-files", folder.to_str().unwrap(), "--key", &first, "--handovers"];
    let blind = scene.run_anywhere(&files);
    blind.fails(1, "log: cosignatures do not make the quorum");
    scene.run_anywhere(&[&files[..], &["--policy", "policy"]].concat()).done();
    assert!(scene.run(&["log", "handovers"]).done().contains("reason   compromised\n"));
}

/// Promise: WB-1.4-immutable
#[test]
fn a_restored_place_is_named_and_recovered() {
    let scene = published();
    copy(&scene.path("store/outside/checkpoints"), &scene.path("outside-before"));
    copy(&scene.path("store/data"), &scene.path("data-before"));
    copy(&scene.path("store/log"), &scene.path("log-before"));
    enrol(&scene.service().organisation("acme").unwrap(), "4712", 2);
    scene.run(&["log", "publish"]).done();
    let restore = |from: &str, to: &str| {
        fs::remove_dir_all(scene.path(to)).unwrap();
        copy(&scene.path(from), &scene.path(to));
    };

    copy(&scene.path("store/outside/checkpoints"), &scene.path("outside-now"));
    restore("outside-before", "store/outside/checkpoints");
    enrol(&scene.service().organisation("acme").unwrap(), "4713", 3);
    scene.run(&["log", "publish"]).fails(1, "log: checkpoint lock was moved by another writer");
    scene.run(&["recover"]).done();
    scene.run(&["log", "publish"]).done();

    copy(&scene.path("store/data"), &scene.path("data-now"));
    restore("log-before", "store/log");
    restore("data-before", "store/data");
    let lost = "the published log is older than the checkpoint kept outside: bring its files back";
    scene.run(&["log", "publish"]).fails(1, lost);
    restore("data-now", "store/data");
    scene.run(&["log", "publish"]).done();
    assert!(scene.run(&["log", "verify"]).done().ends_with("sound\n"));
}

#[test]
fn what_the_old_key_signed_stays_valid_under_it_only() {
    let scene = published();
    enrol(&scene.service().organisation("acme").unwrap(), "4712", 2);
    scene.run(&["retention", "plan", "--out", "plan.json"]).done();
    crate::retention::approve(&scene);
    fs::write(scene.path("kept"), scene.run(&["log", "publish"]).done()).unwrap();
    let first = scene.key();
    let destroyed =
        scene.service().organisation("acme").unwrap().subject("4711").unwrap().withdraw(FACE).unwrap();
    let Destruction::Done(certificates) = destroyed.destruction else { panic!("pending") };
    fs::write(scene.path("certificate"), certificates[0].note()).unwrap();

    scene.run(&["log", "rotate-key", "--reason", "scheduled"]).done();
    let certified =
        |key: &str| scene.run_anywhere(&["retention", "check-certificate", "certificate", "--key", key]);
    certified(&first).done();
    certified(&scene.key()).fails(1, "log: no signature is by a known key");
    // The operator's own folder knows the handovers.
    assert!(scene.run(&["log", "verify", "--checkpoint", "kept"]).done().ends_with("sound\n"));
    // An approver's key is their own: the handover of the log's key leaves it as it was.
    scene.run(&["retention", "run", "plan.json", "--approval", "approval"]).done();
}
