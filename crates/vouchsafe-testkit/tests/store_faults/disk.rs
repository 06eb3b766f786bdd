//! A small disk in memory.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

/// A mounted disk; it is unmounted with this value.
pub(crate) struct Disk {
    folder: tempfile::TempDir,
}

impl Disk {
    /// One of so many megabytes; `None`, said aloud, for whoever may mount nothing.
    pub(crate) fn mount(megabytes: u32, test: &str) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &format!("size={megabytes}m,mode=0755"), "tmpfs"]);
        let mounted = mount.arg(folder.path()).output().is_ok_and(|output| output.status.success());
        if !mounted {
            // Not by a macro: what those print of a test that passes is never seen.
            let _ = writeln!(io::stderr(), "SKIPPED {test}: no file system can be mounted here");
        }
        mounted.then_some(Self { folder })
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.folder.path()).status();
    }
}

/// Fills a disk to the last byte; what fills it is to be removed.
pub(crate) fn fill(disk: &Path) -> PathBuf {
    let path = disk.join("ballast");
    let mut file = File::create(&path).unwrap();
    for block in [1 << 20, 1 << 12] {
        let zeros = vec![0_u8; block];
        while file.write_all(&zeros).is_ok() {}
    }
    path
}

/// Frees it again.
pub(crate) fn free(ballast: &Path) -> io::Result<()> {
    fs::remove_file(ballast)
}
