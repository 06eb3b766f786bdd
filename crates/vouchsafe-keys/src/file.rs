//! Small files that only this user can read, replaced whole or not at all.
//!
//! The bytes that a replacement leaves behind are overwritten in place before they are given back. On a file
//! system that writes elsewhere (journalled data, copy on write, flash, snapshots) that overwrite reaches
//! nothing, so it raises no erasure strength; it only shortens the list of places to look at.
use std::ffi::OsString;
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use ring::digest::{SHA256, SHA256_OUTPUT_LEN, digest};
use rustix::fs::OFlags;
use zeroize::Zeroizing;

use crate::KeysError;

/// The largest file that is read, in bytes.
const MAX_LEN: u64 = 256 << 20;

/// A path with an ending added to its file name.
pub(crate) fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(ending);
    PathBuf::from(name)
}

/// Opens a plain file of mode 0600 or stricter that belongs to this user; never through a link.
pub(crate) fn open(path: &Path, write: bool) -> Result<File, KeysError> {
    let file = options(write).open(path).map_err(|error| KeysError::from_io(&error))?;
    let metadata = file.metadata().map_err(|error| KeysError::from_io(&error))?;
    if !metadata.is_file() {
        return Err(KeysError::NotPlain);
    }
    check_access(&metadata, 0o077)?;
    Ok(file)
}

/// Opens a lock file, which holds nothing, and makes it if it is missing.
pub(crate) fn open_lock(path: &Path) -> Result<File, KeysError> {
    let file = options(true).create(true).open(path).map_err(|error| KeysError::from_io(&error))?;
    let metadata = file.metadata().map_err(|error| KeysError::from_io(&error))?;
    if metadata.is_file() { Ok(file) } else { Err(KeysError::NotPlain) }
}

/// Refuses an owner other than this user, and the mode bits of `forbidden`.
pub(crate) fn check_access(metadata: &Metadata, forbidden: u32) -> Result<(), KeysError> {
    let own = metadata.uid() == rustix::process::geteuid().as_raw();
    if own && metadata.mode() & forbidden == 0 { Ok(()) } else { Err(KeysError::TooOpen) }
}

/// Refuses what is no folder, a link to one included, and one that others own or can write to.
pub(crate) fn check_folder(folder: &Path) -> Result<(), KeysError> {
    let metadata = fs::symlink_metadata(folder).map_err(|error| KeysError::from_io(&error))?;
    if !metadata.is_dir() {
        return Err(KeysError::NotPlain);
    }
    check_access(&metadata, 0o022)
}

/// Whether anything, a dangling link included, has this name.
pub(crate) fn exists(path: &Path) -> Result<bool, KeysError> {
    match fs::symlink_metadata(path).map_err(|error| KeysError::from_io(&error)) {
        Ok(_) => Ok(true),
        Err(KeysError::Missing) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Reads a file that [`replace`] wrote and checks the SHA-256 at its end.
pub(crate) fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, KeysError> {
    let mut file = open(path, false)?;
    let len = file.metadata().map_err(|error| KeysError::from_io(&error))?.len();
    let capacity = usize::try_from(len).ok().filter(|_| len <= MAX_LEN).ok_or(KeysError::Corrupt)?;
    // Filled exactly, so that no smaller buffer is left behind by growth.
    let mut bytes = Zeroizing::new(vec![0; capacity]);
    file.read_exact(&mut bytes).map_err(|_| KeysError::Corrupt)?;
    let body_len = capacity.checked_sub(SHA256_OUTPUT_LEN).ok_or(KeysError::Corrupt)?;
    let (body, sum) = bytes.split_at(body_len);
    if digest(&SHA256, body).as_ref() != sum {
        return Err(KeysError::Corrupt);
    }
    bytes.truncate(body_len);
    Ok(bytes)
}

/// Reads the first bytes of a file that [`replace`] wrote, unchecked.
pub(crate) fn read_head<const N: usize>(path: &Path) -> Result<[u8; N], KeysError> {
    let mut head = [0; N];
    open(path, false)?.read_exact(&mut head).map_err(|_| KeysError::Corrupt)?;
    Ok(head)
}

/// Replaces a file and its checksum; `Ok` means that it survives a power cut. The caller holds the file's lock.
///
/// After an error either the old or the new file is there, whole.
pub(crate) fn replace(path: &Path, body: &[u8]) -> Result<(), KeysError> {
    let fresh = beside(path, ".tmp");
    discard(&fresh)?;
    write_new(&fresh, body).inspect_err(|_| {
        // What was written of it is no longer wanted; the next call discards it if this one cannot.
        let _ = discard(&fresh);
    })?;
    install(&fresh, path)
}

/// Gives a durable file another's name, durably, and overwrites what it replaces.
pub(crate) fn install(fresh: &Path, path: &Path) -> Result<(), KeysError> {
    let old = match open(path, true) {
        Ok(old) => Some(old),
        Err(KeysError::Missing) => None,
        Err(error) => return Err(error),
    };
    fs::rename(fresh, path).map_err(|error| KeysError::from_io(&error))?;
    sync_folder(path)?;
    if let Some(old) = old {
        // Best effort, see the head of the file.
        let _ = overwrite(old);
    }
    Ok(())
}

/// Overwrites and removes the fresh file that an interrupted [`replace`] left.
pub(crate) fn discard_leftover(path: &Path) -> Result<(), KeysError> {
    remove(&beside(path, ".tmp"))
}

/// Overwrites and removes a file, durably; a missing one is fine.
pub(crate) fn remove(path: &Path) -> Result<(), KeysError> {
    if exists(path)? {
        discard(path)?;
        sync_folder(path)?;
    }
    Ok(())
}

fn options(write: bool) -> OpenOptions {
    let mut options = OpenOptions::new();
    // Without NONBLOCK, opening a pipe that somebody put there would wait for ever.
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits();
    options.read(true).write(write).mode(0o600).custom_flags(flags.cast_signed());
    options
}

fn write_new(path: &Path, body: &[u8]) -> Result<(), KeysError> {
    let mut file = options(true).create_new(true).open(path).map_err(|error| as_unavailable(&error))?;
    let write = |file: &mut File| {
        file.write_all(body)?;
        file.write_all(digest(&SHA256, body).as_ref())?;
        file.sync_all()
    };
    write(&mut file).map_err(|error| as_unavailable(&error))
}

fn discard(path: &Path) -> Result<(), KeysError> {
    if let Ok(file) = open(path, true) {
        let _ = overwrite(file);
    }
    match fs::remove_file(path).map_err(|error| KeysError::from_io(&error)) {
        Ok(()) | Err(KeysError::Missing) => Ok(()),
        Err(error) => Err(error),
    }
}

fn overwrite(mut file: File) -> std::io::Result<()> {
    let mut left = file.metadata()?.len();
    let zeros = [0; 4096];
    while left > 0 {
        let now = zeros.get(..usize::try_from(left).unwrap_or(zeros.len())).unwrap_or(&zeros);
        file.write_all(now)?;
        left = left.saturating_sub(u64::try_from(now.len()).unwrap_or(left));
    }
    file.sync_data()
}

pub(crate) fn sync_folder(path: &Path) -> Result<(), KeysError> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    let folder = File::open(parent.unwrap_or(Path::new("."))).map_err(|error| as_unavailable(&error))?;
    folder.sync_all().map_err(|error| as_unavailable(&error))
}

/// A fresh file's name is ours, so only access is not a matter of the environment.
fn as_unavailable(error: &std::io::Error) -> KeysError {
    match KeysError::from_io(error) {
        KeysError::TooOpen => KeysError::TooOpen,
        _ => KeysError::Unavailable,
    }
}
