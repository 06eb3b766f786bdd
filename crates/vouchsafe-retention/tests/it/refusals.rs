use jiff::tz::TimeZone;
use vouchsafe_retention::{Facts, Policy, Problem, RetentionError};
use vouchsafe_types::{DataClass, Modality, Role};

const HEAD: &str = "format = 1\nid = \"t\"\nversion = \"1\"\ntitle = \"T\"\nkind = \"organisation\"\n";
const RULE: &str = "[[rule]]\nid = \"r\"\nclass = \"usage\"\ntrigger = \"creation\"\nkind = \"ceiling\"\n\
                    period = \"30 days\"\nclause = \"T 1\"\nsays = \"S.\"\nconfidence = \"confirmed\"\n";

fn load(rules: &str) -> Result<Policy, RetentionError> {
    Policy::from_packs(&[&format!("{HEAD}{rules}")])
}

#[track_caller]
fn refused(text: &str, rule: Option<&str>, line: Option<usize>, problem: Problem) {
    match load(text) {
        Err(RetentionError::Pack(fault)) => {
            assert_eq!(*fault.problem(), problem);
            assert_eq!((fault.rule(), fault.line()), (rule, line), "{fault}");
        }
        other => panic!("{problem:?}: {other:?}"),
    }
}

#[test]
fn one_wrong_field_is_refused_with_line_and_rule() {
    assert!(load(RULE).is_ok());
    let cases = [
        ("class = \"usage\"", "class = \"selfies\"", Problem::UnknownValue("class")),
        ("trigger = \"creation\"", "trigger = \"someday\"", Problem::UnknownValue("trigger")),
        ("kind = \"ceiling\"", "kind = \"wall\"", Problem::UnknownValue("kind")),
        ("confidence = \"confirmed\"", "confidence = \"hearsay\"", Problem::UnknownValue("confidence")),
        ("period = \"30 days\"", "period = \"-30 days\"", Problem::Period),
        ("period = \"30 days\"", "period = \"soon\"", Problem::Period),
        ("period = \"30 days\"\n", "", Problem::MissingField("period")),
        ("clause = \"T 1\"\n", "", Problem::MissingField("clause")),
        ("clause = \"T 1\"", "clause = \"\"", Problem::UnknownValue("clause")),
        ("clause = \"T 1\"", "clause = \"a | b\"", Problem::UnknownValue("clause")),
        ("says = ", "colour = \"red\"\nsays = ", Problem::UnknownField("colour".to_owned())),
        ("says = ", "role = \"guest\"\nsays = ", Problem::UnknownValue("role")),
        ("says = ", "modality = \"gait\"\nsays = ", Problem::UnknownValue("modality")),
        ("says = ", "least = \"1 day\"\nsays = ", Problem::Bounds),
        ("says = ", "least = \"2 days\"\nmost = \"1 day\"\nsays = ", Problem::Bounds),
        ("says = ", "least = \"31 days\"\nmost = \"1 year\"\nsays = ", Problem::Bounds),
    ];
    for (from, to, problem) in cases {
        refused(&RULE.replace(from, to), Some("r"), Some(6), problem);
    }
    refused(&RULE.replace("id = \"r\"\n", ""), None, Some(6), Problem::MissingField("id"));
}

#[test]
fn what_is_no_pack_is_refused() {
    refused("[[rule]\n", None, Some(6), Problem::Syntax);
    refused("colour = \"red\"\n", None, Some(6), Problem::Syntax);
    refused("[[rule]]\nid = 3\n", None, Some(7), Problem::Syntax);
    let other = Policy::from_packs(&[&HEAD.replace('1', "2")]);
    assert!(matches!(other, Err(RetentionError::Pack(fault)) if *fault.problem() == Problem::Format));
    refused(&format!("{RULE}{RULE}"), Some("r"), Some(15), Problem::DuplicateRule);
}

#[test]
fn settings_are_bounded() {
    let set =
        |rule: &str, period: &str| format!("{RULE}[[setting]]\nrule = \"{rule}\"\nperiod = \"{period}\"\n");
    refused(&set("r", "40 days"), Some("r"), Some(15), Problem::NotConfigurable);
    refused(&set("q", "40 days"), Some("q"), Some(15), Problem::UnknownRule);
    refused(&set("r", "not stated"), Some("r"), Some(15), Problem::Period);
    let bounded = RULE.replace("says", "least = \"7 days\"\nmost = \"1 year\"\nsays");
    let text = format!("{bounded}[[setting]]\nrule = \"r\"\nperiod = \"366 days\"\n");
    refused(&text, Some("r"), Some(17), Problem::OutOfBounds);
    assert!(load(&text.replace("366 days", "12 months")).is_ok());
}

#[test]
fn a_floor_above_a_ceiling_is_refused_with_both_citations() {
    let floor = |period: &str| {
        RULE.replace("\"r\"", "\"f\"")
            .replace("ceiling", "floor")
            .replace("T 1", "T 2")
            .replace("30 days", period)
    };
    match load(&format!("{RULE}{}", floor("1 month"))) {
        Err(RetentionError::Contradiction(found)) => {
            assert_eq!(
                found.to_string(),
                "floor f (T 2; pack t, line 15) lies above ceiling r (T 1; pack t, line 6)"
            );
        }
        other => panic!("{other:?}"),
    }
    assert!(load(&format!("{RULE}{}", floor("30 days"))).is_ok(), "equal is no contradiction");
    assert!(load(&format!("{RULE}{}", floor("1 month").replace("usage", "support"))).is_ok(), "other data");
}

#[test]
fn silence_is_a_gap() {
    let policy = load(RULE).unwrap();
    assert_eq!(policy.gaps().len(), DataClass::ALL.len() - 1);
    let account = Facts::new(DataClass::Account, None, Role::EndUser).unwrap();
    let refused = policy.resolve(&account).unwrap_err();
    assert_eq!(refused.to_string(), "no period is stated for account: no rule covers it");
    assert!(!refused.is_retryable());
}

#[test]
fn facts_zones_and_calendars_are_checked() {
    assert_eq!(Facts::new(DataClass::Biometric, None, Role::EndUser), Err(RetentionError::Modality));
    assert_eq!(
        Facts::new(DataClass::Usage, Some(Modality::Face), Role::EndUser),
        Err(RetentionError::Modality)
    );
    let policy = load(RULE).unwrap();
    assert_eq!(policy.clone().in_zone("", TimeZone::UTC).err(), Some(RetentionError::Zone));
    let late = Facts::new(DataClass::Usage, None, Role::EndUser).unwrap().created(jiff::Timestamp::MAX);
    assert_eq!(policy.resolve(&late), Err(RetentionError::Calendar { rule: "r".to_owned() }));
}

/// Promise: WB-6-audit
#[test]
fn whoever_has_the_texts_and_the_zone_loads_the_same_policy() {
    let policy = Policy::shipped().unwrap().in_zone("Europe/Berlin", TimeZone::UTC).unwrap();
    assert_eq!(policy.texts(), Policy::shipped_packs());
    let texts: Vec<&str> = policy.texts().iter().map(String::as_str).collect();
    let again = Policy::from_packs(&texts).unwrap().in_zone(policy.zone_name(), TimeZone::UTC).unwrap();
    assert_eq!(again.digest(), policy.digest());
    let fewer = Policy::from_packs(&texts[..texts.len() - 1]).unwrap();
    assert_ne!(fewer.in_zone(policy.zone_name(), TimeZone::UTC).unwrap().digest(), policy.digest());
}

#[test]
fn the_zone_decides_the_day_and_enters_digest_and_explanation() {
    let utc = load(&RULE.replace("30 days", "1 year")).unwrap();
    let east = utc.clone().in_zone("Etc/GMT-9", TimeZone::fixed(jiff::tz::offset(9))).unwrap();
    assert_ne!(utc.digest(), east.digest());
    let facts = Facts::new(DataClass::Usage, None, Role::EndUser).unwrap();
    let facts = facts.created("2024-02-28T20:00:00Z".parse().unwrap());
    let due = |policy: &Policy| policy.resolve(&facts).unwrap().due().unwrap().to_string();
    assert_eq!((due(&utc).as_str(), due(&east).as_str()), ("2025-02-28T20:00:00Z", "2025-02-27T20:00:00Z"));
    assert!(east.resolve(&facts).unwrap().explanation().ends_with("Calendar: Etc/GMT-9."));
}

#[test]
fn the_digest_is_of_the_packs_bytes_in_order() {
    let (a, b) = (format!("{HEAD}{RULE}"), HEAD.replace("\"t\"", "\"u\""));
    let digest = |packs: &[&str]| Policy::from_packs(packs).unwrap().digest();
    assert_eq!(digest(&[&a, &b]), digest(&[&a, &b]));
    assert_ne!(digest(&[&a, &b]), digest(&[&b, &a]));
    assert_ne!(digest(&[&a]), digest(&[&format!("{a}\n")]));
}

#[test]
fn an_error_is_one_line_whatever_a_pack_calls_itself() {
    let pack = "format = 1\nid = \"a\\nb\"\nversion = \"1\"\ntitle = \"t\"\nkind = \"organisation\"\n\n[[rule]]\nid = \"x\\ny\"\n";
    let error = Policy::from_packs(&[pack]).unwrap_err();
    assert!(!error.to_string().contains('\n'), "{error}");
}
