//! The other implementation of the check of a bundle, as a process: `tests/interop/check_bundle.py`.

use std::io::Write as _;
use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/interop/check_bundle.py");
const MISSING: &str =
    "no python3 with the package `cryptography`, so no second implementation read our bundles";

/// No clock of a scene goes further.
const NOW: &str = "2100-01-01T00:00:00Z";

static FOUND: OnceLock<bool> = OnceLock::new();

/// What the script says of a bundle: its line of counts, or its finding. `None`, with a line that says so, where there
/// is no Python for it.
pub(crate) fn opinion(folder: &Path, key: &str) -> Option<Result<String, String>> {
    let found = *FOUND.get_or_init(probe);
    let required = std::env::var_os("VOUCHSAFE_REQUIRE_SERVICES").is_some();
    assert!(found || !required, "{MISSING}, and VOUCHSAFE_REQUIRE_SERVICES is set");
    if !found {
        return None;
    }
    let said = Command::new("python3").args(["-B", SCRIPT]).arg(folder).args([key, NOW]).output().unwrap();
    let (out, err) = (String::from_utf8(said.stdout).unwrap(), String::from_utf8(said.stderr).unwrap());
    match said.status.code() {
        Some(0) => Some(Ok(out.trim_end().to_owned())),
        // Whatever else stopped it is no verdict.
        _ => {
            assert!(err.starts_with("finding: ") && out.is_empty(), "{out}{err}");
            Some(Err(err.trim_end().to_owned()))
        }
    }
}

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
