//! Whether a kill hit a batch while it was written: the write-ahead log as it lies on the disk, before anybody opens it.
//!
//! SQLite, "WAL-mode File Format", sections 2 and 4.

use std::fs;
use std::path::Path;

use vouchsafe_testkit::scene::database;

const HEADER: usize = 32;
const FRAME_HEADER: usize = 24;

/// Whether there are frames of the current generation behind the last one that commits.
pub(crate) fn is_torn(folder: &Path) -> bool {
    let mut name = database(folder).into_os_string();
    name.push("-wal");
    let Ok(wal) = fs::read(name) else { return false };
    let Some((header, frames)) = wal.split_at_checked(HEADER) else { return false };
    let page = u32::from_be_bytes(header[8..12].try_into().unwrap()) as usize;
    let salts = &header[16..24];
    let mut torn = false;
    for frame in frames.chunks(FRAME_HEADER + page) {
        if frame.len() < FRAME_HEADER || frame[8..16] != *salts {
            return torn;
        }
        let whole = frame.len() == FRAME_HEADER + page;
        torn = !whole || frame[4..8] == [0; 4];
    }
    torn
}
