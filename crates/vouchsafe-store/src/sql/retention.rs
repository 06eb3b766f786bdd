//! What steers the retention executor.

use vouchsafe_types::{Digest, OrganisationId, RecordId, SubjectPseudonym, Timestamp};

use super::rows::{Rows, instant};
use super::value::values;
use super::{holds, jobs, orphans};
use crate::port::RetentionRows;
use crate::{HoldRow, JobRow, RetentionRow, StoreError};

impl RetentionRows for Rows<'_> {
    fn insert_hold(&mut self, organisation: &OrganisationId, hold: &HoldRow) -> Result<(), StoreError> {
        holds::insert(self, organisation, hold)
    }

    fn release_hold(
        &mut self,
        organisation: &OrganisationId,
        id: RecordId,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        holds::release(self, organisation, id, at)
    }

    fn holds(&mut self, organisation: &OrganisationId) -> Result<Vec<HoldRow>, StoreError> {
        holds::all(self, organisation)
    }

    fn holds_of(
        &mut self,
        organisation: &OrganisationId,
        subject: SubjectPseudonym,
    ) -> Result<Vec<HoldRow>, StoreError> {
        holds::of(self, organisation, subject)
    }

    fn purge_holds(&mut self, organisation: &OrganisationId, before: Timestamp) -> Result<u64, StoreError> {
        holds::purge(self, organisation, before)
    }

    fn insert_job(&mut self, organisation: &OrganisationId, job: &JobRow) -> Result<(), StoreError> {
        jobs::insert(self, organisation, job)
    }

    fn job(&mut self, organisation: &OrganisationId, id: RecordId) -> Result<Option<JobRow>, StoreError> {
        jobs::by_id(self, organisation, id)
    }

    fn jobs(&mut self, organisation: &OrganisationId) -> Result<Vec<JobRow>, StoreError> {
        jobs::all(self, organisation)
    }

    fn unfinished_job(
        &mut self,
        organisation: &OrganisationId,
        kind: u8,
    ) -> Result<Option<JobRow>, StoreError> {
        jobs::unfinished(self, organisation, kind)
    }

    fn claim_job(
        &mut self,
        organisation: &OrganisationId,
        kind: u8,
        now: Timestamp,
        lease_until: Timestamp,
    ) -> Result<Option<JobRow>, StoreError> {
        jobs::claim(self, organisation, kind, now, lease_until)
    }

    fn save_job(&mut self, organisation: &OrganisationId, job: &JobRow) -> Result<(), StoreError> {
        jobs::save(self, organisation, job)
    }

    fn remove_job(&mut self, organisation: &OrganisationId, id: RecordId) -> Result<bool, StoreError> {
        jobs::remove(self, organisation, id)
    }

    fn purge_jobs(
        &mut self,
        organisation: &OrganisationId,
        before: Timestamp,
        limit: u32,
    ) -> Result<u64, StoreError> {
        jobs::purge(self, organisation, before, limit)
    }

    fn retention(&mut self, organisation: &OrganisationId) -> Result<Option<RetentionRow>, StoreError> {
        let sql = "SELECT policy, activated_at, newest, swept_at FROM retention WHERE organisation = ?1";
        self.optional(sql, &values![organisation.as_str()], |row| {
            Ok(RetentionRow {
                policy: Digest::from_bytes(row.get(0)?),
                activated_at: instant(row.get(1)?)?,
                newest: instant(row.get(2)?)?,
                swept_at: row.get::<Option<i64>>(3)?.map(instant).transpose()?,
            })
        })
    }

    fn put_retention(
        &mut self,
        organisation: &OrganisationId,
        retention: &RetentionRow,
    ) -> Result<(), StoreError> {
        let sql = "INSERT INTO retention (organisation, policy, activated_at, newest, swept_at) \
                   VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (organisation) DO UPDATE SET policy = excluded.policy, \
                   activated_at = excluded.activated_at, newest = excluded.newest, swept_at = excluded.swept_at";
        self.execute_one(
            sql,
            &values![
                organisation.as_str(),
                retention.policy.as_bytes(),
                retention.activated_at.as_microsecond(),
                retention.newest.as_microsecond(),
                retention.swept_at.map(Timestamp::as_microsecond)
            ],
        )
    }

    fn orphans(&mut self, organisation: &OrganisationId) -> Result<Vec<(&'static str, u64)>, StoreError> {
        orphans::count(self, organisation)
    }
}
