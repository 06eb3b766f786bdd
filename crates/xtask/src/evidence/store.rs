//! The store: the same guarantees on both engines and in both object stores, and a restore that brings nobody back.

use super::claim::{Bar, Claim, Method};
use super::lines;
use super::python::{Environment, run};
use crate::{
    Result,
    process::{Run, Said},
    workspace::Workspace,
};

/// One of the two object stores; the other is built from its package.
const MOTO: Environment =
    Environment { folder: "objects-venv", probe: "import moto", packages: &["moto[server]==5.2.5"] };
const S3S: &[&str] =
    &["install", "s3s-fs", "--version", "0.14.1", "--locked", "--debug", "--features", "binary", "--root"];

const FAULTS: &str = "cargo test --locked -p vouchsafe-testkit --test store_faults -- --nocapture";
const MODEL: &str = "cargo test --locked -p vouchsafe-testkit --test store_model -- --nocapture";

pub(super) fn claims() -> Vec<Claim> {
    let mut claims = suites();
    claims.extend(drills());
    claims.extend(costs());
    claims
}

fn suites() -> Vec<Claim> {
    const BARS: &[Bar] = &[
        Bar::Is("failed", "0"),
        Bar::Is("skipped", "0"),
        Bar::AtLeast("passed", 20.0),
        Bar::Printed("passed"),
    ];
    vec![
        Claim {
            says: "one conformance suite passes on SQLite and on PostgreSQL, isolation and row-level security included",
            full: Method::Function(|workspace| {
                tests(workspace, &["-p", "vouchsafe-store", "--all-features"])
            }),
            quick: None,
            bars: &[Bar::Is("failed", "0"), Bar::Is("skipped", "0"), Bar::AtLeast("passed", 102.0)],
        },
        Claim {
            says: "log, checkpoints, leases, key states and fences in both object stores, with faults between",
            full: Method::Function(|workspace| tests(workspace, &["-p", "vouchsafe-objects"])),
            quick: None,
            bars: BARS,
        },
        Claim {
            says: "the facade's whole suite passes on both engines, and a life in buckets",
            full: Method::Function(|workspace| tests(workspace, &["-p", "vouchsafe", "--test", "it"])),
            quick: None,
            bars: &[Bar::Is("failed", "0"), Bar::Is("skipped", "0"), Bar::AtLeast("passed", 150.0)],
        },
    ]
}

const HELD: [Bar; 4] = [
    Bar::Is("accepted_without_consent", "0"),
    Bar::Is("lost", "0"),
    Bar::Is("destroyed_readable", "0"),
    Bar::Is("leaves_differ", "0"),
];

fn drills() -> Vec<Claim> {
    const MODEL_BARS: &[Bar] = &[
        Bar::Is("engines", "2"),
        HELD[0],
        HELD[1],
        HELD[2],
        HELD[3],
        Bar::AtLeast("operations", 4_000.0),
        Bar::Printed("operations"),
        Bar::Printed("contended"),
        Bar::Printed("restarts"),
    ];
    vec![
        Claim {
            says: "100,000 random operations of 8 clients in two processes agree with a sequential model, on each engine",
            full: Method::Function(|workspace| drill(workspace, MODEL, &[("VOUCHSAFE_MODEL_OPS", "100000")])),
            quick: Some(Method::Skip("--quick does 10,000, below")),
            bars: MODEL_BARS,
        },
        Claim {
            says: "10,000 random operations of 8 clients in two processes agree with a sequential model, on each engine",
            full: Method::Skip("--full does 100,000, above"),
            quick: Some(Method::Function(|workspace| {
                drill(workspace, MODEL, &[("VOUCHSAFE_MODEL_OPS", "10000")])
            })),
            bars: MODEL_BARS,
        },
        Claim {
            says: "killed processes, a killed and a replaced server, lost answers, sick object stores, full disks: nothing \
                   acknowledged is lost",
            full: Method::Function(|workspace| drill(workspace, FAULTS, &[("VOUCHSAFE_FAULTS", "5")])),
            quick: Some(Method::Function(|workspace| drill(workspace, FAULTS, &[]))),
            bars: &[HELD[0], HELD[1], HELD[2], HELD[3], Bar::AtLeast("kinds", 6.0), Bar::Printed("faults")],
        },
        Claim {
            says: "a restore replays 37 destructions and 20 withdrawals, names the gap, and the log goes on, on each engine",
            full: Method::Function(|workspace| {
                let test = "cargo test --locked -p vouchsafe-testkit --test store_restore -- --nocapture";
                drill(workspace, test, &[])
            }),
            quick: None,
            bars: &[
                Bar::Is("engines", "2"),
                Bar::Is("destroyed_readable", "0"),
                Bar::Is("withdrawn_accepted", "0"),
                Bar::Is("verifier", "accepted"),
                Bar::Is("without_outside", "read_only"),
            ],
        },
    ]
}

fn costs() -> Vec<Claim> {
    const BARS: &[Bar] = &[
        Bar::Is("engines", "2"),
        Bar::AtMost("verify_flat", 1.5),
        Bar::AtMost("withdraw_flat", 1.5),
        Bar::AtMost("verify_ratio", 1.3),
        Bar::AtMost("withdraw_ratio", 1.3),
    ];
    vec![
        Claim {
            says: "what a verification and a withdrawal store costs the same among 1,000 and a million people, and what bare \
                   clients pay",
            full: Method::Function(|workspace| cost(workspace, &[])),
            quick: Some(Method::Skip("--quick stops at 100,000, below")),
            bars: BARS,
        },
        Claim {
            says: "what a verification and a withdrawal store costs the same among 1,000 and 100,000 people, and what bare \
                   clients pay",
            full: Method::Skip("--full goes on to a million, above"),
            quick: Some(Method::Command(
                "cargo run --locked -p vouchsafe-benches --bin store-cost -- --quick",
            )),
            bars: BARS,
        },
    ]
}

/// Tests with every service there, and their totals.
fn tests(workspace: &Workspace, arguments: &[&str]) -> Result<Said> {
    let arguments = [&["test", "--locked"], arguments].concat();
    let mut said = with_services(workspace, Run::new("cargo", &arguments))?.aloud()?;
    let totals = lines::totals(&said);
    said.stdout.push_str(&format!("\n{totals}\n"));
    Ok(said)
}

/// A drill that prints a line for each engine or kind of fault, and one line for all.
fn drill(workspace: &Workspace, line: &str, variables: &[(&str, &str)]) -> Result<Said> {
    let words: Vec<&str> = line.split_whitespace().skip(1).collect();
    let run = with_services(workspace, Run::new("cargo", &words))?;
    let run = variables.iter().fold(run, |run, (name, value)| run.with(name, value));
    let mut said = run.aloud()?;
    let summary = summary(&said.stdout);
    said.stdout.push_str(&format!("\n{summary}\n"));
    Ok(said)
}

/// What the bench prints of each engine, and the worse of the two.
fn cost(workspace: &Workspace, arguments: &[&str]) -> Result<Said> {
    let arguments =
        [&["run", "--locked", "-p", "vouchsafe-benches", "--bin", "store-cost"], arguments].concat();
    let mut said = with_services(workspace, Run::new("cargo", &arguments))?.aloud()?;
    let ends = lines::with(&said.stdout, "verify_flat");
    let worst = |key: &str| {
        let values = ends.iter().filter_map(|line| lines::value(line, key)?.parse::<f64>().ok());
        values.fold(0.0, f64::max)
    };
    let keys = ["verify_flat", "withdraw_flat", "verify_ratio", "withdraw_ratio"];
    let words: String = keys.iter().map(|key| format!(" {key}={:.2}", worst(key))).collect();
    let summary = format!("engines={}{words}", ends.len());
    said.stdout.push_str(&format!("\n{summary}\n"));
    Ok(said)
}

/// Numbers of the same key are added, other words must agree; engines and kinds are counted.
fn summary(stdout: &str) -> String {
    let printed: Vec<&str> = lines::with(stdout, "engine");
    let distinct = |key: &str| {
        let found: std::collections::BTreeSet<_> =
            printed.iter().filter_map(|line| lines::value(line, key)).collect();
        found.len()
    };
    let mut sums: Vec<(&str, String)> = Vec::new();
    for word in printed.iter().flat_map(|line| line.split_whitespace()) {
        let Some((key, value)) = word.split_once('=') else { continue };
        let value = value.split('/').next().unwrap_or_default();
        match sums.iter_mut().find(|(known, _)| *known == key) {
            None => sums.push((key, value.to_owned())),
            Some((_, sum)) => *sum = added(sum, value),
        }
    }
    let sums: String = sums
        .iter()
        .filter(|(key, _)| !matches!(*key, "engine" | "kind"))
        .map(|(key, sum)| format!(" {key}={sum}"))
        .collect();
    format!("engines={} kinds={}{sums}", distinct("engine"), distinct("kind"))
}

fn added(left: &str, right: &str) -> String {
    match (left.parse::<f64>(), right.parse::<f64>()) {
        (Ok(left), Ok(right)) => (left + right).to_string(),
        _ if left == right => left.to_owned(),
        _ => format!("{left}|{right}"),
    }
}

/// With the object stores on the path; a test that skips fails instead.
fn with_services(workspace: &Workspace, run_it: Run) -> Result<Run> {
    MOTO.python(workspace)?;
    let tools = workspace.target().join("objects-tools");
    let tools = tools.to_string_lossy();
    if !workspace.target().join("objects-tools/bin/s3s-fs").is_file() {
        run(workspace, "cargo", &[S3S, &[&*tools]].concat())?;
    }
    let venv = MOTO.program(workspace, "python");
    let venv = venv.parent().map(|folder| folder.to_string_lossy().into_owned()).unwrap_or_default();
    let path = format!("{tools}/bin:{venv}:{}", std::env::var("PATH").unwrap_or_default());
    Ok(run_it.with("PATH", &path).with("VOUCHSAFE_REQUIRE_SERVICES", "1").within(workspace.root()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_engines_are_added_up() {
        let stdout = "test drill ... drill engine=sqlite lost=0 seen=3/37 verifier=accepted\n\
                      drill engine=postgres lost=2 seen=1/37 verifier=refused\nanything else=1";
        assert_eq!(summary(stdout), "engines=2 kinds=0 lost=2 seen=4 verifier=accepted|refused");
    }
}
