//! Plan, approve, run, certify.

use std::fs;

use crate::scene::{FACE, Scene, enrol};

/// Two people whose templates are due, the receipt of the first, and a plan.
fn planned() -> (Scene, String) {
    let scene = Scene::new();
    {
        let service = scene.service();
        let organisation = service.organisation("acme").unwrap();
        let receipt = enrol(&organisation, "4711", 1);
        enrol(&organisation, "4712", 2);
        fs::write(scene.path("enrolment.json"), receipt.receipt().to_json().unwrap()).unwrap();
    }
    let out = scene.run(&["retention", "plan", "--out", "plan.json"]).done();
    (scene, out)
}

/// Approves the plan as somebody whom the service knows.
pub(crate) fn approve(scene: &Scene) -> String {
    if !scene.path("dpo.key").exists() {
        let key =
            scene.run_anywhere(&["retention", "new-approver", "dpo.example", "--out", "dpo.key"]).done();
        scene.run(&["retention", "trust-approver", key.trim_end()]).done();
    }
    approve_with(scene, "dpo.key", "approval").done()
}

fn approve_with(scene: &Scene, key: &str, out: &str) -> crate::scene::Run {
    scene.run_anywhere(&["retention", "approve", "plan.json", "--key", key, "--out", out])
}

fn run(scene: &Scene) -> crate::scene::Run {
    scene.run(&["retention", "run", "plan.json", "--approval", "approval"])
}

/// The certificate without the proof behind it, which grows with the log.
fn note_of(certificate: &str) -> &str {
    certificate.split("c2sp.org/tlog-proof").next().unwrap()
}

/// The leaf of the first template in the plan.
fn first_template(scene: &Scene) -> String {
    let plan = fs::read_to_string(scene.path("plan.json")).unwrap();
    let item = plan.split("{\"id\":\"").skip(1).find(|item| item.contains("\"biometric\"")).unwrap();
    item.split('"').next().unwrap().to_owned()
}

/// Promise: WB-4-face-user
#[test]
fn a_plan_is_approved_run_and_certified() {
    let (scene, out) = planned();
    assert!(out.contains("  biometric            2\n"), "{out}");
    assert!(out.contains("earliest    2021-04-01T12:00:00Z\n"), "{out}");
    assert!(out.contains("for example leaf ") && out.contains("1 year after the person's last interaction"));
    assert!(approve(&scene).ends_with("approved; the log records it when the plan is run\n"));
    let done = run(&scene).done();
    assert!(done.matches("biometric of entry ").count() == 2, "{done}");

    let leaf = first_template(&scene);
    let certificate = scene.run(&["retention", "certify", "--leaf", &leaf]).done();
    assert!(certificate.starts_with("vouchsafe destruction certificate v2\n"), "{certificate}");
    scene.run(&["retention", "certify", "--leaf", &leaf, "--out", "certificate"]).done();
    let again = fs::read_to_string(scene.path("certificate")).unwrap();
    assert_eq!(note_of(&again), note_of(&certificate));
    assert!(
        certificate
            .contains("\nrule tx-c3-reading\nclause Tex. Bus. & Com. Code 503.001(c)(3), as read here\n")
    );
    assert!(certificate.contains("\nnot-reached copies-of-the-key-host\n"), "{certificate}");

    let key = scene.key();
    let check = |more: &[&str]| {
        let check = ["retention", "check-certificate", "certificate", "--key", &key];
        scene.run_anywhere(&[&check[..], more].concat())
    };
    let entry =
        certificate.lines().find_map(|line| line.strip_prefix("enrolment-entry ")).unwrap().to_owned();
    let about = check(&["--receipt", "enrolment.json"]).done();
    assert!(about.contains("\nits destruction is in the log of "), "{about}");
    assert!(about.contains(&format!("about entry {entry}; --proof checks that the log holds it")), "{about}");
    fs::write(scene.path("proof"), scene.run(&["log", "prove", &entry]).done()).unwrap();
    let proved = check(&["--receipt", "enrolment.json", "--proof", "proof"]).done();
    assert!(proved.contains(&format!("about entry {entry}, which is in the log of ")), "{proved}");
    assert!(scene.run(&["log", "verify"]).done().ends_with("sound\n"));

    let forged = certificate.replace("cause ", "cause other_");
    fs::write(scene.path("certificate"), forged).unwrap();
    check(&[]).fails(1, "log: signature of a known key does not verify");
    check(&["--proof", "proof"]).fails(2, "--proof says something about a receipt only: give --receipt too");
}

/// Promise: WB-4-face-user
#[test]
fn a_tampered_plan_is_refused_and_destroys_nothing() {
    let (scene, _) = planned();
    approve(&scene);
    let plan = fs::read_to_string(scene.path("plan.json")).unwrap();
    let considered = plan.split("\"considered\":").nth(1).unwrap().split(',').next().unwrap();
    let canonical = plan.replace(
        &format!("\"considered\":{considered},"),
        &format!("\"considered\":{},", considered.parse::<u64>().unwrap() + 1),
    );
    fs::write(scene.path("plan.json"), &canonical).unwrap();
    run(&scene).fails(1, "retention plan is not approved");
    fs::write(scene.path("plan.json"), plan.replace("{\"id\"", "{ \"id\"")).unwrap();
    run(&scene).fails(1, "retention: plan is malformed or not in its canonical encoding");
    fs::write(scene.path("plan.json"), &plan).unwrap();
    let leaf = first_template(&scene);
    let certify = ["retention", "certify", "--leaf", &leaf];
    scene.run(&certify).fails(1, "holding is not destroyed");

    let approval = fs::read_to_string(scene.path("approval")).unwrap();
    fs::write(scene.path("approval"), approval.replace("plan ", "plan 0")).unwrap();
    assert_eq!(run(&scene).code, Some(1));
    scene.run(&certify).fails(1, "holding is not destroyed");
}

#[test]
fn a_plan_of_another_instant_is_a_drill() {
    let (scene, _) = planned();
    let at = |out: &str, instant: &str| scene.run(&["retention", "plan", "--out", out, "--at", instant]);
    assert!(at("early.json", "2021-01-01T00:00:00Z").done().contains("due         0\n"));
    assert!(at("due.json", "2021-04-01T12:00:00Z").done().contains("  biometric            2\n"));
    at("due.json", "2021-04-01T12:00:00Z").fails(2, "the plan file exists already; name a new one");
}

/// Promise: WB-4-face-user
#[test]
fn a_sweep_destroys_what_is_due_and_is_done_once() {
    let (scene, _) = planned();
    // The service was not there for years: its clock may be wrong, somebody has to say that it is right.
    let jumped = scene.run(&["retention", "sweep"]);
    assert!(jumped.err.contains("more than 30 days after 2020-04-01T12:00:00Z"), "{}", jumped.err);
    approve(&scene);
    let first = run(&scene).done();
    assert_eq!(first.matches("biometric of entry ").count(), 2, "{first}");
    assert_eq!(scene.run(&["retention", "sweep"]).done(), "destroyed=0\n");
    let service = scene.service();
    let organisation = service.organisation("acme").unwrap();
    assert!(organisation.subject("4711").unwrap().permit(FACE).is_ok());
}

/// Promise: WB-4-face-user
#[test]
fn a_sweep_of_an_unusual_share_has_to_be_approved() {
    let scene = Scene::new();
    {
        let service = scene.service();
        let organisation = service.organisation("acme").unwrap();
        (1..=11).for_each(|seed| drop(enrol(&organisation, &seed.to_string(), seed)));
    }
    scene.run(&["retention", "plan", "--out", "plan.json"]).done();
    run(&scene).fails(2, "the approval file does not exist");
    let key = scene.run_anywhere(&["retention", "new-approver", "stranger", "--out", "stranger.key"]).done();
    assert!(key.starts_with("stranger+"), "{key}");
    approve_with(&scene, "stranger.key", "approval").done();
    run(&scene).fails(1, "retention plan is not approved");
    fs::remove_file(scene.path("approval")).unwrap();
    approve(&scene);
    assert!(run(&scene).done().ends_with("\ndestroyed=11\n"));
}

#[test]
fn what_is_missing_is_named() {
    let (scene, _) = planned();
    run(&scene).fails(2, "the approval file does not exist");
    fs::remove_file(scene.path("plan.json")).unwrap();
    approve_with(&scene, "no.key", "a").fails(2, "the plan file does not exist");
    scene.run(&["retention", "certify", "--leaf", "9999"]).fails(1, "holding is not destroyed");
}

/// Promise: WB-7-children
#[test]
fn what_is_learned_about_a_person_destroys_what_it_ends() {
    let scene = Scene::new();
    let people = ["4711", "4712", "4713", "4714"];
    let service = scene.service();
    for (seed, person) in (1..).zip(people) {
        enrol(&service.organisation("acme").unwrap(), person, seed);
    }
    drop(service);
    let learn = |words: &[&str]| scene.run(&[&["learn"], words].concat());
    let minor = learn(&["minor", "4711"]).done();
    assert!(minor.contains("cause learned_minor") && minor.ends_with("\ndestroyed=1\n"), "{minor}");
    assert_eq!(learn(&["minor", "4711"]).done(), "destroyed=0\n", "once");
    let scope = &FACE.name();
    assert!(learn(&["purpose-met", "4712", scope]).done().contains("cause purpose_met"));
    assert!(learn(&["method-disabled", "4713", scope]).done().contains("cause method_disabled"));
    assert_eq!(learn(&["employment-ended", "4714"]).done(), "destroyed=0\n", "no administrator");
    assert_eq!(learn(&["residence", "4714", "us-tx"]).done(), "recorded: us-tx\n");
    for (words, says) in [
        (&["residence", "4714", "us-ny"][..], "no such jurisdiction; known: "),
        (&["purpose-met", "4714", "face"], "invalid value 'face'"),
        (&["minor", "4714", "--as", "king"], "no such role; known: "),
    ] {
        let refused = learn(words);
        assert_eq!(refused.code(), Some(2), "{words:?}");
        assert!(refused.err.contains(says), "{}", refused.err);
    }
}
