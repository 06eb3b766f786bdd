use std::cell::Cell;

use rusqlite::types::{Null, ToSqlOutput, ValueRef};
use rusqlite::{Connection, Statement, ToSql};

use super::mapped;
use crate::StoreError;
use crate::sql::{Columns, Engine, Value};

/// The statements of one transaction of a connection.
pub(super) struct SqliteEngine<'a> {
    connection: &'a Connection,
    lost: Cell<Option<StoreError>>,
}

impl<'a> SqliteEngine<'a> {
    pub(super) const fn new(connection: &'a Connection) -> Self {
        Self { connection, lost: Cell::new(None) }
    }

    /// The error with which SQLite rolled the whole transaction back, if it did.
    pub(super) const fn lost(&self) -> Option<StoreError> {
        self.lost.get()
    }

    /// After SQLite has rolled the transaction back, a further statement would commit by itself: none runs.
    fn run<T>(
        &self,
        sql: &str,
        values: &[Value<'_>],
        act: impl FnOnce(&mut Statement<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        if let Some(error) = self.lost.get() {
            return Err(error);
        }
        #[cfg(test)]
        super::plans::check(self.connection, sql);
        let prepared = self.connection.prepare_cached(sql).map_err(mapped);
        let done = prepared.and_then(|mut statement| {
            for (at, value) in (1..).zip(values) {
                statement.raw_bind_parameter(at, value).map_err(mapped)?;
            }
            act(&mut statement)
        });
        done.inspect_err(|error| {
            if self.connection.is_autocommit() {
                self.lost.set(Some(*error));
            }
        })
    }
}

impl Engine for SqliteEngine<'_> {
    fn execute(&self, sql: &str, values: &[Value<'_>]) -> Result<usize, StoreError> {
        self.run(sql, values, |statement| statement.raw_execute().map_err(mapped))
    }

    fn query(
        &self,
        sql: &str,
        values: &[Value<'_>],
        each: &mut dyn FnMut(&dyn Columns) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.run(sql, values, |statement| {
            let mut rows = statement.raw_query();
            while let Some(row) = rows.next().map_err(mapped)? {
                each(row)?;
            }
            Ok(())
        })
    }
}

impl ToSql for Value<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        match self {
            Self::Null => Null.to_sql(),
            Self::Int(value) => value.to_sql(),
            Self::Text(value) => value.to_sql(),
            Self::Blob(value) => value.to_sql(),
            Self::Code(value) => value.to_sql(),
            Self::Beyond => Err(rusqlite::Error::InvalidQuery),
        }
    }
}

impl Columns for rusqlite::Row<'_> {
    fn int(&self, at: usize) -> Result<Option<i64>, StoreError> {
        match self.get_ref(at).map_err(mapped)? {
            ValueRef::Null => Ok(None),
            ValueRef::Integer(value) => Ok(Some(value)),
            _ => Err(StoreError::Damaged),
        }
    }

    fn text(&self, at: usize) -> Result<Option<&str>, StoreError> {
        match self.get_ref(at).map_err(mapped)? {
            ValueRef::Null => Ok(None),
            ValueRef::Text(value) => str::from_utf8(value).map(Some).map_err(|_| StoreError::Damaged),
            _ => Err(StoreError::Damaged),
        }
    }

    fn blob(&self, at: usize) -> Result<Option<&[u8]>, StoreError> {
        match self.get_ref(at).map_err(mapped)? {
            ValueRef::Null => Ok(None),
            ValueRef::Blob(value) => Ok(Some(value)),
            _ => Err(StoreError::Damaged),
        }
    }
}
