use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use ring::digest::{SHA256, digest};
use tempfile::TempDir;

/// A temporary folder, in memory where there is such a place: the targets flush files.
pub fn folder() -> TempDir {
    TempDir::new_in("/dev/shm").or_else(|_| TempDir::new()).expect("a temporary folder")
}

/// Puts a file there that only this user can read.
pub fn put(path: &Path, bytes: &[u8]) {
    // A new file each time: some file systems flush one that is cut and rewritten.
    let _ = fs::remove_file(path);
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    file.expect("a file of our own").write_all(bytes).expect("room on the disk");
}

/// As [`put`], with the checksum at its end that key files and stored states have.
pub fn put_summed(path: &Path, bytes: &[u8]) {
    put(path, &[bytes, digest(&SHA256, bytes).as_ref()].concat());
}

/// Whether a file can have this name.
pub fn is_file_name(name: &[u8]) -> bool {
    let dots = name == b"." || name == b"..";
    (1..=255).contains(&name.len()) && !dots && !name.iter().any(|byte| b"/\0".contains(byte))
}
