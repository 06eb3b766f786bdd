//! Which statements the port runs, for benches that compare them with those of a bare client.
//!
//! Not semver stable.
use std::cell::RefCell;

use crate::sql::Value;

/// A statement as it was given to the engine, with placeholders `?1`, `?2`, ….
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Statement {
    /// Its text.
    pub sql: String,
    /// What it was run with.
    pub values: Vec<Bound>,
    /// Whether its rows are read.
    pub reads: bool,
}

/// A value that a statement was run with.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "all that a column can hold")]
pub enum Bound {
    /// Nothing.
    Null,
    /// An integer.
    Int(i64),
    /// A text.
    Text(String),
    /// Bytes.
    Blob(Vec<u8>),
}

thread_local! {
    static STATEMENTS: RefCell<Option<Vec<Statement>>> = const { RefCell::new(None) };
}

/// Runs a closure and gives the statements that this thread ran through the port meanwhile.
pub fn recorded<T>(act: impl FnOnce() -> T) -> (T, Vec<Statement>) {
    STATEMENTS.set(Some(Vec::new()));
    let value = act();
    (value, STATEMENTS.take().unwrap_or_default())
}

pub(crate) fn note(sql: &str, values: &[Value<'_>], reads: bool) {
    STATEMENTS.with_borrow_mut(|statements| {
        if let Some(statements) = statements {
            let values = values.iter().map(Bound::of).collect();
            statements.push(Statement { sql: sql.to_owned(), values, reads });
        }
    });
}

impl Bound {
    fn of(value: &Value<'_>) -> Self {
        match value {
            Value::Null | Value::Beyond => Self::Null,
            Value::Int(value) => Self::Int(*value),
            Value::Text(value) => Self::Text((*value).to_owned()),
            Value::Blob(value) => Self::Blob(value.to_vec()),
            Value::Code(value) => Self::Blob(value.to_vec()),
        }
    }
}
