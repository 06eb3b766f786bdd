use std::cell::Cell;

use tokio_postgres::Row;
use tokio_postgres::types::private::BytesMut;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};

use super::error;
use super::link::Link;
use crate::StoreError;
use crate::sql::{Columns, Engine, Value};

/// The statements of one transaction of a connection.
pub(super) struct PostgresEngine<'a> {
    link: &'a Link,
    answer: std::time::Duration,
    lost: Cell<Option<StoreError>>,
    rewrite: Option<Rewrite>,
}

/// Changes the text of each statement before it runs: for tests of what the engine prevents by itself.
pub(super) type Rewrite = fn(&str) -> String;

type Values<'a> = [&'a (dyn ToSql + Sync)];

impl<'a> PostgresEngine<'a> {
    pub(super) const fn new(link: &'a Link, answer: std::time::Duration, rewrite: Option<Rewrite>) -> Self {
        Self { link, answer, lost: Cell::new(None), rewrite }
    }

    /// The first error: the server has given the transaction up since.
    pub(super) const fn lost(&self) -> Option<StoreError> {
        self.lost.get()
    }

    fn run<T>(
        &self,
        sql: &str,
        values: &[Value<'_>],
        act: impl AsyncFnOnce(&tokio_postgres::Statement, &Values<'_>) -> Result<T, tokio_postgres::Error>,
    ) -> Result<T, StoreError> {
        if let Some(error) = self.lost.get() {
            return Err(error);
        }
        if values.contains(&Value::Beyond) {
            self.lost.set(Some(StoreError::Damaged));
            return Err(StoreError::Damaged);
        }
        let values: Vec<&(dyn ToSql + Sync)> =
            values.iter().map(|value| value as &(dyn ToSql + Sync)).collect();
        let rewritten = self.rewrite.map(|rewrite| rewrite(sql));
        let done = self.link.driver.wait(self.answer, async {
            let statement = self.link.statement(rewritten.as_deref().unwrap_or(sql)).await?;
            act(&statement, &values).await.map_err(error::statement)
        });
        done.inspect_err(|error| self.lost.set(Some(*error)))
    }
}

impl Engine for PostgresEngine<'_> {
    fn execute(&self, sql: &str, values: &[Value<'_>]) -> Result<usize, StoreError> {
        let changed = self
            .run(sql, values, async |statement, values| self.link.client.execute(statement, values).await)?;
        usize::try_from(changed).map_err(|_| StoreError::Damaged)
    }

    fn query(
        &self,
        sql: &str,
        values: &[Value<'_>],
        each: &mut dyn FnMut(&dyn Columns) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let rows =
            self.run(sql, values, async |statement, values| self.link.client.query(statement, values).await)?;
        rows.iter().try_for_each(|row| each(row))
    }
}

impl ToSql for Value<'_> {
    fn to_sql(
        &self,
        of: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match (self, of) {
            (Self::Null, _) => Ok(IsNull::Yes),
            (Self::Int(value), &Type::INT4) => i32::try_from(*value)?.to_sql(of, out),
            (Self::Int(value), &Type::INT8) => value.to_sql(of, out),
            (Self::Text(value), &Type::TEXT) => value.to_sql(of, out),
            (Self::Blob(value), &Type::BYTEA) => value.to_sql(of, out),
            (Self::Code(value), &Type::BYTEA) => value.as_slice().to_sql(of, out),
            _ => Err("value of another type than the column".into()),
        }
    }

    fn accepts(of: &Type) -> bool {
        matches!(*of, Type::INT4 | Type::INT8 | Type::TEXT | Type::BYTEA)
    }

    to_sql_checked!();
}

impl Columns for Row {
    fn int(&self, at: usize) -> Result<Option<i64>, StoreError> {
        match self.columns().get(at).map(tokio_postgres::Column::type_) {
            Some(&Type::INT4) => Ok(column::<i32>(self, at)?.map(i64::from)),
            _ => column(self, at),
        }
    }

    fn text(&self, at: usize) -> Result<Option<&str>, StoreError> {
        column(self, at)
    }

    fn blob(&self, at: usize) -> Result<Option<&[u8]>, StoreError> {
        column(self, at)
    }
}

fn column<'a, T: FromSql<'a>>(row: &'a Row, at: usize) -> Result<Option<T>, StoreError> {
    row.try_get(at).map_err(|_| StoreError::Damaged)
}
