//! The acts of consent, what was shown before them, and the marks that stand above them.

use vouchsafe_types::{Digest, OrganisationId, Scope, SubjectPseudonym, Timestamp};

use super::rows::{Row, Rows, instant, scope as read_scope};
use super::value::values;
use crate::{ConsentRow, MarkRow, ServedRow, StoreError};

const ACT: &str = "sequence, status, notice, at, expires, entry";

pub(super) fn newest(
    rows: &Rows<'_>,
    organisation: &OrganisationId,
    subject: SubjectPseudonym,
    scope: Scope,
) -> Result<Option<ConsentRow>, StoreError> {
    let sql = format!(
        "SELECT {ACT} FROM consent WHERE organisation = ?1 AND subject = ?2 AND scope = ?3 \
         ORDER BY sequence DESC LIMIT 1"
    );
    rows.optional(&sql, &values![organisation.as_str(), subject.as_bytes(), scope.code()], read_act)
}

pub(super) fn acts(
    rows: &Rows<'_>,
    organisation: &OrganisationId,
    subject: SubjectPseudonym,
    scope: Scope,
) -> Result<Vec<ConsentRow>, StoreError> {
    let sql = format!(
        "SELECT {ACT} FROM consent WHERE organisation = ?1 AND subject = ?2 AND scope = ?3 ORDER BY sequence"
    );
    rows.all(&sql, &values![organisation.as_str(), subject.as_bytes(), scope.code()], read_act)
}

/// INVARIANT (newest act): each line has exactly one act with `newest = 1`, that of the greatest sequence. The first
/// statement takes the mark from the act before; without one, the unique index refuses a second beginning.
pub(super) fn append(
    rows: &Rows<'_>,
    organisation: &OrganisationId,
    subject: SubjectPseudonym,
    scope: Scope,
    row: &ConsentRow,
) -> Result<(), StoreError> {
    if row.sequence > 1 {
        let sql = "UPDATE consent SET newest = 0 WHERE organisation = ?1 AND subject = ?2 AND scope = ?3 \
                   AND sequence = ?4 AND newest = 1";
        let line = &values![organisation.as_str(), subject.as_bytes(), scope.code(), row.sequence - 1];
        rows.execute_one(sql, line)?;
    }
    let sql = "INSERT INTO consent \
               (organisation, subject, scope, sequence, status, notice, at, expires, entry, newest) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 1)";
    rows.execute_one(
        sql,
        &values![
            organisation.as_str(),
            subject.as_bytes(),
            scope.code(),
            row.sequence,
            row.status,
            row.notice.as_bytes(),
            row.at.as_microsecond(),
            row.expires.map(Timestamp::as_microsecond),
            row.entry
        ],
    )
}

/// Relies on INVARIANT (newest act); the conditions are those of the index `consent_due`.
pub(crate) const OPEN_DUE: &str = "\
    SELECT sequence, status, notice, at, expires, entry, subject, scope FROM consent \
    WHERE organisation = ?1 AND expires <= ?2 AND newest = 1 AND status <= 2 \
    ORDER BY expires LIMIT ?3";

pub(super) fn open_due(
    rows: &Rows<'_>,
    organisation: &OrganisationId,
    before: Timestamp,
    limit: u32,
) -> Result<Vec<(SubjectPseudonym, Scope, ConsentRow)>, StoreError> {
    rows.all(OPEN_DUE, &values![organisation.as_str(), before.as_microsecond(), limit], |row| {
        Ok((SubjectPseudonym::from_bytes(row.get(6)?), read_scope(row.get(7)?)?, read_act(row)?))
    })
}

pub(super) fn insert_served(
    rows: &Rows<'_>,
    organisation: &OrganisationId,
    served: &ServedRow,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO served \
               (organisation, ticket, subject, scope, notice, served_at, entry, used_sequence) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    rows.execute_one(
        sql,
        &values![
            organisation.as_str(),
            &served.ticket,
            served.subject.as_bytes(),
            served.scope.code(),
            served.notice.as_bytes(),
            served.served_at.as_microsecond(),
            served.entry,
            served.used_sequence
        ],
    )
}

pub(super) fn served(
    rows: &Rows<'_>,
    organisation: &OrganisationId,
    ticket: [u8; 16],
) -> Result<Option<ServedRow>, StoreError> {
    let sql = format!("SELECT {SERVED} FROM served WHERE organisation = ?1 AND ticket = ?2");
    rows.optional(&sql, &values![organisation.as_str(), &ticket], read_served)
}

pub(super) fn served_to(
    rows: &Rows<'_>,
    organisation: &OrganisationId,
    subject: SubjectPseudonym,
) -> Result<Vec<ServedRow>, StoreError> {
    let sql = format!(
        "SELECT {SERVED} FROM served WHERE organisation = ?1 AND subject = ?2 ORDER BY served_at, ticket"
    );
    rows.all(&sql, &values![organisation.as_str(), subject.as_bytes()], read_served)
}

const SERVED: &str = "ticket, subject, scope, notice, served_at, entry, used_sequence";

fn read_served(row: &Row<'_>) -> Result<ServedRow, StoreError> {
    Ok(ServedRow {
        ticket: row.get(0)?,
        subject: SubjectPseudonym::from_bytes(row.get(1)?),
        scope: read_scope(row.get(2)?)?,
        notice: Digest::from_bytes(row.get(3)?),
        served_at: instant(row.get(4)?)?,
        entry: row.get(5)?,
        used_sequence: row.get(6)?,
    })
}

pub(super) fn use_served(
    rows: &Rows<'_>,
    organisation: &OrganisationId,
    ticket: [u8; 16],
    sequence: u64,
) -> Result<(), StoreError> {
    let sql = "UPDATE served SET used_sequence = ?3 \
               WHERE organisation = ?1 AND ticket = ?2 AND used_sequence IS NULL";
    rows.execute_one(sql, &values![organisation.as_str(), &ticket, sequence])
}

pub(super) fn marks(
    rows: &Rows<'_>,
    organisation: &OrganisationId,
    subject: SubjectPseudonym,
) -> Result<Vec<MarkRow>, StoreError> {
    let sql = "SELECT mark, set_at, entry FROM subject_mark \
               WHERE organisation = ?1 AND subject = ?2 ORDER BY mark";
    rows.all(sql, &values![organisation.as_str(), subject.as_bytes()], |row| {
        Ok(MarkRow { mark: row.get(0)?, set_at: instant(row.get(1)?)?, entry: row.get(2)? })
    })
}

pub(super) fn put_mark(
    rows: &Rows<'_>,
    organisation: &OrganisationId,
    subject: SubjectPseudonym,
    mark: &MarkRow,
) -> Result<bool, StoreError> {
    let sql = "INSERT INTO subject_mark (organisation, subject, mark, set_at, entry) VALUES (?1, ?2, ?3, ?4, ?5) \
               ON CONFLICT DO NOTHING";
    let values = &values![
        organisation.as_str(),
        subject.as_bytes(),
        mark.mark,
        mark.set_at.as_microsecond(),
        mark.entry
    ];
    Ok(rows.execute(sql, values)? == 1)
}

pub(super) fn remove_mark(
    rows: &Rows<'_>,
    organisation: &OrganisationId,
    subject: SubjectPseudonym,
    mark: u8,
) -> Result<bool, StoreError> {
    let sql = "DELETE FROM subject_mark WHERE organisation = ?1 AND subject = ?2 AND mark = ?3";
    Ok(rows.execute(sql, &values![organisation.as_str(), subject.as_bytes(), mark])? == 1)
}

fn read_act(row: &Row<'_>) -> Result<ConsentRow, StoreError> {
    Ok(ConsentRow {
        sequence: row.get(0)?,
        status: row.get(1)?,
        notice: Digest::from_bytes(row.get(2)?),
        at: instant(row.get(3)?)?,
        expires: row.get::<Option<i64>>(4)?.map(instant).transpose()?,
        entry: row.get(5)?,
    })
}
