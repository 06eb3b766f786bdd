//! A backup is one set of files, whatever the engine: a table of contents and the rows of each table.
//!
//! It is taken from one snapshot while the store serves, holds rows and nothing else (no key, no key state, no fence
//! journal, no tile), and is restored into an empty database of either engine.
//!
#![doc = include_str!("backup/format.md")]
use std::path::PathBuf;

use vouchsafe_types::OrganisationId;

use crate::sql::{self, Engine, Value};
use crate::{Store, StoreError};

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
pub use read::{rewrite_manifest, rewrite_rows};
pub(crate) use restore::Target;
#[cfg(all(test, feature = "postgres"))]
pub(crate) use tables::SCHEMA;
use tables::{TABLES, Table};

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

    fn count(&self, table: &Table, organisation: &OrganisationId) -> Result<u64, StoreError> {
        let mut count = None;
        self.engine.query(&table.count(), &[Value::Text(organisation.as_str())], &mut |columns| {
            count = columns.int(0)?.and_then(|count| u64::try_from(count).ok());
            Ok(())
        })?;
        count.ok_or(StoreError::Damaged)
    }

    const fn engine_name(&self) -> &'static str {
        self.name
    }
}

/// Tables with the number of their rows.
pub type Counts = Vec<(&'static str, u64)>;

/// How many rows of each table there are, by organisation, in one snapshot.
///
/// # Errors
/// As [`Store::copy_with`].
pub fn count_rows(store: &dyn Store) -> Result<Vec<(OrganisationId, Counts)>, StoreError> {
    let mut found = Vec::new();
    store.copy_with(&mut |copying| {
        for id in copying.organisations()? {
            copying.enter(&id)?;
            let rows: Result<Vec<_>, StoreError> =
                TABLES.iter().map(|table| Ok((table.name, copying.count(table, &id)?))).collect();
            found.push((id, rows?));
        }
        Ok(())
    })?;
    Ok(found)
}

impl std::fmt::Debug for Copying<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Copying").field("engine", &self.name).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
