//! Leadership by lease.

use jiff::SignedDuration;
use vouchsafe_types::{OrganisationId, RecordId, Timestamp};

use super::rows::{Rows, instant};
use super::value::values;
use crate::port::LeaseRows;
use crate::{LeaseRow, StoreError};

/// By how much the clocks of processes may differ before their leases are not believed.
const SKEW: SignedDuration = SignedDuration::from_mins(5);

/// The latest end that a lease of the same length can have by now; a later one was written by a clock that is ahead.
fn latest(until: Timestamp) -> Timestamp {
    until.checked_add(SKEW).unwrap_or(Timestamp::MAX)
}

impl LeaseRows for Rows<'_> {
    fn take_lease(
        &mut self,
        organisation: &OrganisationId,
        work: u8,
        holder: RecordId,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<LeaseRow, StoreError> {
        let held = self.lease(organisation, work)?;
        let token = match &held {
            Some(held) if held.until.is_some_and(|end| end > now && end <= latest(until)) => {
                if held.holder != holder {
                    return Ok(held.clone());
                }
                held.token
            }
            Some(held) => held.token.checked_add(1).ok_or(StoreError::Damaged)?,
            None => 1,
        };
        let sql = if held.is_some() {
            "UPDATE lease SET holder = ?3, token = ?4, until = ?5 WHERE organisation = ?1 AND work = ?2"
        } else {
            "INSERT INTO lease (organisation, work, holder, token, until) VALUES (?1, ?2, ?3, ?4, ?5)"
        };
        let values = &values![organisation.as_str(), work, holder.as_bytes(), token, until.as_microsecond()];
        self.execute_one(sql, values)?;
        Ok(LeaseRow { holder, token, until: Some(until) })
    }

    fn renew_lease(
        &mut self,
        organisation: &OrganisationId,
        work: u8,
        token: u64,
        until: Timestamp,
    ) -> Result<bool, StoreError> {
        let sql = "UPDATE lease SET until = ?4 \
                   WHERE organisation = ?1 AND work = ?2 AND token = ?3 AND until IS NOT NULL";
        let values = &values![organisation.as_str(), work, token, until.as_microsecond()];
        Ok(self.execute(sql, values)? == 1)
    }

    fn release_lease(
        &mut self,
        organisation: &OrganisationId,
        work: u8,
        token: u64,
    ) -> Result<bool, StoreError> {
        let sql = "UPDATE lease SET until = NULL WHERE organisation = ?1 AND work = ?2 AND token = ?3";
        Ok(self.execute(sql, &values![organisation.as_str(), work, token])? == 1)
    }

    fn lease(&mut self, organisation: &OrganisationId, work: u8) -> Result<Option<LeaseRow>, StoreError> {
        let sql = "SELECT holder, token, until FROM lease WHERE organisation = ?1 AND work = ?2";
        self.optional(sql, &values![organisation.as_str(), work], |row| {
            Ok(LeaseRow {
                holder: RecordId::from_bytes(row.get(0)?),
                token: row.get(1)?,
                until: row.get::<Option<i64>>(2)?.map(instant).transpose()?,
            })
        })
    }
}
