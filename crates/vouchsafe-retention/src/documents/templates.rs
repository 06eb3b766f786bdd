use std::fmt::Write as _;

use vouchsafe_types::{DataClass, Jurisdiction};

use super::markdown::{contact, plain, words};
use super::notice::retention;
use crate::{Confidence, Policy, Rule, RuleKind};

/// The public policy that 740 ILCS 14/15(a) asks for: a retention schedule and guidelines for destruction, in Markdown.
pub fn biometric_policy(policy: &Policy) -> String {
    let mut text = String::from("# Biometric data: retention schedule and destruction\n\n");
    contact(policy.profile(), &mut text);
    text.push_str("\n## Retention schedule\n\nThe earliest of these decides.\n\n");
    let biometric = |rule: &&Rule| rule.class() == DataClass::Biometric && rule.is_enabled();
    for rule in policy.rules().iter().filter(biometric).filter(|rule| rule.kind() == RuleKind::Ceiling) {
        let place = rule.jurisdiction().map_or("everywhere", Jurisdiction::title);
        let _ = writeln!(text, "- {place}: {} ({})", rule.says(), rule.clause());
    }
    text.push_str(
        "\n## Destruction\n\n\
         What is due is listed in a plan, the keys that open it are destroyed, and the log says so. Nothing that is under \
         a legal hold that the law honours is destroyed before the hold ends:\n\n",
    );
    for row in policy.honours().iter().filter(|row| row.class() == DataClass::Biometric) {
        let place = row.jurisdiction().map_or("everywhere", Jurisdiction::title);
        let names: Vec<_> = row.authorities().iter().map(|authority| words(authority.name())).collect();
        let _ = writeln!(text, "- {place}: {} only ({})", names.join(" or "), row.clause());
    }
    text.push_str(
        "\n## Disclosure\n\nBiometric data is not sold, leased, traded or otherwise profited from. It is disclosed only \
         with the person's explicit written consent or by legal duty.\n",
    );
    text
}

/// A data protection impact assessment (GDPR Art 35(7)) in Markdown; what only the organisation knows is left to fill in.
pub fn impact_assessment(policy: &Policy) -> String {
    let mut text = String::from("# Data protection impact assessment\n\n## Controller\n\n");
    contact(policy.profile(), &mut text);
    let _ = write!(
        text,
        "\n## Processing and purposes (Art 35(7)(a))\n\n{FILL_IN}\n\nData and periods in force:\n\n"
    );
    retention(policy, None, &mut text);
    text.push_str("\n### Recipients and places\n\n");
    for recipient in policy.recipients() {
        let safeguard = recipient.safeguard().map_or("none needed", |safeguard| safeguard.as_str());
        let (name, region, safeguard) = (plain(recipient.name()), recipient.region(), plain(safeguard));
        let _ = writeln!(text, "- {name}, {region}; safeguard: {safeguard}");
    }
    if policy.recipients().is_empty() {
        text.push_str("None.\n");
    }
    let _ = write!(text, "\n## Necessity and proportionality (Art 35(7)(b))\n\n{FILL_IN}\n");
    text.push_str("\n## Risks (Art 35(7)(c))\n\n");
    text.push_str(RISKS);
    text.push_str("\n## What the policy does not state\n\n");
    let gaps = policy.gaps();
    for gap in &gaps {
        let _ = writeln!(text, "- {gap}");
    }
    let unconfirmed = policy.rules().iter().filter(|rule| !rule.is_enabled()).count();
    if gaps.is_empty() {
        text.push_str("- no class is without a period\n");
    }
    let _ = writeln!(text, "- {unconfirmed} rules whose source is not confirmed decide nothing");
    let _ = write!(text, "\n## Measures (Art 35(7)(d))\n\n{FILL_IN}\n");
    text
}

/// A notice of a breach to the authority and to people (GDPR Arts 33(3), 34(2)) in Markdown, to fill in.
pub fn breach_notice(policy: &Policy) -> String {
    let mut text = String::from("# Notice of a personal data breach\n\n## Contact (Art 33(3)(b))\n\n");
    contact(policy.profile(), &mut text);
    let _ = write!(text, "\n## What happened, and when it became known (Art 33(3)(a))\n\n{FILL_IN}\n");
    text.push_str("\n## Data that may be affected\n\nStrike out what is not:\n\n");
    for class in DataClass::ALL {
        let _ = writeln!(text, "- {}", words(class.name()));
    }
    text.push_str("\nHow many people and records, roughly:\n");
    let _ = write!(text, "\n{FILL_IN}\n\n## Likely consequences (Art 33(3)(c))\n\n{RISKS}\n{FILL_IN}\n");
    let _ = write!(text, "\n## Measures (Art 33(3)(d))\n\n{FILL_IN}\n\n## What people can do\n\n{FILL_IN}\n");
    if policy.clocks().iter().any(|clock| clock.confidence() == Confidence::Confirmed) {
        text.push_str("\nPeople may ask what is held about them, and have it deleted.\n");
    }
    text
}

const FILL_IN: &str = "*(to fill in)*";

const RISKS: &str = "\
- A face or a voice cannot be changed as a password can.
- Whoever has templates and their keys can compute a likeness; whoever has templates alone should not.
- A false acceptance lets a stranger in; a false rejection keeps the person out.
- Records of verifications show when somebody was where.
";
