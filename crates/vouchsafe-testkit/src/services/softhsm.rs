//! SoftHSM2: a PKCS#11 token in files.
//!
//! Its library reads `SOFTHSM2_CONF` when it is loaded, and a process cannot set its own environment safely. So a
//! test with a token runs twice: in the test process, which makes the token and starts the test binary again with
//! the variable set, and in that child, where its body runs.
#![expect(clippy::unwrap_used, clippy::panic, reason = "part of tests: what cannot be set up panics")]

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::skip;

/// The label of the token.
pub const LABEL: &str = "vouchsafe";
/// The PIN of its user.
pub const PIN: &str = "1234-user";
/// The PIN of its security officer.
pub const OFFICER_PIN: &str = "5678-officer";

const CONF: &str = "SOFTHSM2_CONF";
const FOLDER: &str = "VOUCHSAFE_SOFTHSM_FOLDER";
const MODULES: [&str; 6] = [
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/lib64/softhsm/libsofthsm2.so",
    "/usr/local/lib/softhsm/libsofthsm2.so",
    "/opt/homebrew/lib/softhsm/libsofthsm2.so",
];

/// A token of its own folder, and the module that reads it.
#[derive(Debug, Clone)]
pub struct SoftHsm {
    folder: PathBuf,
    module: PathBuf,
}

impl SoftHsm {
    /// Makes a token below an empty folder; `None` when SoftHSM2 is not installed.
    pub fn create(folder: &Path) -> Option<Self> {
        let token = Self { folder: folder.to_owned(), module: module()? };
        fs::create_dir_all(token.tokens()).unwrap();
        let tokens = token.tokens();
        let conf = format!("directories.tokendir = {}\nobjectstore.backend = file\n", tokens.display());
        fs::write(token.configuration(), format!("{conf}log.level = ERROR\nslots.removable = false\n"))
            .unwrap();
        token.add(LABEL).then_some(token)
    }

    /// The token that this process was started with, if it was.
    pub fn inherited() -> Option<Self> {
        Some(Self { folder: env::var_os(FOLDER)?.into(), module: module()? })
    }

    /// Adds a token of this label; `false` when the tool is not installed.
    pub fn add(&self, label: &str) -> bool {
        let mut tool = Command::new("softhsm2-util");
        tool.args(["--init-token", "--free", "--label", label, "--pin", PIN, "--so-pin", OFFICER_PIN]);
        match tool.env(CONF, self.configuration()).stdout(Stdio::null()).status() {
            Ok(status) => assert!(status.success(), "the tool makes no token"),
            Err(_) => return false,
        }
        true
    }

    /// The PKCS#11 module.
    pub fn module(&self) -> &Path {
        &self.module
    }

    /// The folder that holds the tokens' objects. A copy of it is a snapshot of the key service.
    pub fn tokens(&self) -> PathBuf {
        self.folder.join("tokens")
    }

    /// A folder of the test, beside the tokens.
    pub fn scratch(&self) -> &Path {
        &self.folder
    }

    /// This test binary again, as a process that has the token, running one test.
    pub fn program(&self, test: &str) -> Command {
        let mut program = Command::new(env::current_exe().unwrap());
        program.args([test, "--exact", "--nocapture", "--test-threads=1"]);
        program.env(CONF, self.configuration()).env(FOLDER, &self.folder);
        program
    }

    fn configuration(&self) -> PathBuf {
        self.folder.join("softhsm2.conf")
    }
}

/// Runs the body of a test in a process that has a token. `test` is the test's own name, as its binary lists it.
pub fn with_token(test: &str, body: impl FnOnce(&SoftHsm)) {
    if let Some(token) = SoftHsm::inherited() {
        return body(&token);
    }
    let folder = tempfile::tempdir().unwrap();
    let Some(token) = SoftHsm::create(folder.path()) else { return skip(test, "SoftHSM2 (apt: softhsm2)") };
    let output = token.program(test).output().unwrap();
    let (said, warned) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    print(&said);
    if !output.status.success() {
        panic!("{test} failed in its own process: {said}\n{warned}");
    }
    assert!(said.contains("1 passed"), "{test} is not the name of a test");
}

/// What the child printed, but for the lines of its test harness.
fn print(said: &str) {
    for line in said.lines().filter(|line| !line.is_empty()) {
        if !["running ", "test "].iter().any(|harness| line.starts_with(harness)) {
            eprintln!("{line}");
        }
    }
}

fn module() -> Option<PathBuf> {
    let named = env::var_os("SOFTHSM2_MODULE").map(PathBuf::from);
    named.into_iter().chain(MODULES.map(PathBuf::from)).find(|path| path.is_file())
}
