//! The kill drill: a process is killed at a random instant, and what it left is compared with what it said.
//!
//! - [`serve`] is the process that dies: it does what it is told, line by line, and answers after each call returned.
//! - [`Victim`] is its handle: it kills the process with SIGKILL, and keeps what was said until then.
//! - [`Model`] is what must be true after everything that was answered; of the one call that was not, either nothing or
//!   all of it must be true.
//! - [`inspect`] looks at the folder as the kill left it and names the [`Phase`]; [`settle`] opens it, lets it finish
//!   what it began, and compares state, log and keys again.
//!
//! A kill takes the process and leaves the operating system: what was written and not yet on the disk survives. It
//! says nothing about a power cut.

mod check;
mod deed;
mod model;
mod phase;
mod serve;
mod victim;

pub use check::{Findings, Inspection, inspect, settle};
pub use deed::{Answer, Command, Deed, Said};
pub use model::{Model, Person, Template};
pub use phase::Phase;
pub use serve::serve;
pub use victim::{Testimony, Victim};
