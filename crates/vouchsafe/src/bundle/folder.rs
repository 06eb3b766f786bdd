//! The folder of a bundle, written or read.

use std::collections::BTreeSet;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use vouchsafe_ledger::{LedgerError, Note, TileStore, is_log_path};

use super::list::{Content, Files};
use super::manifest::{FILES, MANIFEST};
use crate::Error;

/// The longest list, in bytes: a million files.
const MAX_LIST: u64 = 128 << 20;
/// The longest of the other files; notices, their schedules, notes, bundles and pages of certificates are shorter.
const MAX_FILE: u64 = 4 << 20;
/// The most files and folders of a bundle that are looked at.
const MAX_FOUND: usize = 1 << 21;
/// The deepest folder: eleven elements of a tile's index below `log/tile/0`.
const MAX_DEPTH: usize = 12;

/// The folder of a bundle that is written.
pub(super) struct Folder {
    root: PathBuf,
    folders: BTreeSet<PathBuf>,
}

impl Folder {
    /// Makes the folder, or takes one that is empty.
    pub(super) fn make(root: &Path) -> Result<Self, Error> {
        let made = private().create(root);
        let found = || -> io::Result<()> {
            match made {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                made => return made,
            }
            if !fs::symlink_metadata(root)?.is_dir() {
                return Err(io::ErrorKind::NotADirectory.into());
            }
            if fs::read_dir(root)?.next().is_some() {
                return Err(io::ErrorKind::DirectoryNotEmpty.into());
            }
            restrict(root)
        };
        found().map_err(folder_error)?;
        Ok(Self { root: root.to_owned(), folders: BTreeSet::new() })
    }

    /// Writes a file that was not there, readable by its owner only; it is durable after [`Self::sync`].
    pub(super) fn write(&mut self, path: &str, bytes: &[u8]) -> Result<(), Error> {
        let target = self.root.join(path);
        let folder = target.parent().unwrap_or(&self.root);
        let inside = folder.ancestors().take_while(|parent| parent.starts_with(&self.root));
        self.folders.extend(inside.map(Path::to_owned));
        let write = || -> io::Result<()> {
            private().recursive(true).create(folder)?;
            let mut file = options().open(&target)?;
            file.write_all(bytes)?;
            file.sync_all()
        };
        write().map_err(folder_error)
    }

    /// Makes the names of what was written durable.
    pub(super) fn sync(&self) -> Result<(), Error> {
        let above = self.root.parent().filter(|above| !above.as_os_str().is_empty());
        let mut folders = self.folders.iter().map(PathBuf::as_path).chain(above);
        folders.try_for_each(|folder| File::open(folder)?.sync_all()).map_err(folder_error)
    }

    pub(super) fn remove(&self, path: &str) -> Result<(), Error> {
        fs::remove_file(self.root.join(path)).map_err(folder_error)
    }
}

/// Makes folders that their owner alone can enter.
fn private() -> DirBuilder {
    #[cfg_attr(not(unix), expect(unused_mut, reason = "the mode is set on Unix only"))]
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
}

fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Takes a folder that was there from everybody but its owner.
fn restrict(folder: &Path) -> io::Result<()> {
    #[cfg(unix)]
    fs::set_permissions(folder, std::os::unix::fs::PermissionsExt::from_mode(0o700))?;
    let _ = folder;
    Ok(())
}

/// A bundle that is read: its files as they are, and once its list is known, only as the list says.
pub(super) struct Bundle {
    root: PathBuf,
    found: BTreeSet<String>,
    folders: BTreeSet<String>,
    odd: Vec<String>,
    pub(super) list: Option<Files>,
}

impl Bundle {
    /// Looks at what lies in the folder; follows no link.
    pub(super) fn open(root: &Path) -> Result<Self, Error> {
        let mut bundle = Self {
            root: root.to_owned(),
            found: BTreeSet::new(),
            folders: BTreeSet::new(),
            odd: Vec::new(),
            list: None,
        };
        bundle.walk().map_err(folder_error)?;
        Ok(bundle)
    }

    fn walk(&mut self) -> io::Result<()> {
        if !fs::symlink_metadata(&self.root)?.is_dir() {
            return Err(io::ErrorKind::NotADirectory.into());
        }
        let mut pending = vec![(self.root.clone(), String::new(), 0)];
        while let Some((folder, prefix, depth)) = pending.pop() {
            for entry in fs::read_dir(folder)? {
                let entry = entry?;
                let (kind, name) = (entry.file_type()?, entry.file_name());
                let path = format!("{prefix}{}", name.to_string_lossy());
                if name.to_str().is_none() {
                    self.odd.push(path);
                } else if kind.is_dir() && depth < MAX_DEPTH {
                    pending.push((entry.path(), format!("{path}/"), depth + 1));
                    self.folders.insert(path);
                } else if kind.is_file() {
                    self.found.insert(path);
                } else {
                    self.odd.push(path);
                }
                if self.found.len() + self.folders.len() + self.odd.len() > MAX_FOUND {
                    return Err(io::ErrorKind::FileTooLarge.into());
                }
            }
        }
        Ok(())
    }

    /// The manifest's note as it lies there.
    pub(super) fn manifest(&self) -> Result<Option<Vec<u8>>, Error> {
        self.raw(MANIFEST, Note::MAX_LEN as u64)
    }

    /// The list as it lies there.
    pub(super) fn files(&self) -> Result<Option<Vec<u8>>, Error> {
        self.raw(FILES, MAX_LIST)
    }

    /// A file, if it is there and holds what the list says.
    pub(super) fn read(&self, path: &str) -> Result<Option<Vec<u8>>, Error> {
        let Some(bytes) = self.raw(path, MAX_FILE)? else { return Ok(None) };
        let listed = self.list.as_ref().is_none_or(|list| list.get(path) == Some(&Content::of(&bytes)));
        Ok(listed.then_some(bytes))
    }

    pub(super) fn has(&self, path: &str) -> bool {
        self.found.contains(path)
    }

    /// What lies there and is no part of the bundle that this list describes.
    pub(super) fn strays(&self, list: &Files) -> Vec<String> {
        let mut folders = BTreeSet::new();
        for path in list.paths() {
            folders.extend(path.match_indices('/').filter_map(|(end, _)| path.get(..end)));
        }
        let known = |path: &&String| list.get(path).is_some() || [MANIFEST, FILES].contains(&path.as_str());
        let files = self.found.iter().filter(|path| !known(path));
        let empty = self.folders.iter().filter(|path| !folders.contains(path.as_str()));
        files.chain(empty).chain(&self.odd).cloned().collect()
    }

    fn raw(&self, path: &str, limit: u64) -> Result<Option<Vec<u8>>, Error> {
        if !self.has(path) {
            return Ok(None);
        }
        let read = || -> io::Result<Option<Vec<u8>>> {
            let mut bytes = Vec::new();
            File::open(self.root.join(path))?.take(limit + 1).read_to_end(&mut bytes)?;
            Ok((bytes.len() as u64 <= limit).then_some(bytes))
        };
        read().map_err(folder_error)
    }
}

impl TileStore for Bundle {
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, LedgerError> {
        if !is_log_path(path) {
            return Err(LedgerError::PathMalformed);
        }
        self.read(&super::in_log(path)).map_err(|error| match error {
            Error::Folder(kind) => LedgerError::StoreUnavailable(kind),
            _ => LedgerError::SourceUnavailable,
        })
    }

    fn write(&self, _: &str, _: &[u8]) -> Result<(), LedgerError> {
        Err(LedgerError::StoreUnavailable(io::ErrorKind::ReadOnlyFilesystem))
    }
}

fn folder_error(error: io::Error) -> Error {
    Error::Folder(error.kind())
}
