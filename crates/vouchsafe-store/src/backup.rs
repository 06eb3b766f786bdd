//! A backup is one set of files, whatever the engine: a table of contents and the rows of each table.
//!
//! It is taken from one snapshot while the store serves, holds rows and nothing else (no key, no key state, no fence
//! journal, no tile), and is restored into an empty database of either engine. See [`docs::backup_format`].
//!
//! [`docs::backup_format`]: crate::backup_format
use std::path::PathBuf;

use vouchsafe_types::OrganisationId;

use crate::StoreError;
use crate::sql::{self, Engine};

mod error;
mod frame;
mod manifest;
mod read;
mod restore;
mod tables;
mod write;

pub use error::BackupError;
pub use manifest::{Copied, Manifest};
#[cfg(any(test, feature = "test-util"))]
pub use read::read_rows;
pub(crate) use restore::Target;
#[cfg(all(test, feature = "postgres"))]
pub(crate) use tables::SCHEMA;

/// The kind of the job that a restore leaves in each organisation: nothing else is done before it is finished.
pub const RECOVERY: u8 = 4;

/// A backup in a folder of its own.
#[derive(Debug)]
pub struct Backup {
    folder: PathBuf,
    manifest: Manifest,
}

/// All rows of a store, as one snapshot has them.
pub struct Copying<'a> {
    engine: &'a dyn Engine,
    name: &'static str,
    enter: &'a dyn Fn(&str) -> Result<(), StoreError>,
}

impl<'a> Copying<'a> {
    /// `enter` shows the rows of one organisation, or with `*` the list of all.
    pub(crate) const fn new(
        engine: &'a dyn Engine,
        name: &'static str,
        enter: &'a dyn Fn(&str) -> Result<(), StoreError>,
    ) -> Self {
        Self { engine, name, enter }
    }

    fn organisations(&self) -> Result<Vec<OrganisationId>, StoreError> {
        (self.enter)("*")?;
        sql::organisations(self.engine)
    }

    fn enter(&self, organisation: &OrganisationId) -> Result<(), StoreError> {
        (self.enter)(organisation.as_str())
    }

    const fn engine_name(&self) -> &'static str {
        self.name
    }
}

impl std::fmt::Debug for Copying<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Copying").field("engine", &self.name).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
