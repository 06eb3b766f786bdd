//! Policies: what is checked, signed, explained, compared, simulated and written; and what is refused.

use std::fs;

use crate::scene::{Run, Scene, enrol};

/// The pack of an organisation that states every period and has one processor.
pub(crate) const ACME: &str = r#"format = 1
id = "acme"
version = "2026-05-01"
title = "Acme's own periods"
kind = "organisation"

[organisation]
name = "Acme"
address = "1 Street"
email = "privacy@acme.example"
minimum_age = "18"
regions = "us"
store_region = "us"

[[recipient]]
id = "host"
name = "Example Hosting"
kind = "processor"
region = "us"
purpose = "hosting of the database"
classes = "account, billing"
document = "dpa-2026-04"
confidential = "yes"
delete_within = "30 days"

[[setting]]
rule = "fp-2a-support"
period = "2 years"

[[setting]]
rule = "fp-2c-billing"
period = "7 years"

[[setting]]
rule = "fp-2d-usage"
period = "1 year"

[[setting]]
rule = "wb-1.1-billing"
period = "7 years"

[[setting]]
rule = "wb-1.3-usage"
period = "1 year"
"#;

/// Somebody of Illinois who enrolled on a leap day and never came back.
pub(crate) const LIFE: &str = r#"lives_in = ["us-il"]

[[event]]
at = "2024-02-29"
what = "consent_given"

[[event]]
at = "2024-02-29T10:00:00Z"
what = "enrolled"

[[event]]
at = "2027-06-01"
what = "account_deletion"
"#;

const RULE: &str = r#"
[[rule]]
id = "acme-usage"
class = "usage"
trigger = "creation"
kind = "ceiling"
period = "30 days"
clause = "Acme handbook 4.2"
says = "Usage is destroyed."
confidence = "confirmed"
"#;

/// Puts the policy with this pack in force.
pub(crate) fn activate(scene: &Scene, pack: &str) {
    let diff = scene.run_anywhere(&["policy", "diff", "--new", pack]).done();
    let digest = diff.lines().find_map(|line| line.strip_prefix("new  ")).unwrap();
    scene.run(&["retention", "activate", digest, "--pack", pack]).done();
}

fn check(scene: &Scene, pack: &str) -> Run {
    fs::write(scene.path("pack.toml"), pack).unwrap();
    scene.run_anywhere(&["policy", "check", "pack.toml"])
}

#[test]
fn a_policy_is_checked_and_says_what_decides_nothing() {
    let scene = Scene::new();
    let shipped = scene.run_anywhere(&["policy", "check"]).done();
    assert!(shipped.contains(": its source is not confirmed\n"), "{shipped}");
    assert!(shipped.contains("\ngap       "), "{shipped}");
    assert!(shipped.contains("\nconflict  silence: "), "{shipped}");
    let acme = check(&scene, ACME).done();
    assert!(acme.contains("\npack      Acme's own periods (acme, 2026-05-01)\n"), "{acme}");
    assert!(acme.contains(" gaps=0 "), "{acme}");
    let alone = scene.run_anywhere(&["policy", "check", "--alone", "pack.toml"]);
    alone.fails(1, "retention: pack acme, line 26, rule fp-2a-support: names a rule that no pack has");
}

/// A pack of one wrong word is refused with the place and the rule.
#[test]
fn a_wrong_pack_is_refused_with_place_and_rule() {
    let scene = Scene::new();
    let line = ACME.lines().count() + 2;
    let cases = [
        ("class = \"usage\"", "class = \"selfies\"", "field class has an unknown value"),
        ("trigger = \"creation\"", "trigger = \"someday\"", "field trigger has an unknown value"),
        (
            "kind = \"ceiling\"",
            "kind = \"ceiling\"\njurisdiction = \"us-ny\"",
            "field jurisdiction has an unknown value",
        ),
        ("30 days", "-30 days", "period is not of the form '3 years', 'at once' or 'not stated'"),
    ];
    for (from, to, problem) in cases {
        let pack = format!("{ACME}{}", RULE.replace(from, to));
        let refused = format!("retention: pack acme, line {line}, rule acme-usage: {problem}");
        assert_eq!(check(&scene, &pack).fails(1, &refused), "");
    }
    let floor =
        RULE.replace("acme-usage", "acme-floor").replace("ceiling", "floor").replace("30 days", "2 years");
    let above = line + RULE.lines().count();
    let refused = check(&scene, &format!("{ACME}{RULE}{floor}"));
    let own = format!(
        "vouchsafe: retention: floor acme-floor (Acme handbook 4.2; pack acme, line {above}) lies above "
    );
    assert_eq!(refused.code, Some(1));
    assert!(refused.err.starts_with(&own), "{}", refused.err);
    assert!(
        refused.err.contains("ceiling fp-2d-usage (FP 2d, 6; pack facialproof, line "),
        "{}",
        refused.err
    );
}

#[test]
fn a_pack_with_a_wrong_signature_is_refused() {
    let scene = Scene::new();
    fs::write(scene.path("acme.toml"), ACME).unwrap();
    let new = |name: &str, file: &str| {
        let key = scene.run_anywhere(&["retention", "new-approver", name, "--out", file]).done();
        key.trim_end().to_owned()
    };
    let (counsel, stranger) = (new("counsel.example", "counsel.key"), new("stranger", "stranger.key"));
    let check = |key: &str| scene.run_anywhere(&["policy", "check", "acme.toml", "--key", key]);
    check(&counsel).fails(2, "the pack's signature does not exist");
    scene.run_anywhere(&["policy", "sign", "acme.toml", "--key", "counsel.key"]).done();
    check(&counsel).done();
    let refused = "retention: pack number 13: signature is not one of a known signer over this pack";
    check(&stranger).fails(1, refused);
    fs::write(scene.path("acme.toml"), ACME.replace("2 years", "3 years")).unwrap();
    check(&counsel).fails(1, refused);
    let two = ["policy", "check", "acme.toml", "--key", &counsel, "--signature", "a", "--signature", "b"];
    scene.run_anywhere(&two).fails(2, "give as many signatures as packs, in the same order");
}

#[test]
fn a_decision_is_explained() {
    let scene = Scene::new();
    let face = ["policy", "explain", "--class", "biometric", "--modality", "face", "--lives-in", "us-il"];
    let explain = |more: &[&str]| scene.run_anywhere(&[&face[..], more].concat());
    let leap = ["--event", "last-interaction=2024-02-29"];
    let later = explain(&[&leap[..], &["--now", "2026-03-01"]].concat()).done();
    assert!(later.starts_with("verdict  later, at 2027-02-28T00:00:00Z\n"), "{later}");
    assert!(later.contains("740 ILCS 14/15(a)"), "{later}");
    let order = [&leap[..], &["--now", "2027-03-01", "--hold", "court_order:x-1"]].concat();
    let due = explain(&order).done();
    assert!(due.starts_with("verdict  due\n") && due.contains("is not honoured: il-15a-holds"), "{due}");
    let open = explain(&["--now", "2026-03-01"]).done();
    assert!(open.starts_with("verdict  open: "), "{open}");
}

#[test]
fn a_wrong_word_is_refused_with_the_known_ones() {
    let scene = Scene::new();
    let account = ["policy", "explain", "--class", "account", "--now", "2026-03-01"];
    let cases: [(&[&str], &str); 7] = [
        (&["--class", "selfies"], "no such class of data; known: biometric, "),
        (&["--lives-in", "us-ny"], "no such jurisdiction; known: elsewhere, us, "),
        (&["--event", "someday=2026-01-01"], "no such trigger; known: account_deletion, "),
        (&["--event", "creation=2026-02-29"], "no day of the calendar: "),
        (&["--event", "creation"], "not of the form TRIGGER=WHEN"),
        (&["--hold", ":il-1"], "no such authority; known: court_order, "),
        (&["--role", "guest"], "no such role; known: "),
    ];
    for (wrong, says) in cases {
        let arguments = if wrong[0] == "--class" {
            [&["policy", "explain", "--now", "2026-03-01"], wrong].concat()
        } else {
            [&account[..], wrong].concat()
        };
        let run = scene.run_anywhere(&arguments);
        assert_eq!(run.code, Some(2), "{wrong:?}");
        assert!(run.err.contains(says) && run.err.contains(wrong[0]), "{wrong:?} {}", run.err);
    }
    let modality = "retention: facts of biometric data need a modality, those of other data have none";
    scene
        .run_anywhere(&["policy", "explain", "--class", "biometric", "--now", "2026-03-01"])
        .fails(1, modality);
}

#[test]
fn a_life_is_walked_through_until_everything_is_gone() {
    let scene = Scene::new();
    let simulate = |life: &str| {
        fs::write(scene.path("life.toml"), life).unwrap();
        scene.run_anywhere(&["policy", "simulate", "life.toml"])
    };
    let walked = simulate(LIFE).done();
    let at: Vec<_> = walked.lines().filter(|line| line.contains("  destroyed  ")).collect();
    assert!(
        at[0].starts_with("2027-02-28T10:00:00Z  destroyed  biometric (face), made at 2024-02-29T00:00:00Z."),
        "{walked}"
    );
    assert!(at[1].starts_with("2027-06-01T00:00:00Z  destroyed  account, "), "{walked}");
    assert!(at[2].starts_with("2031-02-28T00:00:00Z  destroyed  consent_evidence, "), "{walked}");
    assert!(at[3].starts_with("2034-02-28T10:00:00Z  destroyed  destruction_evidence, "), "{walked}");
    assert!(walked.ends_with("\nrecords=4 left=0\n"), "{walked}");

    let hold = |until: &str| {
        format!(
            "{LIFE}[[hold]]\nmatter = \"il-1\"\nauthority = \"warrant\"\nat = \"2026-01-01\"\nclass = \"biometric\"\n{until}"
        )
    };
    let held = simulate(&hold("until = \"2029-01-01\"\n")).done();
    assert!(held.contains("2029-01-01T00:00:00Z  destroyed  biometric (face), "), "{held}");
    let endless = simulate(&hold("")).done();
    assert!(endless.contains("\nleft       biometric (face), "), "{endless}");
    // Consent evidence outlives the template.
    assert!(endless.ends_with("\nrecords=3 left=2\n"), "{endless}");

    let wrong = [
        (LIFE.replace("2024-02-29\"", "2026-02-29\""), "the life: event 1: no day of the calendar: "),
        (LIFE.replace("us-il", "us-ny"), "the life: no such jurisdiction; known: "),
        (LIFE.replace("enrolled", "beheaded"), "the life: event 2: no such trigger; known: "),
        (LIFE.replace("what = \"enrolled\"", "colour = 1"), "the life: line 9: unknown field"),
        (hold("").replace("warrant", ""), "the life: hold 1: no such authority; known: "),
        (hold("until = \"2025-01-01\"\n"), "the life: hold 1: hold is refused: it ends before it was placed"),
    ];
    for (life, says) in wrong {
        let run = simulate(&life);
        assert_eq!(run.code, Some(2), "{says}");
        assert!(run.err.starts_with(&format!("vouchsafe: {says}")), "{says}: {}", run.err);
    }
}

#[test]
fn a_change_is_counted_before_it_is_activated() {
    let scene = Scene::new();
    enrol(&scene.service().organisation("acme").unwrap(), "4711", 1);
    let strict = RULE
        .replace("class = \"usage\"", "class = \"biometric\"\nmodality = \"face\"")
        .replace("creation", "last_interaction");
    fs::write(scene.path("new.toml"), format!("{ACME}{strict}")).unwrap();
    let diff = ["policy", "diff", "--new", "new.toml", "--dir", "store", "--org", "acme"];
    let counted = scene.run_anywhere(&diff).done();
    assert!(
        counted.contains("\n+ acme-usage: biometric face, ceiling, 30 days after last_interaction "),
        "{counted}"
    );
    let row = counted.lines().find(|line| line.starts_with("biometric")).unwrap();
    assert_eq!(
        row.split_whitespace().collect::<Vec<_>>(),
        ["biometric", "1", "1", "0", "0", "0"],
        "{counted}"
    );
    assert!(counted.ends_with("earlier=1 later=0 newly-due=0 gaps=0, legal holds aside\n"), "{counted}");

    // Counting changed nothing, and another digest than the one that was compared activates nothing.
    let status = scene.run(&["retention", "status", "--margin", "65535"]).done();
    let other = "0".repeat(64);
    let other = ["retention", "activate", &other, "--pack", "new.toml"];
    scene.run(&other).fails(1, "the packs make another policy than the one named");
    assert_eq!(scene.run(&["retention", "status", "--margin", "65535"]).done(), status);
    activate(&scene, "new.toml");
    scene.run_anywhere(&diff).fails(1, "the retention policy is not activated for the organisation");
}

#[test]
fn documents_are_written_from_the_running_policy() {
    let scene = Scene::new();
    fs::write(scene.path("acme.toml"), ACME).unwrap();
    let edition = ["--edition", "1.0", "--effective", "2026-05-01"];
    let write = |more: &[&str]| scene.run_anywhere(&[&["policy", "notice"], more, &edition].concat());
    write(&[]).fails(1, "document: policy does not say who the organisation is and how it is reached");
    write(&["--pack", "acme.toml", "--out", "notice.md"]).done();
    write(&["--pack", "acme.toml", "--out", "notice.md"])
        .fails(2, "the document file exists already; name a new one");
    let leap = ["policy", "notice", "--edition", "1.0", "--effective", "2026-02-29"];
    assert_eq!(scene.run_anywhere(&leap).code, Some(2));

    let lint = |more: &[&str]| {
        scene.run_anywhere(&[&["policy", "lint", "notice.md", "--pack", "acme.toml"], more].concat())
    };
    lint(&["--allow-notes"]).done();
    fs::write(scene.path("notice.md"), "You may revoke your consent by contacting us.\n").unwrap();
    let found = lint(&["--allow-notes"]);
    assert_eq!(found.code, Some(1), "{}", found.out);
    assert!(found.err.contains("the notice promises something else than what runs: "), "{}", found.err);
    assert!(found.out.contains("`revoke-by-contact`"), "{}", found.out);
    let schema = scene.run_anywhere(&["policy", "schema"]).done();
    assert_eq!(schema, vouchsafe::retention::pack_schema());
}
