//! The runbook of the log, command by command, in the order of a bad year.

use std::fs;

use serde_json::Value;
use vouchsafe::Receipt;

use crate::drill::Drill;
use crate::scene::{FACE, Scene, copy, enrol};
use crate::witness::{Neighbour, policy};

const RUNBOOK: &str = include_str!("../../../vouchsafe/docs/runbook-log.md");

/// Commands on the folder, which are shown without it.
const ON_THE_FOLDER: [&str; 12] = [
    "log publish",
    "log verify ",
    "log cosign",
    "log fsck",
    "log rotate-key",
    "log handovers",
    "log prove",
    "audit bundle",
    "recover",
    "retention certify",
    "consent notices",
    "consent at",
];

/// Promise: WB-1.4-immutable
#[test]
fn every_command_of_the_runbook_does_what_it_says() {
    let scene = Scene::new();
    let receipt =
        enrol(&scene.service().organisation("acme").unwrap(), "4711", 1).receipt().to_json().unwrap();
    let drill = Drill::new(RUNBOOK, &ON_THE_FOLDER, scene);
    let scene = &drill.scene;
    let (one, two) = (Neighbour::new("one.example/w"), Neighbour::new("two.example/w2"));
    fs::write(scene.path("policy.txt"), policy(&[&one, &two], 2)).unwrap();
    fs::write(scene.path("roots.pem"), "").unwrap();
    let first = scene.key();
    drill.set("KEY", first.clone());
    drill.set("OLD-KEY", first.clone());
    drill.set("SUBJECT", "4711".to_owned());

    // Every day.
    drill.run("log publish > kept.checkpoint").done();
    let verify = "log verify --payloads --checkpoint kept.checkpoint";
    assert!(drill.run(verify).done().ends_with("  unaccounted  0\nsound\n"));

    // Witnesses.
    let quorum = "finding  checkpoint is refused: cosignatures do not make the quorum\n";
    assert!(
        drill
            .run("log verify --policy policy.txt")
            .fails(1, "the log is not sound: 1 finding(s)")
            .contains(quorum)
    );
    let cosigned = drill.run("log cosign --policy policy.txt --witness-ca roots.pem").done();
    assert!(
        cosigned.starts_with("one.example/w cosigned at 2027-01-15T08:00:00Z\ntwo.example/w2 cosigned"),
        "{cosigned}"
    );
    drill.run("log verify --policy policy.txt").done();

    // From elsewhere.
    mirror(scene);
    let monitor = "log monitor mirror --key KEY --state monitor.state --policy policy.txt";
    assert!(drill.run(monitor).done().contains("\nfirst    nothing was remembered"));
    assert!(drill.run(monitor).done().ends_with("\ncontinues what was remembered\nsound\n"));
    drill.run("log verify-files mirror --key KEY --policy policy.txt --checkpoint kept.checkpoint").done();

    // The database is restored, then the files of the log are damaged.
    copy(&scene.path("store/data"), &scene.path("backup"));
    enrol(&scene.service().organisation("acme").unwrap(), "4712", 2);
    drill.run("log publish > kept.checkpoint").done();
    fs::remove_dir_all(scene.path("store/data")).unwrap();
    copy(&scene.path("backup"), &scene.path("store/data"));
    let restored = "the database is older than the published log, or was restored: run the recovery before anything else";
    drill.run("log cosign --policy policy.txt --witness-ca roots.pem").fails(1, restored);
    assert!(drill.run("recover").done().contains("gap            entries 5 to 7"));
    fs::remove_dir_all(scene.log_folder().join("tile/0")).unwrap();
    assert!(drill.run("log fsck").done().ends_with("sound\n"));

    // The key is due.
    drill.run("log cosign --policy policy.txt --witness-ca roots.pem").done();
    let rotated =
        drill.run("log rotate-key --reason scheduled --policy policy.txt --witness-ca roots.pem").done();
    assert!(rotated.contains("\nreason   scheduled\n"), "{rotated}");
    assert!(drill.run("log handovers").done().ends_with("handovers=1\n"));
    drill.run("log cosign --policy policy.txt --witness-ca roots.pem").done();
    let mut receipt = Receipt::from_json(&receipt).unwrap();
    scene.service().organisation("acme").unwrap().prove_receipt(&mut receipt).unwrap();
    fs::write(scene.path("receipt.json"), receipt.to_json().unwrap()).unwrap();
    mirror(scene);
    let follow = "log verify-files mirror --key OLD-KEY --handovers --policy policy.txt";
    assert!(drill.run(follow).done().contains(&format!("\nkey      {}\n", scene.key())));
    assert!(drill.run(monitor).done().ends_with("\ncontinues what was remembered\nsound\n"));
    let old = "receipt verify receipt.json --key OLD-KEY --handover mirror/handover/000";
    assert!(drill.run(old).done().contains("kind       template.enrolled\n"));

    // Somebody else may have the key.
    two.sleep(true);
    let stolen = "log rotate-key --reason compromised --policy policy.txt --witness-ca roots.pem";
    drill.run(stolen).fails(1, "log: cosignatures do not make the quorum");
    two.sleep(false);
    assert!(drill.run(stolen).done().contains("\nreason   compromised\n"));
    drill.set("KEY", scene.key());
    drill.run("log verify --payloads --policy policy.txt --checkpoint kept.checkpoint").done();
    drill.run("log prove 4 > fresh.proof").done();
    drill.run("receipt verify receipt.json --key KEY --proof fresh.proof").done();
    let service = scene.service();
    let organisation = service.organisation("acme").unwrap();
    enrol(&organisation, "4713", 3);
    scene.run(&["retention", "plan", "--out", "plan.json"]).done();
    drill.set("LEAF", last_template(scene));
    let _ = organisation.subject("4713").unwrap().withdraw(FACE).unwrap();
    drop(service);
    drill.run("retention certify --leaf LEAF --out fresh.certificate").done();

    // An audit.
    drill.run("audit bundle --to audit --policy policy.txt --witness-ca roots.pem").done();
    let now = scene.key();
    drill.set("KEY", first);
    let audit = "audit verify audit --key KEY --policy policy.txt --checkpoint kept.checkpoint";
    let audited = drill.run(audit).done();
    assert!(audited.contains(&format!("\nkey           {now}\n")), "{audited}");
    drill.set("KEY", now);
    assert!(drill.run("consent notices").done().ends_with("notices=1\n"));
    let asked =
        "consent at SUBJECT face.end_user.verification 2020-04-01T13:00:00Z --as auditor --out answer";
    let answer = drill.run(asked).done();
    assert!(answer.contains("\nconsented  yes\n"), "{answer}");
    let deciding = drill.run("receipt verify answer/deciding.json --key KEY --policy policy.txt").done();
    assert!(deciding.starts_with("kind       consent.given\nentry      3 of "), "{deciding}");

    drill.finished();
}

/// The mirror as it is made every hour.
fn mirror(scene: &Scene) {
    let _ = fs::remove_dir_all(scene.path("mirror"));
    copy(&scene.log_folder(), &scene.path("mirror"));
}

/// The leaf of the template that was enrolled last, as the plan names it.
fn last_template(scene: &Scene) -> String {
    let plan: Value = serde_json::from_slice(&fs::read(scene.path("plan.json")).unwrap()).unwrap();
    let templates = plan["items"].as_array().unwrap().iter().filter(|item| item["class"] == "biometric");
    let leaves = templates.map(|item| item["id"].as_str().unwrap().parse::<u64>().unwrap());
    leaves.max().unwrap().to_string()
}
