//! What an organisation's pack may say, and what is refused.

use vouchsafe_retention::{
    Facts, GroupSize, Hold, ItemId, Plan, Policy, Problem, RetentionError, Stage, Verdict,
};
use vouchsafe_types::{DataClass, Role};

use crate::laws::{enrolled, hold, own, with};
use crate::rows::at;

const NOW: &str = "2026-04-01T12:00:00Z";
const RULE: &str = "[[rule]]\nid = \"r\"\nclass = \"support\"\njurisdiction = \"us-il\"\ntrigger = \"creation\"\n\
                    kind = \"ceiling\"\nperiod = \"30 days\"\nclause = \"T 1\"\nsays = \"S.\"\nconfidence = \"confirmed\"\n";

#[track_caller]
fn refused(outcome: Result<Policy, RetentionError>, line: Option<usize>, problem: &Problem) {
    match outcome {
        Err(RetentionError::Pack(fault)) => {
            assert_eq!((fault.pack(), fault.line(), fault.problem()), ("acme", line, problem), "{fault}");
        }
        other => panic!("{problem:?}: {other:?}"),
    }
}

#[test]
fn places_are_known_by_name_and_elsewhere_has_no_law() {
    assert!(with(RULE).is_ok());
    for place in ["us-zz", "US-IL", "elsewhere", ""] {
        let text = RULE.replace("us-il", place);
        refused(with(&text), Some(6), &Problem::UnknownValue("jurisdiction"));
    }
}

#[test]
fn a_pack_says_what_binds_it() {
    let load = |text: String| Policy::from_packs(&[&text]);
    let pack = own(RULE);
    let missing = load(pack.replace("kind = \"organisation\"\n", ""));
    refused(missing, None, &Problem::MissingField("kind"));
    refused(load(pack.replace("\"organisation\"", "\"custom\"")), Some(5), &Problem::UnknownValue("kind"));
}

#[test]
fn only_an_organisation_adopts_and_sets_approvals_and_breakers() {
    for table in [
        "[[adopt]]\nrule = \"co-inactivity\"\nby = \"counsel\"\non = \"2026-03-01\"\n",
        "[approval]\nscheduled = \"1\"\n",
        "[breaker]\npercent = \"100\"\n",
        "[aggregate]\nminimum = \"5\"\n",
    ] {
        assert!(with(table).is_ok(), "{table}");
        let notice = own(table).replace("\"organisation\"", "\"notice\"");
        let packs = [Policy::shipped_packs(), vec![&notice]].concat();
        refused(Policy::from_packs(&packs), Some(6), &Problem::NotOrganisation);
    }
}

#[test]
fn what_is_stated_twice_is_refused() {
    let setting = "[[setting]]\nrule = \"wb-4-audit-log\"\nperiod = \"30 days\"\n";
    refused(with(&setting.repeat(2)), Some(9), &Problem::DuplicateSetting);
    let adopt = "[[adopt]]\nrule = \"co-inactivity\"\nby = \"counsel\"\non = \"2026-03-01\"\n";
    refused(with(&adopt.repeat(2)), Some(10), &Problem::DuplicateSetting);
    refused(with(&RULE.repeat(2)), Some(16), &Problem::DuplicateRule);
    let note = "[[note]]\nid = \"eu-7-3\"\nclause = \"T\"\nsays = \"S.\"\nconfidence = \"confirmed\"\n";
    refused(with(note), Some(6), &Problem::DuplicateRule);
    for table in
        ["[approval]\nscheduled = \"1\"\n", "[breaker]\nfree = \"1\"\n", "[aggregate]\nminimum = \"9\"\n"]
    {
        let (first, second) = (own(table), own(table));
        let packs = [Policy::shipped_packs(), vec![&first, &second]].concat();
        refused(Policy::from_packs(&packs), Some(6), &Problem::DuplicateSetting);
    }
}

#[test]
fn approvals_and_breakers_are_bounded() {
    for (table, field) in [
        ("[approval]\nscheduled = \"6\"\n", "scheduled"),
        ("[approval]\nscheduled = \"-1\"\n", "scheduled"),
        ("[approval]\noffboarding = \"0\"\n", "offboarding"),
        ("[approval]\noffboarding = \"02\"\n", "offboarding"),
        ("[aggregate]\nminimum = \"1\"\n", "minimum"),
        ("[aggregate]\nminimum = \"1000001\"\n", "minimum"),
        ("[breaker]\npercent = \"101\"\n", "percent"),
        ("[breaker]\nmax_step_days = \"0\"\n", "max_step_days"),
        ("[breaker]\nmax_step_days = \"367\"\n", "max_step_days"),
    ] {
        refused(with(table), Some(6), &Problem::UnknownValue(field));
    }
    let unknown = Problem::UnknownField("immediate".to_owned());
    refused(with("[approval]\nimmediate = \"1\"\n"), Some(6), &unknown);
    let policy = with("[breaker]\npercent = \"20\"\nfree = \"3\"\nmax_step_days = \"7\"\n").unwrap();
    assert_eq!((policy.breaker().percent(), policy.breaker().free()), (20, 3));
    assert_eq!(policy.clock_guard().max_step_days(), 7);
}

#[test]
fn what_is_due_at_once_waits_for_no_approval() {
    let policy = with("[approval]\nscheduled = \"2\"\noffboarding = \"3\"\n").unwrap();
    let needed = Stage::ALL.map(|stage| policy.approvals().needed(stage));
    assert_eq!(needed, [0, 2, 3]);
    assert_eq!(Stage::ALL.map(|stage| Policy::shipped().unwrap().approvals().needed(stage)), [0, 0, 2]);
    let id = |number: u32| ItemId::parse(&format!("item-{number}")).unwrap();
    let log =
        Facts::new(DataClass::AuditLog, None, Role::EndUser).unwrap().created(at("2026-01-01T00:00:00Z"));
    let plan =
        |records: Vec<(ItemId, Facts, Vec<Hold>)>| Plan::make_held(&policy, records, 9, at(NOW)).unwrap();
    let at_once = (id(1), enrolled().withdrawn(at(NOW)), Vec::new());
    let scheduled = (id(2), log, Vec::new());
    assert_eq!(plan(vec![at_once.clone()]).approvals_needed(), 0);
    assert_eq!(plan(vec![scheduled.clone()]).approvals_needed(), 2);
    let both = plan(vec![at_once, scheduled]);
    assert_eq!((both.approvals_needed(), both.items().len(), both.considered()), (2, 2, 9));
    let samples: Vec<_> = both.samples().keys().map(String::as_str).collect();
    assert_eq!(samples.len(), 2);
    assert!(both.samples()["wb-4-audit-log"].starts_with("Destruction is due at 2026-04-01T00:00:00Z"));
}

#[test]
fn what_is_held_is_on_no_plan() {
    let policy = Policy::shipped().unwrap();
    let facts = enrolled().residing(vouchsafe_types::Jurisdiction::Eu).withdrawn(at(NOW));
    let warrant = hold(vouchsafe_retention::Authority::Warrant);
    let records = [(ItemId::parse("a").unwrap(), facts, vec![warrant])];
    assert_eq!(Plan::make_held(&policy, records, 1, at(NOW)).unwrap().items(), []);
}

#[test]
fn an_open_request_freezes_its_evidence() {
    let policy = Policy::shipped().unwrap();
    let record = Facts::new(DataClass::RightsRequest, None, Role::EndUser).unwrap();
    let record = record.created(at(NOW)).purpose_met(at(NOW));
    let decide = |facts: &Facts, now: &str| policy.decide(facts, &[], at(now)).unwrap();
    let end = at("2028-04-01T12:00:00Z");
    assert_eq!(decide(&record, NOW).verdict(), Verdict::Later(end));
    assert_eq!(decide(&record, "2028-04-01T12:00:00Z").verdict(), Verdict::Due);
    let frozen = decide(&record.frozen(), "2028-04-01T12:00:00Z");
    assert_eq!(frozen.verdict(), Verdict::Held { until: None });
    assert!(frozen.is_frozen() && frozen.explanation().contains("open rights request"));
    assert_eq!(frozen.review_at(end), Some(at("2028-04-02T12:00:00Z")), "a day later at the latest");
}

/// Whoever edits the file of a plan does not decide how many approve it.
#[test]
fn a_plan_that_asks_for_fewer_approvals_than_the_policy_is_not_released() {
    let policy = with("[approval]\nscheduled = \"2\"\n").unwrap();
    let log =
        Facts::new(DataClass::AuditLog, None, Role::EndUser).unwrap().created(at("2026-01-01T00:00:00Z"));
    let records = [(ItemId::parse("a").unwrap(), log, Vec::new())];
    let plan = Plan::make_held(&policy, records, 9, at(NOW)).unwrap();
    let text = String::from_utf8(plan.to_bytes().unwrap()).unwrap();
    let edited = text.replacen("\"approvals\":2", "\"approvals\":0", 1);
    let edited = Plan::parse(edited.as_bytes()).unwrap();
    let digest = edited.digest().unwrap();
    let released = edited.release(&policy, policy.breaker(), Some(digest));
    assert_eq!(released.err(), Some(RetentionError::Plan), "not even acknowledged");
    assert!(plan.release(&policy, policy.breaker(), None).is_ok());
    let sample = text.replacen("\"wb-4-audit-log\":\"", "\"another-rule\":\"", 1);
    assert_eq!(Plan::parse(sample.as_bytes()), Err(RetentionError::Plan), "explains what is not on it");
}

/// A law of one place, or a duty to keep, is no answer to how long data is kept.
#[test]
fn a_class_without_a_ceiling_for_everybody_is_a_gap() {
    let gap = |rule: &str| {
        let policy = Policy::from_packs(&[&own(rule)]).unwrap();
        policy.gaps().iter().any(|gap| gap.class() == DataClass::Support)
    };
    let everywhere = RULE.replace("jurisdiction = \"us-il\"\n", "");
    assert!(!gap(&everywhere));
    assert!(gap(RULE), "of one place");
    assert!(gap(&everywhere.replace("ceiling", "floor")), "kept, never destroyed");
    assert!(gap(&everywhere.replace("class = \"support\"\n", "class = \"support\"\nrole = \"end_user\"\n")));
}

/// Promise: FP-6-aggregate
#[test]
fn a_small_group_is_not_told_from_an_empty_one_and_no_figure_is_exact() {
    let aggregates = with("[aggregate]\nminimum = \"5\"\n").unwrap().aggregates();
    assert_eq!(Policy::shipped().unwrap().aggregates().minimum(), 10);
    for people in 0..5 {
        assert_eq!(aggregates.release(people), GroupSize::Few);
    }
    for people in 5..1_000 {
        let GroupSize::AtLeast(told) = aggregates.release(people) else {
            panic!("{people} people are a group")
        };
        assert!(told <= people && people - told < 5 && told % 5 == 0);
    }
    assert_eq!(aggregates.release(u64::MAX), GroupSize::AtLeast(u64::MAX));
    assert_eq!(aggregates.release(9).to_string(), "at least 5");
    assert_eq!(aggregates.release(0).to_string(), "few or none");
}
