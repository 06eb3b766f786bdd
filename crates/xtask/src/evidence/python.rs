use std::path::PathBuf;

use crate::{
    Result,
    process::{Run, Said},
    workspace::Workspace,
};

/// A Python environment below the target folder, made when it lacks something.
pub(super) struct Environment {
    /// The folder's name.
    pub(super) folder: &'static str,
    /// Code that ends well when everything is there.
    pub(super) probe: &'static str,
    /// What is installed otherwise.
    pub(super) packages: &'static [&'static str],
}

impl Environment {
    /// Its Python, when the probe ends well or the packages install.
    pub(super) fn python(&self, workspace: &Workspace) -> Result<String> {
        let python = self.program(workspace, "python").to_string_lossy().into_owned();
        let ready = || Run::new(&python, &["-c", self.probe]).quietly().is_ok_and(|said| said.ok);
        if !ready() {
            let folder = workspace.target().join(self.folder);
            run(workspace, "python3", &["-m", "venv", &folder.to_string_lossy()])?;
            run(workspace, &python, &[&["-m", "pip", "install", "--quiet"], self.packages].concat())?;
        }
        Ok(python)
    }

    /// Where a program of this environment lies.
    pub(super) fn program(&self, workspace: &Workspace, name: &str) -> PathBuf {
        workspace.target().join(self.folder).join("bin").join(name)
    }
}

/// Runs a program in the root folder; it must end well.
pub(super) fn run(workspace: &Workspace, program: &str, arguments: &[&str]) -> Result<Said> {
    let said = Run::new(program, arguments).within(workspace.root()).aloud()?;
    said.succeeded()?;
    Ok(said)
}
