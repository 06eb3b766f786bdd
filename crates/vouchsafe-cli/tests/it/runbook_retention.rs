//! The runbook of retention, holds and rights, command by command.

use std::fs;

use vouchsafe::retention::Policy;
use vouchsafe::{Ports, Residence};

use crate::drill::Drill;
use crate::policy::{ACME, LIFE, activate};
use crate::scene::{Scene, enrol};

const RUNBOOK: &str = include_str!("../../../vouchsafe/docs/runbook-retention.md");

/// Commands on the folder, which are shown without it.
const ON_THE_FOLDER: [&str; 14] = [
    "retention sweep",
    "retention status",
    "retention trust-approver",
    "retention plan",
    "retention run",
    "retention certify",
    "retention activate",
    "retention offboard plan",
    "retention offboard run",
    "hold ",
    "learn ",
    "rights ",
    "order ",
    "disclosure ",
];

#[test]
fn every_command_of_the_runbook_does_what_it_says() {
    let scene = Scene::new();
    enrol(&scene.service().organisation("acme").unwrap(), "4711", 1);
    fs::write(scene.path("acme.toml"), ACME).unwrap();
    fs::write(scene.path("life.toml"), LIFE).unwrap();
    let drill = Drill::new(RUNBOOK, &ON_THE_FOLDER, scene);
    let late = drill.run("retention status --watch");
    assert_eq!(late.code(), Some(1), "{}", late.err);
    assert!(late.err.contains("holding(s) are later than the margin"), "{}", late.err);
    activate(&drill.scene, "acme.toml");
    drill.give(&["--pack", "acme.toml"]);
    drill.set("SUBJECT", "4711".to_owned());
    drill.set("KEY", drill.scene.key());

    a_late_sweep_is_approved(&drill);
    what_is_learned(&drill);
    a_hold(&drill);
    requests(&drill);
    what_goes_out(&drill);
    a_new_policy(&drill);
    the_end(&drill);
    drill.finished();
}

/// Years without a sweep: the alarm, the breaker, the approval.
fn a_late_sweep_is_approved(drill: &Drill) {
    assert!(drill.run("retention sweep").err.contains("more than 30 days after"));
    let key = drill.run("retention new-approver dpo.example --out dpo.key").done();
    drill.set("DPO-KEY", key.trim_end().to_owned());
    drill.run("retention trust-approver DPO-KEY").done();
    let planned = drill.run("retention plan --out plan.json").done();
    assert!(planned.contains("for example leaf "), "{planned}");
    drill.run("retention approve plan.json --key dpo.key --out plan.approval").done();
    let ran = drill.run("retention run plan.json --approval plan.approval").done();
    assert!(ran.ends_with("\ndestroyed=1\n"), "{ran}");
    let plan = fs::read_to_string(drill.scene.path("plan.json")).unwrap();
    let leaf = plan.split("{\"id\":\"").nth(1).unwrap().split('"').next().unwrap();
    drill.set("LEAF", leaf.to_owned());
    drill.run("retention certify --leaf LEAF --out certificate").done();
    drill.run("retention check-certificate certificate --key KEY").done();
    assert_eq!(drill.run("retention sweep").done(), "destroyed=0\n");
    assert!(drill.run("retention status").done().contains("\nlate       0\n"));
    drill.run("retention status --watch").done();
    let metrics = drill.run("retention status --metrics").done();
    assert!(metrics.contains("vouchsafe_retention_late{organisation=\"acme\"} 0\n"), "{metrics}");
}

/// Nothing is held about these two: what is destroyed where something is, another test asks.
fn what_is_learned(drill: &Drill) {
    drill.set("MINOR", "4713".to_owned());
    drill.set("LEAVER", "4714".to_owned());
    assert_eq!(drill.run("learn residence SUBJECT us-il").done(), "recorded: us-il\n");
    for command in [
        "learn minor MINOR",
        "learn purpose-met LEAVER face.end_user.verification",
        "learn method-disabled LEAVER face.end_user.verification",
        "learn employment-ended LEAVER",
    ] {
        assert_eq!(drill.run(command).done(), "destroyed=0\n", "{command}");
    }
}

fn a_hold(drill: &Drill) {
    let place = "hold place --matter il-2026-104 --authority subpoena --subject SUBJECT --class biometric \
                 --requested-by officer-7 --approved-by officer-9";
    let id = drill.run(place).done();
    drill.set("HOLD", id.trim_end().to_owned());
    assert!(drill.run("hold list").done().ends_with("holds=1\n"));
    let explain = "policy explain --class biometric --modality face --lives-in us-il --event \
                   last-interaction=2024-02-29 --hold subpoena:il-2026-104 --now 2027-03-01";
    assert!(drill.run(explain).done().starts_with("verdict  held without a stated end\n"));
    drill.run("hold release HOLD").done();
    assert_eq!(drill.run("hold list").done(), "holds=0\n");
}

fn requests(drill: &Drill) {
    let ask = |command: &str, word| drill.set(word, drill.run(command).done().trim_end().to_owned());
    ask("rights request SUBJECT know", "REQUEST");
    drill.run("rights confirm SUBJECT REQUEST").done();
    assert!(drill.run("rights pause SUBJECT REQUEST").done().contains("\nstatus       identity_pending\n"));
    drill.run("rights verify SUBJECT REQUEST --proof documents --checked-by officer-7").done();
    assert!(
        drill.run("rights start SUBJECT REQUEST").done().contains("task         account in store: pending\n")
    );
    let early = drill.run("rights answer SUBJECT REQUEST");
    assert_eq!(early.code(), Some(1));
    assert!(
        early.err.contains("without an answer: ") && early.err.contains("account in store"),
        "{}",
        early.err
    );
    let task = "rights task SUBJECT REQUEST --class account --in recipient:host --not-held";
    assert!(drill.run(task).done().contains("task         account in recipient host: not_held\n"));
    let copy = drill.run("rights export SUBJECT REQUEST").done();
    assert!(copy.contains("\"biometric\""), "the copy tells of every class");
    drill.run("rights carry-out SUBJECT REQUEST").done();
    assert!(!drill.run("rights show SUBJECT REQUEST").done().contains(": pending\n"));
    drill.run("rights extend SUBJECT REQUEST --reason complexity").done();
    assert!(drill.run("rights answer SUBJECT REQUEST").done().contains("\nstatus       answered\n"));
    ask("rights request SUBJECT delete", "OTHER-REQUEST");
    drill.run("rights refuse SUBJECT OTHER-REQUEST --ground identity_not_verified").done();
    ask("rights request SUBJECT export", "THIRD-REQUEST");
    drill.run("rights abandon SUBJECT THIRD-REQUEST").done();
    assert!(drill.run("rights list SUBJECT").done().ends_with("requests=3\n"));
    assert_eq!(drill.run("rights due").done(), "due=0\n");
}

fn what_goes_out(drill: &Drill) {
    drill.run("disclosure record SUBJECT --to host --basis processor --class account").done();
    assert!(drill.run("disclosure list SUBJECT").done().ends_with("disclosures=1\n"));
    assert_eq!(drill.run("order list").done(), "orders=0\n");
    delete_long_ago(&drill.scene, "4711");
    drill.run("order list").fails(1, "1 order(s) are not acknowledged in time");
    let listed = drill.run("order list SUBJECT");
    assert_eq!(listed.code(), Some(1));
    drill.set("ORDER", listed.out.split(' ').next().unwrap().to_owned());
    drill.run("order acknowledge ORDER --by host").done();
    assert!(drill.run("order list SUBJECT").done().ends_with("orders=1\n"));
}

/// Deletes an account in 2020, under the pack of Acme.
fn delete_long_ago(scene: &Scene, id: &str) {
    let mut ports = Ports::in_folder(&scene.path("store")).unwrap();
    ports.retention = Policy::from_packs(&[Policy::shipped_packs(), vec![ACME]].concat()).unwrap();
    ports.residence = Residence::as_stated(&ports.retention);
    let service = Scene::opened(ports);
    let _ = service.organisation("acme").unwrap().subject(id).unwrap().erase().unwrap();
}

fn a_new_policy(drill: &Drill) {
    let scene = &drill.scene;
    fs::write(scene.path("new.toml"), ACME.replace("period = \"2 years\"", "period = \"1 year\"")).unwrap();
    drill.run("policy sign new.toml --key dpo.key").done();
    let checked = drill.run("policy check new.toml --key DPO-KEY").done();
    assert!(checked.contains("\nsigned    every own pack\n"), "{checked}");
    let compared = drill.run("policy diff --old acme.toml --new new.toml --dir store --org acme").done();
    assert!(
        compared.contains("\n+ fp-2a-support: support, ceiling, 1 year after creation (FP 2a, 6)\n"),
        "{compared}"
    );
    assert!(compared.ends_with("earlier=0 later=0 newly-due=0 gaps=0, legal holds aside\n"), "{compared}");
    let new = compared.lines().find_map(|line| line.strip_prefix("new  ")).unwrap();
    drill.set("NEW-POLICY", new.to_owned());
    assert!(drill.run("policy simulate life.toml --pack new.toml").done().ends_with(" left=0\n"));
    assert!(drill.run("policy matrix --pack new.toml").done().starts_with("# Retention matrix\n"));
    drill.run("policy notice --pack new.toml --edition 2.0 --effective 2026-09-01 --out notice.md").done();
    drill.run("policy lint notice.md --pack new.toml --allow-notes").done();
    for document in ["biometric-policy", "impact-assessment"] {
        let command = format!("policy {document} --pack new.toml --edition 2.0 --effective 2026-09-01");
        assert!(drill.run(&command).done().contains("Version: 2.0."));
    }
    assert!(
        drill
            .run("policy breach-notice --pack new.toml")
            .done()
            .starts_with("# Notice of a personal data breach")
    );
    drill.give(&["--pack", "new.toml"]);
    drill.run("retention sweep").fails(1, "the retention policy is not activated for the organisation");
    assert!(drill.run("retention activate NEW-POLICY").done().starts_with(&format!("in force  {new}\n")));
    drill.run("retention sweep").done();
}

fn the_end(drill: &Drill) {
    let key = drill.run("retention new-approver ceo.example --out ceo.key").done();
    drill.set("CEO-KEY", key.trim_end().to_owned());
    drill.run("retention trust-approver CEO-KEY").done();
    drill.run("retention offboard plan --out end.plan").done();
    drill.run("retention offboard approve end.plan --key dpo.key --out one.approval").done();
    let one = [
        "retention",
        "offboard",
        "run",
        "end.plan",
        "--approval",
        "one.approval",
        "--out",
        "end.certificate",
    ];
    drill.scene.run(&[&one[..], &["--pack", "new.toml"]].concat()).fails(1, "retention plan is not approved");
    drill.run("retention offboard approve end.plan --key ceo.key --out two.approval").done();
    let run = "retention offboard run end.plan --approval one.approval --approval two.approval --out end.certificate";
    drill.run(run).done();
    let verified = drill.run("retention offboard verify end.certificate --key KEY").done();
    assert!(verified.starts_with("vouchsafe offboarding certificate v1\n"), "{verified}");
}
