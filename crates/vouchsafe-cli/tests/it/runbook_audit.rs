//! The runbook of an audit, command by command.

use std::fs;
use std::path::Path;
use std::process::Command;

use vouchsafe::{Destruction, Receipt};

use crate::drill::Drill;
use crate::scene::{FACE, Scene, enrol};

const RUNBOOK: &str = include_str!("../../../vouchsafe/docs/runbook-audit.md");
const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../vouchsafe/tests/interop/check_bundle.py");

/// Commands on the folder, which are shown without it.
const ON_THE_FOLDER: [&str; 2] = ["log publish", "audit bundle"];

/// Promise: WB-6-audit
#[test]
fn every_command_of_the_runbook_does_what_it_says() {
    let scene = Scene::new();
    {
        let service = scene.service();
        let organisation = service.organisation("acme").unwrap();
        let receipt = enrol(&organisation, "4711", 1).receipt().to_json().unwrap();
        enrol(&organisation, "4712", 2);
        let mut receipt = Receipt::from_json(&receipt).unwrap();
        organisation.prove_receipt(&mut receipt).unwrap();
        fs::write(scene.path("receipt.json"), receipt.to_json().unwrap()).unwrap();
    }
    let key = scene.key();
    let drill = Drill::new(RUNBOOK, &ON_THE_FOLDER, scene);
    let scene = &drill.scene;
    drill.set("KEY", key.clone());
    drill.run("log publish > kept.checkpoint").done();
    {
        let service = scene.service();
        let organisation = service.organisation("acme").unwrap();
        let ended = organisation.subject("4711").unwrap().withdraw(FACE).unwrap().destruction;
        let Destruction::Done(mut certificates) = ended else { panic!("pending") };
        organisation.prove_certificate(&mut certificates[0]).unwrap();
        fs::write(scene.path("certificate"), certificates[0].to_text()).unwrap();
    }
    let written = drill.run("audit bundle --to bundle").done();
    assert!(written.contains("\ncertificates  1\n"), "{written}");
    fs::remove_dir_all(scene.path("store")).unwrap();

    let verified = drill.run("audit verify bundle --key KEY --checkpoint kept.checkpoint").done();
    assert!(verified.ends_with("\nsound\n"), "{verified}");
    for line in [
        "enrolled      2: 1 destroyed with a certificate, 1 held, 0 lost by a recovery\n",
        "certificates  1\n  class       biometric 1\n  cause       withdrawal 1\n  strength    host_only 1\n",
        "without one   0 after seven years, 0 before, 0 lost\n",
        "rules         0 of a policy that is not here, 0 of an earlier one, 0 of one that was not in force\n",
    ] {
        assert!(verified.contains(line), "{verified}");
    }
    second(&scene.path("bundle"), &key, &verified);
    let about = "retention check-certificate certificate --key KEY --receipt receipt.json";
    assert!(!drill.run(about).done().is_empty());
    drill.finished();
}

/// The page says that the script prints the same line.
fn second(folder: &Path, key: &str, verified: &str) {
    assert!(RUNBOOK.contains("python3 check_bundle.py bundle KEY\n"));
    let probe = Command::new("python3").args(["-c", "import cryptography"]).output();
    if !probe.is_ok_and(|output| output.status.success()) {
        assert!(std::env::var_os("VOUCHSAFE_REQUIRE_SERVICES").is_none(), "no python3 with `cryptography`");
        return;
    }
    let said = Command::new("python3").args(["-B", SCRIPT]).arg(folder).arg(key).output().unwrap();
    let line = String::from_utf8(said.stdout).unwrap();
    assert!(verified.contains(&format!("counts        {line}")), "{line}{verified}");
}
