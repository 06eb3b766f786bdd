use std::fmt::Write as _;

use vouchsafe_types::{DataClass, Jurisdiction, Purpose};

use super::edition::{publisher, without_gaps};
use super::markdown::{contacts, plain};
use super::schedule::{contents, kept_until, table, title};
use super::{DocumentError, Edition};
use crate::rights::RequestKind;
use crate::{Authority, Honour, Policy};

/// The notice that the running policy makes true, as Markdown. The same policy and edition give the same text.
///
/// # Errors
/// [`DocumentError::NoContact`] where the policy has no `[organisation]`, [`DocumentError::Gaps`] where data has no
/// period.
pub fn notice(policy: &Policy, edition: &Edition) -> Result<String, DocumentError> {
    let profile = publisher(policy)?;
    without_gaps(policy)?;
    let sections = [
        ("Who we are", contacts(profile)),
        ("What we hold", holdings()),
        ("What for", purposes()),
        ("How long", table(policy)),
        ("Who gets data", recipients(policy)),
        ("Where data lies", regions(policy)),
        ("Your rights", rights(policy)),
        ("Age", age(policy)),
        ("Where you live", jurisdictions(policy)),
        ("Changes", CHANGES.to_owned()),
    ];
    let mut text = format!("# Privacy notice of {}\n\n{}", plain(profile.name()), edition.head());
    for ((heading, body), number) in sections.iter().zip(1..) {
        let _ = write!(text, "\n## {number}. {heading}\n\n{body}");
    }
    Ok(text)
}

const CHANGES: &str = "A new version is published with its date before it applies. A change that matters to biometric \
    data needs your renewed consent; until you give it, nothing is done under the new version.\n";

fn holdings() -> String {
    DataClass::ALL.into_iter().map(|class| format!("- {}: {}\n", title(class), contents(class))).collect()
}

fn purposes() -> String {
    let words = |purpose: Purpose| match purpose {
        Purpose::Audit => "to keep evidence of what was done",
        Purpose::Communication => "to write to you about your account",
        Purpose::FraudPrevention => {
            "to find fraud; with your consent, by comparing your template with others"
        }
        Purpose::PresenceToken => "to attest to your agent that a person is present",
        Purpose::ServiceSecurity => "to keep the service secure",
        Purpose::Verification => "to verify that you are you, with your consent",
    };
    let lines = Purpose::ALL.into_iter().map(|purpose| {
        let opens = if purpose.opens_template() { " This opens your template." } else { "" };
        format!("- `{}`: {}.{opens}\n", purpose.name(), words(purpose))
    });
    lines.collect::<String>() + "\nThere is no other purpose; a sale cannot be written down as one.\n"
}

fn recipients(policy: &Policy) -> String {
    if policy.recipients().is_empty() {
        return "Nobody, but an authority to which the law obliges us.\n".to_owned();
    }
    let mut text = String::from(
        "| who | what for | data | where | contract | deletes within |\n|---|---|---|---|---|---|\n",
    );
    for recipient in policy.recipients() {
        let classes: Vec<_> = recipient.classes().iter().map(|class| title(*class)).collect();
        let region = match recipient.safeguard() {
            Some(safeguard) => format!("{} ({})", recipient.region(), plain(safeguard.as_str())),
            None => recipient.region().to_string(),
        };
        let (name, purpose, document) =
            (plain(recipient.name()), plain(recipient.purpose()), recipient.document());
        let (classes, within) = (classes.join(", "), recipient.delete_within());
        let _ = writeln!(text, "| {name} | {purpose} | {classes} | {region} | {document} | {within} |");
    }
    text + "\nTemplates leave us only with your explicit written consent or by legal duty.\n"
}

fn regions(policy: &Policy) -> String {
    let Some(profile) = policy.profile() else { return String::new() };
    let allowed: Vec<_> = profile.regions().iter().map(ToString::to_string).collect();
    let (store, allowed) = (profile.store_region(), allowed.join(", "));
    format!(
        "The database lies in `{store}`. Data may lie in: `{allowed}`. Anywhere else a named safeguard is needed, and \
         stands in the table above.\n"
    )
}

pub(super) const fn right(kind: RequestKind) -> &'static str {
    match kind {
        RequestKind::Correct => "have wrong data put right; a template is corrected by enrolling again",
        RequestKind::Delete => "have your data destroyed, and get a certificate of it",
        RequestKind::Export => "get a copy for machines",
        RequestKind::Know => "get to know what is held, and whether any of it is biometric",
        RequestKind::Object => "object to the processing",
        RequestKind::OptOutOfSale => "opt out of sale; nothing is sold",
        RequestKind::Restrict => "have the processing restricted to storage",
        RequestKind::Withdraw => "withdraw consent, in one step and at once",
    }
}

fn rights(policy: &Policy) -> String {
    let mut text = String::from("You may at any time, and are not treated worse for it:\n\n");
    for kind in RequestKind::ALL {
        let identity = if kind.needs_identity() { " (we check that it is you)" } else { "" };
        let _ = writeln!(text, "- {}{identity}", right(kind));
    }
    text.push_str("\nBy when we confirm and answer:\n\n| where you live | confirmed | answered | once extended by |\n|---|---|---|---|\n");
    for clock in policy.clocks().iter().filter(|clock| clock.confidence() == crate::Confidence::Confirmed) {
        let whose = clock.jurisdiction().map_or("elsewhere", Jurisdiction::title);
        let confirm = clock.confirm().map_or("-".to_owned(), |interval| interval.to_string());
        let extension = clock.extension().map_or("-".to_owned(), |interval| interval.to_string());
        let _ = writeln!(text, "| {whose} | {confirm} | {} | {extension} |", clock.answer());
    }
    text + "\nWhile we do not know where you live, the shortest of these counts.\n"
}

fn age(policy: &Policy) -> String {
    match policy.minimum_age() {
        Some(years) => format!(
            "Nobody under {years} is enrolled. If we learn that somebody is younger, what is held about them is \
             destroyed at once.\n"
        ),
        None => "No age is stated.\n".to_owned(),
    }
}

fn jurisdictions(policy: &Policy) -> String {
    let sections = Jurisdiction::ALL.into_iter().filter_map(|place| section(policy, place));
    sections.collect::<Vec<_>>().join("\n")
}

/// What holds in one place beside the rest; `None` where nothing does.
fn section(policy: &Policy, place: Jurisdiction) -> Option<String> {
    let own = |law: Option<Jurisdiction>| law == Some(place);
    let mut lines: Vec<String> = Vec::new();
    for rule in policy.rules().iter().filter(|rule| own(rule.jurisdiction()) && rule.is_enabled()) {
        lines.push(format!("- {} ({})", rule.says(), rule.clause()));
    }
    for row in policy.honours().iter().filter(|row| own(row.jurisdiction()) && row.is_enabled()) {
        lines.push(format!("- {} ({})", row.says(), honoured(row)));
    }
    for rule in policy.export_rules().iter().filter(|rule| own(rule.jurisdiction())) {
        lines.push(format!("- {} ({})", rule.says(), rule.clause()));
    }
    let notes = policy.notes().iter().filter(|note| own(note.jurisdiction()));
    for note in notes.filter(|note| note.confidence() == crate::Confidence::Confirmed) {
        lines.push(format!("- {} ({})", note.says(), note.clause()));
    }
    if lines.is_empty() {
        return None;
    }
    let templates = kept_until(policy, DataClass::Biometric, Some(place)).join("; ");
    lines.push(format!("- Together with the rest of the policy, templates are destroyed: {templates}."));
    Some(format!("### {}\n\n{}\n", place.title(), lines.join("\n")))
}

pub(super) fn honoured(row: &Honour) -> String {
    let authorities: Vec<_> = row.authorities().iter().copied().map(Authority::name).collect();
    format!("{}: {}", row.clause(), authorities.join(", ").replace('_', " "))
}
