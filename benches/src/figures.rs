//! What the programs share: how figures are taken, and where they are kept.

use std::path::{Path, PathBuf};
use std::{env, fs};

use rustix::time::{ClockId, Timespec, clock_gettime};

/// An error is a sentence for the person at the terminal.
pub type Result<T, E = Box<dyn std::error::Error>> = std::result::Result<T, E>;

/// The middle of some measurements, and the least.
#[derive(Debug, Clone, Copy, Default)]
pub struct Spread {
    /// The least.
    pub least: f64,
    /// The median.
    pub median: f64,
}

/// The spread of these measurements; zeros for none.
pub fn spread(mut measured: Vec<f64>) -> Spread {
    measured.sort_by(f64::total_cmp);
    let at = |place: usize| measured.get(place).copied().unwrap_or_default();
    Spread { least: at(0), median: at(measured.len() / 2) }
}

/// Nanoseconds of processor time that this thread has used.
pub fn thread_nanoseconds() -> f64 {
    let Timespec { tv_sec, tv_nsec } = clock_gettime(ClockId::ThreadCPUTime);
    float(tv_sec) * 1e9 + float(tv_nsec)
}

/// Seconds of processor time that this process has used, in all its threads.
pub fn process_seconds() -> f64 {
    let Timespec { tv_sec, tv_nsec } = clock_gettime(ClockId::ProcessCPUTime);
    float(tv_sec) + float(tv_nsec) / 1e9
}

/// A number to compute with; exact up to 2⁵³.
pub fn float(number: impl TryInto<i64>) -> f64 {
    number.try_into().unwrap_or(i64::MAX) as f64
}

/// The workspace's root, known while cargo runs this program.
///
/// # Errors
/// A sentence, when it was started in another way.
pub fn root() -> Result<PathBuf> {
    let manifest = env::var("CARGO_MANIFEST_DIR").map_err(|_| "start me with `cargo run`")?;
    Ok(Path::new(&manifest).parent().ok_or("the workspace has no root")?.to_owned())
}

/// The folder that evidence is kept in, made if it is missing.
///
/// # Errors
/// The operating system's own.
pub fn evidence() -> Result<PathBuf> {
    let root = root()?;
    let target =
        env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |target| root.join(target));
    let folder = target.join("evidence");
    fs::create_dir_all(&folder)?;
    Ok(folder)
}

/// Numbers that look random and are the same in every run (SplitMix64).
#[derive(Debug, Clone)]
pub struct Draws(u64);

impl Draws {
    /// The sequence of a seed.
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number below `end`; the bias of the remainder is far below what is measured.
    pub const fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut next = self.0;
        next = (next ^ (next >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        next = (next ^ (next >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (next ^ (next >> 31)) % end
    }
}

/// A temporary folder on the disk that is built on.
///
/// # Errors
/// As [`evidence`].
pub fn folder(name: &str) -> Result<tempfile::TempDir> {
    Ok(tempfile::Builder::new().prefix(name).tempdir_in(evidence()?)?)
}
