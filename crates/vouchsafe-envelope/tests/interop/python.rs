//! The other implementation, as a process.

use std::{
    fs::{self, File},
    io::Write as _,
    process::{Command, Stdio},
    sync::{
        OnceLock,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};

use serde_json::Value;

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/interop/record.py");

static ASKED: AtomicUsize = AtomicUsize::new(0);

static FOUND: OnceLock<bool> = OnceLock::new();

const MISSING: &str =
    "no python3 with the package `cryptography`, so no second implementation read our records";

/// Looks once, and says once what is missing.
fn probe() -> bool {
    let probe = Command::new("python3").args(["-c", "import cryptography"]).output();
    let found = probe.is_ok_and(|output| output.status.success());
    if !found {
        // Written to the stream itself, because the harness keeps what a passing test prints.
        let _ = writeln!(std::io::stderr(), "SKIPPED: {MISSING}");
    }
    found
}

/// A Python that has what `record.py` needs.
#[derive(Debug)]
pub(crate) struct Python;

impl Python {
    /// The `python3` of the path; none, with a line that says so, where it lacks the package.
    pub(crate) fn find() -> Option<Self> {
        let found = *FOUND.get_or_init(probe);
        let required = std::env::var_os("VOUCHSAFE_REQUIRE_SERVICES").is_some();
        assert!(found || !required, "{MISSING}, and VOUCHSAFE_REQUIRE_SERVICES is set");
        found.then_some(Self)
    }

    /// One answer for each request, from one process.
    pub(crate) fn ask(&self, requests: &[Value]) -> Vec<Value> {
        let number = ASKED.fetch_add(1, Relaxed);
        let path = format!("{}/requests-{}-{number}", env!("CARGO_TARGET_TMPDIR"), std::process::id());
        let lines: String = requests.iter().map(|request| format!("{request}\n")).collect();
        fs::write(&path, lines).unwrap();
        let input = Stdio::from(File::open(&path).unwrap());
        let output = Command::new("python3").arg(SCRIPT).stdin(input).output().unwrap();
        fs::remove_file(&path).unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "record.py: {errors}");
        let answers = String::from_utf8(output.stdout).unwrap();
        let answers: Vec<Value> = answers.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(answers.len(), requests.len());
        answers
    }
}
