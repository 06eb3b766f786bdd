use std::collections::BTreeSet;
use std::fmt::Write as _;

use vouchsafe_types::{DataClass, Jurisdiction, Modality, Role};

use super::markdown::{contact, plain, words};
use crate::rights::{Clock, RequestKind};
use crate::{Confidence, Policy, Rule, RuleKind};

/// The notice for people, in Markdown: who keeps data, how long, who gets it, which rights people have, what holds where.
///
/// Only rules that decide something are in it. What the policy does not state is said to be missing.
pub fn notice(policy: &Policy) -> String {
    let mut text = String::from("# Privacy notice\n\n## Who we are\n\n");
    contact(policy.profile(), &mut text);
    let _ = match policy.minimum_age() {
        Some(age) => writeln!(text, "\nNobody younger than {age} is enrolled."),
        None => writeln!(text, "\n**The policy states no minimum age.**"),
    };
    text.push_str("\n## How long data is kept\n\n");
    retention(policy, None, &mut text);
    recipients(policy, &mut text);
    text.push_str("\n## Your rights\n\n");
    rights(policy, &mut text);
    text.push_str(
        "\nConsent is withdrawn in the same place where it was given. Whoever uses a right is served no worse.\n",
    );
    let places = policy.rules().iter().filter(|rule| rule.is_enabled()).filter_map(Rule::jurisdiction);
    for place in places.collect::<BTreeSet<_>>() {
        let _ = write!(text, "\n## {}\n\n", place.title());
        retention(policy, Some(place), &mut text);
    }
    let (zone, digest) = (policy.zone_name(), policy.digest());
    let _ = writeln!(text, "\nPeriods count in the calendar of {}. Policy {digest}.", plain(zone));
    text
}

/// The rules of one place, or those that hold everywhere.
pub(super) fn retention(policy: &Policy, place: Option<Jurisdiction>, text: &mut String) {
    text.push_str("| Data | Period | Source |\n|---|---|---|\n");
    for class in DataClass::ALL {
        let of_class =
            |rule: &&Rule| rule.class() == class && rule.is_enabled() && rule.jurisdiction() == place;
        let mut silent = true;
        for rule in policy.rules().iter().filter(of_class) {
            silent = false;
            let _ = writeln!(text, "| {} | {} | {} |", whose(rule), period(rule), rule.clause());
        }
        if silent && place.is_none() {
            let _ = writeln!(text, "| {} | **not stated** | |", words(class.name()));
        }
    }
}

fn whose(rule: &Rule) -> String {
    let narrowed = [rule.modality().map(Modality::name), rule.role().map(Role::name)];
    let narrowed: Vec<_> = narrowed.into_iter().flatten().map(words).collect();
    let class = words(rule.class().name());
    if narrowed.is_empty() { class } else { format!("{class} ({})", narrowed.join(", ")) }
}

fn period(rule: &Rule) -> String {
    let bound = match rule.kind() {
        RuleKind::Ceiling => "at most",
        RuleKind::Floor => "at least",
    };
    match rule.period() {
        None => "**not stated**".to_owned(),
        Some(period) if period.is_at_once() => format!("until {}", rule.trigger().words()),
        Some(period) => format!("{bound} {period} after {}", rule.trigger().words()),
    }
}

fn recipients(policy: &Policy, text: &mut String) {
    text.push_str("\n## Who gets data\n\nNothing is sold, leased or traded.\n\n");
    if policy.recipients().is_empty() {
        text.push_str("Nobody else gets data, but whom the law names.\n");
        return;
    }
    text.push_str("| Who | What for | Data | Where | Safeguard |\n|---|---|---|---|---|\n");
    for recipient in policy.recipients() {
        let classes: Vec<_> = recipient.classes().iter().map(|class| words(class.name())).collect();
        let (name, purpose) = (plain(recipient.name()), plain(recipient.purpose()));
        let safeguard = recipient.safeguard().map_or_else(String::new, |text| plain(text.as_str()));
        let (classes, region) = (classes.join(", "), recipient.region());
        let _ = writeln!(text, "| {name} | {purpose} | {classes} | {region} | {safeguard} |");
    }
}

pub(super) fn rights(policy: &Policy, text: &mut String) {
    text.push_str("| Where | You may ask to | Confirmed | Answered | Once extended by | Source |\n");
    text.push_str("|---|---|---|---|---|---|\n");
    for clock in policy.clocks().iter().filter(|clock| clock.confidence() == Confidence::Confirmed) {
        let place = clock.jurisdiction().map_or("everywhere else", Jurisdiction::title);
        let confirm = clock.confirm().map_or_else(String::new, |within| format!("within {within}"));
        let extension = clock.extension().map_or_else(String::new, |more| more.to_string());
        let (answer, clause, asked) = (clock.answer(), clock.clause(), asked(clock));
        let _ =
            writeln!(text, "| {place} | {asked} | {confirm} | within {answer} | {extension} | {clause} |");
    }
}

fn asked(clock: &Clock) -> String {
    let kinds: Vec<_> = clock.requests().iter().map(|kind| words(RequestKind::name(*kind))).collect();
    kinds.join(", ")
}
