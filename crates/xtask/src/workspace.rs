//! Where the workspace lies and which files belong to it.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use crate::{Result, process::Run};

/// The checked-out workspace.
#[derive(Debug)]
pub(crate) struct Workspace {
    root: PathBuf,
}

impl Workspace {
    /// The workspace this program was started in.
    pub(crate) fn find() -> Result<Self> {
        let manifest = env::var("CARGO_MANIFEST_DIR").map_err(|_| "start me with `cargo xtask`")?;
        let root = Path::new(&manifest).ancestors().nth(2).ok_or("the workspace has no root")?;
        Ok(Self { root: root.to_owned() })
    }

    /// The root folder.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// A path below the root.
    pub(crate) fn join(&self, relative: &str) -> PathBuf {
        self.root.join(relative)
    }

    /// Where cargo builds.
    pub(crate) fn target(&self) -> PathBuf {
        env::var_os("CARGO_TARGET_DIR").map_or_else(|| self.join("target"), |target| self.root.join(target))
    }

    /// The text of the file at `relative`.
    pub(crate) fn read(&self, relative: &str) -> Result<String> {
        fs::read_to_string(self.join(relative)).map_err(|error| format!("{relative}: {error}").into())
    }

    /// Every file, tracked or new, that git does not ignore, relative to the root and sorted.
    pub(crate) fn files(&self) -> Result<Vec<String>> {
        let listed = Run::new("git", &["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
            .within(&self.root)
            .quietly()?;
        let mut files: Vec<String> = listed
            .succeeded()?
            .split('\0')
            .filter(|path| !path.is_empty() && self.join(path).is_file())
            .map(str::to_owned)
            .collect();
        files.sort();
        files.dedup();
        Ok(files)
    }

    /// The commit that is checked out, twelve digits, with `-dirty` when files differ from it.
    pub(crate) fn commit(&self) -> Result<String> {
        let git = |arguments| Run::new("git", arguments).within(&self.root).quietly();
        let commit = git(&["rev-parse", "--short=12", "HEAD"])?.succeeded()?.trim().to_owned();
        let changed = !git(&["status", "--porcelain"])?.succeeded()?.trim().is_empty();
        Ok(if changed { commit + "-dirty" } else { commit })
    }

    /// The folders of the members, relative to the root: those that hold a `Cargo.toml`.
    pub(crate) fn packages(&self) -> Result<Vec<String>> {
        let files = self.files()?;
        Ok(files.iter().filter_map(|file| file.strip_suffix("/Cargo.toml")).map(str::to_owned).collect())
    }
}
