//! What is left of what was destroyed or done, once it has outlived its use: rows, no longer any data.

use jiff::{Span, ToSpan, tz::TimeZone};
use vouchsafe_types::Timestamp;

use crate::leases::{Leadership, Work};
use crate::sealed::Kind;
use crate::{Error, Organisation};

/// How many rows one transaction deletes.
const BATCH: u32 = 512;

/// For how long a finished job can be looked up.
pub const JOBS_KEPT_DAYS: i32 = 90;
/// For how long the row of destroyed destruction evidence, itself seven years old, can still be certified.
pub const SPENT_EVIDENCE_KEPT_DAYS: i32 = 30;
/// For how long a legal hold that was released or expired stays, to say why something was kept: as evidence is.
pub const HOLDS_KEPT_YEARS: i32 = 7;

/// What a purge deleted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Purged {
    /// Rows of destroyed evidence.
    pub evidence: u64,
    /// Legal holds that are over.
    pub holds: u64,
    /// Finished jobs.
    pub jobs: u64,
    /// Idempotency keys that need not be known any more.
    pub keys: u64,
    /// Until when another process sweeps, or purges, if one does: then this call deleted nothing.
    pub elsewhere_until: Option<Timestamp>,
}

impl Organisation<'_> {
    /// Deletes what has outlived its use; every sweep does, too. The rows of other destroyed holdings go with the
    /// evidence of their destruction.
    ///
    /// # Errors
    /// [`Error::Store`]; what was deleted stays deleted.
    pub fn purge(&self) -> Result<Purged, Error> {
        match self.lead(Work::Retention).and_then(|leader| self.purge_as(&leader)) {
            Err(Error::Elsewhere(until)) => Ok(Purged { elsewhere_until: Some(until), ..Purged::default() }),
            purged => purged,
        }
    }

    /// As [`Self::purge`], for as long as the leadership lasts.
    pub(crate) fn purge_as(&self, leader: &Leadership<'_>) -> Result<Purged, Error> {
        let now = self.core.now();
        let spent = before(now, SPENT_EVIDENCE_KEPT_DAYS.days())?;
        let (jobs, holds) = (before(now, JOBS_KEPT_DAYS.days())?, before(now, HOLDS_KEPT_YEARS.years())?);
        let store = &*self.core.ports.store;
        let mut purged = Purged::default();
        loop {
            let (evidence, done) = vouchsafe_store::write(store, &self.id, |rows| {
                leader.keep_at(rows, self.core.now())?;
                let evidence = rows.purge_evidence(&self.id, spent, BATCH)?;
                Ok::<_, Error>((evidence, rows.purge_jobs(&self.id, jobs, BATCH)?))
            })?;
            (purged.evidence, purged.jobs) = (purged.evidence + evidence, purged.jobs + done);
            if evidence < u64::from(BATCH) && done < u64::from(BATCH) {
                break;
            }
        }
        purged.holds = vouchsafe_store::write(store, &self.id, |rows| {
            leader.keep_at(rows, self.core.now())?;
            Ok::<_, Error>(rows.purge_holds(&self.id, holds)?)
        })?;
        purged.keys = self.purge_keys(now, leader)?;
        Ok(purged)
    }

    fn purge_keys(&self, now: Timestamp, leader: &Leadership<'_>) -> Result<u64, Error> {
        let mut purged = 0;
        loop {
            let gone = vouchsafe_store::write(&*self.core.ports.store, &self.id, |rows| {
                leader.keep_at(rows, self.core.now())?;
                let over = rows.documents_due(&self.id, Kind::Once.code(), now, BATCH)?;
                for document in &over {
                    rows.remove_document(&self.id, document.id)?;
                }
                Ok::<_, Error>(over.len() as u64)
            })?;
            purged += gone;
            if gone < u64::from(BATCH) {
                return Ok(purged);
            }
        }
    }
}

fn before(now: Timestamp, span: Span) -> Result<Timestamp, Error> {
    let ago = now.to_zoned_datetime(TimeZone::UTC).checked_sub(span).map_err(|_| Error::Format("instant"))?;
    Ok(ago.timestamp())
}
