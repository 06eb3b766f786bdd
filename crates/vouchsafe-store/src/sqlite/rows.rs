use std::cell::Cell;

use rusqlite::types::FromSql;
use rusqlite::{Connection, OptionalExtension, Params, Row, Statement};
use vouchsafe_types::{LeafIndex, Scope, Timestamp};

use super::mapped;
use crate::StoreError;

/// The rows as one transaction of a connection sees them.
pub(super) struct Rows<'a> {
    connection: &'a Connection,
    lost: Cell<Option<StoreError>>,
}

impl<'a> Rows<'a> {
    pub(super) const fn new(connection: &'a Connection) -> Self {
        Self { connection, lost: Cell::new(None) }
    }

    /// The error with which SQLite rolled the whole transaction back, if it did.
    pub(super) const fn lost(&self) -> Option<StoreError> {
        self.lost.get()
    }

    pub(super) fn execute(&self, sql: &str, params: impl Params) -> Result<usize, StoreError> {
        self.run(sql, |statement| statement.execute(params))
    }

    pub(super) fn execute_one(&self, sql: &str, params: impl Params) -> Result<(), StoreError> {
        if self.execute(sql, params)? == 1 { Ok(()) } else { Err(StoreError::Conflict) }
    }

    pub(super) fn optional<T>(
        &self,
        sql: &str,
        params: impl Params,
        read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Option<T>, StoreError> {
        self.run(sql, |statement| statement.query_row(params, read).optional())
    }

    pub(super) fn one<T: FromSql>(&self, sql: &str, params: impl Params) -> Result<T, StoreError> {
        self.run(sql, |statement| statement.query_row(params, |row| row.get(0)))
    }

    pub(super) fn all<T>(
        &self,
        sql: &str,
        params: impl Params,
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, StoreError> {
        self.run(sql, |statement| statement.query_map(params, read)?.collect())
    }

    /// After SQLite has rolled the transaction back, a further statement would commit by itself: none runs.
    fn run<T>(
        &self,
        sql: &str,
        act: impl FnOnce(&mut Statement<'_>) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        if let Some(error) = self.lost.get() {
            return Err(error);
        }
        #[cfg(test)]
        super::plans::check(self.connection, sql);
        let done = self.connection.prepare_cached(sql).and_then(|mut statement| act(&mut statement));
        done.map_err(|error| {
            let error = mapped(error);
            if self.connection.is_autocommit() {
                self.lost.set(Some(error));
            }
            error
        })
    }
}

/// A stored value outside its type's range; reported as damage.
pub(super) fn damaged<E>(_: E) -> rusqlite::Error {
    rusqlite::Error::InvalidQuery
}

pub(super) fn instant(microsecond: i64) -> rusqlite::Result<Timestamp> {
    Timestamp::from_microsecond(microsecond).map_err(damaged)
}

pub(super) fn leaf(value: u64) -> rusqlite::Result<LeafIndex> {
    LeafIndex::new(value).map_err(damaged)
}

pub(super) fn scope(code: [u8; 3]) -> rusqlite::Result<Scope> {
    Scope::from_code(code).map_err(damaged)
}
