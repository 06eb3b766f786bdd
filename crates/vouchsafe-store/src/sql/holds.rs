//! The legal holds.

use vouchsafe_types::{DataClass, OrganisationId, RecordId, SubjectPseudonym, Timestamp};

use super::lives::remove_unreferred;
use super::rows::{Row, Rows, damaged, instant};
use super::value::values;
use crate::{HoldRow, StoreError};

const HOLD: &str = "id, matter, authority, subject, class, placed_at, expires, released_at, requested_by, \
                    approved_by, entry";

pub(super) fn insert(
    rows: &Rows<'_>,
    organisation: &OrganisationId,
    hold: &HoldRow,
) -> Result<(), StoreError> {
    let sql = format!(
        "INSERT INTO legal_hold (organisation, {HOLD}) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)"
    );
    rows.execute_one(
        &sql,
        &values![
            organisation.as_str(),
            hold.id.as_bytes(),
            &hold.matter,
            hold.authority,
            hold.subject.as_ref().map(SubjectPseudonym::as_bytes),
            hold.class.map(DataClass::code),
            hold.placed_at.as_microsecond(),
            hold.expires.map(Timestamp::as_microsecond),
            hold.released_at.map(Timestamp::as_microsecond),
            &hold.requested_by,
            &hold.approved_by,
            hold.entry
        ],
    )
}

pub(super) fn release(
    rows: &Rows<'_>,
    organisation: &OrganisationId,
    id: RecordId,
    at: Timestamp,
) -> Result<(), StoreError> {
    let sql = "UPDATE legal_hold SET released_at = ?3 \
               WHERE organisation = ?1 AND id = ?2 AND released_at IS NULL";
    rows.execute_one(sql, &values![organisation.as_str(), id.as_bytes(), at.as_microsecond()])
}

pub(super) fn all(rows: &Rows<'_>, organisation: &OrganisationId) -> Result<Vec<HoldRow>, StoreError> {
    let sql = format!("SELECT {HOLD} FROM legal_hold WHERE organisation = ?1 ORDER BY placed_at, id");
    rows.all(&sql, &values![organisation.as_str()], read)
}

pub(super) fn of(
    rows: &Rows<'_>,
    organisation: &OrganisationId,
    subject: SubjectPseudonym,
) -> Result<Vec<HoldRow>, StoreError> {
    let sql = format!(
        "SELECT {HOLD} FROM legal_hold WHERE organisation = ?1 AND (subject = ?2 OR subject IS NULL) \
         AND released_at IS NULL ORDER BY placed_at, id"
    );
    rows.all(&sql, &values![organisation.as_str(), subject.as_bytes()], read)
}

pub(super) fn purge(
    rows: &Rows<'_>,
    organisation: &OrganisationId,
    before: Timestamp,
) -> Result<u64, StoreError> {
    const OVER: &str = "FROM legal_hold WHERE organisation = ?1 AND (released_at < ?2 OR expires < ?2)";
    let values = &values![organisation.as_str(), before.as_microsecond()];
    let sql = format!("SELECT DISTINCT subject {OVER} AND subject IS NOT NULL");
    let people: Vec<[u8; 32]> = rows.all(&sql, values, |row| row.get(0))?;
    let purged = rows.execute(&format!("DELETE {OVER}"), values)?;
    for person in people {
        remove_unreferred(rows, organisation, SubjectPseudonym::from_bytes(person))?;
    }
    Ok(purged as u64)
}

fn read(row: &Row<'_>) -> Result<HoldRow, StoreError> {
    Ok(HoldRow {
        id: RecordId::from_bytes(row.get(0)?),
        matter: row.get(1)?,
        authority: row.get(2)?,
        subject: row.get::<Option<[u8; 32]>>(3)?.map(SubjectPseudonym::from_bytes),
        class: row.get::<Option<u8>>(4)?.map(DataClass::from_code).transpose().map_err(damaged)?,
        placed_at: instant(row.get(5)?)?,
        expires: row.get::<Option<i64>>(6)?.map(instant).transpose()?,
        released_at: row.get::<Option<i64>>(7)?.map(instant).transpose()?,
        requested_by: row.get(8)?,
        approved_by: row.get(9)?,
        entry: row.get(10)?,
    })
}
