//! The sealed bytes: templates and payloads, each with the data key that seals it.

use vouchsafe_types::{Digest, LeafIndex, OrganisationId, RecordId};

use super::rows::{Row, Rows, leaf as leaf_index};
use super::value::values;
use crate::{KeyUsage, PayloadRow, RecordRow, StoreError};

const RECORD: &str = "id, leaf, model, dimension, sealed, key_version";
const PAYLOAD: &str = "leaf, id, sealed, key_version, entry";

/// One walk over each index of key versions.
pub(crate) const KEY_USAGE: &str = "\
    SELECT key_version, CAST(sum(records) AS BIGINT), CAST(sum(payloads) AS BIGINT), \
           CAST(sum(documents) AS BIGINT) FROM ( \
        SELECT key_version, count(*) AS records, 0 AS payloads, 0 AS documents FROM record \
        WHERE organisation = ?1 GROUP BY key_version \
        UNION ALL \
        SELECT key_version, 0, count(*), 0 FROM payload WHERE organisation = ?1 GROUP BY key_version \
        UNION ALL \
        SELECT key_version, 0, 0, count(*) FROM document WHERE organisation = ?1 GROUP BY key_version \
    ) AS used GROUP BY key_version ORDER BY key_version";

pub(super) fn insert_record(
    rows: &Rows<'_>,
    organisation: &OrganisationId,
    record: &RecordRow,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO record (organisation, id, leaf, model, dimension, sealed, key_version) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    rows.execute_one(
        sql,
        &values![
            organisation.as_str(),
            record.id.as_bytes(),
            record.leaf.get(),
            record.model.as_bytes(),
            record.dimension,
            &record.sealed,
            record.key_version
        ],
    )
}

pub(super) fn record(
    rows: &Rows<'_>,
    organisation: &OrganisationId,
    leaf: LeafIndex,
) -> Result<Option<RecordRow>, StoreError> {
    let sql = format!("SELECT {RECORD} FROM record WHERE organisation = ?1 AND leaf = ?2");
    rows.optional(&sql, &values![organisation.as_str(), leaf.get()], read_record)
}

pub(super) fn record_by_id(
    rows: &Rows<'_>,
    organisation: &OrganisationId,
    id: RecordId,
) -> Result<Option<RecordRow>, StoreError> {
    let sql = format!("SELECT {RECORD} FROM record WHERE organisation = ?1 AND id = ?2");
    rows.optional(&sql, &values![organisation.as_str(), id.as_bytes()], read_record)
}

pub(super) fn insert_payload(
    rows: &Rows<'_>,
    organisation: &OrganisationId,
    entry: u64,
    payload: &PayloadRow,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO payload (organisation, entry, leaf, id, sealed, key_version) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    rows.execute_one(
        sql,
        &values![
            organisation.as_str(),
            entry,
            payload.leaf.get(),
            payload.id.as_bytes(),
            &payload.sealed,
            payload.key_version
        ],
    )
}

pub(super) fn payload(
    rows: &Rows<'_>,
    organisation: &OrganisationId,
    entry: u64,
) -> Result<Option<PayloadRow>, StoreError> {
    let sql = format!("SELECT {PAYLOAD} FROM payload WHERE organisation = ?1 AND entry = ?2");
    rows.optional(&sql, &values![organisation.as_str(), entry], read_payload)
}

pub(super) fn payloads(
    rows: &Rows<'_>,
    organisation: &OrganisationId,
    after: Option<u64>,
    limit: u32,
) -> Result<Vec<(u64, PayloadRow)>, StoreError> {
    let sql = format!(
        "SELECT {PAYLOAD} FROM payload WHERE organisation = ?1 AND entry >= ?2 ORDER BY entry LIMIT ?3"
    );
    // SQLite's integers end at 2^63 - 1: no entry lies beyond.
    let Ok(from) = i64::try_from(after.map_or(0, |after| after.saturating_add(1))) else {
        return Ok(Vec::new());
    };
    rows.all(&sql, &values![organisation.as_str(), from, limit], numbered_payload)
}

pub(super) fn key_usage(rows: &Rows<'_>, organisation: &OrganisationId) -> Result<Vec<KeyUsage>, StoreError> {
    rows.all(KEY_USAGE, &values![organisation.as_str()], |row| {
        Ok(KeyUsage {
            key_version: row.get(0)?,
            records: row.get(1)?,
            payloads: row.get(2)?,
            documents: row.get(3)?,
        })
    })
}

pub(super) fn records_under(
    rows: &Rows<'_>,
    organisation: &OrganisationId,
    older_than: u32,
    limit: u32,
) -> Result<Vec<RecordRow>, StoreError> {
    let sql = under("record", RECORD);
    rows.all(&sql, &values![organisation.as_str(), older_than, limit], read_record)
}

pub(super) fn payloads_under(
    rows: &Rows<'_>,
    organisation: &OrganisationId,
    older_than: u32,
    limit: u32,
) -> Result<Vec<(u64, PayloadRow)>, StoreError> {
    let sql = under("payload", PAYLOAD);
    rows.all(&sql, &values![organisation.as_str(), older_than, limit], numbered_payload)
}

pub(super) fn reseal_record(
    rows: &Rows<'_>,
    organisation: &OrganisationId,
    leaf: LeafIndex,
    from: u32,
    sealed: &[u8],
    to: u32,
) -> Result<(), StoreError> {
    let sql = "UPDATE record SET sealed = ?4, key_version = ?5 \
               WHERE organisation = ?1 AND leaf = ?2 AND key_version = ?3";
    rows.execute_one(sql, &values![organisation.as_str(), leaf.get(), from, sealed, to])
}

pub(super) fn reseal_payload(
    rows: &Rows<'_>,
    organisation: &OrganisationId,
    entry: u64,
    from: u32,
    sealed: &[u8],
    to: u32,
) -> Result<(), StoreError> {
    let sql = "UPDATE payload SET sealed = ?4, key_version = ?5 \
               WHERE organisation = ?1 AND entry = ?2 AND key_version = ?3";
    rows.execute_one(sql, &values![organisation.as_str(), entry, from, sealed, to])
}

/// The rows under an older key, in the order of the index of key versions: it stops at the limit.
pub(crate) fn under(table: &str, columns: &str) -> String {
    format!(
        "SELECT {columns} FROM {table} WHERE organisation = ?1 AND key_version < ?2 \
         ORDER BY key_version LIMIT ?3"
    )
}

fn read_record(row: &Row<'_>) -> Result<RecordRow, StoreError> {
    Ok(RecordRow {
        id: RecordId::from_bytes(row.get(0)?),
        leaf: leaf_index(row.get(1)?)?,
        model: Digest::from_bytes(row.get(2)?),
        dimension: row.get(3)?,
        sealed: row.get(4)?,
        key_version: row.get(5)?,
    })
}

fn read_payload(row: &Row<'_>) -> Result<PayloadRow, StoreError> {
    Ok(PayloadRow {
        leaf: leaf_index(row.get(0)?)?,
        id: RecordId::from_bytes(row.get(1)?),
        sealed: row.get(2)?,
        key_version: row.get(3)?,
    })
}

fn numbered_payload(row: &Row<'_>) -> Result<(u64, PayloadRow), StoreError> {
    Ok((row.get(4)?, read_payload(row)?))
}
