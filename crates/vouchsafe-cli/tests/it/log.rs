//! Verify, prove, publish.

use std::fs;

use crate::scene::{Scene, enrol};

fn published() -> Scene {
    let scene = Scene::new();
    enrol(&scene.service().organisation("acme").unwrap(), "4711", 1);
    let checkpoint = scene.run(&["log", "publish"]).done();
    fs::write(scene.path("checkpoint"), checkpoint).unwrap();
    scene
}

/// Promise: WB-1.4-immutable
#[test]
fn a_published_log_is_sound_for_the_operator_and_for_an_outsider() {
    let scene = published();
    let key = scene.key();
    let inside = scene.run(&["log", "verify"]).done();
    assert!(inside.contains("size     5\n") && inside.ends_with("sound\n"), "{inside}");
    assert!(inside.contains(&format!("key      {key}\n")));
    let checkpoint = fs::read_to_string(scene.path("checkpoint")).unwrap();
    assert!(inside.contains(&format!("root     {}\n", checkpoint.lines().nth(2).unwrap())));
    fs::rename(scene.log_folder(), scene.path("copy")).unwrap();
    let outside = scene.run_anywhere(&["log", "verify-files", "copy", "--key", &key]).done();
    assert_eq!(inside, outside);
}

/// Promise: WB-1.4-immutable
#[test]
fn a_tampered_tile_is_found_by_both() {
    let scene = published();
    let key = scene.key();
    let bundle = scene.log_folder().join("tile/entries/000.p/5");
    let mut bytes = fs::read(&bundle).unwrap();
    bytes[20] ^= 1;
    fs::write(&bundle, bytes).unwrap();
    let out = scene.run(&["log", "verify"]).fails(1, "the log is not sound: 1 finding(s)");
    assert!(out.contains("finding  tile/entries/000.p/5 differs from what the leaves give\n"), "{out}");
    let folder = scene.log_folder();
    let outside = scene.run_anywhere(&["log", "verify-files", folder.to_str().unwrap(), "--key", &key]);
    assert_eq!(outside.code, Some(1));
}

/// Promise: WB-1.4-immutable
#[test]
fn a_log_that_does_not_continue_a_kept_checkpoint_is_found() {
    let scene = published();
    let (key, older) = (scene.key(), fs::read(scene.log_folder().join("checkpoint")).unwrap());
    enrol(&scene.service().organisation("acme").unwrap(), "4712", 2);
    let newer = scene.run(&["log", "publish"]).done();
    assert!(scene.run(&["log", "verify", "--checkpoint", "checkpoint"]).done().ends_with("sound\n"));

    fs::write(scene.path("checkpoint"), &newer).unwrap();
    fs::write(scene.log_folder().join("checkpoint"), older).unwrap();
    let rolled_back = "finding  log is shorter than the remembered checkpoint\n";
    let folder = scene.log_folder();
    let outside = ["log", "verify-files", folder.to_str().unwrap(), "--key", &key];
    scene.run_anywhere(&outside).done();
    let remembering = scene.run_anywhere(&[&outside[..], &["--checkpoint", "checkpoint"]].concat());
    assert!(remembering.fails(1, "the log is not sound: 1 finding(s)").contains(rolled_back));
    let inside = scene.run(&["log", "verify", "--checkpoint", "checkpoint"]);
    assert!(inside.fails(1, "the log is not sound: 1 finding(s)").contains(rolled_back));

    fs::write(scene.path("checkpoint"), newer.replace('A', "B")).unwrap();
    assert_eq!(scene.run(&["log", "verify", "--checkpoint", "checkpoint"]).code, Some(1));
}

#[test]
fn an_entry_is_proved_and_one_that_is_not_there_is_not() {
    let scene = Scene::new();
    enrol(&scene.service().organisation("acme").unwrap(), "4711", 1);
    let proof = scene.run(&["log", "prove", "3"]).done();
    assert!(proof.starts_with("c2sp.org/tlog-proof@v1\nindex 3\n"), "{proof}");
    scene.run(&["log", "prove", "5"]).fails(1, "log: index or size lies outside the log");
}

#[test]
fn an_outsider_is_told_what_is_wrong_with_key_and_folder() {
    let scene = published();
    let key = scene.key();
    let run = |folder: &str, key: &str| scene.run_anywhere(&["log", "verify-files", folder, "--key", key]);
    run("nowhere", &key).fails(2, "the log folder does not exist");
    run(".", "nonsense").fails(2, "the verifier key is malformed");
    fs::create_dir(scene.path("empty")).unwrap();
    run("empty", &key).fails(2, "the folder holds no published log: there is no checkpoint in it");
    assert_eq!(fs::read_dir(scene.path("empty")).unwrap().count(), 0);
}

#[test]
fn missing_tiles_are_rebuilt_and_what_the_organisation_did_is_shown() {
    let scene = published();
    fs::remove_dir_all(scene.log_folder().join("tile")).unwrap();
    let found = scene.run(&["log", "verify"]);
    assert_eq!(found.code(), Some(1));
    let checkpoint = fs::read(scene.log_folder().join("checkpoint")).unwrap();
    let fixed = scene.run(&["log", "fsck"]).done();
    assert!(fixed.starts_with("found    tile/") && fixed.contains("\nrebuilt  2 file(s)\n"), "{fixed}");
    assert!(fixed.ends_with("sound\n"));
    assert_eq!(fs::read(scene.log_folder().join("checkpoint")).unwrap(), checkpoint);
    assert!(scene.run(&["log", "fsck"]).done().contains("\nrebuilt  nothing\n"));
    assert!(scene.run(&["log", "verify"]).done().ends_with("sound\n"));
    assert!(scene.run(&["log", "show", "1"]).done().contains("\"notice\""));
}
