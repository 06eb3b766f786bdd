//! Scans of another process's memory and of every file below a folder, for bytes that must not be there.
//!
//! The process that scans holds the [`Needles`]; the process that is scanned must not get them (as arguments, say, or
//! as constants of a shared binary), or it finds them in their own description. Each needle is looked for as several
//! short windows: a freed block keeps its tail when the free list overwrote its head, and that tail counts.
//!
//! A scan that finds nothing proves nothing until the same scan finds what was planted: run it on a control too.
//!
//! ```no_run
//! use vouchsafe_testkit::scan::{Needles, ProcessMemory, scan_files};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let (pid, embedding, key, folder) = (1, [0.0; 512], [0; 32], "store");
//! let mut needles = Needles::new();
//! needles.embedding("probe", &embedding)?;
//! needles.key("record key", &key)?;
//! let mut findings = ProcessMemory::of(pid)?.scan(&needles)?;
//! findings.merge(scan_files(folder.as_ref(), &needles)?);
//! assert_eq!(findings.total(), 0, "{findings}");
//! # Ok(())
//! # }
//! ```

mod files;
mod findings;
mod half;
mod needles;
mod process;
mod search;
#[cfg(test)]
mod tests;

pub use files::scan_files;
pub use findings::{Findings, Hit};
pub use half::half_from_f32;
pub use needles::{NeedleError, Needles, Normalisation};
pub use process::{ProcessMemory, Region};
