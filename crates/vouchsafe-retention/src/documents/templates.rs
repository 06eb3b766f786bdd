use std::fmt::Write as _;

use vouchsafe_types::DataClass;

use super::edition::publisher;
use super::markdown::{contacts, plain};
use super::notice::right;
use super::schedule::{contents, table, title};
use super::{DocumentError, Edition};
use crate::Policy;
use crate::rights::RequestKind;

/// What a person fills in.
const BLANK: &str = "________";

/// A data protection impact assessment (GDPR Art 35(7)): what the policy knows is filled in, what only people can judge
/// is blank. As Markdown.
///
/// # Errors
/// [`DocumentError::NoContact`] where the policy has no `[organisation]`.
pub fn impact_assessment(policy: &Policy, edition: &Edition) -> Result<String, DocumentError> {
    let profile = publisher(policy)?;
    let mut text = format!(
        "# Data protection impact assessment: {}\n\n{}\nAssessed by: {BLANK}. Data protection officer consulted on: \
         {BLANK}.\n\n## 1. Description (Art 35(7)(a))\n\nController:\n\n{}\nData:\n\n",
        plain(profile.name()),
        edition.head(),
        contacts(profile),
    );
    for class in DataClass::ALL {
        let _ = writeln!(text, "- {}: {}", title(class), contents(class));
    }
    let _ = write!(text, "\nPeriods:\n\n{}\nOpen:\n\n", table(policy));
    open_points(policy, &mut text);
    let _ = write!(text, "\nPeople concerned, and how many: {BLANK}\n{NECESSITY}\n{RISKS}");
    for (risk, measure) in MEASURES {
        let _ = writeln!(text, "| {risk} | {measure} | {BLANK} | {BLANK} |");
    }
    text.push_str("\n## 4. Rights\n\n");
    for kind in RequestKind::ALL {
        let _ = writeln!(text, "- {}", right(kind));
    }
    let _ = writeln!(
        text,
        "\n## 5. Decision\n\nResidual risk: {BLANK}. Prior consultation (Art 36) needed: {BLANK}. Views of people \
         concerned (Art 35(9)): {BLANK}. Next review on: {BLANK}."
    );
    Ok(text)
}

fn open_points(policy: &Policy, text: &mut String) {
    let gaps = policy.gaps();
    for gap in &gaps {
        let _ = writeln!(text, "- {gap}");
    }
    if gaps.is_empty() {
        text.push_str("None.\n");
    }
}

const NECESSITY: &str = "\n## 2. Necessity and proportionality (Art 35(7)(b))\n\n\
    - Basis for templates: explicit consent (Art 9(2)(a)), per purpose, withdrawn in one step.\n\
    - A way without biometric data exists, and is as good: ________\n\
    - Why a less intrusive means does not reach the purpose: ________\n";

const RISKS: &str = "\n## 3. Risks and measures (Art 35(7)(c), (d))\n\n\
    | risk | measure in place | likelihood | severity |\n|---|---|---|---|\n";

const MEASURES: &[(&str, &str)] = &[
    ("a stolen database is read", "templates are protected and encrypted; keys lie at a separate service"),
    (
        "a stolen template is turned into a lookalike",
        "templates are keyed and renewable; with the key stolen this fails",
    ),
    (
        "a picture or recording is shown in place of a person",
        "presentation attacks are judged; tokens demand a challenge",
    ),
    ("data outlives its period", "deadlines by rule, sweeps, alarms when late, certificates"),
    (
        "a backup brings destroyed data back",
        "keys are destroyed and kept out of backups; destructions are replayed",
    ),
    ("data goes to somebody without a basis", "register of disclosures; refused without a basis"),
    ("somebody is wrongly refused", "another way to sign in; thresholds with measured error rates"),
    ("one organisation reaches another's data", "keys, rows and logs are separate for each organisation"),
];

/// A notice of a breach to the authority and to people (GDPR Arts 33(3) and 34(2)): the contact and the classes are
/// filled in, what happened is blank. As Markdown.
///
/// # Errors
/// [`DocumentError::NoContact`] where the policy has no `[organisation]`.
pub fn breach_notice(policy: &Policy) -> Result<String, DocumentError> {
    let profile = publisher(policy)?;
    let mut text = format!(
        "# Notice of a personal data breach: {}\n\nDate of this notice: {BLANK}. Became known on: {BLANK}. To the \
         authority within 72 hours of that (Art 33(1)); if later, why: {BLANK}.\n\n## What happened\n\nWhen: {BLANK}. \
         What: {BLANK}. People concerned, about: {BLANK}. Records, about: {BLANK}.\n\n## Which data\n\n\
         | data | what it holds | concerned |\n|---|---|---|\n",
        plain(profile.name()),
    );
    for class in DataClass::ALL {
        let _ = writeln!(text, "| {} | {} | {BLANK} |", title(class), contents(class));
    }
    text.push_str(KEYS);
    for recipient in policy.recipients() {
        let _ = writeln!(text, "- {} ({}): {BLANK}", plain(recipient.name()), recipient.document());
    }
    if policy.recipients().is_empty() {
        text.push_str("None.\n");
    }
    let _ = write!(
        text,
        "\n## Likely consequences\n\n{BLANK}\n\n## What we did and what you can do\n\nDone: {BLANK}. Planned: {BLANK}. \
         Enrolling again replaces a template under a new key: {BLANK}.\n\n## Contact\n\n{}",
        contacts(profile)
    );
    Ok(text)
}

const KEYS: &str = "\nWere keys reached as well as data? ________ Templates are encrypted; with their keys they can be \
    turned into a lookalike, and then people have to be told (Art 34(3)(a) no longer applies).\n\n## Recipients told\n\n";
