use std::fs::{self, OpenOptions};
use std::path::Path;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use crate::port::{Store, Transaction};
use crate::{StoreError, sqlite::rows::Rows};

mod consent;
mod notices;
mod rows;
mod sealed;
mod transaction;
mod turn;

use turn::Turnstile;

/// Migrations, oldest first; `user_version` counts those applied.
const MIGRATIONS: &[&str] = &[
    include_str!("sqlite/schema-1.sql"),
    include_str!("sqlite/schema-2.sql"),
    include_str!("sqlite/schema-3.sql"),
];
/// `application_id` of a vouchsafe database: "vchs".
const APPLICATION_ID: i32 = 0x7663_6873;
/// How long a transaction waits for another process.
const BUSY_WAIT: Duration = Duration::from_secs(5);

/// The storage port on one SQLite file.
///
/// WAL, `synchronous=FULL` (a commit is on the disk before it returns), `secure_delete` (deleted bytes are
/// overwritten), foreign keys on. One connection serves one process, one transaction at a time; processes share
/// the file, write in turns, and wait for each other up to 5 seconds, then get [`StoreError::Locked`].
#[derive(Debug)]
pub struct SqliteStore {
    connection: Mutex<Connection>,
    turnstile: Turnstile,
}

impl SqliteStore {
    /// Opens the database, creates it (mode 0600) if there is none, and migrates it forward.
    ///
    /// # Errors
    /// [`StoreError::NewerSchema`], [`StoreError::Damaged`] for a file of another program,
    /// [`StoreError::ReadOnly`], [`StoreError::Locked`], [`StoreError::Full`], [`StoreError::Io`].
    pub fn open(file: &Path) -> Result<Self, StoreError> {
        create_private(file)?;
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut connection = Connection::open_with_flags(file, flags).map_err(mapped)?;
        configure(&connection).map_err(mapped)?;
        migrate(&mut connection)?;
        Ok(Self { connection: Mutex::new(connection), turnstile: Turnstile::beside(file) })
    }

    /// Opens the database with a bound on its growth: at most `pages` more pages of 4 KiB than it has now.
    ///
    /// What would exceed it gives [`StoreError::Full`] and leaves nothing.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_limited(file: &Path, pages: u32) -> Result<Self, StoreError> {
        let store = Self::open(file)?;
        {
            let connection = store.connection();
            let used: u32 =
                connection.pragma_query_value(None, "page_count", |row| row.get(0)).map_err(mapped)?;
            connection.pragma_update(None, "max_page_count", used.saturating_add(pages)).map_err(mapped)?;
        }
        Ok(store)
    }

    fn connection(&self) -> MutexGuard<'_, Connection> {
        // A poisoned lock only means that a closure panicked; its transaction was rolled back on unwind.
        self.connection.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl Store for SqliteStore {
    fn write_with(
        &self,
        act: &mut dyn FnMut(&mut dyn Transaction) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let mut connection = self.connection();
        let turn = self.turnstile.wait(BUSY_WAIT)?;
        let transaction =
            connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(mapped)?;
        drop(turn);
        act(&mut Rows::new(&transaction))?;
        transaction.commit().map_err(mapped)
    }

    fn read_with(
        &self,
        act: &mut dyn FnMut(&mut dyn Transaction) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let mut connection = self.connection();
        let snapshot = connection.transaction_with_behavior(TransactionBehavior::Deferred).map_err(mapped)?;
        act(&mut Rows::new(&snapshot))?;
        snapshot.rollback().map_err(mapped)
    }

    fn remove_remnants(&self) -> Result<(), StoreError> {
        let connection = self.connection();
        let _turn = self.turnstile.wait(BUSY_WAIT)?;
        let busy: i64 =
            connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0)).map_err(mapped)?;
        if busy == 0 { Ok(()) } else { Err(StoreError::Locked) }
    }
}

fn mapped(error: rusqlite::Error) -> StoreError {
    StoreError::from_sqlite(&error)
}

/// SQLite creates files with the process's umask; the database holds pseudonyms, so nobody else reads it.
fn create_private(file: &Path) -> Result<(), StoreError> {
    if fs::symlink_metadata(file).is_ok() {
        return Ok(());
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(file) {
        Ok(_) => Ok(()),
        Err(error) => match error.kind() {
            std::io::ErrorKind::AlreadyExists => Ok(()),
            std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem => {
                Err(StoreError::ReadOnly)
            }
            std::io::ErrorKind::StorageFull => Err(StoreError::Full),
            _ => Err(StoreError::Io),
        },
    }
}

fn configure(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(BUSY_WAIT)?;
    connection.pragma_update(None, "secure_delete", "ON")?;
    connection.query_row("PRAGMA journal_mode=WAL", [], |row| row.get::<_, String>(0))?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", "ON")?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    connection.pragma_update(None, "trusted_schema", "OFF")?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(())
}

fn migrate(connection: &mut Connection) -> Result<(), StoreError> {
    let number = |connection: &Connection, pragma: &str| -> Result<i64, StoreError> {
        connection.pragma_query_value(None, pragma, |row| row.get(0)).map_err(mapped)
    };
    let newest = MIGRATIONS.len() as i64;
    let current = |connection: &Connection| -> Result<i64, StoreError> {
        let (version, id) = (number(connection, "user_version")?, number(connection, "application_id")?);
        match version {
            0 if has_tables(connection)? => Err(StoreError::Damaged),
            0 => Ok(0),
            _ if id != i64::from(APPLICATION_ID) || version < 0 => Err(StoreError::Damaged),
            _ if version > newest => Err(StoreError::NewerSchema),
            _ => Ok(version),
        }
    };
    if current(connection)? == newest {
        return Ok(());
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(mapped)?;
    // Another process may have migrated while this one waited.
    let from = usize::try_from(current(&transaction)?).map_err(|_| StoreError::Damaged)?;
    for step in MIGRATIONS.iter().skip(from) {
        transaction.execute_batch(step).map_err(mapped)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION_ID).map_err(mapped)?;
    transaction.pragma_update(None, "user_version", newest).map_err(mapped)?;
    transaction.commit().map_err(mapped)
}

fn has_tables(connection: &Connection) -> Result<bool, StoreError> {
    let count: i64 = connection
        .query_row("SELECT count(*) FROM sqlite_schema WHERE type = 'table'", [], |row| row.get(0))
        .map_err(mapped)?;
    Ok(count > 0)
}

#[cfg(test)]
mod tests;
