use std::fs;

use crate::{
    Result,
    process::{Run, Said},
    workspace::Workspace,
};

/// The README's two commands.
const COMMANDS: [&[&str]; 2] = [&["run", "--example", "quickstart"], &["test", "--workspace", "--locked"]];

/// Clones the checked-out commit and times the two commands with an empty target folder.
///
/// The sources of the dependencies may already lie in cargo's cache; what is timed is building and running.
pub(super) fn measure(workspace: &Workspace) -> Result<Said> {
    let folder = workspace.target().join("fresh-clone");
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    let clone = folder.to_string_lossy();
    Run::new("git", &["clone", "--quiet", "--local", ".", &clone])
        .within(workspace.root())
        .quietly()?
        .succeeded()?;
    let build = folder.join("target");
    let mut total = Said {
        command: "git clone, then the README's two commands".to_owned(),
        ok: true,
        seconds: 0.0,
        stdout: String::new(),
        stderr: String::new(),
    };
    for command in COMMANDS {
        let run = Run::new("cargo", command).with("CARGO_TARGET_DIR", &build.to_string_lossy());
        let said = run.within(&folder).aloud()?;
        total.ok &= said.ok;
        total.seconds += said.seconds;
        total.stdout.push_str(&said.stdout);
        total.stderr.push_str(&said.stderr);
    }
    fs::remove_dir_all(&folder)?;
    total.stdout.push_str(&format!("\ncold_seconds={:.0}\n", total.seconds));
    Ok(total)
}
