//! Copies of a person's data from the command line, and the data inventory.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::Value;
use vouchsafe::Ports;
use vouchsafe::Vouchsafe;
use vouchsafe::ledger::ActorRole;
use vouchsafe::retention::rights::{IdentityProof, RequestKind};

use crate::scene::Scene;

const NO_KEY: &str =
    "only an encrypted copy is written with --out: name a key with --to or --passphrase-file";
const ENDLESS: &str =
    "the policy states no end for: billing, support, usage; nothing of it is kept until it does";
const KEY: &str = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p";

/// A person whose request to know is verified or not; its id.
fn asked(scene: &Scene, verified: bool) -> String {
    let service = Vouchsafe::open_with(Ports::in_folder(&scene.path("store")).unwrap());
    let organisation = service.organisation("acme").unwrap();
    let person = organisation.subject("4711").unwrap();
    let id = person.request(RequestKind::Know).unwrap();
    if verified {
        let by = ActorRole::Administrator;
        let _ = person.advance_request(id, by, |request, now| request.verify(IdentityProof::SignedIn, now));
        let _ = person.start_request(id, by).unwrap();
    }
    id.to_string()
}

/// Promise: WB-5-know
#[test]
fn a_copy_goes_to_the_session_or_encrypted_to_a_file_and_in_plain_only_where_asked() {
    let scene = Scene::new();
    let id = asked(&scene, true);
    let export = |more: &[&str]| scene.run(&[&["rights", "export", "4711", &id], more].concat());
    let before = fs::read_dir(scene.dir.path()).unwrap().count();
    let shown = export(&[]).done();
    let copy: Value = serde_json::from_str(&shown).unwrap();
    assert_eq!((&copy["version"], &copy["request"]), (&1.into(), &id.as_str().into()));
    assert_eq!(fs::read_dir(scene.dir.path()).unwrap().count(), before, "no file of it");
    assert!(export(&["--format", "html"]).done().contains("Data held about you"));

    export(&["--to", KEY, "--out", "copy.age"]).done();
    let file = fs::read(scene.path("copy.age")).unwrap();
    assert!(file.starts_with(b"age-encryption.org/v1\n"));
    assert!(!String::from_utf8_lossy(&file).contains("sections"));
    export(&["--to", KEY, "--out", "copy.age"]).fails(2, "the encrypted copy exists already; name a new one");
    export(&["--to", "age1x", "--out", "other.age"]).fails(2, "the person's key is malformed");
    export(&["--out", "other.age"]).fails(2, NO_KEY);
    assert_eq!(export(&["--to", KEY]).code, Some(2), "an encrypted copy needs a file");
    assert!(!scene.path("other.age").exists());

    scene.secret("phrase", "correct-horse-battery-staple\n");
    export(&["--passphrase-file", "phrase", "--out", "phrase.age"]).done();
    fs::set_permissions(scene.path("phrase"), fs::Permissions::from_mode(0o644)).unwrap();
    export(&["--passphrase-file", "phrase", "--out", "p.age"])
        .fails(1, "the passphrase of the copy must be in a private file (mode 0600)");

    export(&["--plain-file", "copy.json"]).done();
    let mode = fs::metadata(scene.path("copy.json")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

/// Promise: WB-5-know
#[test]
fn nobody_unverified_gets_a_copy() {
    let scene = Scene::new();
    let id = asked(&scene, false);
    let run = scene.run(&["rights", "export", "4711", &id, "--plain-file", "copy.json"]);
    run.fails(1, "rights request: identity is not verified");
    assert!(!scene.path("copy.json").exists());
}

#[test]
fn the_inventory_names_what_has_no_end() {
    let scene = Scene::new();
    let _ = asked(&scene, false);
    let run = scene.run(&["policy", "inventory"]);
    assert!(run.out.contains("| consent | status | consent_evidence |"), "{}", run.out);
    run.fails(1, ENDLESS);
}
