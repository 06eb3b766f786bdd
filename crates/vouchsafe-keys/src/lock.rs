//! Advisory locks (`flock`) with a bounded wait, across threads and processes.
use std::fs::{File, TryLockError};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::{KeysError, file};

/// The longest wait for a lock.
const WAIT: Duration = Duration::from_secs(5);
/// The longest wait for a lock that is held while a device works, and for its gate.
#[cfg(feature = "tpm")]
const LONG_WAIT: Duration = Duration::from_secs(15);
/// The first and the longest pause between two tries.
const PAUSES: (Duration, Duration) = (Duration::from_micros(50), Duration::from_millis(2));

/// Takes the exclusive lock; it is held until the file is dropped.
pub(crate) fn exclusive(path: &Path) -> Result<File, KeysError> {
    acquire(path, WAIT, File::try_lock)
}

/// As [`exclusive`], for a lock that is held for long: whoever waits for it first closes a gate beside it, so
/// that the one who gives it back cannot take it again before them.
#[cfg(feature = "tpm")]
pub(crate) fn exclusive_gated(path: &Path, gate: &Path) -> Result<File, KeysError> {
    let _passing = acquire(gate, LONG_WAIT, File::try_lock)?;
    acquire(path, LONG_WAIT, File::try_lock)
}

/// Takes a shared lock; it is held until the file is dropped.
pub(crate) fn shared(path: &Path) -> Result<File, KeysError> {
    acquire(path, WAIT, File::try_lock_shared)
}

fn acquire(
    path: &Path,
    wait: Duration,
    attempt: fn(&File) -> Result<(), TryLockError>,
) -> Result<File, KeysError> {
    let mut file = file::open_lock(path)?;
    let begun = Instant::now();
    let (mut pause, longest) = PAUSES;
    loop {
        match attempt(&file) {
            // Somebody may have removed the file meanwhile; the next one would lock another.
            Ok(()) if is_at(&file, path)? => return Ok(file),
            Ok(()) => file = file::open_lock(path)?,
            Err(TryLockError::Error(error)) => return Err(KeysError::from_io(&error)),
            Err(TryLockError::WouldBlock) if begun.elapsed() >= wait => return Err(KeysError::Unavailable),
            Err(TryLockError::WouldBlock) => std::thread::sleep(pause),
        }
        pause = longest.min(pause * 2);
    }
}

/// Whether the path still names this file.
fn is_at(file: &File, path: &Path) -> Result<bool, KeysError> {
    let held = file.metadata().map_err(|error| KeysError::from_io(&error))?;
    let named = std::fs::symlink_metadata(path);
    Ok(named.is_ok_and(|named| (named.dev(), named.ino()) == (held.dev(), held.ino())))
}
