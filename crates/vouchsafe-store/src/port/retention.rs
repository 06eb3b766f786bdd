use vouchsafe_types::{OrganisationId, RecordId, SubjectPseudonym, Timestamp};

use crate::{HoldRow, JobRow, RetentionRow, StoreError};

/// What steers the retention executor: legal holds, jobs, the policy in force and the clock it has seen.
///
/// # Errors
/// As for [`Transaction`](crate::Transaction).
#[expect(clippy::missing_errors_doc, reason = "said once for all methods above")]
pub trait RetentionRows {
    /// Places a legal hold; [`StoreError::Conflict`] if its id is there already, or one person both asked and
    /// approved.
    fn insert_hold(&mut self, organisation: &OrganisationId, hold: &HoldRow) -> Result<(), StoreError>;
    /// Releases a legal hold; [`StoreError::Conflict`] if there is none or it is released already.
    fn release_hold(
        &mut self,
        organisation: &OrganisationId,
        id: RecordId,
        at: Timestamp,
    ) -> Result<(), StoreError>;
    /// All legal holds, released ones too, in the order of placement and id.
    fn holds(&mut self, organisation: &OrganisationId) -> Result<Vec<HoldRow>, StoreError>;
    /// The legal holds on a person and those on the whole organisation, without released ones, in the order of
    /// placement and id.
    fn holds_of(
        &mut self,
        organisation: &OrganisationId,
        subject: SubjectPseudonym,
    ) -> Result<Vec<HoldRow>, StoreError>;
    /// Deletes the legal holds that were released, or expired, before an instant, and the row of each person to whom
    /// nothing refers any more.
    ///
    /// Returns: how many.
    fn purge_holds(&mut self, organisation: &OrganisationId, before: Timestamp) -> Result<u64, StoreError>;

    /// Adds a job; [`StoreError::Conflict`] if its id is there already.
    fn insert_job(&mut self, organisation: &OrganisationId, job: &JobRow) -> Result<(), StoreError>;
    /// A job by its id.
    fn job(&mut self, organisation: &OrganisationId, id: RecordId) -> Result<Option<JobRow>, StoreError>;
    /// All jobs, finished ones too, in the order of creation and id.
    fn jobs(&mut self, organisation: &OrganisationId) -> Result<Vec<JobRow>, StoreError>;
    /// The job of a kind that is not finished and has been due for the longest, whoever works on it.
    fn unfinished_job(
        &mut self,
        organisation: &OrganisationId,
        kind: u8,
    ) -> Result<Option<JobRow>, StoreError>;
    /// Leases the job of a kind that is due for the longest and that nobody leases at `now`, and gives it as it then
    /// stands: with the next fence, one attempt more and the new lease.
    fn claim_job(
        &mut self,
        organisation: &OrganisationId,
        kind: u8,
        now: Timestamp,
        lease_until: Timestamp,
    ) -> Result<Option<JobRow>, StoreError>;
    /// Stores how a job stands: its state, next run, attempts, lease and end; [`StoreError::Conflict`] if there is
    /// none, or if it was claimed since, so that its fence is another.
    fn save_job(&mut self, organisation: &OrganisationId, job: &JobRow) -> Result<(), StoreError>;
    /// Deletes a job.
    ///
    /// Returns: whether it was there.
    fn remove_job(&mut self, organisation: &OrganisationId, id: RecordId) -> Result<bool, StoreError>;

    /// Deletes up to `limit` jobs that were finished before an instant, the oldest first, and the row of each person to
    /// whom nothing refers any more.
    ///
    /// Returns: how many.
    fn purge_jobs(
        &mut self,
        organisation: &OrganisationId,
        before: Timestamp,
        limit: u32,
    ) -> Result<u64, StoreError>;

    /// How retention stands; `None` before the first policy was activated.
    fn retention(&mut self, organisation: &OrganisationId) -> Result<Option<RetentionRow>, StoreError>;
    /// Stores how retention stands.
    fn put_retention(
        &mut self,
        organisation: &OrganisationId,
        retention: &RetentionRow,
    ) -> Result<(), StoreError>;

    /// How many rows of each table have outlived what they belong to, in the order of the inventory; tables
    /// without such rows are left out.
    ///
    /// A row has if its parent is missing; if it is sealed under a destroyed holding; if it tells of a person's
    /// consent, marks, events or places while nothing of theirs is held but destruction evidence; if it is a person
    /// to whom nothing refers; or if it is a tally that does not add up. Reads whole tables.
    fn orphans(&mut self, organisation: &OrganisationId) -> Result<Vec<(&'static str, u64)>, StoreError>;
}
