use std::fmt::Write as _;

use vouchsafe_types::{DataClass, FactField, Jurisdiction, Modality, Role};

use crate::{Policy, Rule, RuleKind, Trigger};

/// What a class is, for readers.
pub(super) const fn title(class: DataClass) -> &'static str {
    match class {
        DataClass::Account => "Account",
        DataClass::AuditLog => "Audit log",
        DataClass::Billing => "Billing",
        DataClass::Biometric => "Face and voice templates",
        DataClass::ConsentEvidence => "Consent records",
        DataClass::DestructionEvidence => "Evidence of destruction",
        DataClass::Disclosure => "Disclosures",
        DataClass::RightsRequest => "Your requests",
        DataClass::Support => "Support",
        DataClass::Usage => "Usage",
        DataClass::VerificationLog => "Verification log",
        _ => class.name(),
    }
}

/// What a class holds, for readers: its fields where it has any.
pub(super) fn contents(class: DataClass) -> String {
    let fields: Vec<_> = FactField::ALL.into_iter().filter(|field| field.class() == class).collect();
    if !fields.is_empty() {
        return fields.iter().map(|field| field.name().replace('_', " ")).collect::<Vec<_>>().join(", ");
    }
    let words = match class {
        DataClass::AuditLog => "what administrators and the service did",
        DataClass::Biometric => {
            "a protected template made from your face or voice; no picture and no recording"
        }
        DataClass::ConsentEvidence => "what you agreed to, when, and in which version of the notice",
        DataClass::DestructionEvidence => "what was destroyed, when and why; without the data",
        DataClass::Disclosure => "to whom data about you went, and on which basis",
        DataClass::RightsRequest => "what you asked for by right, and what became of it",
        DataClass::VerificationLog => "when you were verified, how, and with which result; no score",
        _ => "what its name says",
    };
    words.to_owned()
}

/// When data of a class is destroyed, one clause a trigger: `three years after …; in Texas one year`.
pub(super) fn kept_until(policy: &Policy, class: DataClass, place: Option<Jurisdiction>) -> Vec<String> {
    let ceilings = deciding(policy, class, RuleKind::Ceiling, place);
    Trigger::ALL.into_iter().filter_map(|trigger| clause(&ceilings, trigger)).collect()
}

/// How long data of a class is kept at least.
pub(super) fn kept_at_least(policy: &Policy, class: DataClass, place: Option<Jurisdiction>) -> Vec<String> {
    let floors = deciding(policy, class, RuleKind::Floor, place);
    Trigger::ALL.into_iter().filter_map(|trigger| clause(&floors, trigger)).collect()
}

/// The enabled rules that no other one makes idle.
fn deciding(policy: &Policy, class: DataClass, kind: RuleKind, place: Option<Jurisdiction>) -> Vec<&Rule> {
    let applies = |rule: &&Rule| match (rule.jurisdiction(), place) {
        (Some(law), Some(place)) => law.contains(place),
        _ => true,
    };
    let meant = |rule: &&Rule| rule.class() == class && rule.kind() == kind && rule.is_enabled();
    let rules: Vec<&Rule> = policy.rules().iter().filter(meant).filter(applies).collect();
    let idle = |(at, rule): &(usize, &&Rule)| {
        rules
            .iter()
            .enumerate()
            .any(|(other_at, other)| other_at != *at && beats(other, other_at, rule, *at, place))
    };
    rules.iter().enumerate().filter(|entry| !idle(entry)).map(|(_, rule)| *rule).collect()
}

/// Whether `a` covers whatever `b` covers and is at least as strict.
fn beats(a: &Rule, a_at: usize, b: &Rule, b_at: usize, place: Option<Jurisdiction>) -> bool {
    let wider = (a.modality().is_none() || a.modality() == b.modality())
        && (a.role().is_none() || a.role() == b.role())
        && (place.is_some() || a.jurisdiction().is_none() || a.jurisdiction() == b.jurisdiction());
    let (Some(own), Some(other)) = (a.period(), b.period()) else { return false };
    let (own, other) = if a.kind() == RuleKind::Ceiling { (own, other) } else { (other, own) };
    let stricter = !own.may_exceed(other);
    let same = !other.may_exceed(own) && b.modality() == a.modality() && b.role() == a.role();
    let same_place = place.is_some() || a.jurisdiction() == b.jurisdiction();
    a.trigger() == b.trigger() && wider && stricter && (!(same && same_place) || a_at < b_at)
}

fn clause(rules: &[&Rule], trigger: Trigger) -> Option<String> {
    let mut of_trigger: Vec<&&Rule> = rules.iter().filter(|rule| rule.trigger() == trigger).collect();
    of_trigger.sort_by_key(|rule| (rule.jurisdiction(), rule.modality(), rule.role()));
    let parts: Vec<String> = of_trigger.iter().filter_map(|rule| part(rule)).collect();
    let (first, rest) = parts.split_first()?;
    let lead = of_trigger.first()?.period()?;
    let mut text = if lead.is_at_once() {
        format!("{first} when {}", trigger.words())
    } else {
        format!("{first} after {}", trigger.words())
    };
    for part in rest {
        let _ = write!(text, ", {part}");
    }
    Some(text)
}

/// `1 year in Texas`, `at once (face, administrator)`.
fn part(rule: &Rule) -> Option<String> {
    let whose = [rule.modality().map(Modality::name), rule.role().map(Role::name)];
    let whose: Vec<_> = whose.into_iter().flatten().map(|name| name.replace('_', " ")).collect();
    let whose = if whose.is_empty() { String::new() } else { format!(" ({})", whose.join(", ")) };
    let place = rule.jurisdiction().map(|place| format!(" in {}", place.title())).unwrap_or_default();
    Some(format!("{}{whose}{place}", rule.period()?))
}

/// The retention table: every class, in the order of its code.
pub(super) fn table(policy: &Policy) -> String {
    let mut text = String::from("| data | kept until | kept at least |\n|---|---|---|\n");
    for class in DataClass::ALL {
        let least = kept_at_least(policy, class, None);
        let least = if least.is_empty() { "-".to_owned() } else { least.join("; ") };
        let until = kept_until(policy, class, None).join("; ");
        let _ = writeln!(text, "| {} | {until} | {least} |", title(class));
    }
    text
}
