//! Bundles, receipts, and what was consented when.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use vouchsafe::consent::{AttestedBy, ExpressionKind, NoticeDraft};
use vouchsafe::{Receipt, Scope};

use crate::scene::{FACE, Run, Scene, enrol, enrol_under};

/// The receipt of 4711's enrolment, with its proof.
fn enrolled() -> Scene {
    let scene = Scene::new();
    let service = scene.service();
    let organisation = service.organisation("acme").unwrap();
    let receipt = enrol(&organisation, "4711", 1).receipt().to_json().unwrap();
    fs::write(scene.path("bare.json"), &receipt).unwrap();
    let mut receipt = Receipt::from_json(&receipt).unwrap();
    organisation.prove_receipt(&mut receipt).unwrap();
    fs::write(scene.path("receipt.json"), receipt.to_json().unwrap()).unwrap();
    drop(service);
    scene
}

fn check(scene: &Scene, folder: &str, more: &[&str]) -> Run {
    scene.run_anywhere(&[&["audit", "verify", folder, "--key", &scene.key()], more].concat())
}

/// Promise: WB-1.4-immutable
#[test]
fn a_bundle_is_checked_by_somebody_else_and_tampering_is_found() {
    let scene = enrolled();
    fs::write(scene.path("kept"), scene.run(&["log", "publish"]).done()).unwrap();
    let written = scene.run(&["audit", "bundle", "--to", "audit"]).done();
    assert!(written.starts_with("entry         5\nsize          6\ncertificates  0\n"), "{written}");
    let sound = check(&scene, "audit", &["--checkpoint", "kept"]).done();
    assert!(
        sound.contains("\npublic        3 payload(s), 0 lost by a recovery\nnotices       1\n"),
        "{sound}"
    );

    fs::write(scene.path("audit/public/5.json"), b"{}").unwrap();
    let changed = check(&scene, "audit", &[]);
    assert!(
        changed.out.contains("finding       public/5.json is not what the list says\n"),
        "{}",
        changed.out
    );
    assert_eq!(changed.code(), Some(1));
    fs::remove_file(scene.path("audit/MANIFEST")).unwrap();
    let bare = check(&scene, "audit", &[]);
    assert!(
        bare.fails(1, "the bundle is not sound: 1 finding(s)")
            .contains("finding       MANIFEST is missing\n")
    );
}

#[test]
fn a_bundle_goes_into_a_new_folder_only() {
    let scene = enrolled();
    fs::create_dir(scene.path("full")).unwrap();
    fs::write(scene.path("full/note"), b"mine").unwrap();
    let full = scene.run(&["audit", "bundle", "--to", "full"]);
    assert_eq!(full.code(), Some(1));
    assert!(full.err.starts_with("vouchsafe: the folder of the bundle cannot be used: "), "{}", full.err);
    scene
        .run(&["audit", "bundle", "--to", "nowhere/audit"])
        .fails(2, "the folder of the bundle does not exist");
    check(&scene, "nowhere", &[]).fails(2, "the folder of the bundle does not exist");
    check(&scene, "full", &["--checkpoint", "nowhere"]).fails(2, "the checkpoint file does not exist");
    assert_eq!(fs::read(scene.path("full/note")).unwrap(), b"mine");
    assert!(scene.run(&["log", "verify"]).done().contains("size     5\n"));
}

/// Promise: WB-1.4-consent-record
#[test]
fn a_receipt_is_checked_without_the_folder() {
    let scene = enrolled();
    let key = scene.key();
    fs::remove_dir_all(scene.path("store")).unwrap();
    let verify = |file: &str, key: &str, more: &[&str]| {
        scene.run_anywhere(&[&["receipt", "verify", file, "--key", key], more].concat())
    };
    let said = verify("receipt.json", &key, &[]).done();
    assert!(
        said.starts_with("kind       template.enrolled\nentry      4 of the 5 that were signed\n"),
        "{said}"
    );
    assert!(said.contains("\ncommits to scope face.end_user.verification\n"), "{said}");
    assert!(said.ends_with("verified\n"), "{said}");

    verify("bare.json", &key, &[]).fails(1, "the receipt carries no proof that its entry is in the log");
    verify("nowhere", &key, &[]).fails(2, "the receipt file does not exist");
    verify("receipt.json", "key", &[]).fails(2, "the verifier key is malformed");
    verify("receipt.json", &key, &["--handover", "bare.json"]).fails(2, "the handover file is malformed");
    assert_eq!(verify("receipt.json", &key, &["--origin", "vouchsafe/other"]).code(), Some(1));
    fs::write(scene.path("policy"), "quorum none\n").unwrap();
    verify("receipt.json", &key, &["--policy", "policy"]).done();
    let stranger = {
        let other = Scene::new();
        enrol(&other.service().organisation("acme").unwrap(), "4711", 1);
        other.key()
    };
    assert_eq!(verify("receipt.json", &stranger, &[]).code(), Some(1));
    let receipt = fs::read_to_string(scene.path("receipt.json")).unwrap();
    for (from, to) in
        [("\"entry\": 4", "\"entry\": 3"), ("\"v\": 1", "\"v\": 2"), ("\"opening\": \"", "\"opening\": \"A")]
    {
        let changed = receipt.replacen(from, to, 1);
        assert_ne!(changed, receipt);
        fs::write(scene.path("changed.json"), changed).unwrap();
        assert_eq!(verify("changed.json", &key, &[]).code(), Some(1), "{from}");
    }
}

#[test]
fn a_proof_of_another_entry_proves_nothing() {
    let scene = enrolled();
    let key = scene.key();
    fs::write(scene.path("own"), scene.run(&["log", "prove", "4"]).done()).unwrap();
    fs::write(scene.path("other"), scene.run(&["log", "prove", "3"]).done()).unwrap();
    let verify = ["receipt", "verify", "bare.json", "--key", &key, "--proof"];
    scene.run_anywhere(&[&verify[..], &["own"]].concat()).done();
    let other = scene.run_anywhere(&[&verify[..], &["other"]].concat());
    other.fails(1, "the proof is of another entry than the receipt");
}

/// Promise: WB-1.4-consent-record
#[test]
fn what_was_consented_is_answered_with_receipts() {
    let scene = enrolled();
    let at = |time: &str, more: &[&str]| {
        scene.run(&[&["consent", "at", "4711", "face.end_user.verification", time], more].concat())
    };
    let before = at("2020-03-31T00:00:00Z", &[]).done();
    assert!(before.contains("status     none\nconsented  no\nnext       act 1: given at "), "{before}");
    let given = at("2020-04-02T00:00:00Z", &["--out", "answer", "--as", "auditor"]).done();
    assert!(
        given.contains("consented  yes\ndeciding   act 1: given at 2020-04-01T12:00:00Z, entry 3\n"),
        "{given}"
    );
    assert!(given.ends_with("  receipt  deciding.json\n"), "{given}");
    let file = scene.path("answer/deciding.json");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    scene.run_anywhere(&["receipt", "verify", "answer/deciding.json", "--key", &scene.key()]).done();
    let again = at("2020-04-02T00:00:00Z", &["--out", "answer"]);
    again.fails(2, "the receipt file exists already; name a new one");

    let behind = scene.run(&["consent", "behind", "4711", "4"]).done();
    assert!(behind.contains("consented  yes\ndeciding   act 1: given"), "{behind}");
    scene.run(&["consent", "behind", "4711", "1"]).fails(1, "entry is malformed");
    scene.run(&["consent", "behind", "4712", "4"]).fails(1, "entry is malformed");
    let stranger =
        scene.run(&["consent", "at", "4712", "face.end_user.verification", "2020-04-02T00:00:00Z"]).done();
    assert!(stranger.ends_with("status     none\nconsented  no\n"), "{stranger}");

    let _ = scene.service().organisation("acme").unwrap().subject("4711").unwrap().withdraw(FACE).unwrap();
    let ended = at("2020-04-02T00:00:00Z", &["--out", "ended"]).done();
    assert!(ended.contains("status     withdrawn\nconsented  no\n"), "{ended}");
    assert!(scene.run(&["log", "verify", "--payloads"]).code() == Some(0));
}

#[test]
fn a_question_that_makes_no_sense_is_refused() {
    let scene = enrolled();
    let wrong: [&[&str]; 5] = [
        &["consent", "at", "4711", "face.end_user.sale", "2020-04-02T00:00:00Z"],
        &["consent", "at", "4711", "face.end_user.verification", "yesterday"],
        &["consent", "at", "4711", "face.end_user.verification", "2020-04-02T00:00:00Z", "--as", "thief"],
        &["consent", "behind", "4711", "-1"],
        &["consent", "behind", "4711"],
    ];
    for arguments in wrong {
        assert_eq!(scene.run(arguments).code(), Some(2), "{arguments:?}");
    }
    assert!(scene.run(&["log", "verify"]).done().contains("size     5\n"), "no question was asked");
}

#[test]
fn notices_are_listed_and_consents_without_an_end_do_not_expire() {
    let scene = enrolled();
    let listed = scene.run(&["consent", "notices"]).done();
    let expected = "face 1 en\n  effective  1970-01-01T00:00:00Z\n  change     material, attested by ";
    assert!(listed.starts_with(expected) && listed.ends_with("\nnotices=1\n"), "{listed}");
    assert_eq!(scene.run(&["consent", "expire"]).done(), "destroyed=0\n");
}

#[test]
fn an_edited_payload_is_found_by_the_audit_of_payloads() {
    let scene = enrolled();
    let whole = scene.run(&["log", "verify", "--payloads"]).done();
    assert!(whole.contains("payloads of 5 entries\n  sealed       3\n  public       2\n"), "{whole}");
    let opened = rusqlite::Connection::open(scene.path("store/data/vouchsafe.sqlite")).unwrap();
    let edited =
        opened.execute("UPDATE public_payload SET bytes = CAST(replace(bytes, 'en', 'fr') AS BLOB)", []);
    assert!(edited.unwrap() > 0);
    drop(opened);
    let found = scene.run(&["log", "verify", "--payloads"]);
    assert!(
        found.out.contains("finding  payload of entry 1 is not what the entry committed to\n"),
        "{}",
        found.out
    );
    assert_eq!(found.code(), Some(1));
    assert!(scene.run(&["log", "verify"]).done().ends_with("sound\n"), "the log itself is");
}

/// Promise: WB-1.4-immutable
#[test]
fn fsck_repairs_no_history() {
    let scene = enrolled();
    let opened = rusqlite::Connection::open(scene.path("store/data/vouchsafe.sqlite")).unwrap();
    let edited = opened.execute("UPDATE entry SET bytes = randomblob(55) WHERE number = 3", []);
    drop(opened);
    let tile = scene.log_folder().join("tile/entries/000.p/5");
    let before = fs::read(&tile).unwrap();
    let checkpoint = fs::read(scene.log_folder().join("checkpoint")).unwrap();
    assert_eq!(edited.unwrap(), 1);
    assert_eq!(scene.run(&["log", "fsck"]).code(), Some(1));
    assert_eq!(fs::read(&tile).unwrap(), before);
    assert_eq!(fs::read(scene.log_folder().join("checkpoint")).unwrap(), checkpoint);
}

/// Promise: WB-9-reconsent
#[test]
fn a_consent_whose_term_is_over_ends_and_its_template_is_destroyed() {
    let scene = Scene::new();
    {
        let service = scene.service();
        let organisation = service.organisation("acme").unwrap();
        let text = "we measure your face for a year";
        let draft = NoticeDraft::new("face", "1", "en", text.as_bytes()).schedule(b"Destroyed after a year.");
        let draft =
            draft.collected(text).purpose(text).term(text, "P1Y").release(text, [ExpressionKind::Checkbox]);
        let draft =
            Scope::all_biometric().fold(draft, NoticeDraft::covers).material(AttestedBy::PrivacyOfficer);
        let notice = organisation.publish_notice(draft).unwrap();
        enrol_under(&organisation, &notice, "4711", 1);
    }
    let expired = scene.run(&["consent", "expire"]).done();
    assert!(
        expired.starts_with("biometric of entry 4 destroyed: ") && expired.ends_with("destroyed=1\n"),
        "{expired}"
    );
    assert_eq!(scene.run(&["consent", "expire"]).done(), "destroyed=0\n");
    let asked =
        scene.run(&["consent", "at", "4711", "face.end_user.verification", "2021-04-02T00:00:00Z"]).done();
    assert!(asked.contains("status     expired\nconsented  no\n"), "{asked}");
}

/// Promise: WB-1.4-consent-record
#[test]
fn a_consent_is_told_to_people_and_to_machines() {
    let scene = enrolled();
    let tell = |id: &str, out: &str| {
        let how = ["--withdraw", "https://acme.example/privacy", "--out", out];
        scene.run(&[&["consent", "tell", id, "face.end_user.verification"], &how[..]].concat())
    };
    assert_eq!(tell("4711", "told").done(), "consent.html\nconsent.json\n");
    let page = fs::read_to_string(scene.path("told/consent.html")).unwrap();
    assert!(page.contains("we measure your face") && page.contains("https://acme.example/privacy"));
    tell("4711", "told").fails(2, "the document file exists already; name a new one");
    tell("4712", "other").fails(2, "an act of consent for that scope does not exist");
    assert!(!scene.path("other").exists());

    // The same from a bundle and the receipt alone.
    scene
        .run(&["consent", "at", "4711", "face.end_user.verification", "2020-04-02T00:00:00Z", "--out", "a"])
        .done();
    scene.run(&["audit", "bundle", "--to", "audit"]).done();
    fs::remove_dir_all(scene.path("store")).unwrap();
    let digest = scene_notice(&scene);
    let (shown, terms) = (format!("audit/notices/{digest}"), format!("audit/notices/{digest}.json"));
    let show = |receipt: &str, format: &str, shown: &str| {
        let files = ["--notice", shown, "--terms", &terms, "--withdraw", "Write to us."];
        scene.run_anywhere(
            &[&["receipt", "show", receipt, "--format", format, "--org", "acme"], &files[..]].concat(),
        )
    };
    assert!(show("a/deciding.json", "html", &shown).done().contains("we measure your face"));
    let record: serde_json::Value =
        serde_json::from_str(&show("a/deciding.json", "iso27560", &shown).done()).unwrap();
    assert!(record.to_string().contains("dpv:ConsentGiven"), "{record}");
    show("a/deciding.json", "html", "receipt.json").fails(1, "the receipt's act does not name this notice");
    show("receipt.json", "html", &shown).fails(1, "receipt is malformed");
    assert_eq!(show("a/deciding.json", "pdf", &shown).code(), Some(2));
}

fn scene_notice(scene: &Scene) -> String {
    let names = fs::read_dir(scene.path("audit/notices")).unwrap();
    let mut names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.find(|name| name.len() == 64).unwrap()
}
