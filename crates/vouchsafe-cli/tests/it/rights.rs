//! Holds, rights, disclosures and orders: what is refused, and that nothing is changed by it.

use std::fs;

use vouchsafe::retention::rights::RequestKind;

use crate::policy::{ACME, activate};
use crate::scene::{Run, Scene, enrol};

/// A person whose organisation has a pack of its own in force.
fn scene() -> Scene {
    let scene = Scene::new();
    enrol(&scene.service().organisation("acme").unwrap(), "4711", 1);
    fs::write(scene.path("acme.toml"), ACME).unwrap();
    activate(&scene, "acme.toml");
    scene
}

fn run(scene: &Scene, arguments: &[&str]) -> Run {
    scene.run(&[arguments, &["--pack", "acme.toml"]].concat())
}

/// How many entries the log has.
fn entries(scene: &Scene) -> String {
    scene.run(&["log", "publish"]).done();
    scene.run(&["log", "verify"]).done()
}

#[test]
fn a_hold_needs_an_authority_and_two_people() {
    let scene = scene();
    let before = entries(&scene);
    let place = |authority: &[&str], people: &[&str], matter: &str| {
        run(&scene, &[&["hold", "place", "--matter", matter], authority, people].concat())
    };
    let (warrant, two) = (["--authority", "warrant"], ["--requested-by", "a", "--approved-by", "b"]);
    let missing = place(&[], &two, "il-1");
    assert!(missing.code == Some(2) && missing.err.contains("--authority"), "{}", missing.err);
    let unknown = place(&["--authority", "neighbour"], &two, "il-1");
    assert!(unknown.code == Some(2) && unknown.err.contains("no such authority; known: "), "{}", unknown.err);
    let alone = place(&warrant, &["--requested-by", "a"], "il-1");
    assert!(alone.code == Some(2) && alone.err.contains("--approved-by"), "{}", alone.err);
    let refused = |fault: &str| format!("retention: hold is refused: {fault}");
    let same = ["--requested-by", "a", "--approved-by", "a"];
    place(&warrant, &same, "il-1").fails(1, &refused("one approver stands twice"));
    let matter = "matter is empty, longer than 64 bytes or outside a-z, 0-9, '.', '-'";
    place(&warrant, &two, "State v. Doe").fails(1, &refused(matter));
    let past = [&two[..], &["--expires", "2020-01-01"]].concat();
    place(&warrant, &past, "il-1").fails(1, &refused("it ends before it was placed"));
    assert_eq!(run(&scene, &["hold", "release", &"0".repeat(32)]).code, Some(1));
    assert_eq!(run(&scene, &["hold", "release", "il-1"]).code, Some(2));
    assert_eq!(run(&scene, &["hold", "list"]).done(), "holds=0\n");
    assert_eq!(entries(&scene), before);

    // A court order holds no face of somebody who may be of Illinois.
    let placed = place(&["--authority", "court_order"], &two, "il-2").done();
    assert!(
        placed.contains("\ndoes not hold biometric of people in us-il: il-15a-holds (740 ILCS 14/15(a))\n"),
        "{placed}"
    );
}

#[test]
fn a_request_of_somebody_unverified_is_not_begun() {
    let scene = scene();
    let id = run(&scene, &["rights", "request", "4711", "delete"]).done();
    let step =
        |step: &str, more: &[&str]| run(&scene, &[&["rights", step, "4711", id.trim_end()], more].concat());
    let before = (step("show", &[]).done(), entries(&scene));
    step("start", &[]).fails(1, "rights request: identity is not verified");
    step("carry-out", &[]).fails(1, "rights request: identity is not verified");
    step("answer", &[]).fails(1, "rights request: identity is not verified");
    let weak = "rights request: a session is not enough identity for a request to delete";
    step("verify", &["--proof", "session"]).fails(1, weak);
    assert_eq!(step("verify", &["--proof", "documents"]).code, Some(2));
    let both = "somebody who looked at documents is named with --checked-by, and only then";
    step("verify", &["--proof", "signed-in", "--checked-by", "x"]).fails(2, both);
    step("extend", &["--reason", "complexity"])
        .fails(1, "rights request: event extend cannot happen to a request that is received");
    step("refuse", &["--ground", "legal_duty"]).fails(1, "rights request: identity is not verified");
    let task = ["--class", "account", "--in", "cellar", "--not-held"];
    assert!(step("task", &task).err.contains("no such place; known: "));
    assert_eq!((step("show", &[]).done(), entries(&scene)), before);
    run(&scene, &["rights", "show", "4711", &"0".repeat(32)]).fails(1, "the person has no such record");
    let unknown = run(&scene, &["rights", "request", "4711", "forget"]);
    assert!(
        unknown.code == Some(2) && unknown.err.contains("no such request; known: know, "),
        "{}",
        unknown.err
    );
}

#[test]
fn a_deletion_is_carried_out_and_waits_for_the_processor() {
    let scene = scene();
    let id = run(&scene, &["rights", "request", "4711", "delete"]).done();
    let step =
        |step: &str, more: &[&str]| run(&scene, &[&["rights", step, "4711", id.trim_end()], more].concat());
    step("verify", &["--proof", "signed-in"]).done();
    step("start", &[]).done();
    let carried = step("carry-out", &[]).done();
    assert!(carried.contains("task         biometric in store: done, entry "), "{carried}");
    assert!(carried.contains("task         account in recipient host: pending\n"), "{carried}");
    let open = step("answer", &[]);
    assert!(open.code == Some(1) && open.err.contains("account in recipient host"), "{}", open.err);
    let orders = run(&scene, &["order", "list", "4711"]).done();
    let order = orders.split(' ').next().unwrap();
    let stranger = run(&scene, &["order", "acknowledge", order, "--by", "stranger"]);
    assert_eq!(stranger.code, Some(1), "{}", stranger.err);
    run(&scene, &["order", "acknowledge", order, "--by", "host"]).done();
    let carried = step("carry-out", &[]).done();
    assert!(!carried.contains(": pending\n"), "{carried}");
    assert!(step("answer", &[]).done().contains("\nstatus       answered\n"));
}

#[test]
fn a_disclosure_without_basis_is_refused_and_not_in_the_register() {
    let scene = scene();
    let record = |to: &str, basis: &str, class: &str| {
        run(&scene, &["disclosure", "record", "4711", "--to", to, "--basis", basis, "--class", class])
    };
    let refused = |why: &str| format!("refused, and the log says so: {why}");
    record("broker", "processor", "account").fails(1, &refused("the policy knows no such recipient"));
    let biometric = "biometric data is disclosed only with explicit written consent or by legal duty";
    record("host", "processor", "biometric").fails(1, &refused(biometric));
    record("host", "processor", "support")
        .fails(1, &refused("the recipient's contract does not cover support"));
    assert_eq!(record("host", "sale", "account").code, Some(2));
    assert_eq!(record("host", "legal-obligation", "account").code, Some(2));
    assert_eq!(run(&scene, &["disclosure", "list", "4711"]).done(), "disclosures=0\n");
}

#[test]
fn nothing_is_decided_under_another_policy_than_the_one_in_force() {
    let scene = scene();
    let before = entries(&scene);
    let other = "the retention policy is not activated for the organisation";
    let hold = [
        "hold",
        "place",
        "--matter",
        "m",
        "--authority",
        "warrant",
        "--requested-by",
        "a",
        "--approved-by",
        "b",
    ];
    scene.run(&["rights", "request", "4711", "delete"]).fails(1, other);
    scene.run(&hold).fails(1, other);
    scene
        .run(&["disclosure", "record", "4711", "--to", "host", "--basis", "processor", "--class", "account"])
        .fails(1, other);
    scene.run(&["retention", "sweep"]).fails(1, other);
    scene.run(&["retention", "offboard", "plan", "--out", "plan"]).fails(1, other);
    assert_eq!(entries(&scene), before);
    assert!(!scene.path("plan").exists());
}

#[test]
fn a_request_of_years_ago_is_an_alarm() {
    let scene = Scene::new();
    {
        let service = scene.service();
        let organisation = service.organisation("acme").unwrap();
        enrol(&organisation, "4711", 1);
        organisation.subject("4711").unwrap().request(RequestKind::Know).unwrap();
    }
    let due = scene.run(&["rights", "due"]).fails(1, "2 step(s) of requests are overdue");
    assert!(due.contains("  know: confirm by 2020-04-15T12:00:00Z, overdue\n"), "{due}");
    assert!(due.contains("  know: answer by 2020-05-01T12:00:00Z, overdue\n"), "{due}");
    assert!(due.ends_with("\ndue=1\n"), "{due}");
}
