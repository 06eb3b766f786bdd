use vouchsafe_types::{DataClass, Jurisdiction};

use super::rules::{CLASSES, Check, ClassWords, LINT_RULES, LintRule, PERIODS, PeriodWords};
use super::sentence::{Sentence, sentences};
use super::{Finding, Severity};
use crate::{Policy, Rule, RuleKind};

/// What runs: a policy, and what the organisation decided beside it.
#[derive(Debug, Clone, Copy)]
#[must_use]
pub struct Configuration<'a> {
    policy: &'a Policy,
    voice_alone: bool,
}

impl<'a> Configuration<'a> {
    /// A policy, and the libraries as they run by default.
    pub const fn new(policy: &'a Policy) -> Self {
        Self { policy, voice_alone: false }
    }

    /// The organisation allows a voice as the only factor of a sign-in, in writing.
    pub const fn with_voice_alone(self) -> Self {
        Self { voice_alone: true, ..self }
    }

    /// The policy.
    pub const fn policy(&self) -> &'a Policy {
        self.policy
    }

    /// Whether a voice alone signs somebody in.
    pub const fn is_voice_alone(&self) -> bool {
        self.voice_alone
    }
}

/// Compares a notice with what runs, sentence by sentence, by [`LINT_RULES`] and by the policy's own periods. Findings
/// come in the order of the lines.
///
/// It reads English phrases, not meaning: what a notice says in other words goes unnoticed, so an empty result is no
/// approval.
pub fn lint(text: &str, running: &Configuration<'_>) -> Vec<Finding> {
    let notice = sentences(text);
    let mut findings = Vec::new();
    for sentence in &notice {
        let open = |rule: &&LintRule| !notice.iter().any(|other| other.says_any(rule.settled));
        findings.extend(LINT_RULES.iter().filter(open).filter_map(|rule| judge(rule, sentence, running)));
        findings.extend(PERIODS.iter().filter_map(|words| check_period(words, sentence, running)));
        findings.extend(check_age(sentence, running));
    }
    findings.extend(CLASSES.iter().filter_map(|words| check_class(words, &notice, running)));
    findings.extend(check_date(&notice));
    findings.extend(check_contact(&notice, running));
    findings.sort_by_key(|finding| finding.line);
    findings
}

fn judge(rule: &LintRule, sentence: &Sentence, running: &Configuration<'_>) -> Option<Finding> {
    let meant = rule.all.iter().all(|phrases| sentence.says_any(phrases)) && !sentence.says_any(rule.unless);
    let actual = match rule.check {
        _ if !meant => None,
        Check::Always(words) => Some(words.to_owned()),
        Check::Running(ask) => ask(running),
    };
    actual.map(|actual| finding(rule.id, rule.severity, sentence, rule.promised.to_owned(), actual))
}

fn finding(
    rule: &'static str,
    severity: Severity,
    sentence: &Sentence,
    promised: String,
    actual: String,
) -> Finding {
    let (section, words) = (sentence.section.clone(), sentence.words.clone());
    Finding { rule, severity, line: sentence.line, section, sentence: words, promised, actual }
}

/// The ceilings that a notice's period is about; where the sentence is about one place, those of its law.
fn ceilings<'a>(
    words: &PeriodWords,
    about: Option<Jurisdiction>,
    policy: &'a Policy,
) -> impl Iterator<Item = &'a Rule> {
    let (class, trigger) = (words.class, words.trigger);
    let meant = move |rule: &&Rule| {
        let there = match (rule.jurisdiction(), about) {
            (Some(law), Some(place)) => law.contains(place),
            _ => true,
        };
        rule.class() == class && rule.trigger() == trigger && there
    };
    policy.rules().iter().filter(meant).filter(|rule| rule.kind() == RuleKind::Ceiling)
}

fn check_period(words: &PeriodWords, sentence: &Sentence, running: &Configuration<'_>) -> Option<Finding> {
    let meant = words.all.iter().all(|phrases| sentence.says_any(phrases));
    let stated = sentence.periods().into_iter().find(|_| meant)?;
    let promised = format!("{} are kept for {stated} {}.", words.what, words.after);
    // A sentence that states the shorter periods too promises nothing that does not hold.
    let told = sentence.periods();
    let about = sentence.about().filter(|_| told.len() == 1);
    let untold = |rule: &&Rule| {
        rule.period().is_some_and(|period| stated.may_exceed(period) && !told.contains(&period))
    };
    let shorter: Vec<&Rule> = ceilings(words, about, running.policy).filter(untold).collect();
    if shorter.iter().any(|rule| rule.is_enabled()) {
        let shorter: Vec<_> = shorter.into_iter().map(one_ceiling).collect();
        let actual = format!("Destroyed sooner: {}.", shorter.join("; "));
        return Some(finding("period-too-long", Severity::Error, sentence, promised, actual));
    }
    let mut own = ceilings(words, about, running.policy)
        .filter(|rule| rule.is_enabled() && (about.is_some() || rule.jurisdiction().is_none()));
    if own.any(|rule| rule.period().is_some_and(|period| !period.may_exceed(stated))) {
        return None;
    }
    let actual = "No rule of the policy ends the period by then.".to_owned();
    Some(finding("period-not-kept", Severity::Error, sentence, promised, actual))
}

fn one_ceiling(rule: &Rule) -> String {
    let period = rule.period().map(|period| period.to_string()).unwrap_or_default();
    let place = rule.jurisdiction().map(|place| format!(" in {}", place.title())).unwrap_or_default();
    let state = if rule.is_enabled() { "" } else { ", source not confirmed" };
    format!("{period}{place} ({}{state})", rule.clause())
}

fn check_age(sentence: &Sentence, running: &Configuration<'_>) -> Option<Finding> {
    let meant = sentence.says_any(&["child", "minor", "individuals under"]);
    let least = running.policy.minimum_age()?;
    let stated = sentence.ages().into_iter().find(|age| meant && *age < least)?;
    let promised = format!("Only people under {stated} are kept out.");
    let actual =
        format!("Nobody under {least} is enrolled: the highest age that a source states is kept to.");
    Some(finding("age", Severity::Error, sentence, promised, actual))
}

/// A class that the notice collects and states no period for: traced to the sentence that collects it.
fn check_class(words: &ClassWords, notice: &[Sentence], running: &Configuration<'_>) -> Option<Finding> {
    let about = |sentence: &&Sentence| sentence.says_any(words.phrases);
    let first = notice.iter().find(about)?;
    let settled =
        |s: &Sentence| !s.periods().is_empty() || s.says("until") || s.says("retain") || s.says("kept for");
    if notice.iter().filter(about).any(settled) {
        return None;
    }
    let promised = format!("{} is collected; for how long is not said.", words.what);
    let (severity, actual) = match stated_period(words.class, running.policy) {
        Some(kept) => (Severity::Warning, format!("{kept}.")),
        None => (
            Severity::Error,
            "The policy states no period either and stores none of it until it does.".to_owned(),
        ),
    };
    Some(finding("class-without-period", severity, first, promised, actual))
}

fn stated_period(class: DataClass, policy: &Policy) -> Option<String> {
    if policy.gaps().iter().any(|gap| gap.class() == class) {
        return None;
    }
    let mut rules = policy.rules().iter().filter(|rule| {
        rule.class() == class
            && rule.is_enabled()
            && rule.kind() == RuleKind::Ceiling
            && rule.period().is_some_and(|period| !period.is_at_once())
    });
    let rule = rules.next()?;
    Some(format!("Kept for {} after {} ({})", rule.period()?, rule.trigger().words(), rule.clause()))
}

fn check_date(notice: &[Sentence]) -> Option<Finding> {
    let date = ["effective date", "effective from", "effective as of", "takes effect"];
    if notice.iter().any(|sentence| sentence.says_any(&date)) {
        return None;
    }
    let updated = notice.iter().find(|sentence| sentence.says("last updated"));
    let promised = "The notice applies; from when is not said.".to_owned();
    let actual = "Each consent names the version of the notice that was shown, and its date.".to_owned();
    let sentence = updated.or_else(|| notice.first())?;
    Some(finding("no-effective-date", Severity::Warning, sentence, promised, actual))
}

fn check_contact(notice: &[Sentence], running: &Configuration<'_>) -> Option<Finding> {
    if notice.iter().any(|sentence| sentence.says("@")) {
        return None;
    }
    let promised = "People have rights; whom to write to is not said.".to_owned();
    let actual = match running.policy.profile() {
        Some(profile) => format!("The policy names {}.", profile.email()),
        None => "The policy names no contact either.".to_owned(),
    };
    Some(finding("no-contact", Severity::Error, notice.first()?, promised, actual))
}
