//! Documents written from the policy.

use jiff::civil::date;
use vouchsafe_retention::Policy;
use vouchsafe_retention::documents::{
    Configuration, DocumentError, Edition, Severity, biometric_policy, breach_notice, impact_assessment,
    lint, notice,
};
use vouchsafe_retention::rights::RequestKind;
use vouchsafe_types::DataClass;

const OWN: &str = r#"
format = 1
id = "acme"
version = "1"
title = "Acme"
kind = "organisation"

[organisation]
name = "Acme <b>Ltd</b>"
address = "1 Street_"
email = "privacy@acme.example"
legal_email = "legal@acme.example"
minimum_age = "21"
regions = "us, eu"
store_region = "eu"

[[recipient]]
id = "far"
name = "Far Hosting"
kind = "processor"
region = "cn"
purpose = "hosting"
classes = "account"
document = "dpa-1"
confidential = "yes"
delete_within = "30 days"
safeguard = "scc: 2021/914, module two"
"#;

const PERIODS: &str = r#"
[[setting]]
rule = "fp-2a-support"
period = "2 years"

[[setting]]
rule = "fp-2c-billing"
period = "6 years"

[[setting]]
rule = "wb-1.1-billing"
period = "6 years"

[[setting]]
rule = "fp-2d-usage"
period = "1 year"

[[setting]]
rule = "wb-1.3-usage"
period = "1 year"
"#;

fn policy_of(own: &str) -> Policy {
    let mut packs = Policy::shipped_packs();
    packs.push(own);
    Policy::from_packs(&packs).unwrap()
}

fn acme() -> Policy {
    policy_of(&format!("{OWN}{PERIODS}"))
}

fn edition() -> Edition {
    Edition::new("2026-05", date(2026, 5, 1)).unwrap()
}

/// Promise: FP-9-contact
#[test]
fn a_notice_without_a_contact_is_not_written() {
    let nobody = Policy::shipped().unwrap();
    assert_eq!(notice(&nobody, &edition()), Err(DocumentError::NoContact));
    assert_eq!(biometric_policy(&nobody, &edition()), Err(DocumentError::NoContact));
    assert_eq!(impact_assessment(&nobody, &edition()), Err(DocumentError::NoContact));
    assert_eq!(breach_notice(&nobody), Err(DocumentError::NoContact));
    for text in [
        notice(&acme(), &edition()).unwrap(),
        biometric_policy(&acme(), &edition()).unwrap(),
        impact_assessment(&acme(), &edition()).unwrap(),
        breach_notice(&acme()).unwrap(),
    ] {
        assert!(text.contains("privacy@acme.example") && text.contains("legal@acme.example"), "{text}");
        assert!(text.contains("Acme &lt;b&gt;Ltd") && text.contains("1 Street\\_"), "{text}");
    }
}

/// A notice says of every class how long it is kept: without a period there is no notice.
#[test]
fn a_notice_with_a_gap_is_not_written() {
    let gaps = DocumentError::Gaps(vec![DataClass::Billing, DataClass::Support, DataClass::Usage]);
    assert_eq!(gaps.to_string(), "no period is stated for billing, support, usage");
    assert_eq!(notice(&policy_of(OWN), &edition()), Err(gaps));
}

#[test]
fn the_notice_says_what_runs() {
    let text = notice(&acme(), &edition()).unwrap();
    for words in [
        "Effective date: 2026-05-01. Version: 2026-05.",
        "| Face and voice templates | at once when the account was deleted",
        "3 years after the person's last interaction, 1 year in Texas",
        "| Audit log | 90 days after the record was made | - |",
        "| Consent records | 7 years after the record was made | 7 years after the record was made |",
        "| Billing | 6 years after the record was made; at once when the organisation learned",
        "| Far Hosting | hosting | Account | cn (scc: 2021/914, module two) | dpa-1 | 30 days |",
        "Nobody under 21 is enrolled.",
        "| California | 10 business days | 45 days | 45 days |",
        "| EU/EEA | - | 1 month | 2 months |",
        "### Texas",
        "(740 ILCS 14/15(a): warrant, subpoena)",
    ] {
        assert!(text.contains(words), "{words}:\n{text}");
    }
    assert!(!text.contains("### Colorado"), "its rules are not confirmed: {text}");
    for kind in RequestKind::ALL {
        assert!(!text.contains(kind.name()) || kind.name().len() < 9, "names of code are not words: {kind}");
    }
    assert_eq!(notice(&acme(), &edition()).unwrap(), text, "the same twice");
}

/// What the policy writes, the comparison with the policy accepts.
#[test]
fn the_notice_from_the_policy_has_no_findings_but_notes() {
    let policy = acme();
    for text in [notice(&policy, &edition()).unwrap(), biometric_policy(&policy, &edition()).unwrap()] {
        let findings = lint(&text, &Configuration::new(&policy));
        let serious: Vec<_> = findings.iter().filter(|finding| finding.severity() > Severity::Note).collect();
        assert!(serious.is_empty(), "{serious:#?}");
    }
    let longer = notice(&policy, &edition()).unwrap().replace(", 1 year in Texas", "");
    let findings = lint(&longer, &Configuration::new(&policy));
    assert!(
        findings.iter().any(|finding| finding.rule() == "period-too-long"),
        "silence about Texas is found"
    );
}

#[test]
fn the_templates_follow_the_policy() {
    let public = biometric_policy(&acme(), &edition()).unwrap();
    for words in ["740 ILCS 14/15(a)", "3 years after the person's last interaction", "warrant, subpoena"] {
        assert!(public.contains(words), "{words}:\n{public}");
    }
    assert!(!public.contains("Texas"), "it is the one of Illinois: {public}");
    let assessment = impact_assessment(&policy_of(OWN), &edition()).unwrap();
    for words in ["billing: fp-2c-billing", "Art 35(7)(a)", "Art 35(7)(b)", "Art 35(7)(c), (d)", "________"] {
        assert!(assessment.contains(words), "{words}:\n{assessment}");
    }
    let breach = breach_notice(&acme()).unwrap();
    for words in ["Art 33(1)", "Far Hosting (dpa-1): ________", "| Face and voice templates |", "________"] {
        assert!(breach.contains(words), "{words}:\n{breach}");
    }
}

#[test]
fn versions_are_plain() {
    for bad in ["", "a b", "1\n", "<b>", &"1".repeat(33)] {
        assert_eq!(Edition::new(bad, date(2026, 5, 1)), Err(DocumentError::Version), "{bad}");
    }
    assert!(!DocumentError::Version.is_retryable());
}
