use vouchsafe_types::{LeafIndex, OrganisationId, Scope, Timestamp};

use super::value::{Column, Columns, Engine, Value};
use crate::StoreError;

/// The rows of one organisation, as one transaction of an engine sees them.
///
/// The first value of every statement is the organisation it is about. Asked about another one, it finds and changes
/// nothing, and adds nothing ([`StoreError::Conflict`]), whatever the engine does besides.
pub(crate) struct Rows<'a> {
    engine: &'a dyn Engine,
    organisation: &'a OrganisationId,
}

/// One row that was found.
#[derive(Clone, Copy)]
pub(crate) struct Row<'a>(&'a dyn Columns);

impl<'a> Rows<'a> {
    pub(crate) const fn new(engine: &'a dyn Engine, organisation: &'a OrganisationId) -> Self {
        Self { engine, organisation }
    }

    pub(super) fn is_own(&self, organisation: &OrganisationId) -> bool {
        self.organisation == organisation
    }

    /// Returns: how many rows were changed.
    pub(super) fn execute(&self, sql: &str, values: &[Value<'_>]) -> Result<usize, StoreError> {
        match values {
            [Value::Text(organisation), ..] if *organisation == self.organisation.as_str() => {
                #[cfg(any(test, feature = "test-util"))]
                crate::recorded::note(sql, values, false);
                self.engine.execute(sql, values)
            }
            _ if sql.starts_with("INSERT") => Err(StoreError::Conflict),
            _ => Ok(0),
        }
    }

    pub(super) fn execute_one(&self, sql: &str, values: &[Value<'_>]) -> Result<(), StoreError> {
        if self.execute(sql, values)? == 1 { Ok(()) } else { Err(StoreError::Conflict) }
    }

    /// Gives each row found to the closure.
    fn query(
        &self,
        sql: &str,
        values: &[Value<'_>],
        mut each: impl FnMut(&Row<'_>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let mut each = |columns: &dyn Columns| each(&Row(columns));
        match values {
            [Value::Text(organisation), ..] if *organisation == self.organisation.as_str() => {
                #[cfg(any(test, feature = "test-util"))]
                crate::recorded::note(sql, values, true);
                self.engine.query(sql, values, &mut each)
            }
            [_, others @ ..] => {
                // No organisation has the empty name: sums and counts are 0 as they should be.
                let values: Vec<_> = std::iter::once(Value::Text("")).chain(others.iter().copied()).collect();
                self.engine.query(sql, &values, &mut each)
            }
            [] => Err(StoreError::Damaged),
        }
    }

    pub(super) fn optional<T>(
        &self,
        sql: &str,
        values: &[Value<'_>],
        read: impl Fn(&Row<'_>) -> Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        let mut found = None;
        self.query(sql, values, |row| {
            found = Some(read(row)?);
            Ok(())
        })?;
        Ok(found)
    }

    pub(super) fn one<T: Column>(&self, sql: &str, values: &[Value<'_>]) -> Result<T, StoreError> {
        self.optional(sql, values, |row| row.get(0))?.ok_or(StoreError::Damaged)
    }

    pub(super) fn all<T>(
        &self,
        sql: &str,
        values: &[Value<'_>],
        read: impl Fn(&Row<'_>) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        let mut found = Vec::new();
        self.query(sql, values, |row| {
            found.push(read(row)?);
            Ok(())
        })?;
        Ok(found)
    }
}

impl Row<'_> {
    /// A column by its place; one that is null, or outside its type's range, is damage.
    pub(crate) fn get<T: Column>(&self, at: usize) -> Result<T, StoreError> {
        T::read(self.0, at)?.ok_or(StoreError::Damaged)
    }
}

/// Every organisation that the engine shows.
pub(crate) fn organisations(engine: &dyn Engine) -> Result<Vec<OrganisationId>, StoreError> {
    let mut found = Vec::new();
    engine.query("SELECT id FROM organisation ORDER BY id", &[], &mut |columns| {
        let id = columns.text(0)?.ok_or(StoreError::Damaged)?;
        found.push(OrganisationId::parse(id).map_err(damaged)?);
        Ok(())
    })?;
    Ok(found)
}

/// A stored value outside its type's range; reported as damage.
pub(super) fn damaged<E>(_: E) -> StoreError {
    StoreError::Damaged
}

pub(super) fn instant(microsecond: i64) -> Result<Timestamp, StoreError> {
    Timestamp::from_microsecond(microsecond).map_err(damaged)
}

pub(super) fn leaf(value: u64) -> Result<LeafIndex, StoreError> {
    LeafIndex::new(value).map_err(damaged)
}

pub(super) fn scope(code: [u8; 3]) -> Result<Scope, StoreError> {
    Scope::from_code(code).map_err(damaged)
}
