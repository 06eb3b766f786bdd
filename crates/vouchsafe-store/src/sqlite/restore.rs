//! A backup in a new file.
use std::fs;
use std::path::Path;

use rusqlite::{Connection, TransactionBehavior};
use vouchsafe_types::{OrganisationId, Timestamp};

use super::engine::SqliteEngine;
use super::schema::{APPLICATION_ID, RESTORING, migrate};
use super::{SqliteStore, connect, create_private, mapped};
use crate::backup::Target;
use crate::sql::Engine;
use crate::{Backup, BackupError, StoreError};

impl SqliteStore {
    /// Restores a backup, of either engine, into a new file, and leaves each organisation to its recovery.
    ///
    /// All of the backup is verified before the first row is written. Until the last one is, the file is marked half
    /// restored, and [`Self::open`] refuses it.
    ///
    /// # Errors
    /// [`BackupError::Occupied`] if there is a file; as [`Backup::verify`]; [`BackupError::Store`].
    pub fn restore(file: &Path, backup: &Backup, at: Timestamp) -> Result<(), BackupError> {
        if fs::symlink_metadata(file).is_ok() {
            return Err(BackupError::Occupied);
        }
        backup.verify()?;
        create_private(file)?;
        let mut connection = connect(file)?;
        match migrate(&mut connection, RESTORING) {
            // The mark that was just made.
            Err(StoreError::HalfRestored) => {}
            made => made?,
        }
        let target = Restoring { connection };
        backup.fill(&target, at)?;
        let mark = target.connection.pragma_update(None, "application_id", APPLICATION_ID);
        Ok(mark.map_err(mapped)?)
    }
}

struct Restoring {
    connection: Connection,
}

impl Target for Restoring {
    fn batch(
        &self,
        _: &OrganisationId,
        act: &mut dyn FnMut(&dyn Engine) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let transaction =
            rusqlite::Transaction::new_unchecked(&self.connection, TransactionBehavior::Immediate)
                .map_err(mapped)?;
        act(&SqliteEngine::new(&transaction))?;
        transaction.commit().map_err(mapped)
    }
}
