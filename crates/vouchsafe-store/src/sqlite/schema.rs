//! The schema: brought forward, and compared with the one that this program makes.
use std::sync::OnceLock;

use rusqlite::{Connection, TransactionBehavior};

use super::mapped;
use crate::StoreError;

/// Migrations, oldest first; `user_version` counts those applied.
pub(super) const MIGRATIONS: &[&str] = &[
    include_str!("schema-1.sql"),
    include_str!("schema-2.sql"),
    include_str!("schema-3.sql"),
    include_str!("schema-4.sql"),
    include_str!("schema-5.sql"),
    STATISTICS,
    include_str!("schema-7.sql"),
    include_str!("schema-8.sql"),
];
pub(super) const NEWEST: u32 = 8;
const _: () = assert!(MIGRATIONS.len() == NEWEST as usize);
/// Migration 6: what the planner takes the tables to hold.
pub(super) const STATISTICS: &str = include_str!("schema-6.sql");
/// `application_id` of a vouchsafe database: "vchs".
pub(super) const APPLICATION_ID: i32 = 0x7663_6873;
/// `application_id` while it is being restored: "vchr".
pub(super) const RESTORING: i32 = 0x7663_6872;

/// Brings the schema forward, and marks the file with this `application_id`.
pub(super) fn migrate(connection: &mut Connection, mark: i32) -> Result<(), StoreError> {
    let newest = MIGRATIONS.len() as i64;
    if version(connection)? == newest {
        return is_as_made(connection);
    }
    run(connection, mark)?;
    is_as_made(connection)
}

fn run(connection: &mut Connection, mark: i32) -> Result<(), StoreError> {
    // A table that others refer to is rebuilt by dropping it and renaming the new one; all references are checked after.
    connection.pragma_update(None, "foreign_keys", "OFF").map_err(mapped)?;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(mapped)?;
    // Another process may have migrated while this one waited.
    let from = usize::try_from(version(&transaction)?).map_err(|_| StoreError::Damaged)?;
    for step in MIGRATIONS.iter().skip(from) {
        transaction.execute_batch(step).map_err(mapped)?;
    }
    let broken = "SELECT EXISTS (SELECT 1 FROM pragma_foreign_key_check)";
    if transaction.query_row(broken, [], |row| row.get(0)).map_err(mapped)? {
        return Err(StoreError::Damaged);
    }
    transaction.pragma_update(None, "application_id", mark).map_err(mapped)?;
    transaction.pragma_update(None, "user_version", MIGRATIONS.len() as i64).map_err(mapped)?;
    transaction.commit().map_err(mapped)?;
    connection.pragma_update(None, "foreign_keys", "ON").map_err(mapped)
}

/// The version of a file that this program made; 0 of an empty one.
pub(super) fn version(connection: &Connection) -> Result<i64, StoreError> {
    let (version, id) = (number(connection, "user_version")?, number(connection, "application_id")?);
    match version {
        _ if id == i64::from(RESTORING) => Err(StoreError::HalfRestored),
        0 if has_tables(connection)? => Err(StoreError::Damaged),
        0 => Ok(0),
        _ if id != i64::from(APPLICATION_ID) || version < 0 => Err(StoreError::Damaged),
        _ if version > MIGRATIONS.len() as i64 => Err(StoreError::NewerSchema),
        _ => Ok(version),
    }
}

pub(super) fn number(connection: &Connection, pragma: &str) -> Result<i64, StoreError> {
    connection.pragma_query_value(None, pragma, |row| row.get(0)).map_err(mapped)
}

fn has_tables(connection: &Connection) -> Result<bool, StoreError> {
    let sql = "SELECT count(*) FROM sqlite_schema WHERE type = 'table'";
    let count: i64 = connection.query_row(sql, [], |row| row.get(0)).map_err(mapped)?;
    Ok(count > 0)
}

/// Refuses a table, index or trigger that is not as the migrations make it.
fn is_as_made(connection: &Connection) -> Result<(), StoreError> {
    static MADE: OnceLock<Vec<String>> = OnceLock::new();
    if MADE.get().is_none() {
        let mut empty = Connection::open_in_memory().map_err(mapped)?;
        run(&mut empty, APPLICATION_ID)?;
        let _ = MADE.set(drawn(&empty)?);
    }
    if MADE.get() == Some(&drawn(connection)?) { Ok(()) } else { Err(StoreError::SchemaDiffers) }
}

/// What is in the schema, a line each.
fn drawn(connection: &Connection) -> Result<Vec<String>, StoreError> {
    let sql = "SELECT type || ' ' || name || ' ' || tbl_name || ' ' || coalesce(sql, '') FROM sqlite_schema \
               WHERE name NOT LIKE 'sqlite_stat%' ORDER BY type, name";
    let mut statement = connection.prepare(sql).map_err(mapped)?;
    let lines = statement.query_map([], |row| row.get(0)).map_err(mapped)?;
    lines.collect::<Result<_, _>>().map_err(mapped)
}
