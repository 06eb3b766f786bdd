//! Files that the operator names: read within bounds, written whole or not at all.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process;

use serde::Serialize;

use crate::CliError;

/// The most that is read of a file of text: a plan of a million items fits.
const MAX_TEXT: u64 = 256 << 20;

/// Reads a file whole; `what` names the part it plays.
pub(crate) fn read(path: &Path, what: &'static str) -> Result<Vec<u8>, CliError> {
    let read = || {
        let mut bytes = Vec::new();
        File::open(path)?.take(MAX_TEXT + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > MAX_TEXT { Err(io::ErrorKind::FileTooLarge.into()) } else { Ok(bytes) }
    };
    read().map_err(|error: io::Error| CliError::file(what, &error))
}

/// As [`read`], for text.
pub(crate) fn read_text(path: &Path, what: &'static str) -> Result<String, CliError> {
    String::from_utf8(read(path, what)?).map_err(|_| CliError::Malformed(what))
}

/// Writes a file that was not there, readable by its owner only; on failure nothing is left.
pub(crate) fn write_new(path: &Path, what: &'static str, bytes: &[u8]) -> Result<(), CliError> {
    let fail = |error: io::Error| CliError::file(what, &error);
    let mut file = File::options().write(true).create_new(true).mode(0o600).open(path).map_err(fail)?;
    let written = file.write_all(bytes).and_then(|()| file.sync_all());
    if written.is_err() {
        let _ = fs::remove_file(path);
    }
    written.map_err(fail)
}

/// Writes a file in the place of an older one, through a file beside it; durable when it returns.
pub(crate) fn replace(path: &Path, what: &'static str, bytes: &[u8]) -> Result<(), CliError> {
    let mut beside = path.as_os_str().to_owned();
    // One that a killed process left is in nobody's way.
    beside.push(format!(".{}.part", process::id()));
    let beside = PathBuf::from(beside);
    write_new(&beside, what, bytes)?;
    let renamed = fs::rename(&beside, path);
    if renamed.is_err() {
        let _ = fs::remove_file(&beside);
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let durable = renamed.and_then(|()| File::open(folder)?.sync_all());
    durable.map_err(|error| CliError::file(what, &error))
}

/// Prints a value as indented JSON.
pub(crate) fn print_json(out: &mut dyn Write, value: &impl Serialize) -> Result<(), CliError> {
    let text = serde_json::to_string_pretty(value).map_err(|_| CliError::Malformed("the JSON report"))?;
    Ok(writeln!(out, "{text}")?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_file_never_hides_an_old_one_and_a_replacement_does() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("plan.json");
        write_new(&path, "the plan", b"one").unwrap();
        let again = write_new(&path, "the plan", b"two").unwrap_err();
        assert_eq!(again.to_string(), "the plan exists already; name a new one");
        assert_eq!(read_text(&path, "the plan").unwrap(), "one");
        replace(&path, "the plan", b"three").unwrap();
        assert_eq!(read(&path, "the plan").unwrap(), b"three");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_cannot_be_read_is_named_by_its_part_only() {
        let folder = tempfile::tempdir().unwrap();
        let missing = read(&folder.path().join("x"), "the approval").unwrap_err();
        assert_eq!((missing.to_string().as_str(), missing.exit_code()), ("the approval does not exist", 2));
        let path = folder.path().join("binary");
        write_new(&path, "the note", &[0xff, 0xfe]).unwrap();
        assert_eq!(read_text(&path, "the note").unwrap_err().to_string(), "the note is malformed");
        assert_eq!(read(folder.path(), "the note").unwrap_err().exit_code(), 1);
    }
}
