//! The log and the consent engine: what outsiders can check, what survives, what it costs.

use std::collections::BTreeSet;

use super::claim::{Bar, Claim, Method};
use super::lines;
use super::python::Environment;
use crate::{
    Result,
    process::{Run, Said},
    workspace::Workspace,
};

/// The environment of `.ci/run`, with verifiers and a witness that share no code with this workspace.
const ENVIRONMENT: Environment = Environment {
    folder: "ci-venv",
    probe: "import aics_tlog, cryptography, sigstore, check_jsonschema, os, sys; \
            sys.exit(not os.access(sys.prefix + '/bin/aics-witness', os.X_OK))",
    packages: &[
        "--ignore-requires-python",
        "cryptography",
        "aics-tlog==0.2.1",
        "aics-witness==0.1.0",
        "sigstore==4.5.1",
        "check-jsonschema==0.39.0",
    ],
};

const TAMPER: &str = "cargo test --locked -p vouchsafe-testkit --test tamper -- --nocapture --test-threads=1";
const CRASH: &str =
    "cargo test --locked -p vouchsafe-testkit --test log_crash -- --nocapture --test-threads=1";
const FAULTS: &str =
    "cargo test --locked -p vouchsafe-testkit --test log_faults -- --nocapture --test-threads=1";

/// The claims, in the order of the issue.
pub(super) fn claims() -> Vec<Claim> {
    let mut claims = outsiders();
    claims.extend(tampering());
    claims.extend(crashes());
    claims.extend(speed());
    claims.extend(consent());
    claims
}

fn outsiders() -> Vec<Claim> {
    vec![
        Claim {
            says: "every vector of transparency-dev passes by its name; two are exempt, with the reason",
            full: Method::Function(vectors),
            quick: None,
            bars: &[
                Bar::Is("inclusion_consistency", "196"),
                Bar::Is("inclusion_consistency_exempt", "2"),
                Bar::Is("failed", "0"),
                Bar::Is("subtree", "322"),
                Bar::Printed("subtree_exempt"),
            ],
        },
        Claim {
            says: "verifiers that we did not write accept the log and refuse every changed artefact",
            full: Method::Function(interop),
            quick: None,
            bars: &[
                Bar::Is("skipped", "0"),
                // Our own, Go's, a script over `cryptography`, and two of PyPI.
                Bar::AtLeast("verifiers", 5.0),
                Bar::AtLeast("accepted", 50.0),
                Bar::AtLeast("refused", 10_000.0),
            ],
        },
        Claim {
            says: "a witness that we did not write cosigns what continues, and nothing else (200, 409, 422)",
            full: Method::Function(witness),
            quick: None,
            bars: &[Bar::Is("failed", "0"), Bar::Is("skipped", "0"), Bar::AtLeast("passed", 10.0)],
        },
    ]
}

fn tampering() -> Vec<Claim> {
    vec![
        Claim {
            says: "10,000 random edits are all detected; 10,000 legitimate histories raise no alarm",
            full: Method::CommandWith(
                &[("VOUCHSAFE_TAMPER_EDITS", "10000"), ("VOUCHSAFE_HISTORIES", "10000")],
                TAMPER,
            ),
            quick: Some(Method::Skip("--quick makes fewer, below")),
            bars: TAMPER_FULL,
        },
        Claim {
            says: "2,000 random edits are all detected; 200 legitimate histories raise no alarm",
            full: Method::Skip("--full makes 10,000 of both, above"),
            quick: Some(Method::CommandWith(
                &[("VOUCHSAFE_TAMPER_EDITS", "2000"), ("VOUCHSAFE_HISTORIES", "200")],
                TAMPER,
            )),
            bars: TAMPER_QUICK,
        },
    ]
}

const TAMPER_FULL: &[Bar] = &[
    Bar::AtLeast("edits", 10_000.0),
    Bar::Is("undetected", "0"),
    Bar::AtLeast("histories", 10_000.0),
    Bar::Is("false_alarms", "0"),
];
const TAMPER_QUICK: &[Bar] = &[
    Bar::AtLeast("edits", 2_000.0),
    Bar::Is("undetected", "0"),
    Bar::AtLeast("histories", 200.0),
    Bar::Is("false_alarms", "0"),
];

fn crashes() -> Vec<Claim> {
    const BARS: [Bar; 4] = [
        Bar::Is("lost", "0"),
        Bar::Is("reordered", "0"),
        Bar::Is("duplicated", "0"),
        Bar::Printed("acknowledged"),
    ];
    vec![
        Claim {
            says: "killed at 500 random points under eight writers, the log has every acknowledged entry, in order, once",
            full: Method::CommandWith(&[("VOUCHSAFE_LOG_KILLS", "500")], CRASH),
            quick: Some(Method::Skip("--quick kills 40 times, below")),
            bars: &[Bar::AtLeast("kills", 500.0), BARS[0], BARS[1], BARS[2], BARS[3]],
        },
        Claim {
            says: "killed at 40 random points under eight writers, the log has every acknowledged entry, in order, once",
            full: Method::Skip("--full kills 500 times, above"),
            quick: Some(Method::CommandWith(&[("VOUCHSAFE_LOG_KILLS", "40")], CRASH)),
            bars: &[Bar::AtLeast("kills", 40.0), BARS[0], BARS[1], BARS[2], BARS[3]],
        },
        Claim {
            says: "where writing, syncing or renaming fails, nothing is acknowledged that is not there",
            full: Method::CommandWith(&[("VOUCHSAFE_LOG_FAULTS", "full")], FAULTS),
            quick: Some(Method::Command(FAULTS)),
            bars: &[Bar::Is("false", "0"), Bar::AtLeast("runs", 10.0), Bar::Printed("hit")],
        },
    ]
}

fn speed() -> Vec<Claim> {
    vec![Claim {
        says: "64 writers append ten times what SQLite gives with a commit for each row and synchronous=FULL, on one log \
                   and on 64; memory stays flat",
        full: Method::Command("cargo run --locked -p vouchsafe-benches --bin log-append"),
        quick: Some(Method::Command("cargo run --locked -p vouchsafe-benches --bin log-append -- --quick")),
        bars: &[
            Bar::AtLeast("writers64", 10.0),
            Bar::AtLeast("writers64_orgs64", 10.0),
            Bar::Printed("writers1"),
            Bar::Printed("writers8"),
            Bar::Printed("row_commits_per_s"),
            Bar::Printed("writers64_wal"),
            Bar::Printed("writers64_orgs64_wal"),
            Bar::Printed("wal_row_commits_per_s"),
            Bar::Printed("syncs_per_s"),
            Bar::AtMost("memory_growth", 1.5),
            Bar::Printed("entries"),
            Bar::Printed("proof_bytes"),
            Bar::Printed("verify_us"),
        ],
    }]
}

fn consent() -> Vec<Claim> {
    const BARS: &[Bar] = &[Bar::Is("failed", "0"), Bar::AtLeast("passed", 3.0)];
    vec![
        Claim {
            says: "for every ordered pair of scopes, a grant for one never opens the other",
            full: Method::Function(|workspace| facade(workspace, "scopes::")),
            quick: None,
            bars: BARS,
        },
        Claim {
            says: "a verification in flight at the moment of a withdrawal ends refused, at every pause point",
            full: Method::Function(|workspace| facade(workspace, "in_flight::")),
            quick: None,
            bars: BARS,
        },
        Claim {
            says: "a receipt verifies offline after the shredding, and holds no personal byte",
            full: Method::Function(|workspace| facade(workspace, "receipt_scan::")),
            quick: None,
            bars: &[Bar::Is("failed", "0"), Bar::AtLeast("passed", 2.0)],
        },
        Claim {
            says: "a stock validator accepts the schema of consent receipts and a receipt that a test makes",
            full: Method::Function(schema),
            quick: None,
            bars: &[Bar::Succeeds],
        },
    ]
}

/// Every case by its name; the test prints the counts.
fn vectors(workspace: &Workspace) -> Result<Said> {
    let arguments =
        ["test", "--locked", "-p", "vouchsafe-ledger", "--test", "it", "vectors", "--", "--nocapture"];
    summed(Run::new("cargo", &arguments).within(workspace.root()).aloud()?)
}

/// The verifiers' table: who was asked what, how often it accepted and how often it refused. The script itself ends
/// badly when anything was accepted or refused that should not be.
fn interop(workspace: &Workspace) -> Result<Said> {
    let python = ENVIRONMENT.python(workspace)?;
    let run = Run::new("sh", &["crates/vouchsafe-ledger/tests/interop/run.sh"]).with("PYTHON", &python);
    let mut said = run.within(workspace.root()).aloud()?;
    let skipped = said.stdout.lines().filter(|line| lines::is_skip(line)).count();
    let rows = said.stdout.lines().filter_map(counts).collect::<Vec<_>>();
    let verifiers = rows.iter().map(|(name, ..)| *name).collect::<BTreeSet<_>>().len();
    let accepted = rows.iter().map(|(_, accepted, _)| accepted).sum::<u64>();
    let refused = rows.iter().map(|(.., refused)| refused).sum::<u64>();
    let figures =
        format!("\nskipped={skipped} verifiers={verifiers} accepted={accepted} refused={refused}\n");
    said.stdout.push_str(&figures);
    Ok(said)
}

/// `aics-tlog  inclusion    proof hash               0      261`
fn counts(line: &str) -> Option<(&str, u64, u64)> {
    let words = line.split_whitespace().collect::<Vec<_>>();
    let [name, .., accepted, refused] = words.as_slice() else { return None };
    Some((name, accepted.parse().ok()?, refused.parse().ok()?))
}

/// The adapter's tests, the real witness among them.
fn witness(workspace: &Workspace) -> Result<Said> {
    ENVIRONMENT.python(workspace)?;
    let bin = ENVIRONMENT.program(workspace, "aics-witness");
    let folder = bin.parent().map(|folder| folder.to_string_lossy().into_owned()).unwrap_or_default();
    let path = format!("{folder}:{}", std::env::var("PATH").unwrap_or_default());
    let run = Run::new("cargo", &["test", "--locked", "-p", "vouchsafe-witness"]).with("PATH", &path);
    summed(run.within(workspace.root()).aloud()?)
}

fn facade(workspace: &Workspace, tests: &str) -> Result<Said> {
    let arguments = ["test", "--locked", "-p", "vouchsafe", "--test", "it", tests];
    summed(Run::new("cargo", &arguments).within(workspace.root()).aloud()?)
}

fn summed(mut said: Said) -> Result<Said> {
    let totals = lines::totals(&said);
    said.stdout.push_str(&format!("\n{totals}\n"));
    Ok(said)
}

fn schema(workspace: &Workspace) -> Result<Said> {
    ENVIRONMENT.python(workspace)?;
    let program = ENVIRONMENT.program(workspace, "check-jsonschema");
    let folder = "crates/vouchsafe-consent/schema/consent-receipt-v1";
    let (schema, example) = (format!("{folder}.schema.json"), format!("{folder}.example.json"));
    let program = program.to_string_lossy();
    Run::new(&program, &["--schemafile", &schema, &example]).within(workspace.root()).aloud()
}

#[cfg(test)]
mod tests {
    use super::counts;

    #[test]
    fn rows_of_the_table_are_counted_and_other_lines_are_not() {
        assert_eq!(counts("go  log          hash tile                0      648"), Some(("go", 0, 648)));
        assert_eq!(counts("interop: go, python: accept what was written"), None);
        assert_eq!(counts("test result: ok. 1 passed"), None);
    }
}
