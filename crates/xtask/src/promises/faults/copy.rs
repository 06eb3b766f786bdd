use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use super::git_apply;
use crate::{Result, workspace::Workspace};

/// A copy of the tree as it is now, uncommitted changes included, below the target folder.
///
/// It stays there between runs, and only files that differ are written, so that cargo rebuilds little.
pub(super) struct Copy {
    outside: PathBuf,
    root: PathBuf,
}

impl Copy {
    /// Makes the copy equal to the workspace.
    pub(super) fn fresh(workspace: &Workspace) -> Result<Self> {
        let outside = workspace.target().join("faults");
        let root = outside.join("tree");
        fs::create_dir_all(&root)?;
        let wanted: BTreeSet<String> = workspace.files()?.into_iter().collect();
        for old in listed(&root, &root)? {
            if !wanted.contains(&old) {
                fs::remove_file(root.join(old))?;
            }
        }
        for file in &wanted {
            transfer(&workspace.join(file), &root.join(file))?;
        }
        share(workspace, &outside)?;
        Ok(Self { outside, root })
    }

    /// Applies `patch`. Returns the files it touches, or nothing when it does not apply.
    pub(super) fn apply(&self, patch: &Path) -> Result<Option<Vec<String>>> {
        let patch = patch.to_string_lossy();
        let touched = git_apply(self, &["--numstat", &patch])?;
        let applied = git_apply(self, &[&patch])?;
        if !touched.ok || !applied.ok || touched.stdout.trim().is_empty() {
            eprint!("{}", applied.tail());
            return Ok(None);
        }
        let file = |line: &str| line.split('\t').nth(2).map(str::to_owned);
        Ok(Some(touched.stdout.lines().filter_map(file).collect()))
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    pub(super) fn outside(&self) -> &Path {
        &self.outside
    }
}

/// Writes `from` over `to` when they differ; a patched file gets a new time, and so is rebuilt.
fn transfer(from: &Path, to: &Path) -> Result<()> {
    let content = fs::read(from)?;
    if fs::read(to).is_ok_and(|old| old == content) {
        return Ok(());
    }
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(to, content)?;
    fs::set_permissions(to, fs::metadata(from)?.permissions())?;
    Ok(())
}

/// Gives the copy the neighbour `shared` that the workspace has: some tests read it.
fn share(workspace: &Workspace, outside: &Path) -> Result<()> {
    let link = outside.join("shared");
    if let Ok(shared) = workspace.join("../shared").canonicalize()
        && !link.exists()
    {
        std::os::unix::fs::symlink(shared, link)?;
    }
    Ok(())
}

/// The files below `folder`, relative to `root`.
fn listed(root: &Path, folder: &Path) -> Result<Vec<String>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() && !path.is_symlink() {
            files.extend(listed(root, &path)?);
        } else {
            files.push(path.strip_prefix(root)?.to_string_lossy().into_owned());
        }
    }
    Ok(files)
}
