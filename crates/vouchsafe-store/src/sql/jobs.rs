//! The jobs: leased by a fence that grows with each claim.

use vouchsafe_types::{OrganisationId, RecordId, SubjectPseudonym, Timestamp};

use super::lives::remove_unreferred;
use super::rows::{Row, Rows, instant};
use super::value::values;
use crate::{JobRow, StoreError};

const JOB: &str = "id, kind, subject, state, created_at, run_at, attempts, lease_until, fence, finished_at";

pub(super) fn insert(rows: &Rows<'_>, organisation: &OrganisationId, job: &JobRow) -> Result<(), StoreError> {
    let sql = format!(
        "INSERT INTO job (organisation, {JOB}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)"
    );
    rows.execute_one(
        &sql,
        &values![
            organisation.as_str(),
            job.id.as_bytes(),
            job.kind,
            job.subject.as_ref().map(SubjectPseudonym::as_bytes),
            &job.state,
            job.created_at.as_microsecond(),
            job.run_at.map(Timestamp::as_microsecond),
            job.attempts,
            job.lease_until.map(Timestamp::as_microsecond),
            job.fence,
            job.finished_at.map(Timestamp::as_microsecond)
        ],
    )
}

pub(super) fn by_id(
    rows: &Rows<'_>,
    organisation: &OrganisationId,
    id: RecordId,
) -> Result<Option<JobRow>, StoreError> {
    let sql = format!("SELECT {JOB} FROM job WHERE organisation = ?1 AND id = ?2");
    rows.optional(&sql, &values![organisation.as_str(), id.as_bytes()], read)
}

pub(super) fn all(rows: &Rows<'_>, organisation: &OrganisationId) -> Result<Vec<JobRow>, StoreError> {
    let sql = format!("SELECT {JOB} FROM job WHERE organisation = ?1 ORDER BY created_at, id");
    rows.all(&sql, &values![organisation.as_str()], read)
}

pub(super) fn unfinished(
    rows: &Rows<'_>,
    organisation: &OrganisationId,
    kind: u8,
) -> Result<Option<JobRow>, StoreError> {
    let sql = format!(
        "SELECT {JOB} FROM job WHERE organisation = ?1 AND kind = ?2 AND run_at IS NOT NULL \
         ORDER BY run_at, id LIMIT 1"
    );
    rows.optional(&sql, &values![organisation.as_str(), kind], read)
}

/// In the order of the index `job_due`.
pub(crate) const CLAIMABLE: &str = "\
    SELECT id FROM job WHERE organisation = ?1 AND kind = ?2 AND run_at <= ?3 \
    AND (lease_until IS NULL OR lease_until <= ?3) ORDER BY run_at, id LIMIT 1";

pub(super) fn claim(
    rows: &Rows<'_>,
    organisation: &OrganisationId,
    kind: u8,
    now: Timestamp,
    lease_until: Timestamp,
) -> Result<Option<JobRow>, StoreError> {
    let due = &values![organisation.as_str(), kind, now.as_microsecond()];
    let Some(id) = rows.optional(CLAIMABLE, due, |row| Ok(RecordId::from_bytes(row.get(0)?)))? else {
        return Ok(None);
    };
    let sql = "UPDATE job SET fence = fence + 1, attempts = attempts + 1, lease_until = ?3 \
               WHERE organisation = ?1 AND id = ?2";
    rows.execute_one(sql, &values![organisation.as_str(), id.as_bytes(), lease_until.as_microsecond()])?;
    by_id(rows, organisation, id)
}

pub(super) fn save(rows: &Rows<'_>, organisation: &OrganisationId, job: &JobRow) -> Result<(), StoreError> {
    let sql = "UPDATE job SET state = ?4, run_at = ?5, attempts = ?6, lease_until = ?7, finished_at = ?8 \
               WHERE organisation = ?1 AND id = ?2 AND fence = ?3";
    rows.execute_one(
        sql,
        &values![
            organisation.as_str(),
            job.id.as_bytes(),
            job.fence,
            &job.state,
            job.run_at.map(Timestamp::as_microsecond),
            job.attempts,
            job.lease_until.map(Timestamp::as_microsecond),
            job.finished_at.map(Timestamp::as_microsecond)
        ],
    )
}

pub(super) fn remove(
    rows: &Rows<'_>,
    organisation: &OrganisationId,
    id: RecordId,
) -> Result<bool, StoreError> {
    let sql = "DELETE FROM job WHERE organisation = ?1 AND id = ?2";
    Ok(rows.execute(sql, &values![organisation.as_str(), id.as_bytes()])? == 1)
}

pub(crate) const FINISHED: &str = "SELECT id, subject FROM job WHERE organisation = ?1 AND finished_at < ?2 \
                                   ORDER BY finished_at, id LIMIT ?3";

pub(super) fn purge(
    rows: &Rows<'_>,
    organisation: &OrganisationId,
    before: Timestamp,
    limit: u32,
) -> Result<u64, StoreError> {
    let values = &values![organisation.as_str(), before.as_microsecond(), limit];
    let finished: Vec<([u8; 16], Option<[u8; 32]>)> =
        rows.all(FINISHED, values, |row| Ok((row.get(0)?, row.get(1)?)))?;
    for (id, subject) in &finished {
        remove(rows, organisation, RecordId::from_bytes(*id))?;
        if let Some(subject) = subject {
            remove_unreferred(rows, organisation, SubjectPseudonym::from_bytes(*subject))?;
        }
    }
    Ok(finished.len() as u64)
}

fn read(row: &Row<'_>) -> Result<JobRow, StoreError> {
    Ok(JobRow {
        id: RecordId::from_bytes(row.get(0)?),
        kind: row.get(1)?,
        subject: row.get::<Option<[u8; 32]>>(2)?.map(SubjectPseudonym::from_bytes),
        state: row.get(3)?,
        created_at: instant(row.get(4)?)?,
        run_at: row.get::<Option<i64>>(5)?.map(instant).transpose()?,
        attempts: row.get(6)?,
        lease_until: row.get::<Option<i64>>(7)?.map(instant).transpose()?,
        fence: row.get(8)?,
        finished_at: row.get::<Option<i64>>(9)?.map(instant).transpose()?,
    })
}
