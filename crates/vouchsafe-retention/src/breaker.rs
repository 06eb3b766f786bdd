use vouchsafe_types::Digest;

use crate::guard::MAX_STEP_DAYS;
use crate::reader::Reader;
use crate::{ClockGuard, Plan, Policy, Problem, RetentionError};

/// Stops a plan that would destroy an unusual share of what was looked at: a wrong policy or a clock that jumped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Breaker {
    percent: u8,
    free: u64,
}

impl Breaker {
    /// Lets pass up to this share, in percent, clamped to 0 to 100, and any plan of up to `free` items.
    pub fn new(percent: u8, free: u64) -> Self {
        Self { percent: percent.min(100), free }
    }

    /// The share that passes, in percent, 0 to 100.
    pub const fn percent(self) -> u8 {
        self.percent
    }

    /// The number of items that passes whatever the share.
    pub const fn free(self) -> u64 {
        self.free
    }

    fn trips(self, plan: &Plan) -> bool {
        let due = plan.items().len() as u64;
        let share = u128::from(due) * 100 > u128::from(plan.considered()) * u128::from(self.percent);
        due > self.free && share
    }
}

impl Default for Breaker {
    /// 5 percent, and any plan of up to 10 items.
    fn default() -> Self {
        Self::new(5, 10)
    }
}

/// `[breaker]` of an organisation's pack: `percent`, `free`, `max_step_days`.
pub(crate) fn read(mut reader: Reader) -> Result<(Breaker, ClockGuard), RetentionError> {
    reader.organisation_only()?;
    let (mut breaker, mut clock) = (Breaker::default(), ClockGuard::default());
    if let Some(number) = reader.number_if_any("percent", 100)? {
        breaker.percent = u8::try_from(number).unwrap_or(100);
    }
    if let Some(number) = reader.number_if_any("free", 1_000_000)? {
        breaker.free = number;
    }
    if let Some(number) = reader.number_if_any("max_step_days", u64::from(MAX_STEP_DAYS))? {
        if number == 0 {
            return Err(reader.fault(Problem::UnknownValue("max_step_days")));
        }
        clock = ClockGuard::new(u32::try_from(number).unwrap_or(MAX_STEP_DAYS));
    }
    reader.finish()?;
    Ok((breaker, clock))
}

/// A plan that passed the breaker under the policy in force: what the executor takes.
///
/// It is evidence; [`Plan::release`] alone makes it.
#[derive(Debug)]
#[must_use]
pub struct ReleasedPlan {
    plan: Plan,
    digest: Digest,
}

impl ReleasedPlan {
    /// The plan.
    pub const fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Its digest, for the log.
    pub const fn digest(&self) -> Digest {
        self.digest
    }
}

impl Plan {
    /// Releases the plan for execution.
    ///
    /// `acknowledged` is the digest of a plan that somebody looked at and let pass; it lets pass that plan only.
    ///
    /// # Errors
    /// [`RetentionError::PolicyChanged`] when another policy is in force by now, [`RetentionError::Breaker`]
    /// when the breaker trips and the plan is not acknowledged.
    pub fn release(
        self,
        policy: &Policy,
        breaker: Breaker,
        acknowledged: Option<Digest>,
    ) -> Result<ReleasedPlan, RetentionError> {
        let digest = self.digest()?;
        if self.policy() != policy.digest() {
            return Err(RetentionError::PolicyChanged);
        }
        if breaker.trips(&self) && acknowledged != Some(digest) {
            let (due, considered) = (self.items().len() as u64, self.considered());
            return Err(RetentionError::Breaker { due, considered, percent: breaker.percent() });
        }
        Ok(ReleasedPlan { plan: self, digest })
    }
}
