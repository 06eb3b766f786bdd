use vouchsafe_types::Timestamp;

use crate::{Facts, Policy, RetentionError, Rule};

/// How a rule differs between two policies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleChange {
    before: Option<Rule>,
    after: Option<Rule>,
}

impl RuleChange {
    /// The rule's id.
    pub fn id(&self) -> &str {
        self.after().or(self.before()).map_or("", Rule::id)
    }

    /// The rule as it was; `None` when it is new.
    pub const fn before(&self) -> Option<&Rule> {
        self.before.as_ref()
    }

    /// The rule as it becomes; `None` when it goes.
    pub const fn after(&self) -> Option<&Rule> {
        self.after.as_ref()
    }
}

/// How many records another policy would destroy earlier or later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Shift {
    /// Records that were looked at.
    pub considered: u64,
    /// Due earlier than before, those that had no deadline among them.
    pub earlier: u64,
    /// Due later than before, those that lose their deadline among them.
    pub later: u64,
    /// Due by `now` under the new policy and not under the old one: what activating it destroys.
    pub newly_due: u64,
    /// Without a period under the new policy: activating it leaves a gap.
    pub gaps: u64,
}

impl Policy {
    /// The rules that are new, gone, or say something else in `after`, sorted by id. Only what a rule says counts, not
    /// where it stands in its pack.
    pub fn diff(&self, after: &Self) -> Vec<RuleChange> {
        let known = self.rules().iter().map(|rule| (Some(rule), after.rule(rule.id())));
        let new = after.rules().iter().filter(|rule| self.rule(rule.id()).is_none());
        let pairs = known.chain(new.map(|rule| (None, Some(rule))));
        let differ = |(before, after): &(Option<&Rule>, Option<&Rule>)| match (before, after) {
            (Some(before), Some(after)) => !before.says_the_same(after),
            _ => true,
        };
        let changes = pairs.filter(differ);
        let changes =
            changes.map(|(before, after)| RuleChange { before: before.cloned(), after: after.cloned() });
        let mut changes: Vec<_> = changes.collect();
        changes.sort_by(|a, b| a.id().cmp(b.id()));
        changes
    }

    /// Counts what would change for these records if `after` came into force at `now`. Holds take no part.
    ///
    /// # Errors
    /// [`RetentionError::Calendar`] as [`Policy::resolve`]; a gap under either policy is no error here.
    pub fn compare(
        &self,
        after: &Self,
        records: impl IntoIterator<Item = Facts>,
        now: Timestamp,
    ) -> Result<Shift, RetentionError> {
        let mut shift = Shift::default();
        for facts in records {
            let (old, new) = (self.due_if_stated(&facts)?, after.due_if_stated(&facts)?);
            shift.considered += 1;
            shift.gaps += u64::from(new.is_none());
            let (old, new) = (old.flatten(), new.flatten());
            let instant = |due: Option<Timestamp>| due.map_or((true, Timestamp::MAX), |due| (false, due));
            shift.earlier += u64::from(instant(new) < instant(old));
            shift.later += u64::from(instant(new) > instant(old));
            let is_due = |due: Option<Timestamp>| due.is_some_and(|due| due <= now);
            shift.newly_due += u64::from(is_due(new) && !is_due(old));
        }
        Ok(shift)
    }

    /// When the record is due; the outer `None` for a gap.
    fn due_if_stated(&self, facts: &Facts) -> Result<Option<Option<Timestamp>>, RetentionError> {
        match self.resolve(facts) {
            Ok(deadline) => Ok(Some(deadline.due())),
            Err(RetentionError::Gap { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }
}
