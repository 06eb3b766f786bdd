//! Retention: that the rules decide right, that what they decide happens, and that a stranger can check it.

use super::claim::{Bar, Claim, Method};
use super::lines;
use super::python::Environment;
use crate::{
    Result,
    process::{Run, Said},
    workspace::Workspace,
};

/// What the script of the audit needs; it shares no code with this workspace.
const ENVIRONMENT: Environment =
    Environment { folder: "audit-venv", probe: "import cryptography", packages: &["cryptography"] };

const MODEL: &str = "cargo test --locked -p vouchsafe-retention --test it model -- --nocapture";
const KILLS: &str = "cargo test --locked -p vouchsafe-testkit --test retention_crash -- --nocapture";

pub(super) fn claims() -> Vec<Claim> {
    let mut claims = decisions();
    claims.extend(destructions());
    claims.extend(checks());
    claims
}

fn decisions() -> Vec<Claim> {
    const BARS: [Bar; 3] =
        [Bar::Is("disagreements", "0"), Bar::Printed("decisions"), Bar::AtLeast("held", 1_000.0)];
    vec![
        Claim {
            says: "in 100,000 random lives the resolver and a walk from day to day give the same date and rule",
            full: Method::CommandWith(&[("VOUCHSAFE_LIVES", "100000")], MODEL),
            quick: Some(Method::Skip("--quick tries 10,000, below")),
            bars: &[Bar::AtLeast("lives", 100_000.0), BARS[0], BARS[1], BARS[2]],
        },
        Claim {
            says: "in 10,000 random lives the resolver and a walk from day to day give the same date and rule",
            full: Method::Skip("--full tries 100,000, above"),
            quick: Some(Method::Command(MODEL)),
            bars: &[Bar::AtLeast("lives", 10_000.0), BARS[0], BARS[1], BARS[2]],
        },
        Claim {
            says: "over 12 years of a million simulated lives nothing is late, early, held or without a certificate",
            full: Method::Command(
                "cargo run --locked -p vouchsafe-retention --example lives -- --people 1000000 --years 12 \
                 --out target/evidence/lives",
            ),
            quick: Some(Method::Skip("--quick lives 100,000, below")),
            bars: &[Bar::AtLeast("people", 1e6), LIVES[0], LIVES[1], LIVES[2], LIVES[3], LIVES[4], LIVES[5]],
        },
        Claim {
            says: "over 12 years of 100,000 simulated lives nothing is late, early, held or without a certificate",
            full: Method::Skip("--full lives a million, above"),
            quick: Some(Method::Command(
                "cargo run --locked -p vouchsafe-retention --example lives -- --people 100000 --years 12 \
                 --out target/evidence/lives",
            )),
            bars: &[Bar::AtLeast("people", 1e5), LIVES[0], LIVES[1], LIVES[2], LIVES[3], LIVES[4], LIVES[5]],
        },
        Claim {
            says: "every row of the notices' tables and of the laws is decided as it is written; every known conflict is \
                   found and resolved",
            full: Method::Function(|workspace| {
                tests(workspace, "vouchsafe-retention", &["rows", "laws", "conflicts"])
            }),
            quick: None,
            bars: &[Bar::Is("failed", "0"), Bar::AtLeast("passed", 25.0)],
        },
        Claim {
            says: "what the two notices promise beyond the shipped policy is found, and traced to its sentence",
            full: Method::Function(|workspace| tests(workspace, "vouchsafe-retention", &["lint"])),
            quick: None,
            bars: &[Bar::Is("failed", "0"), Bar::Is("skipped", "0"), Bar::AtLeast("passed", 5.0)],
        },
    ]
}

const LIVES: [Bar; 6] = [
    Bar::Is("late", "0"),
    Bar::Is("early", "0"),
    Bar::Is("held", "0"),
    Bar::Is("missing", "0"),
    Bar::AtLeast("destroyed", 1_000.0),
    Bar::AtMost("seconds", 600.0),
];

fn destructions() -> Vec<Claim> {
    const BARS: [Bar; 5] = [
        Bar::Is("twice", "0"),
        Bar::Is("lost", "0"),
        Bar::Is("orphans", "0"),
        Bar::Is("disagreements", "0"),
        Bar::Printed("during"),
    ];
    vec![
        Claim {
            says: "10,000 that are due cost the same among a million and among ten million; memory is flat",
            full: Method::Command("cargo run --locked -p vouchsafe-benches --bin sweep-cost"),
            quick: Some(Method::Skip("--quick stops at a million, below")),
            bars: COST,
        },
        Claim {
            says: "10,000 that are due cost the same among 100,000 and among a million; memory is flat",
            full: Method::Skip("--full goes on to ten million, above"),
            quick: Some(Method::Command(
                "cargo run --locked -p vouchsafe-benches --bin sweep-cost -- --quick",
            )),
            bars: COST,
        },
        Claim {
            says: "a sweep and a deletion of an account killed at 300 random points end whole, with no orphan in any table",
            full: Method::CommandWith(&[("VOUCHSAFE_RETENTION_KILLS", "300")], KILLS),
            quick: None,
            bars: &[Bar::AtLeast("kills", 300.0), BARS[0], BARS[1], BARS[2], BARS[3], BARS[4]],
        },
    ]
}

const COST: &[Bar] = &[
    Bar::AtMost("sweep_ratio", 1.5),
    Bar::AtMost("cpu_ratio", 1.5),
    Bar::AtMost("memory_ratio", 1.2),
    Bar::Printed("sweep_ratio_all_due"),
    Bar::Printed("sweep_seconds"),
    Bar::AtLeast("destroyed", 30_000.0),
];

fn checks() -> Vec<Claim> {
    vec![
        Claim {
            says: "a bundle of 100,000 entries verifies in under 10 seconds, with the command line's own check and with a \
                   script that shares no code",
            full: Method::Function(bundle),
            quick: None,
            bars: &[
                Bar::AtLeast("events", 100_000.0),
                Bar::AtMost("verify_seconds", 10.0),
                Bar::AtMost("python_seconds", 10.0),
                Bar::Printed("certificates"),
                Bar::Printed("bytes"),
            ],
        },
        Claim {
            says: "every kind of tampering with a bundle is caught, by both",
            full: Method::Function(tampered),
            quick: None,
            bars: &[Bar::Is("failed", "0"), Bar::Is("skipped", "0"), Bar::AtLeast("passed", 3.0)],
        },
    ]
}

/// The environment's Python comes first for whatever the tests start.
fn with_python(workspace: &Workspace, arguments: &[&str]) -> Result<Run> {
    ENVIRONMENT.python(workspace)?;
    let bin = ENVIRONMENT.program(workspace, "python");
    let folder = bin.parent().map(|folder| folder.to_string_lossy().into_owned()).unwrap_or_default();
    let path = format!("{folder}:{}", std::env::var("PATH").unwrap_or_default());
    Ok(Run::new("cargo", arguments).with("PATH", &path).within(workspace.root()))
}

fn bundle(workspace: &Workspace) -> Result<Said> {
    let test = ["test", "--locked", "-p", "vouchsafe-testkit", "--test", "audit_bundle", "--", "--nocapture"];
    with_python(workspace, &test)?.with("VOUCHSAFE_AUDIT_EVENTS", "100000").aloud()
}

fn tampered(workspace: &Workspace) -> Result<Said> {
    let test = ["test", "--locked", "-p", "vouchsafe", "--test", "it", "bundle_tamper", "--", "--nocapture"];
    summed(with_python(workspace, &test)?.aloud()?)
}

fn tests(workspace: &Workspace, package: &str, names: &[&str]) -> Result<Said> {
    let filter = [&["test", "--locked", "-p", package, "--test", "it", "--"], names].concat();
    summed(Run::new("cargo", &filter).within(workspace.root()).aloud()?)
}

fn summed(mut said: Said) -> Result<Said> {
    let totals = lines::totals(&said);
    said.stdout.push_str(&format!("\n{totals}\n"));
    Ok(said)
}
