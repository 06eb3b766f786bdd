//! Wrong command lines, and folders that are not what was meant.

use std::fs;

use crate::scene::{Scene, enrol};

#[test]
fn a_wrong_command_line_leaves_with_2_and_shows_the_way() {
    let scene = Scene::new();
    let wrong: [&[&str]; 25] = [
        &[],
        &["frobnicate"],
        &["eval"],
        &["eval", "face"],
        &["eval", "face", "x", "--threads", "0"],
        &["log", "prove", "--dir", "x", "--org", "acme", "minus one"],
        &["log", "rebuild", "--dir", "x", "--org", "acme"],
        &["log", "monitor", "x", "--key", "k"],
        &["log", "rotate-key", "--dir", "x", "--org", "acme", "--reason", "boredom"],
        &["audit", "bundle", "--dir", "x", "--org", "acme"],
        &["receipt", "verify", "receipt.json"],
        &["retention", "plan", "--dir", "x", "--org", "acme", "--out", "p", "--at", "yesterday"],
        &["retention", "run", "plan.json", "--dir", "x", "--org", "acme"],
        &["policy"],
        &["policy", "check", "--key", "k"],
        &["policy", "diff", "--dir", "x"],
        &["policy", "notice", "--edition", "1"],
        &["rights", "verify", "4711", "x", "--dir", "x", "--org", "acme", "--proof", "session"],
        &["retention", "status", "--dir", "x", "--org", "acme", "--margin", "0"],
        &["keys"],
        &["keys", "strength"],
        &["keys", "strength", "--keys", "x", "--org", "acme"],
        &["keys", "rotate", "passphrase", "--dir", "x"],
        &["keys", "rotate", "passphrase", "--dir", "x", "--new-passphrase", "hunter2"],
        &[
            "keys",
            "honey",
            "plant",
            "--dir",
            "x",
            "--org",
            "a",
            "--count",
            "0",
            "--notice-id",
            "n",
            "--locale",
            "en",
        ],
    ];
    for arguments in wrong {
        let run = scene.run_anywhere(arguments);
        assert_eq!(run.code, Some(2), "{arguments:?}");
        assert!(
            run.err.contains("Usage: vouchsafe") || run.err.contains("--help"),
            "{arguments:?} {}",
            run.err
        );
    }
    assert!(scene.run_anywhere(&["--help"]).done().contains("Exit codes"));
}

#[test]
fn a_folder_is_never_made_by_a_typo() {
    let scene = Scene::new();
    scene.run(&["log", "verify"]).fails(2, "the folder does not exist");
    assert!(!scene.path("store").exists());
    fs::create_dir(scene.path("store")).unwrap();
    let commands: [&[&str]; 31] = [
        &["log", "verify"],
        &["log", "publish"],
        &["log", "prove", "0"],
        &["log", "fsck"],
        &["log", "handovers"],
        &["audit", "bundle", "--to", "store/audit"],
        &["log", "rotate-key", "--reason", "scheduled"],
        &["consent", "notices"],
        &["consent", "expire"],
        &["consent", "at", "4711", "face.end_user.verification", "2020-04-01T12:00:00Z"],
        &["consent", "behind", "4711", "4", "--out", "store/answer"],
        &["retention", "sweep"],
        &["retention", "plan", "--out", "plan.json"],
        &["retention", "status", "--watch"],
        &["retention", "activate", &"0".repeat(64)],
        &["retention", "offboard", "plan", "--out", "store/plan"],
        &["hold", "list"],
        &["rights", "request", "4711", "know"],
        &["rights", "due"],
        &["disclosure", "list", "4711"],
        &["order", "list"],
        &["order", "acknowledge", &"0".repeat(32), "--by", "host"],
        &["recover"],
        &["keys", "status"],
        &["keys", "strength"],
        &["keys", "rotate", "state"],
        &["keys", "rotate", "data", "--dry-run"],
        &["keys", "destroy"],
        &["keys", "state", "check"],
        &["keys", "state", "replicate"],
        &["keys", "state", "recover"],
    ];
    for command in commands {
        scene.run(command).fails(2, "the folder holds no vouchsafe database");
    }
    assert_eq!(fs::read_dir(scene.path("store")).unwrap().count(), 0);
}

#[test]
fn an_organisation_is_never_made_by_a_typo() {
    let scene = Scene::new();
    enrol(&scene.service().organisation("acme").unwrap(), "4711", 1);
    scene.run(&["log", "publish"]).done();
    let stranger =
        |command: &[&str]| scene.run_anywhere(&[command, &["--dir", "store", "--org", "acne"]].concat());
    let commands: [&[&str]; 15] = [
        &["log", "verify"],
        &["log", "publish"],
        &["log", "fsck"],
        &["audit", "bundle", "--to", "audit"],
        &["consent", "notices"],
        &["consent", "behind", "4711", "4"],
        &["retention", "sweep"],
        &["retention", "status"],
        &["hold", "list"],
        &["rights", "due"],
        &["order", "list"],
        &["recover"],
        &["keys", "status"],
        &["keys", "state", "check"],
        &["keys", "state", "replicate"],
    ];
    for command in commands {
        stranger(command).fails(2, "the organisation is not known in this folder");
    }
    let malformed = scene.run_anywhere(&["recover", "--dir", "store", "--org", "../acme"]);
    assert_eq!(malformed.code, Some(2));
    assert_eq!(fs::read_dir(scene.path("store/log")).unwrap().count(), 1);
}

#[test]
fn lost_keys_are_named_and_not_replaced() {
    let scene = Scene::new();
    enrol(&scene.service().organisation("acme").unwrap(), "4711", 1);
    fs::remove_file(scene.path("store/keys/service.keys")).unwrap();
    let run = scene.run(&["log", "verify"]);
    assert_eq!(run.code, Some(1));
    assert!(run.err.contains("restore the keys"), "{}", run.err);
    assert!(!scene.path("store/keys/service.keys").exists());
}
