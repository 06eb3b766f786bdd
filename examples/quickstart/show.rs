//! Printing, timing and folders for the quickstart.

use std::error::Error;
use std::path::Path;
use std::time::Instant;
use std::{fs, io};

/// Prints numbered steps.
pub(crate) struct Show(u32);

impl Show {
    pub(crate) const fn new() -> Self {
        Self(0)
    }

    /// Runs a step, prints what it did and how long it took, and gives its value.
    pub(crate) fn timed<T>(
        &mut self,
        what: &str,
        step: impl FnOnce() -> Result<(T, String), Box<dyn Error>>,
    ) -> Result<T, Box<dyn Error>> {
        self.0 += 1;
        let begun = Instant::now();
        let (value, found) = step().inspect_err(|_| println!("{:>2}. {what}: FAILED", self.0))?;
        let milliseconds = begun.elapsed().as_secs_f64() * 1e3;
        println!("{:>2}. {what} ({milliseconds:.0} ms)", self.0);
        if !found.is_empty() {
            println!("      {found}");
        }
        Ok(value)
    }
}

/// The largest resident memory so far, in MiB; 0 where the system does not tell.
pub(crate) fn peak_mib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kib.unwrap_or(0) / 1024
}

/// Copies a folder with everything in it.
pub(crate) fn copy_folder(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

/// Puts a copy of one folder in the place of another.
pub(crate) fn replace_folder(from: &Path, to: &Path) -> io::Result<()> {
    fs::remove_dir_all(to)?;
    copy_folder(from, to)
}
