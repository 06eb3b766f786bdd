//! Documents rendered from the policy.

use vouchsafe_retention::Policy;
use vouchsafe_retention::documents::{biometric_policy, breach_notice, impact_assessment, notice};
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
"#;

fn acme(own: &str) -> Policy {
    let mut packs = Policy::shipped_packs();
    packs.push(own);
    Policy::from_packs(&packs).unwrap()
}

#[test]
fn the_notice_says_what_the_policy_says() {
    let policy = acme(OWN);
    let text = notice(&policy);
    for class in DataClass::ALL {
        assert!(text.contains(&class.name().replace('_', " ")), "{}", class.name());
    }
    for rule in policy.rules().iter().filter(|rule| rule.is_enabled()) {
        assert!(text.contains(rule.clause()), "{}", rule.id());
    }
    for words in [
        "Nobody younger than 21",
        "within 10 business days",
        "## Texas",
        "Far Hosting",
        "Acme &lt;b&gt;Ltd",
        "1 Street\\_",
        "billing | **not stated**",
    ] {
        assert!(text.contains(words), "{words}");
    }
    assert!(!text.contains("## Colorado"), "its rules are not confirmed");
    assert!(notice(&Policy::shipped().unwrap()).contains("does not state the organisation"));
}

#[test]
fn the_templates_follow_the_policy() {
    let policy = acme(OWN);
    let public = biometric_policy(&policy);
    for words in ["740 ILCS 14/15(a)", "warrant", "Texas"] {
        assert!(public.contains(words), "{words}");
    }
    let assessment = impact_assessment(&policy);
    assert!(assessment.contains("Far Hosting, cn") && assessment.contains("states no period"));
    let breach = breach_notice(&policy);
    assert!(DataClass::ALL.into_iter().all(|class| breach.contains(&class.name().replace('_', " "))));
    assert!([public, assessment, breach].iter().all(|text| text.contains("privacy@acme.example")));
}
