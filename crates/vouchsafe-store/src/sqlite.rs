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
mod schema;
mod turn;

#[cfg(any(test, feature = "test-util"))]
pub use bulk::load_holdings;
use engine::SqliteEngine;
use group::Group;
use readers::Readers;
#[cfg(test)]
use schema::MIGRATIONS;
use schema::{APPLICATION_ID, migrate};
use turn::Turnstile;

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
    /// [`StoreError::NewerSchema`], [`StoreError::SchemaDiffers`], [`StoreError::HalfRestored`],
    /// [`StoreError::Damaged`] for a file of another program, [`StoreError::ReadOnly`], [`StoreError::Locked`], [`StoreError::Full`], [`StoreError::Io`].
    pub fn open(file: &Path) -> Result<Self, StoreError> {
        create_private(file)?;
        let mut connection = connect(file)?;
        migrate(&mut connection, APPLICATION_ID)?;
        Ok(Self { readers: Readers::of(file), group: Group::new(connection, Turnstile::beside(file)) })
    }

    /// The version of the schema that this program makes.
    pub const SCHEMA: u32 = schema::NEWEST;

    /// The version of the schema of a file, which may be newer than this program's; `None` if there is no file, 0 if it
    /// has no schema yet. Nothing is migrated.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] for a file of another program, [`StoreError::HalfRestored`]; as [`Self::open`].
    pub fn schema_version(file: &Path) -> Result<Option<u32>, StoreError> {
        if fs::symlink_metadata(file).is_err() {
            return Ok(None);
        }
        let connection = connect(file)?;
        let version = match schema::version(&connection) {
            Err(StoreError::NewerSchema) => schema::number(&connection, "user_version"),
            version => version,
        }?;
        u32::try_from(version).map(Some).map_err(|_| StoreError::Damaged)
    }

    /// What SQLite itself finds wrong with a file, in its words: damage, and rows that refer to nothing. Reads all of it.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn damage(file: &Path) -> Result<Vec<String>, StoreError> {
        let connection = connect(file)?;
        let mut found = Vec::new();
        for pragma in ["PRAGMA integrity_check", "PRAGMA foreign_key_check"] {
            let mut statement = connection.prepare(pragma).map_err(mapped)?;
            let rows = statement.query_map([], |row| row.get::<_, String>(0)).map_err(mapped)?;
            for said in rows {
                found.push(said.map_err(mapped)?);
            }
        }
        found.retain(|said| said != "ok");
        Ok(found)
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

#[cfg(test)]
pub(crate) mod tests;
