use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use vouchsafe_ledger::{Checkpoint, EntryKind, LedgerError, Note, TileStore, is_log_path};
use vouchsafe_types::Digest;

use crate::Error;
use crate::digest::sha256;

/// The signed note.
pub(super) const MANIFEST: &str = "MANIFEST";
/// The list.
pub(super) const FILES: &str = "FILES";
/// Origin and keys.
pub(super) const KEYS: &str = "keys";

/// The longest list, in bytes: a million files.
const MAX_LIST: u64 = 128 << 20;
/// The longest of the other files; notices, their schedules, notes and bundles are shorter.
const MAX_FILE: u64 = 4 << 20;
/// The most files and folders of a bundle that are looked at.
const MAX_FOUND: usize = 1 << 21;
/// The deepest folder: eleven elements of a tile's index below `log/tile/0`.
const MAX_DEPTH: usize = 12;

/// What a file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Content {
    sha256: Digest,
    len: u64,
}

impl Content {
    pub(super) fn of(bytes: &[u8]) -> Self {
        Self { sha256: sha256(bytes), len: bytes.len() as u64 }
    }

    /// Whether it has this digest.
    pub(super) fn is(&self, sha256: &Digest) -> bool {
        self.sha256 == *sha256
    }

    /// Reads digest and length, in their one spelling, and gives what follows them.
    fn split(line: &str) -> Option<(Self, &str)> {
        let (sha256, rest) = line.split_once(' ')?;
        let (len, rest) = rest.split_once(' ')?;
        let content = Self { sha256: Digest::parse(sha256).ok()?, len: decimal(len)? };
        Some((content, rest))
    }
}

impl fmt::Display for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.sha256, self.len)
    }
}

/// A number without leading zeros.
fn decimal(text: &str) -> Option<u64> {
    text.parse().ok().filter(|number: &u64| number.to_string() == text)
}

/// Every file by its path, with what it holds: the list of a bundle.
#[derive(Debug, Default)]
pub(super) struct Files(BTreeMap<String, Content>);

impl Files {
    pub(super) fn insert(&mut self, path: &str, content: Content) {
        self.0.insert(path.to_owned(), content);
    }

    pub(super) fn get(&self, path: &str) -> Option<&Content> {
        self.0.get(path)
    }

    pub(super) fn paths(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    pub(super) fn len(&self) -> u64 {
        self.0.len() as u64
    }

    pub(super) fn bytes(&self) -> u64 {
        self.0.values().map(|content| content.len).sum()
    }

    /// Reads a list; it has one spelling, and names paths of a bundle only.
    pub(super) fn parse(list: &[u8]) -> Option<Self> {
        let mut files = BTreeMap::new();
        for line in str::from_utf8(list).ok()?.strip_suffix('\n')?.split('\n') {
            let (content, path) = Content::split(line)?;
            let sorted = files.last_key_value().is_none_or(|(last, _): (&String, _)| last.as_str() < path);
            if !sorted || !is_bundle_path(path) {
                return None;
            }
            files.insert(path.to_owned(), content);
        }
        Some(Self(files))
    }
}

impl fmt::Display for Files {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|(path, content)| writeln!(f, "{content} {path}"))
    }
}

/// Whether a path is one that a list may name. None of them leads out of the folder.
fn is_bundle_path(path: &str) -> bool {
    let public = |name: &str| {
        name.strip_suffix(".json").or(name.strip_suffix(".txt")).is_some_and(|entry| decimal(entry).is_some())
    };
    let notice = |name: &str| {
        let digest = name.strip_suffix(".json").or(name.strip_suffix(".schedule")).unwrap_or(name);
        Digest::parse(digest).is_ok()
    };
    match path.split_once('/') {
        None => path == KEYS,
        Some(("log", path)) => is_log_path(path),
        Some(("public", name)) => public(name),
        Some(("notices", name)) => notice(name),
        Some(_) => false,
    }
}

/// Where the payload of a public entry lies.
pub(super) fn public_path(entry: u64, kind: EntryKind) -> String {
    let form = if kind == EntryKind::LogKeyRotated { "txt" } else { "json" };
    format!("public/{entry}.{form}")
}

/// Where a notice lies, or a part of it.
pub(super) fn notice_path(digest: &Digest, part: &str) -> String {
    format!("notices/{digest}{part}")
}

/// What is signed: the checkpoint that the bundle covers, and its list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Manifest {
    pub(super) checkpoint: Checkpoint,
    pub(super) list: Content,
}

impl Manifest {
    /// Reads the signed text; it has one spelling.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix(HEADER)?.strip_prefix('\n')?.strip_suffix('\n')?;
        let (checkpoint, list) = rest.rsplit_once('\n')?;
        let (list, name) = Content::split(list)?;
        let checkpoint = Checkpoint::parse(&format!("{checkpoint}\n")).ok()?;
        let manifest = Self { checkpoint, list };
        (name == FILES && manifest.to_string() == text).then_some(manifest)
    }
}

impl fmt::Display for Manifest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{HEADER}\n{}{} {FILES}\n", self.checkpoint, self.list)
    }
}

/// The first line of a manifest; no origin of a log reads like this.
const HEADER: &str = "vouchsafe.dev/log-export@v1";

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_of_a_bundle_are_listed() {
        let digest = "a".repeat(64);
        let good = ["keys", "log/checkpoint", "log/tile/0/000.p/3", "log/handover/000", "public/0.json"];
        let named = [digest.clone(), format!("{digest}.json"), format!("{digest}.schedule")];
        let named = named.map(|name| format!("notices/{name}"));
        assert!(good.into_iter().chain(named.iter().map(String::as_str)).all(is_bundle_path));
        let bad = [
            "",
            "MANIFEST",
            "FILES",
            "key",
            "/keys",
            "../keys",
            "log",
            "log/",
            "log/../keys",
            "log/tile/0/0",
            "public/",
            "public/01.json",
            "public/-1.json",
            "public/1",
            "public/1.json.json",
            "public/../1.json",
            "notices/",
            "notices/abc",
            "notices/../x",
            "notices/x.json",
            "other/1.json",
            "public/1.json\n",
        ];
        assert!(!bad.into_iter().any(is_bundle_path));
    }

    #[test]
    fn a_list_has_one_spelling() {
        let mut files = Files::default();
        files.insert("public/1.json", Content::of(b"{}"));
        files.insert("keys", Content::of(b"k"));
        let list = files.to_string();
        assert_eq!(Files::parse(list.as_bytes()).unwrap().to_string(), list);
        let lines: Vec<&str> = list.lines().collect();
        let swapped = format!("{}\n{}\n", lines[1], lines[0]);
        let doubled = format!("{list}{}\n", lines[1]);
        let torn = list.trim_end();
        let padded = list.replace(" 1 ", " 01 ");
        for bad in [&swapped, &doubled, torn, &padded, "", "\n", &list.replace("keys", "../keys")] {
            assert!(Files::parse(bad.as_bytes()).is_none(), "{bad:?}");
        }
    }
}
