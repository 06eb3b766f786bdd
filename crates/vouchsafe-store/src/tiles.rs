use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};

use vouchsafe_ledger::{LedgerError, TileStore, is_log_path};

/// The files of one log in a folder, laid out so that any static web server can serve them
/// ([C2SP tlog-tiles](https://c2sp.org/tlog-tiles)).
///
/// A write is atomic and durable: temporary file, fsync, rename, fsync of the folders. Writing is for the one
/// publisher that holds the [`lease`](Self::lease); reading is for everybody.
#[derive(Debug)]
pub struct FolderTiles {
    root: PathBuf,
    next_temporary: AtomicU64,
}

impl FolderTiles {
    /// The log in this folder. Nothing is touched: readers change nothing, and [`Self::lease`] makes the folder.
    pub fn at(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into(), next_temporary: AtomicU64::new(0) }
    }

    /// Takes the exclusive lease of the publisher, without waiting; makes the folder where it is missing, and removes
    /// what a killed publisher left half-written.
    ///
    /// The operating system releases it when the process ends, however it ends.
    ///
    /// # Errors
    /// [`LedgerError::Leased`] when another publisher holds it; [`LedgerError::StoreUnavailable`] when the lock file
    /// cannot be opened.
    pub fn lease(&self) -> Result<Lease, LedgerError> {
        self.make_root().map_err(unavailable)?;
        let file = File::options().create(true).truncate(false).write(true).open(self.root.join(LEASE));
        let file = file.map_err(unavailable)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(LedgerError::Leased),
            Err(TryLockError::Error(error)) => return Err(unavailable(error)),
        }
        for left in fs::read_dir(self.root.join(TEMPORARY)).map_err(unavailable)? {
            fs::remove_file(left.map_err(unavailable)?.path()).map_err(unavailable)?;
        }
        Ok(Lease { _file: file })
    }

    fn make_root(&self) -> io::Result<()> {
        if self.root.join(TEMPORARY).is_dir() {
            return Ok(());
        }
        fs::create_dir_all(self.root.join(TEMPORARY))?;
        self.root.parent().filter(|parent| !parent.as_os_str().is_empty()).map_or(Ok(()), sync_folder)
    }

    fn locate(&self, path: &str) -> Result<PathBuf, LedgerError> {
        if is_log_path(path) { Ok(self.root.join(path)) } else { Err(LedgerError::PathMalformed) }
    }

    fn replace(&self, path: &str, target: &Path, bytes: &[u8]) -> io::Result<()> {
        let number = self.next_temporary.fetch_add(1, Ordering::Relaxed);
        let temporary = self.root.join(TEMPORARY).join(format!("{}-{number}", process::id()));
        let written = write_synced(&temporary, bytes)
            .and_then(|()| self.make_folders(path))
            .and_then(|folder| fs::rename(&temporary, target).map(|()| folder))
            .and_then(|folder| sync_folder(&folder));
        if written.is_err() {
            // The file is there only if the rename did not happen; the next lease removes what this leaves.
            let _ = fs::remove_file(&temporary);
        }
        written
    }

    /// Makes the folders of a path one by one, each durable before the next, and gives the last.
    fn make_folders(&self, path: &str) -> io::Result<PathBuf> {
        let mut folder = self.root.clone();
        let Some((folders, _)) = path.rsplit_once('/') else { return Ok(folder) };
        for name in folders.split('/') {
            let inner = folder.join(name);
            match fs::create_dir(&inner) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
                // Also where it existed: whoever made it may have been killed before the fsync.
                _ => sync_folder(&folder)?,
            }
            folder = inner;
        }
        Ok(folder)
    }
}

impl TileStore for FolderTiles {
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, LedgerError> {
        match fs::read(self.locate(path)?) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(unavailable(error)),
        }
    }

    fn write(&self, path: &str, bytes: &[u8]) -> Result<(), LedgerError> {
        let target = self.locate(path)?;
        self.replace(path, &target, bytes).map_err(unavailable)
    }
}

/// The right to publish into a folder; released on drop.
#[derive(Debug)]
#[must_use = "the lease ends when it is dropped"]
pub struct Lease {
    _file: File,
}

fn write_synced(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::options().create_new(true).write(true).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Makes the names in a folder durable (POSIX: fsync of the directory).
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

fn unavailable(error: io::Error) -> LedgerError {
    LedgerError::StoreUnavailable(error.kind())
}

/// No log path starts with a dot.
const LEASE: &str = ".lease";
const TEMPORARY: &str = ".temporary";

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> (tempfile::TempDir, FolderTiles) {
        let folder = tempfile::tempdir().unwrap();
        let tiles = FolderTiles::at(folder.path().join("log"));
        drop(tiles.lease().unwrap());
        (folder, tiles)
    }

    #[test]
    fn what_is_written_is_read_back_and_replaced_whole() {
        let (_folder, tiles) = folder();
        for path in ["checkpoint", "tile/0/000.p/7", "tile/0/000", "tile/entries/x001/x234/067"] {
            assert_eq!(tiles.read(path), Ok(None));
            tiles.write(path, b"first, longer").unwrap();
            tiles.write(path, b"second").unwrap();
            assert_eq!(tiles.read(path).unwrap().as_deref(), Some(&b"second"[..]));
        }
        assert_eq!(fs::read_dir(tiles.root.join(TEMPORARY)).unwrap().count(), 0);
    }

    #[test]
    fn only_paths_of_a_log_are_touched() {
        let (folder, tiles) = folder();
        for path in
            ["", "..", "../checkpoint", "/etc/passwd", "tile/../../x", "checkpoint/", ".lease", "tile/0/0"]
        {
            assert_eq!(tiles.read(path), Err(LedgerError::PathMalformed), "{path}");
            assert_eq!(tiles.write(path, b"x"), Err(LedgerError::PathMalformed), "{path}");
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn one_publisher_holds_the_lease_and_cleans_up_after_a_killed_one() {
        let (_folder, tiles) = folder();
        let left = tiles.root.join(TEMPORARY).join("1-0");
        fs::write(&left, b"half").unwrap();
        let lease = tiles.lease().unwrap();
        assert!(!left.exists());
        let again = FolderTiles::at(&tiles.root);
        assert_eq!(again.lease().err(), Some(LedgerError::Leased));
        drop(lease);
        assert!(again.lease().is_ok());
    }

    #[test]
    fn reading_makes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let tiles = FolderTiles::at(folder.path().join("log"));
        assert_eq!(tiles.read("checkpoint"), Ok(None));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_failed_write_leaves_the_old_file_and_says_so() {
        let (_folder, tiles) = folder();
        tiles.write("checkpoint", b"old").unwrap();
        fs::remove_dir(tiles.root.join(TEMPORARY)).unwrap();
        assert_eq!(
            tiles.write("checkpoint", b"new"),
            Err(LedgerError::StoreUnavailable(io::ErrorKind::NotFound))
        );
        assert_eq!(tiles.read("checkpoint").unwrap().as_deref(), Some(&b"old"[..]));
        fs::create_dir_all(tiles.root.join("tile/0/000")).unwrap();
        assert!(matches!(tiles.read("tile/0/000"), Err(LedgerError::StoreUnavailable(_))));
    }
}
