use std::{
    fs::{self, File},
    io::{self, Read as _},
    path::Path,
};

use super::{
    findings::Findings,
    needles::Needles,
    search::{Counts, Index},
};

const BLOCK: usize = 4 << 20;

/// Looks for every needle in the raw bytes of every file below `folder`: logs, `-wal`, `-shm`, free pages of a
/// database, files without a name that tells anything. Links are not followed.
///
/// # Errors
/// When the folder or a file cannot be read. A file that went away meanwhile is passed over.
pub fn scan_files(folder: &Path, needles: &Needles) -> io::Result<Findings> {
    let index = needles.index();
    let mut findings = Findings::default();
    let mut block = vec![0; BLOCK];
    let mut folders = vec![folder.to_owned()];
    while let Some(current) = folders.pop() {
        for entry in fs::read_dir(&current)? {
            let entry = entry?;
            let path = entry.path();
            let kind = entry.file_type()?;
            if kind.is_dir() {
                folders.push(path);
            } else if kind.is_file() {
                let place = path.strip_prefix(folder).unwrap_or(&path).display().to_string();
                let mut counts = Counts::new();
                let bytes = match File::open(&path) {
                    Ok(file) => scan_file(file, &index, &mut block, &mut counts)?,
                    Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
                    Err(error) => return Err(error),
                };
                findings.record(needles, &place, bytes, &counts);
            }
        }
    }
    Ok(findings)
}

fn scan_file(mut file: File, index: &Index<'_>, block: &mut [u8], counts: &mut Counts) -> io::Result<u64> {
    let (mut carried, mut bytes) = (0, 0);
    while let Some(room) = block.get_mut(carried..) {
        let got = file.read(room)?;
        if got == 0 {
            break;
        }
        let filled = carried + got;
        index.search(block.get(..filled).unwrap_or_default(), carried, counts);
        bytes += got as u64;
        carried = index.overlap().min(filled);
        block.copy_within(filled - carried..filled, 0);
    }
    Ok(bytes)
}
