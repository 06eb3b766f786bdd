//! Many holdings at once, for benches and tests of size.

use std::collections::BTreeMap;
use std::path::Path;

use rusqlite::{Connection, params};
use vouchsafe_types::{OrganisationId, Scope, Timestamp};

use super::schema::STATISTICS;
use super::{SqliteStore, mapped};
use crate::sql::LIVE;
use crate::{Holding, RecordRow, StoreError};

/// Adds live holdings, each with its person and its record, to an organisation in a file that nobody has open.
///
/// For benches and tests only: it writes without a journal and checks no reference, so that a crash or an error leaves
/// a file that must be thrown away. It is fastest if leaves, pseudonyms and record ids ascend.
///
/// Returns: how many.
///
/// # Errors
/// As [`SqliteStore::open`]; [`StoreError::Locked`] if somebody has the file open; [`StoreError::Conflict`] for a leaf,
/// record id or scope of a person that is there already.
pub fn load_holdings(
    file: &Path,
    organisation: &OrganisationId,
    holdings: impl IntoIterator<Item = (Holding, RecordRow)>,
) -> Result<u64, StoreError> {
    drop(SqliteStore::open(file)?);
    let mut connection = Connection::open(file).map_err(mapped)?;
    if journal(&connection, "OFF").map_err(mapped)? != "off" {
        return Err(StoreError::Locked);
    }
    let loaded = load(&mut connection, organisation, holdings).map_err(mapped)?;
    journal(&connection, "WAL").map_err(mapped)?;
    Ok(loaded)
}

fn journal(connection: &Connection, mode: &str) -> rusqlite::Result<String> {
    connection.query_row(&format!("PRAGMA journal_mode = {mode}"), [], |row| row.get(0))
}

fn load(
    connection: &mut Connection,
    organisation: &OrganisationId,
    holdings: impl IntoIterator<Item = (Holding, RecordRow)>,
) -> rusqlite::Result<u64> {
    connection.execute_batch(
        "PRAGMA synchronous = OFF; PRAGMA foreign_keys = OFF; PRAGMA secure_delete = OFF; PRAGMA cache_size = -524288",
    )?;
    let transaction = connection.transaction()?;
    let indexes = indexes(&transaction)?;
    for (name, _) in &indexes {
        transaction.execute_batch(&format!("DROP INDEX {name}"))?;
    }
    let tally = insert(&transaction, organisation, holdings)?;
    for (_, sql) in &indexes {
        transaction.execute_batch(sql)?;
    }
    // They went with the indexes.
    transaction.execute_batch(STATISTICS)?;
    for (class, live) in &tally {
        let sql = "INSERT INTO holding_tally (organisation, class, live) VALUES (?1, ?2, ?3) \
                   ON CONFLICT DO UPDATE SET live = live + excluded.live";
        transaction.execute(sql, params![organisation.as_str(), class, live])?;
    }
    transaction.commit()?;
    Ok(tally.values().sum())
}

/// Built at the end, each in one sort.
fn indexes(connection: &Connection) -> rusqlite::Result<Vec<(String, String)>> {
    let sql = "SELECT name, sql FROM sqlite_schema \
               WHERE type = 'index' AND tbl_name IN ('holding', 'record') AND sql IS NOT NULL";
    connection.prepare(sql)?.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
}

/// How many of each class.
fn insert(
    connection: &Connection,
    organisation: &OrganisationId,
    holdings: impl IntoIterator<Item = (Holding, RecordRow)>,
) -> rusqlite::Result<BTreeMap<u8, u64>> {
    let mut subject = connection.prepare(
        "INSERT OR IGNORE INTO subject (organisation, pseudonym, last_interaction, last_act) VALUES (?1, ?2, ?3, 0)",
    )?;
    let mut holding = connection.prepare(
        "INSERT INTO holding (organisation, leaf, class, subject, scope, state, created_at, created_entry, review_at) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?;
    let mut record = connection.prepare(
        "INSERT INTO record (organisation, id, leaf, model, dimension, sealed, key_version) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?;
    let mut tally = BTreeMap::new();
    for (held, sealed) in holdings {
        let created_at = held.created_at.as_microsecond();
        subject.execute(params![organisation.as_str(), held.subject.as_bytes(), created_at])?;
        holding.execute(params![
            organisation.as_str(),
            held.leaf.get(),
            held.class.code(),
            held.subject.as_bytes(),
            held.scope.map(Scope::code),
            LIVE,
            created_at,
            held.created_entry,
            held.review_at.map(Timestamp::as_microsecond)
        ])?;
        record.execute(params![
            organisation.as_str(),
            sealed.id.as_bytes(),
            held.leaf.get(),
            sealed.model.as_bytes(),
            sealed.dimension,
            sealed.sealed,
            sealed.key_version
        ])?;
        *tally.entry(held.class.code()).or_insert(0) += 1;
    }
    Ok(tally)
}
