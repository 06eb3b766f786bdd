//! The statements of the port, written once for every engine.
//!
//! They stay within what SQLite and PostgreSQL both read and both run well: placeholders `?1`, `?2`, …, a conflict
//! target wherever rows are replaced, columns named in full where two could be meant, integers of 64 bits, and joins
//! whose order the engine cannot improve. An [`Engine`] binds, runs and reads; it knows nothing of the tables.
mod consent;
mod documents;
mod holdings;
mod holds;
mod jobs;
mod leases;
mod lives;
mod notices;
mod orphans;
mod retention;
mod rows;
mod sealed;
mod transaction;
mod value;

pub(crate) use rows::{Rows, organisations};
pub(crate) use value::{Columns, Engine, Value};

#[cfg(all(feature = "sqlite", any(test, feature = "test-util")))]
pub(crate) use holdings::LIVE;

/// What the tests look at.
#[cfg(any(test, feature = "test-util"))]
pub(crate) mod texts {
    pub(crate) use super::lives::{OF_A_LIFE, OF_A_PERSON};
    #[cfg(test)]
    pub(crate) use super::orphans::REFERENCES;
    pub(crate) use super::orphans::tables;
    #[cfg(all(test, feature = "sqlite"))]
    pub(crate) use super::{
        consent::OPEN_DUE,
        documents::{due as documents_due, of_person as documents_of_person},
        holdings::{DUE, LATE, LIVE_COUNT, OLDEST},
        jobs::{CLAIMABLE, FINISHED},
        lives::SPENT,
        sealed::{KEY_USAGE, under},
    };
}
