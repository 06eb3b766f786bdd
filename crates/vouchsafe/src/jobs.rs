//! Work that outlives a process: rows of the database, taken by lease, finished once.

use jiff::ToSpan;
use serde::{Deserialize, Serialize};
use vouchsafe_store::backup::RECOVERY;
use vouchsafe_store::{HoldingState, JobRow};
use vouchsafe_types::{LeafIndex, RecordId, SubjectPseudonym, Timestamp};

use crate::act::Act;
use crate::{Destruction, Error, Organisation};

/// What a job does; its number in the rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum JobKind {
    /// Sees the deletion of an account through.
    AccountDeletion,
    /// Sees the destruction of everything that an organisation held through.
    Offboarding,
    /// Waits for the recovery after a restored backup; nothing else is done before it.
    Recovery,
    /// Asks a newly activated policy about every holding.
    Review,
}

impl JobKind {
    const ALL: [Self; 4] = [Self::AccountDeletion, Self::Offboarding, Self::Recovery, Self::Review];

    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::AccountDeletion => 1,
            Self::Offboarding => 2,
            Self::Review => 3,
            Self::Recovery => RECOVERY,
        }
    }

    pub(crate) fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }

    /// The stable name used in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AccountDeletion => "account_deletion",
            Self::Offboarding => "offboarding",
            Self::Recovery => "recovery",
            Self::Review => "review",
        }
    }
}

/// A job as operators see it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct JobStatus {
    /// Which job.
    pub id: RecordId,
    /// What it does.
    pub kind: JobKind,
    /// When it began.
    pub created_at: Timestamp,
    /// How often somebody took it up.
    pub attempts: u32,
    /// When it was finished.
    pub finished_at: Option<Timestamp>,
}

/// What a job knows of its progress: version 1 of its state. Leaves of the key tree name no person.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Job {
    v: u8,
    /// The leaves whose destruction it waits for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) leaves: Vec<u64>,
    /// The last leaf that it has looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) after: Option<u64>,
}

impl Job {
    pub(crate) fn of(leaves: &[LeafIndex]) -> Self {
        Self { v: 1, leaves: leaves.iter().map(|leaf| leaf.get()).collect(), after: None }
    }

    fn parse(bytes: &[u8]) -> Result<Self, Error> {
        let job: Self = serde_json::from_slice(bytes).map_err(|_| Error::Format("job"))?;
        if job.v == 1 { Ok(job) } else { Err(Error::Format("job")) }
    }

    fn to_bytes(&self) -> Result<Vec<u8>, Error> {
        serde_json::to_vec(self).map_err(|_| Error::Format("job"))
    }
}

/// For how long whoever takes a job keeps others from it.
const LEASE_SECONDS: i64 = 60;
/// How many holdings one transaction looks at.
const PAGE: u32 = 512;

impl Act<'_> {
    pub(crate) fn begin_job(
        &mut self,
        kind: JobKind,
        subject: Option<SubjectPseudonym>,
        job: &Job,
    ) -> Result<RecordId, Error> {
        let row = JobRow {
            id: self.record_id()?,
            kind: kind.code(),
            subject,
            state: job.to_bytes()?,
            created_at: self.now,
            run_at: Some(self.now),
            attempts: 0,
            lease_until: None,
            fence: 0,
            finished_at: None,
        };
        self.rows.insert_job(self.organisation, &row)?;
        Ok(row.id)
    }
}

impl Organisation<'_> {
    /// Goes on with every job that is due and that nobody works on, but for a recovery, which is an act of its own.
    /// Idempotent; safe in several processes.
    ///
    /// Returns: how many were finished.
    ///
    /// # Errors
    /// What stands in the way; what was done stays done, and the job stays for the next call.
    pub fn resume_jobs(&self) -> Result<u64, Error> {
        let mut finished = 0;
        self.core.ensure_not_behind(&self.id)?;
        for kind in [JobKind::AccountDeletion, JobKind::Offboarding, JobKind::Review] {
            while let Some(row) = self.claim(kind)? {
                if !self.run_job(kind, row)? {
                    break;
                }
                finished += 1;
            }
        }
        Ok(finished)
    }

    /// Every job that is not forgotten, in the order of its beginning.
    ///
    /// # Errors
    /// [`Error::Store`]; [`Error::Format`] for a job of a newer version.
    pub fn jobs(&self) -> Result<Vec<JobStatus>, Error> {
        let rows = vouchsafe_store::read(&*self.core.ports.store, &self.id, |rows| {
            rows.jobs(&self.id).map_err(Error::from)
        })?;
        rows.into_iter().map(status).collect()
    }

    fn claim(&self, kind: JobKind) -> Result<Option<JobRow>, Error> {
        vouchsafe_store::write(&*self.core.ports.store, &self.id, |rows| {
            let now = self.core.now();
            Ok(rows.claim_job(&self.id, kind.code(), now, lease_from(now))?)
        })
    }

    /// Works on a job; says whether it is finished.
    fn run_job(&self, kind: JobKind, mut row: JobRow) -> Result<bool, Error> {
        let done = match kind {
            JobKind::AccountDeletion => self.see_through(&row)?,
            JobKind::Offboarding => return self.walk(row, |after| self.end_page(after)),
            JobKind::Recovery => return Ok(false),
            JobKind::Review => return self.walk(row, |after| self.review_page(after)),
        };
        row.lease_until = None;
        let now = self.core.now();
        if done {
            (row.run_at, row.finished_at) = (None, Some(now));
        } else {
            row.run_at = Some(lease_from(now));
        }
        self.save(&row)?;
        Ok(done)
    }

    fn see_through(&self, row: &JobRow) -> Result<bool, Error> {
        let job = Job::parse(&row.state)?;
        if let Destruction::Pending(_) = self.resume_destructions() {
            return Ok(false);
        }
        vouchsafe_store::read(&*self.core.ports.store, &self.id, |rows| {
            for leaf in &job.leaves {
                let leaf = LeafIndex::new(*leaf)?;
                let gone = |held: HoldingState| matches!(held, HoldingState::Destroyed { .. });
                if rows.holding(&self.id, leaf)?.is_some_and(|holding| !gone(holding.state)) {
                    return Ok(false);
                }
            }
            Ok(true)
        })
    }

    /// Walks over every holding, a page at a time; the job remembers how far it came.
    fn walk(
        &self,
        mut row: JobRow,
        page: impl Fn(Option<LeafIndex>) -> Result<Option<LeafIndex>, Error>,
    ) -> Result<bool, Error> {
        loop {
            let mut job = Job::parse(&row.state)?;
            let last = page(job.after.map(LeafIndex::new).transpose()?)?;
            let now = self.core.now();
            if last.is_none() {
                (row.run_at, row.finished_at, row.lease_until) = (None, Some(now), None);
                self.save(&row)?;
                return Ok(true);
            }
            job.after = last.map(LeafIndex::get);
            row.state = job.to_bytes()?;
            row.lease_until = Some(lease_from(now));
            self.save(&row)?;
        }
    }

    /// Asks the policy about a page of holdings; gives the last of them.
    fn review_page(&self, after: Option<LeafIndex>) -> Result<Option<LeafIndex>, Error> {
        self.core.act(&self.id, &[], |act| {
            let page = act.rows.holdings(act.organisation, after, PAGE)?;
            for holding in page.iter().filter(|holding| holding.state == HoldingState::Live) {
                let life = act.life(holding.subject)?;
                let review_at = act.decide(&life, holding)?.review_at(act.now);
                act.rows.set_review(act.organisation, holding.leaf, review_at)?;
            }
            Ok(page.last().map(|holding| holding.leaf))
        })
    }

    fn save(&self, row: &JobRow) -> Result<(), Error> {
        vouchsafe_store::write(&*self.core.ports.store, &self.id, |rows| Ok(rows.save_job(&self.id, row)?))
    }
}

fn lease_from(now: Timestamp) -> Timestamp {
    now.checked_add(LEASE_SECONDS.seconds()).unwrap_or(Timestamp::MAX)
}

fn status(row: JobRow) -> Result<JobStatus, Error> {
    let kind = JobKind::from_code(row.kind).ok_or(Error::Format("job"))?;
    let JobRow { id, created_at, attempts, finished_at, .. } = row;
    Ok(JobStatus { id, kind, created_at, attempts, finished_at })
}
