use std::fs::{self, OpenOptions};
use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, TransactionBehavior};
use vouchsafe_types::OrganisationId;

use crate::StoreError;
use crate::backup::Copying;
use crate::port::{Copy, Store, Transaction};
use crate::sql::{self, Rows};

#[cfg(any(test, feature = "test-util"))]
mod bulk;
mod engine;
mod group;
#[cfg(test)]
mod plans;
mod readers;
mod restore;
mod turn;

#[cfg(any(test, feature = "test-util"))]
pub use bulk::load_holdings;
use engine::SqliteEngine;
use group::Group;
use readers::Readers;
use turn::Turnstile;

/// Migrations, oldest first; `user_version` counts those applied.
const MIGRATIONS: &[&str] = &[
    include_str!("sqlite/schema-1.sql"),
    include_str!("sqlite/schema-2.sql"),
    include_str!("sqlite/schema-3.sql"),
    include_str!("sqlite/schema-4.sql"),
    include_str!("sqlite/schema-5.sql"),
    STATISTICS,
    include_str!("sqlite/schema-7.sql"),
    include_str!("sqlite/schema-8.sql"),
];
/// Migration 6: what the planner takes the tables to hold.
const STATISTICS: &str = include_str!("sqlite/schema-6.sql");
/// `application_id` of a vouchsafe database: "vchs".
const APPLICATION_ID: i32 = 0x7663_6873;
/// `application_id` while it is being restored: "vchr".
const RESTORING: i32 = 0x7663_6872;
/// After how many pages (of 4 KiB) the write-ahead log is copied into the file. Many organisations change many pages,
/// each again and again: the longer the log, the fewer copies.
const LOG_PAGES: i64 = 8192;
/// How long a transaction waits for another process.
const BUSY_WAIT: Duration = Duration::from_secs(5);

/// The storage port on one SQLite file.
///
/// WAL, `synchronous=FULL` (a commit is on the disk before it returns), `secure_delete` (deleted bytes are
/// overwritten), foreign keys on.
///
/// One connection writes. Closures that want to write at the same time run one after the other, each undone by
/// itself if it fails, and share one commit and its fsync: each of them sees what the earlier ones did, and none
/// returns before all of it is on the disk. If that commit fails, all of them fail with its error and nothing is
/// stored. Up to 8 connections read, each a snapshot of what is committed. Processes share the file, write in turns,
/// and wait for each other up to 5 seconds, then get [`StoreError::Locked`].
///
/// A closure that writes must not call the store to write or to remove remnants: it would wait for itself.
#[derive(Debug)]
pub struct SqliteStore {
    // Dropped first: the connection that closes last empties the write-ahead log.
    readers: Readers,
    group: Group,
}

impl SqliteStore {
    /// Opens the database, creates it (mode 0600) if there is none, and migrates it forward.
    ///
    /// # Errors
    /// [`StoreError::NewerSchema`], [`StoreError::Damaged`] for a file of another program,
    /// [`StoreError::ReadOnly`], [`StoreError::Locked`], [`StoreError::Full`], [`StoreError::Io`].
    pub fn open(file: &Path) -> Result<Self, StoreError> {
        create_private(file)?;
        let mut connection = connect(file)?;
        migrate(&mut connection, APPLICATION_ID)?;
        Ok(Self { readers: Readers::of(file), group: Group::new(connection, Turnstile::beside(file)) })
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
            let connection = &store.group.exclusive().connection;
            let used: u32 =
                connection.pragma_query_value(None, "page_count", |row| row.get(0)).map_err(mapped)?;
            connection.pragma_update(None, "max_page_count", used.saturating_add(pages)).map_err(mapped)?;
        }
        Ok(store)
    }
}

impl Store for SqliteStore {
    fn write_with(
        &self,
        organisation: &OrganisationId,
        act: &mut dyn FnMut(&mut dyn Transaction) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.group.write(organisation, act)
    }

    fn read_with(
        &self,
        organisation: &OrganisationId,
        act: &mut dyn FnMut(&mut dyn Transaction) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.readers.with(|connection| {
            let snapshot =
                connection.transaction_with_behavior(TransactionBehavior::Deferred).map_err(mapped)?;
            act(&mut Rows::new(&SqliteEngine::new(&snapshot), organisation))?;
            snapshot.rollback().map_err(mapped)
        })
    }

    fn organisations(&self) -> Result<Vec<OrganisationId>, StoreError> {
        self.readers.with(|connection| sql::organisations(&SqliteEngine::new(connection)))
    }

    fn copy_with(&self, act: Copy<'_>) -> Result<(), StoreError> {
        self.readers.with(|connection| {
            let snapshot =
                connection.transaction_with_behavior(TransactionBehavior::Deferred).map_err(mapped)?;
            act(&Copying::new(&SqliteEngine::new(&snapshot), "sqlite", &|_| Ok(())))?;
            snapshot.rollback().map_err(mapped)
        })
    }

    fn remove_remnants(&self) -> Result<(), StoreError> {
        self.group.truncate_log()
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

fn connect(file: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(file, flags).map_err(mapped)?;
    configure(&connection).map_err(mapped)?;
    Ok(connection)
}

fn configure(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(BUSY_WAIT)?;
    connection.pragma_update(None, "secure_delete", "ON")?;
    connection.query_row("PRAGMA journal_mode=WAL", [], |row| row.get::<_, String>(0))?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", "ON")?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    connection.pragma_update(None, "wal_autocheckpoint", LOG_PAGES)?;
    connection.pragma_update(None, "trusted_schema", "OFF")?;
    // Without this, binding a value prepares many a cached statement anew, to plan for that value.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.set_prepared_statement_cache_capacity(256);
    Ok(())
}

/// Brings the schema forward, and marks the file with this `application_id`.
fn migrate(connection: &mut Connection, mark: i32) -> Result<(), StoreError> {
    let number = |connection: &Connection, pragma: &str| -> Result<i64, StoreError> {
        connection.pragma_query_value(None, pragma, |row| row.get(0)).map_err(mapped)
    };
    let newest = MIGRATIONS.len() as i64;
    let current = |connection: &Connection| -> Result<i64, StoreError> {
        let (version, id) = (number(connection, "user_version")?, number(connection, "application_id")?);
        match version {
            _ if id == i64::from(RESTORING) => Err(StoreError::HalfRestored),
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
    // A table that others refer to is rebuilt by dropping it and renaming the new one; all references are checked after.
    connection.pragma_update(None, "foreign_keys", "OFF").map_err(mapped)?;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(mapped)?;
    // Another process may have migrated while this one waited.
    let from = usize::try_from(current(&transaction)?).map_err(|_| StoreError::Damaged)?;
    for step in MIGRATIONS.iter().skip(from) {
        transaction.execute_batch(step).map_err(mapped)?;
    }
    let broken = "SELECT EXISTS (SELECT 1 FROM pragma_foreign_key_check)";
    if transaction.query_row(broken, [], |row| row.get(0)).map_err(mapped)? {
        return Err(StoreError::Damaged);
    }
    transaction.pragma_update(None, "application_id", mark).map_err(mapped)?;
    transaction.pragma_update(None, "user_version", newest).map_err(mapped)?;
    transaction.commit().map_err(mapped)?;
    connection.pragma_update(None, "foreign_keys", "ON").map_err(mapped)
}

fn has_tables(connection: &Connection) -> Result<bool, StoreError> {
    let count: i64 = connection
        .query_row("SELECT count(*) FROM sqlite_schema WHERE type = 'table'", [], |row| row.get(0))
        .map_err(mapped)?;
    Ok(count > 0)
}

#[cfg(test)]
pub(crate) mod tests;
