use rusqlite::{Connection, OptionalExtension, Params, Row};
use vouchsafe_types::{LeafIndex, Scope, Timestamp};

use super::mapped;
use crate::StoreError;

/// The rows as one transaction of a connection sees them.
pub(super) struct Rows<'a>(&'a Connection);

impl<'a> Rows<'a> {
    pub(super) const fn new(connection: &'a Connection) -> Self {
        Self(connection)
    }

    pub(super) fn execute(&self, sql: &str, params: impl Params) -> Result<usize, StoreError> {
        self.0.prepare_cached(sql).and_then(|mut statement| statement.execute(params)).map_err(mapped)
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
        let mut statement = self.0.prepare_cached(sql).map_err(mapped)?;
        statement.query_row(params, read).optional().map_err(mapped)
    }

    pub(super) fn all<T>(
        &self,
        sql: &str,
        params: impl Params,
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, StoreError> {
        let mut statement = self.0.prepare_cached(sql).map_err(mapped)?;
        let rows = statement.query_map(params, read).map_err(mapped)?;
        rows.collect::<rusqlite::Result<_>>().map_err(mapped)
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
