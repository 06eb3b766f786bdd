//! Random operations of many clients in several processes, against a sequential model of each person.
//!
//! - [`is_service`] makes a process a service: it does what it is told on several lanes, each of them a client's thread.
//! - [`Drive`] is the parent: it draws operations, gives them to lanes, and compares each answer with the [`Model`].
//! - [`Stand`] says where rows, keys and log are; the processes share it.
//! - [`inspect`] compares rows, log and keys with the model when nothing runs any more.
//!
//! Of two operations on the same person at the same time, the answers must fit one order of their steps, a step being a
//! call of the facade. A call whose answer was an error, or was never heard, may or may not have taken place; the model
//! keeps both until somebody asks.

mod deed;
mod drive;
mod model;
mod person;
mod plan;
mod process;
mod report;
mod serve;
mod sight;
mod stand;

pub use deed::{Deed, Said, Step, Word};
pub use drive::{Drive, Setup, Trouble};
pub use model::{Job, Misfit, Model, SweepEnd, Totals};
pub use person::{Leaves, Person, Status, Template};
pub use report::Report;
pub use serve::{FOLDER, is_service};
pub use sight::{Keepsakes, inspect};
pub use stand::{BUCKETS, Shifted, Stand};
