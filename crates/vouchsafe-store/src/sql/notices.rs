//! The notices, in the order of publication.

use vouchsafe_types::{Digest, OrganisationId, Timestamp};

use super::rows::{Row, Rows, instant};
use super::value::values;
use crate::{NoticeRow, StoreError};

const NOTICE: &str = "digest, id, version, locale, shown, published_at, effective_at, material, attested_by, \
                      terms, schedule";

/// When a notice took effect: on its date, or when it was published, whichever was later.
const EFFECT: &str = "CASE WHEN effective_at > published_at THEN effective_at ELSE published_at END";

pub(super) fn insert(
    rows: &Rows<'_>,
    organisation: &OrganisationId,
    notice: &NoticeRow,
) -> Result<(), StoreError> {
    let sql = format!(
        "INSERT INTO notice (organisation, {NOTICE}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)"
    );
    rows.execute_one(
        &sql,
        &values![
            organisation.as_str(),
            notice.digest.as_bytes(),
            &notice.id,
            &notice.version,
            &notice.locale,
            &notice.shown,
            notice.published_at.as_microsecond(),
            notice.effective_at.as_microsecond(),
            notice.material,
            notice.attested_by,
            &notice.terms,
            &notice.schedule
        ],
    )
}

pub(super) fn by_digest(
    rows: &Rows<'_>,
    organisation: &OrganisationId,
    digest: Digest,
) -> Result<Option<NoticeRow>, StoreError> {
    let sql = format!("SELECT {NOTICE} FROM notice WHERE organisation = ?1 AND digest = ?2");
    rows.optional(&sql, &values![organisation.as_str(), digest.as_bytes()], read)
}

pub(super) fn in_force(
    rows: &Rows<'_>,
    organisation: &OrganisationId,
    id: &str,
    locale: &str,
    now: Timestamp,
) -> Result<Option<NoticeRow>, StoreError> {
    let sql = format!(
        "SELECT {NOTICE} FROM notice WHERE organisation = ?1 AND id = ?2 AND locale = ?3 \
         AND effective_at <= ?4 ORDER BY {EFFECT} DESC, ordinal DESC LIMIT 1"
    );
    rows.optional(&sql, &values![organisation.as_str(), id, locale, now.as_microsecond()], read)
}

pub(super) fn since(
    rows: &Rows<'_>,
    organisation: &OrganisationId,
    digest: Digest,
    now: Timestamp,
) -> Result<Vec<NoticeRow>, StoreError> {
    let this = "FROM notice WHERE organisation = ?1 AND digest = ?2";
    let sql = format!(
        "SELECT {NOTICE} FROM notice WHERE organisation = ?1 AND id = (SELECT id {this}) \
         AND (ordinal > (SELECT ordinal {this}) \
              OR {EFFECT} > (SELECT {EFFECT} {this})) \
         AND effective_at <= ?3 ORDER BY ordinal"
    );
    rows.all(&sql, &values![organisation.as_str(), digest.as_bytes(), now.as_microsecond()], read)
}

pub(super) fn all(rows: &Rows<'_>, organisation: &OrganisationId) -> Result<Vec<NoticeRow>, StoreError> {
    let sql = format!("SELECT {NOTICE} FROM notice WHERE organisation = ?1 ORDER BY ordinal");
    rows.all(&sql, &values![organisation.as_str()], read)
}

fn read(row: &Row<'_>) -> Result<NoticeRow, StoreError> {
    Ok(NoticeRow {
        digest: Digest::from_bytes(row.get(0)?),
        id: row.get(1)?,
        version: row.get(2)?,
        locale: row.get(3)?,
        shown: row.get(4)?,
        published_at: instant(row.get(5)?)?,
        effective_at: instant(row.get(6)?)?,
        material: row.get(7)?,
        attested_by: row.get(8)?,
        terms: row.get(9)?,
        schedule: row.get(10)?,
    })
}
