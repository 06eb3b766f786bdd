//! The policy in force for an organisation, and whether it is kept to.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use vouchsafe_ledger::{ActorRole, EntryKind};
use vouchsafe_retention::{Facts, Policy, RetentionError, Shift};
use vouchsafe_store::{Holding, HoldingState, RetentionRow, Transaction};
use vouchsafe_types::{DataClass, Digest, OrganisationId, Timestamp};

use crate::act::Act;
use crate::jobs::{Job, JobKind};
use crate::lives::Life;
use crate::payload::Payload;
use crate::{Error, Organisation};

/// How many holdings are read together.
const PAGE: u32 = 512;

/// How the organisation keeps to its policy now.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
#[non_exhaustive]
pub struct RetentionStatus {
    /// SHA-256 of the policy in force; `None` before the first activation.
    pub policy: Option<Digest>,
    /// Whether it is the one that this service was opened with.
    pub is_current: bool,
    /// When the last sweep ended.
    pub swept_at: Option<Timestamp>,
    /// Holdings that are live.
    pub live: u64,
    /// Holdings that are fenced and not yet destroyed.
    pub condemned: u64,
    /// When the next holding has to be looked at.
    pub next_at: Option<Timestamp>,
    /// Holdings that had to be looked at, or destroyed, longer ago than the margin.
    pub late: u64,
    /// How long the oldest of them waits beyond its instant.
    pub lateness: SignedDuration,
}

impl RetentionStatus {
    /// In the text format of Prometheus; no label names a person.
    pub fn to_metrics(&self, organisation: &OrganisationId) -> String {
        let seconds = self.lateness.as_secs();
        let gauges = [
            ("vouchsafe_retention_live", "Holdings that are live.", self.live.cast_signed()),
            (
                "vouchsafe_retention_condemned",
                "Holdings fenced and not destroyed.",
                self.condemned.cast_signed(),
            ),
            ("vouchsafe_retention_late", "Holdings later than the margin.", self.late.cast_signed()),
            ("vouchsafe_retention_lateness_seconds", "How late the oldest is.", seconds),
        ];
        let line = |(name, help, value): (&str, &str, i64)| {
            format!(
                "# HELP {name} {help}\n# TYPE {name} gauge\n{name}{{organisation=\"{organisation}\"}} {value}\n"
            )
        };
        gauges.into_iter().map(line).collect()
    }
}

impl Organisation<'_> {
    /// The retention policy that this service was opened with.
    pub const fn retention_policy(&self) -> &Policy {
        &self.core.ports.retention
    }

    /// Puts the policy that this service was opened with in force for the organisation, and asks it about everything
    /// that is held. Nothing is destroyed; the next sweep decides by it. Compare the two policies first.
    ///
    /// # Errors
    /// [`Error::Retention`] when the policy leaves a class of data that is held without a period: it is not in force then.
    pub fn activate_policy(&self) -> Result<Digest, Error> {
        let digest = self.core.ports.retention.digest();
        self.ensure_no_gap()?;
        self.core.act(&self.id, &[], |act| {
            let known = act.rows.retention(act.organisation)?;
            if known.as_ref().is_some_and(|row| row.policy == digest) {
                return Ok(());
            }
            put_policy(act, known)?;
            let payload = Payload::by(ActorRole::Administrator, act.now).policy(digest);
            act.record_public(EntryKind::RetentionPolicyActivated, &payload)?;
            act.begin_job(JobKind::Review, None, &Job::of(&[])).map(drop)
        })?;
        self.resume_jobs()?;
        Ok(digest)
    }

    /// Counts, class by class, what is held that another policy would destroy earlier or later than the one in force.
    /// Holds take no part. Nothing is changed; the cost grows with what is stored.
    ///
    /// # Errors
    /// [`Error::PolicyNotActivated`] when this service was opened with another policy than the one in force.
    pub fn compare_policy(&self, after: &Policy) -> Result<BTreeMap<DataClass, Shift>, Error> {
        let (before, now) = (&self.core.ports.retention, self.core.now());
        vouchsafe_store::read(&*self.core.ports.store, &self.id, |rows| {
            activated(rows, &self.id, before)?;
            let mut shifts = BTreeMap::new();
            self.each_live(rows, |holding, facts| {
                let shift = before.compare(after, [facts], now)?;
                add(shifts.entry(holding.class).or_default(), shift);
                Ok(())
            })?;
            Ok(shifts)
        })
    }

    /// Refuses a policy that states no period for something that is held.
    fn ensure_no_gap(&self) -> Result<(), Error> {
        vouchsafe_store::read(&*self.core.ports.store, &self.id, |rows| {
            self.each_live(rows, |_, facts| Ok(self.core.ports.retention.resolve(&facts).map(drop)?))
        })
    }

    fn each_live(
        &self,
        rows: &mut dyn Transaction,
        mut ask: impl FnMut(&Holding, Facts) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut last = None;
        loop {
            let page = rows.holdings(&self.id, last, PAGE)?;
            let Some(holding) = page.last() else { return Ok(()) };
            last = Some(holding.leaf);
            for holding in page.iter().filter(|holding| holding.state == HoldingState::Live) {
                let life = Life::read(rows, &self.id, holding.subject)?;
                ask(holding, life.facts(rows, &self.id, holding)?)?;
            }
        }
    }

    /// How the organisation keeps to its policy now. `margin` is how long a sweep may take to come round.
    ///
    /// Costs a walk over what is late and what is condemned, not over what is stored.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub fn retention_status(&self, margin: SignedDuration) -> Result<RetentionStatus, Error> {
        let (now, own) = (self.core.now(), self.core.ports.retention.digest());
        let bound = now.checked_sub(margin).unwrap_or(Timestamp::MIN);
        vouchsafe_store::read(&*self.core.ports.store, &self.id, |rows| {
            let row = rows.retention(&self.id)?;
            if let Some(row) = &row {
                refuse_set_back(&self.core.ports.retention, row, now)?;
            }
            let condemned = rows.condemned(&self.id)?;
            let since = condemned.iter().filter_map(|holding| match &holding.state {
                HoldingState::Condemned { at, .. } => Some(*at),
                _ => None,
            });
            let stuck: Vec<_> = since.filter(|at| *at < bound).collect();
            let next_at = rows.oldest_review(&self.id)?;
            let oldest = next_at.into_iter().chain(stuck.iter().copied()).min().filter(|at| *at < bound);
            Ok(RetentionStatus {
                policy: row.as_ref().map(|row| row.policy),
                is_current: row.as_ref().is_some_and(|row| row.policy == own),
                swept_at: row.and_then(|row| row.swept_at),
                live: rows.live_count(&self.id)?,
                condemned: condemned.len() as u64,
                next_at,
                late: rows.late_count(&self.id, bound)? + stuck.len() as u64,
                lateness: oldest.map_or(SignedDuration::ZERO, |at| now.duration_since(at)),
            })
        })
    }

    /// As [`Self::retention_status`], and writes an entry of the log when something is late: somebody must look.
    ///
    /// # Errors
    /// [`Error::Store`], [`Error::Envelope`].
    pub fn watch_retention(&self, margin: SignedDuration) -> Result<RetentionStatus, Error> {
        let status = self.retention_status(margin)?;
        if status.late > 0 {
            self.core.act(&self.id, &[], |act| {
                let late = status.late.to_string();
                let payload = Payload::by(ActorRole::Service, act.now).word("late", &late);
                act.record_public(EntryKind::RetentionLate, &payload)
            })?;
        }
        Ok(status)
    }
}

fn add(sum: &mut Shift, one: Shift) {
    sum.considered += one.considered;
    sum.earlier += one.earlier;
    sum.later += one.later;
    sum.newly_due += one.newly_due;
    sum.gaps += one.gaps;
}

/// Puts the service's policy in force; `known` is what was in force before.
pub(crate) fn put_policy(act: &mut Act<'_>, known: Option<RetentionRow>) -> Result<(), Error> {
    let policy = act.core.ports.retention.digest();
    let row = RetentionRow {
        policy,
        activated_at: act.now,
        newest: known.as_ref().map_or(act.now, |row| row.newest),
        swept_at: known.and_then(|row| row.swept_at),
    };
    Ok(act.rows.put_retention(act.organisation, &row)?)
}

/// What is known of the organisation's retention, when its policy is the one at hand.
/// Refuses a clock that stands before what was known of it: by such a clock nothing seems to be due.
pub(crate) fn refuse_set_back(policy: &Policy, row: &RetentionRow, now: Timestamp) -> Result<(), Error> {
    match policy.clock_guard().check(Some(row.newest), now) {
        Err(error @ RetentionError::ClockSetBack { .. }) => Err(error.into()),
        _ => Ok(()),
    }
}

pub(crate) fn activated(
    rows: &mut dyn Transaction,
    organisation: &OrganisationId,
    policy: &Policy,
) -> Result<RetentionRow, Error> {
    match rows.retention(organisation)? {
        Some(row) if row.policy == policy.digest() => Ok(row),
        _ => Err(Error::PolicyNotActivated),
    }
}
