//! Retention: what is due is planned by the policy, condemned in a transaction that asks again, and destroyed.

use std::time::Duration;

use vouchsafe_ledger::{ActorRole, DestructionReason, EntryKind};
use vouchsafe_retention::{Facts, Hold, ItemId, Plan, PlanItem, ReleasedPlan, RetentionError, Verdict};
use vouchsafe_store::HoldingState;
use vouchsafe_types::{DataClass, Digest, LeafIndex, Timestamp};

use crate::act::Act;
use crate::cause::Cause;
use crate::destroy::condemn;
use crate::leases::{Leadership, Work, or_elsewhere};
use crate::lives::Life;
use crate::payload::Payload;
use crate::policy::{activated, refuse_set_back};
use crate::{Destruction, Error, Organisation};

/// How many holdings are read together.
const PAGE: u32 = 512;

/// How fast a sweep goes on, so that it does not stand in the way of those who verify.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "three numbers; a fourth must be decided")]
pub struct Pace {
    /// How many holdings one transaction condemns, 1 to 1,000.
    pub batch: usize,
    /// How many one call condemns at the most; the next call goes on.
    pub most: usize,
    /// How long it rests between two transactions.
    pub rest: Duration,
}

impl Default for Pace {
    /// 256 a transaction, 100,000 a call, no rest.
    fn default() -> Self {
        Self { batch: 256, most: 100_000, rest: Duration::ZERO }
    }
}

/// What a look at everything that may be due found.
struct Found {
    due: Vec<(ItemId, Facts, Vec<Hold>)>,
    /// What was not due after all, and when to look again.
    later: Vec<LeafIndex>,
}

impl Organisation<'_> {
    /// Plans what the retention policy says is due now. Nothing is changed.
    ///
    /// The cost grows with what has to be looked at, not with what is stored.
    ///
    /// # Errors
    /// [`Error::PolicyNotActivated`]; [`Error::Retention`] when a rule leaves a gap, or the clock was set back.
    pub fn plan_retention(&self) -> Result<Plan, Error> {
        self.core.ensure_not_behind(&self.id)?;
        let now = self.core.now();
        let found = self.look_at_due(now)?;
        self.plan_of(found.due, now)
    }

    fn plan_of(&self, due: Vec<(ItemId, Facts, Vec<Hold>)>, now: Timestamp) -> Result<Plan, Error> {
        let live = vouchsafe_store::read(&*self.core.ports.store, &self.id, |rows| {
            rows.live_count(&self.id).map_err(Error::from)
        })?;
        let plan = Plan::make_held(&self.core.ports.retention, due, live, now)?;
        Ok(plan.for_log(&self.log_origin()?)?)
    }

    fn look_at_due(&self, now: Timestamp) -> Result<Found, Error> {
        vouchsafe_store::read(&*self.core.ports.store, &self.id, |rows| {
            let policy = &self.core.ports.retention;
            refuse_set_back(policy, &activated(rows, &self.id, policy)?, now)?;
            let (mut found, mut after) = (Found { due: Vec::new(), later: Vec::new() }, None);
            loop {
                let page = rows.holdings_due(&self.id, now, after, PAGE)?;
                let Some(last) = page.last() else { return Ok(found) };
                after = last.review_at.map(|at| (at, last.leaf));
                for holding in page {
                    let life = Life::read(rows, &self.id, holding.subject)?;
                    let facts = life.facts(rows, &self.id, &holding)?;
                    let decision = self.core.ports.retention.decide(&facts, &life.holds, now)?;
                    match decision.verdict() {
                        Verdict::Due => found.due.push((item_id(holding.leaf)?, facts, life.holds)),
                        _ => found.later.push(holding.leaf),
                    }
                }
            }
        })
    }

    /// Runs a plan that was approved by as many as the policy demands, at least one: condemns what is still due, then
    /// destroys it. Only the keys of [`Ports::approvers`](crate::Ports::approvers) count; by default there are none.
    ///
    /// # Errors
    /// [`Error::Foreign`] for a plan of another organisation; [`Error::NotApproved`]; [`Error::Retention`] when the
    /// policy changed since.
    pub fn run_plan(&self, plan: Plan, approvals: &[&str], pace: Pace) -> Result<Destruction, Error> {
        if plan.log() != Some(&self.log_origin()?) {
            return Err(Error::Foreign);
        }
        let digest = plan.digest()?;
        let approvers = self.approvers_of(&digest, approvals)?;
        if approvers.len() < plan.approvals_needed().max(1) {
            return Err(Error::NotApproved);
        }
        or_elsewhere(self.lead(Work::Retention).and_then(|leader| {
            self.record_approvals(&approvers, digest)?;
            self.execute(plan, Some(digest), pace, &leader)
        }))
    }

    fn record_approvals(&self, approvers: &[String], digest: Digest) -> Result<(), Error> {
        self.core.act(&self.id, &[], |act| {
            approvers.iter().try_for_each(|name| {
                let payload = Payload::by(ActorRole::Administrator, act.now).cause(&digest.to_string());
                act.record_public(EntryKind::RetentionPlanApproved, &payload.word("approver", name)).map(drop)
            })
        })
    }

    /// Plans and runs in one call what the policy wants no approval for; also goes on with what was interrupted,
    /// reminds recipients who are late, and purges what has outlived its use.
    ///
    /// Of several processes one at a time sweeps; to the others it is pending
    /// ([`ErasureIncomplete::elsewhere_until`](crate::ErasureIncomplete::elsewhere_until)). One that was stopped and
    /// wakes after another one took over changes nothing any more.
    ///
    /// # Errors
    /// [`Error::Retention`] when a breaker trips or the clock jumped: approve the plan then; the reminders and purges of a tripped breaker are
    /// done.
    pub fn sweep(&self) -> Result<Destruction, Error> {
        self.sweep_at(Pace::default())
    }

    /// As [`Self::sweep`], at this pace.
    ///
    /// # Errors
    /// As [`Self::sweep`].
    pub fn sweep_at(&self, pace: Pace) -> Result<Destruction, Error> {
        or_elsewhere(self.lead(Work::Retention).and_then(|leader| self.sweep_as(pace, &leader)))
    }

    fn sweep_as(&self, pace: Pace, leader: &Leadership<'_>) -> Result<Destruction, Error> {
        self.resume_jobs()?;
        let now = self.core.now();
        let found = self.look_at_due(now)?;
        self.put_off(&found.later, leader)?;
        let plan = self.plan_of(self.without_approval(found.due, now)?, now)?;
        let destruction = self.execute(plan, None, pace, leader);
        // Also where a plan has to be approved first; not by a clock that jumped.
        if let Ok(_) | Err(Error::Retention(RetentionError::Breaker { .. })) = destruction {
            self.remind_recipients_as(Some(leader))?;
            self.purge_as(leader)?;
        }
        destruction
    }

    /// What nobody has to approve; the rest waits for its plan.
    fn without_approval(
        &self,
        due: Vec<(ItemId, Facts, Vec<Hold>)>,
        now: Timestamp,
    ) -> Result<Vec<(ItemId, Facts, Vec<Hold>)>, Error> {
        let policy = &self.core.ports.retention;
        let mut free = Vec::new();
        for (id, facts, holds) in due {
            let decision = policy.decide(&facts, &holds, now)?;
            let stage = decision.deadline().decided().map(|ruling| policy.stage(ruling.rule()));
            if stage.is_some_and(|stage| policy.approvals().needed(stage) == 0) {
                free.push((id, facts, holds));
            }
        }
        Ok(free)
    }

    fn execute(
        &self,
        plan: Plan,
        acknowledged: Option<Digest>,
        pace: Pace,
        leader: &Leadership<'_>,
    ) -> Result<Destruction, Error> {
        let policy = &self.core.ports.retention;
        let newest = vouchsafe_store::read(&*self.core.ports.store, &self.id, |rows| {
            Ok::<_, Error>(activated(rows, &self.id, policy)?.newest)
        })?;
        if acknowledged.is_none() {
            policy.clock_guard().check(Some(newest), self.core.now())?;
        }
        let released = plan.release(policy, policy.breaker(), acknowledged)?;
        let (batch, most) = (pace.batch.clamp(1, 1000), pace.most);
        let items = released.plan().items();
        let mut condemned = 0;
        for batch in items.get(..most.min(items.len())).unwrap_or_default().chunks(batch) {
            let evidence = vec![DataClass::DestructionEvidence; batch.len()];
            condemned += self.core.act(&self.id, &evidence, |act| {
                leader.keep(act)?;
                batch
                    .iter()
                    .try_fold(0, |sum, item| Ok::<_, Error>(sum + u64::from(self.condemn_if_due(act, item)?)))
            })?;
            std::thread::sleep(pace.rest);
        }
        let destruction = self.resume_destructions_as(Some(leader));
        self.swept(&released, condemned, leader)?;
        Ok(destruction)
    }

    /// Asks the policy again within the transaction: the person may have acted since the plan was made, or a hold have
    /// been placed. Says whether it condemned.
    fn condemn_if_due(&self, act: &mut Act<'_>, item: &PlanItem) -> Result<bool, Error> {
        let leaf = leaf_of(item.id())?;
        let Some(holding) = act.rows.holding(act.organisation, leaf)? else { return Ok(false) };
        if holding.state != HoldingState::Live {
            return Ok(false);
        }
        let life = act.life(holding.subject)?;
        let decision = act.decide(&life, &holding)?;
        match (decision.verdict(), decision.deadline().decided()) {
            // By the rule that the plan was approved with, and no other.
            (Verdict::Due, Some(ruling)) if ruling.rule() == item.rule() => {
                let cause = Cause::new(DestructionReason::RetentionRule, Some(ruling.rule()));
                condemn(act, &holding, &cause, ActorRole::Service)?;
                Ok(true)
            }
            _ => {
                // Not due any more, or due by another rule: a later plan looks again.
                act.rows.set_review(act.organisation, leaf, decision.review_at(act.now))?;
                Ok(false)
            }
        }
    }

    /// Moves on what is not due, so that it is not looked at before it can be.
    fn put_off(&self, leaves: &[LeafIndex], leader: &Leadership<'_>) -> Result<(), Error> {
        for batch in leaves.chunks(PAGE as usize) {
            self.core.act(&self.id, &[], |act| {
                leader.keep(act)?;
                for leaf in batch {
                    let Some(holding) = act.rows.holding(act.organisation, *leaf)? else { continue };
                    if holding.state == HoldingState::Live {
                        let life = act.life(holding.subject)?;
                        let review_at = act.decide(&life, &holding)?.review_at(act.now);
                        act.rows.set_review(act.organisation, *leaf, review_at)?;
                    }
                }
                Ok(())
            })?;
        }
        Ok(())
    }

    /// Notes that a sweep ended, and up to which instant the clock is known to be good.
    fn swept(&self, released: &ReleasedPlan, condemned: u64, leader: &Leadership<'_>) -> Result<(), Error> {
        let (plan, digest) = (released.plan(), released.digest());
        self.core.act(&self.id, &[], |act| {
            leader.keep(act)?;
            let mut row = activated(act.rows, act.organisation, &act.core.ports.retention)?;
            (row.newest, row.swept_at) = (row.newest.max(act.now), Some(act.now));
            act.rows.put_retention(act.organisation, &row)?;
            if plan.items().is_empty() {
                return Ok(());
            }
            let payload = Payload::by(ActorRole::Service, act.now)
                .cause(&digest.to_string())
                .policy(row.policy)
                .classes(plan.counts().into_keys())
                .word("planned", &plan.items().len().to_string())
                .word("condemned", &condemned.to_string());
            act.record_public(EntryKind::RetentionPlanExecuted, &payload).map(drop)
        })
    }
}

pub(crate) fn item_id(leaf: LeafIndex) -> Result<ItemId, Error> {
    Ok(ItemId::parse(&leaf.get().to_string())?)
}

pub(crate) fn leaf_of(item: &ItemId) -> Result<LeafIndex, Error> {
    let leaf = item.as_str().parse().ok().and_then(|leaf| LeafIndex::new(leaf).ok());
    leaf.ok_or(Error::Format("retention plan"))
}
