use crate::{Contradiction, RetentionError, Rule, RuleKind};

/// Refuses a floor that may end after a ceiling for the same data and trigger.
///
/// Floors and ceilings of different triggers meet only in a life; there the floor wins, see `resolve`.
pub(crate) fn check(rules: &[Rule]) -> Result<(), RetentionError> {
    let of = |kind| rules.iter().filter(move |rule| rule.is_enabled() && rule.kind == kind);
    for floor in of(RuleKind::Floor) {
        for ceiling in of(RuleKind::Ceiling).filter(|ceiling| overlap(floor, ceiling)) {
            if let (Some(at_least), Some(at_most)) = (floor.period, ceiling.period)
                && at_least.may_exceed(at_most)
            {
                let citation = |rule: &Rule| (rule.id.clone(), rule.clause.clone());
                let found = Contradiction { floor: citation(floor), ceiling: citation(ceiling) };
                return Err(RetentionError::Contradiction(Box::new(found)));
            }
        }
    }
    Ok(())
}

/// Whether there is a record that both rules cover with the same trigger.
fn overlap(a: &Rule, b: &Rule) -> bool {
    let modality = a.modality.is_none() || b.modality.is_none() || a.modality == b.modality;
    let role = a.role.is_none() || b.role.is_none() || a.role == b.role;
    a.class == b.class && a.trigger == b.trigger && modality && role
}
