//! The reading connections: they see what is committed, and nothing of an open batch.
use std::path::{Path, PathBuf};
use std::sync::{Condvar, Mutex, MutexGuard};

use rusqlite::Connection;

use super::{connect, mapped};
use crate::StoreError;

/// How many snapshots are read at once; whoever comes later waits.
const MOST_READERS: usize = 8;

#[derive(Debug)]
pub(super) struct Readers {
    file: PathBuf,
    pool: Mutex<Pool>,
    returned: Condvar,
}

#[derive(Debug, Default)]
struct Pool {
    idle: Vec<Connection>,
    taken: usize,
}

/// A connection out of the pool; it goes back when it is dropped.
pub(super) struct Reader<'a> {
    readers: &'a Readers,
    connection: Option<Connection>,
}

impl Readers {
    pub(super) fn of(file: &Path) -> Self {
        Self { file: file.to_owned(), pool: Mutex::default(), returned: Condvar::new() }
    }

    pub(super) fn with<T>(
        &self,
        act: impl FnOnce(&mut Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut reader = self.take();
        let connection = match reader.connection.take() {
            Some(connection) => connection,
            None => self.open()?,
        };
        act(reader.connection.insert(connection))
    }

    fn take(&self) -> Reader<'_> {
        let mut pool = self.pool();
        while pool.taken >= MOST_READERS {
            pool = self.returned.wait(pool).unwrap_or_else(|poisoned| poisoned.into_inner());
        }
        pool.taken += 1;
        Reader { readers: self, connection: pool.idle.pop() }
    }

    fn open(&self) -> Result<Connection, StoreError> {
        let connection = connect(&self.file)?;
        connection.pragma_update(None, "query_only", "ON").map_err(mapped)?;
        Ok(connection)
    }

    fn pool(&self) -> MutexGuard<'_, Pool> {
        self.pool.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl Drop for Reader<'_> {
    fn drop(&mut self) {
        let mut pool = self.readers.pool();
        pool.taken -= 1;
        // One that still has a snapshot would keep the write-ahead log from being emptied.
        pool.idle.extend(self.connection.take().filter(Connection::is_autocommit));
        drop(pool);
        self.readers.returned.notify_one();
    }
}
