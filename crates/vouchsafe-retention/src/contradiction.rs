use crate::error::Place;
use crate::{Contradiction, RetentionError, Rule, RuleKind};

/// Refuses a floor that may end after a ceiling for the same data and trigger, unless a law sets it and no law sets
/// the ceiling: then the floor wins, and it is listed among the conflicts.
///
/// Floors and ceilings of different triggers meet only in a life, see `resolve`.
pub(crate) fn check(rules: &[Rule]) -> Result<(), RetentionError> {
    match pairs(rules).find(|(floor, ceiling)| floor.force.rank() <= ceiling.force.rank()) {
        Some((floor, ceiling)) => {
            let found = Contradiction { floor: place(floor), ceiling: place(ceiling) };
            Err(RetentionError::Contradiction(Box::new(found)))
        }
        None => Ok(()),
    }
}

/// Floors with the ceilings above which they may lie.
pub(crate) fn pairs(rules: &[Rule]) -> impl Iterator<Item = (&Rule, &Rule)> {
    let of = |kind| rules.iter().filter(move |rule| rule.is_enabled() && rule.kind == kind);
    of(RuleKind::Floor).flat_map(move |floor| {
        let above = move |ceiling: &&Rule| {
            let longer = floor.period.zip(ceiling.period).is_some_and(|(least, most)| least.may_exceed(most));
            floor.trigger == ceiling.trigger && floor.overlaps(ceiling) && longer
        };
        of(RuleKind::Ceiling).filter(above).map(move |ceiling| (floor, ceiling))
    })
}

fn place(rule: &Rule) -> Place {
    let (rule_id, clause) = (rule.id.to_string(), rule.clause.to_string());
    Place { rule: rule_id, clause, pack: rule.pack.clone(), line: rule.line }
}
