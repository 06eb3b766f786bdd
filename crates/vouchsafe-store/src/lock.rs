use std::fs::{self, File, TryLockError};
use std::io::{self, Read, Write};
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use vouchsafe_ledger::{CheckpointLock, LedgerError};

use crate::tiles::sync_folder;

/// The newest signed note of one log in a folder of its own, in the file `checkpoint`.
///
/// The folder belongs on another volume than the database and the tiles: what a restore of those does not set back.
/// A change is atomic and durable: under an exclusive lock of the operating system it compares, writes a temporary
/// file, syncs it, renames it and syncs the folder. Processes wait for each other up to 5 seconds, then get
/// [`LedgerError::LockUnavailable`].
#[derive(Debug)]
pub struct FolderLock {
    folder: PathBuf,
}

impl FolderLock {
    /// The lock in this folder. Nothing is touched: the first swap, which expects nothing, makes the folder.
    ///
    /// A folder that is missing, as that of a volume that is not mounted, loads as a log that never published; a
    /// swap that expects a note then fails with [`LedgerError::CheckpointMoved`].
    pub fn at(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// Waits for the exclusive lock; it ends with the file, and with the process at the latest.
    fn hold(&self) -> io::Result<File> {
        let file = File::options().create(true).truncate(false).write(true).open(self.folder.join(LOCK))?;
        let begun = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(file),
                Err(TryLockError::WouldBlock) if begun.elapsed() < LONGEST_WAIT => thread::sleep(PAUSE),
                Err(TryLockError::WouldBlock) => return Err(io::ErrorKind::WouldBlock.into()),
                Err(TryLockError::Error(error)) => return Err(error),
            }
        }
    }

    fn make_folder(&self) -> io::Result<()> {
        if self.folder.is_dir() {
            return Ok(());
        }
        fs::create_dir_all(&self.folder)?;
        self.folder.parent().filter(|parent| !parent.as_os_str().is_empty()).map_or(Ok(()), sync_folder)
    }

    fn read(&self) -> io::Result<Option<Vec<u8>>> {
        let file = match File::open(self.folder.join(CHECKPOINT)) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let mut bytes = Vec::new();
        file.take(MOST_BYTES + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > MOST_BYTES {
            Err(io::ErrorKind::FileTooLarge.into())
        } else {
            Ok(Some(bytes))
        }
    }

    fn replace(&self, new: &[u8]) -> io::Result<()> {
        // Of a killed process one may be left; it is overwritten.
        let temporary = self.folder.join(TEMPORARY);
        let mut file = File::create(&temporary)?;
        file.write_all(new)?;
        file.sync_all()?;
        fs::rename(&temporary, self.folder.join(CHECKPOINT))?;
        sync_folder(&self.folder)
    }
}

impl CheckpointLock for FolderLock {
    fn load(&self) -> Result<Option<Vec<u8>>, LedgerError> {
        self.read().map_err(unavailable)
    }

    fn swap(&self, expected: Option<&[u8]>, new: &[u8]) -> Result<(), LedgerError> {
        if new.len() as u64 > MOST_BYTES {
            return Err(unavailable(io::ErrorKind::FileTooLarge.into()));
        }
        if expected.is_none() {
            self.make_folder().map_err(unavailable)?;
        } else if !self.folder.is_dir() {
            return Err(LedgerError::CheckpointMoved);
        }
        let _held = self.hold().map_err(unavailable)?;
        if self.read().map_err(unavailable)?.as_deref() != expected {
            return Err(LedgerError::CheckpointMoved);
        }
        self.replace(new).map_err(unavailable)
    }
}

fn unavailable(error: io::Error) -> LedgerError {
    LedgerError::LockUnavailable(error.kind())
}

const CHECKPOINT: &str = "checkpoint";
const LOCK: &str = ".lock";
const TEMPORARY: &str = ".temporary";
/// A note with hundreds of cosignatures has a tenth of this.
const MOST_BYTES: u64 = 1 << 20;
const LONGEST_WAIT: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_micros(500);

#[cfg(test)]
mod tests {
    use super::*;

    fn lock() -> (tempfile::TempDir, FolderLock) {
        let folder = tempfile::tempdir().unwrap();
        let lock = FolderLock::at(folder.path().join("lock"));
        (folder, lock)
    }

    #[test]
    fn a_swap_replaces_exactly_what_is_expected() {
        let (folder, lock) = lock();
        assert_eq!(lock.load(), Ok(None));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "reading makes nothing");
        assert_eq!(lock.swap(Some(b"one"), b"two"), Err(LedgerError::CheckpointMoved));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        lock.swap(None, b"one, longer").unwrap();
        for wrong in [None, Some(&b"one"[..]), Some(b""), Some(b"one, longer.")] {
            assert_eq!(lock.swap(wrong, b"two"), Err(LedgerError::CheckpointMoved), "{wrong:?}");
            assert_eq!(lock.load().unwrap().as_deref(), Some(&b"one, longer"[..]));
        }
        lock.swap(Some(b"one, longer"), b"two").unwrap();
        let again = FolderLock::at(&lock.folder);
        assert_eq!(again.load().unwrap().as_deref(), Some(&b"two"[..]));
        assert_eq!(lock.swap(Some(b"one, longer"), b"three"), Err(LedgerError::CheckpointMoved));
    }

    #[test]
    fn what_a_killed_process_left_changes_nothing() {
        let (_folder, lock) = lock();
        lock.swap(None, b"one").unwrap();
        fs::write(lock.folder.join(TEMPORARY), b"half of a much longer note").unwrap();
        assert_eq!(lock.load().unwrap().as_deref(), Some(&b"one"[..]));
        lock.swap(Some(b"one"), b"two").unwrap();
        assert_eq!(lock.load().unwrap().as_deref(), Some(&b"two"[..]));
        assert!(!lock.folder.join(TEMPORARY).exists());
    }

    #[test]
    fn of_many_that_swap_at_once_one_wins_each_round() {
        let (folder, first) = lock();
        first.swap(None, &0_u64.to_be_bytes()).unwrap();
        let wins: u64 = thread::scope(|scope| {
            let threads: Vec<_> = (0..8)
                .map(|_| {
                    let lock = FolderLock::at(folder.path().join("lock"));
                    scope.spawn(move || (0..40).map(|_| increment(&lock)).sum::<u64>())
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        assert!(wins > 0);
        assert_eq!(first.load().unwrap().as_deref(), Some(&wins.to_be_bytes()[..]));
    }

    fn increment(lock: &FolderLock) -> u64 {
        let old = lock.load().unwrap().unwrap();
        let next = u64::from_be_bytes(old.as_slice().try_into().unwrap()) + 1;
        match lock.swap(Some(&old), &next.to_be_bytes()) {
            Ok(()) => 1,
            Err(error) => {
                assert_eq!(error, LedgerError::CheckpointMoved);
                0
            }
        }
    }

    #[test]
    fn a_folder_that_does_not_work_is_unavailable_and_never_empty() {
        let (folder, _) = lock();
        let file = folder.path().join("file");
        fs::write(&file, b"").unwrap();
        let inside = FolderLock::at(file.join("lock"));
        assert!(matches!(inside.load(), Err(LedgerError::LockUnavailable(_))));
        assert!(matches!(inside.swap(None, b"x"), Err(LedgerError::LockUnavailable(_))));

        let lock = FolderLock::at(folder.path().join("lock"));
        fs::create_dir_all(lock.folder.join(CHECKPOINT)).unwrap();
        assert!(matches!(lock.load(), Err(LedgerError::LockUnavailable(_))));
        assert!(matches!(lock.swap(None, b"x"), Err(LedgerError::LockUnavailable(_))));
    }

    #[test]
    fn a_file_that_is_no_note_is_not_read_whole() {
        let (_folder, lock) = lock();
        let most = usize::try_from(MOST_BYTES).unwrap();
        lock.swap(None, &vec![b'x'; most]).unwrap();
        assert_eq!(lock.load().unwrap().unwrap().len(), most);
        let too_large = Err(LedgerError::LockUnavailable(io::ErrorKind::FileTooLarge));
        assert_eq!(lock.swap(None, &vec![b'x'; most + 1]), too_large);
        fs::write(lock.folder.join(CHECKPOINT), vec![b'x'; most + 1]).unwrap();
        assert_eq!(lock.load().map(drop), too_large);
    }
}
