use proptest::prelude::*;
use vouchsafe_retention::{Breaker, Facts, ItemId, PersonalAct, Plan, Policy, RetentionError};
use vouchsafe_types::{DataClass, RecordId, Role};

use super::rows::{at, face};

const NOW: &str = "2026-05-01T00:00:00Z";

fn id(number: u32) -> ItemId {
    ItemId::parse(&format!("item-{number:05}")).unwrap()
}

/// Of this many records, those whose number is below `due` are due at [`NOW`].
fn plan(total: u32, due: u32) -> Plan {
    let policy = Policy::default_notices().unwrap();
    let records = (0..total).map(|n| {
        let facts = face(Role::EndUser).acted(PersonalAct::Enrolled, at("2025-01-01T00:00:00Z"));
        let gone = at("2026-04-01T00:00:00Z")
            .checked_add(jiff::SignedDuration::from_hours(i64::from(n % 7)))
            .unwrap();
        (id(n), if n < due { facts.withdrawn(gone) } else { facts })
    });
    Plan::make(&policy, records, at(NOW)).unwrap()
}

#[test]
fn a_plan_lists_what_is_due_and_nothing_else() {
    let policy = Policy::default_notices().unwrap();
    let log = |created| Facts::new(DataClass::AuditLog, None, Role::EndUser).unwrap().created(at(created));
    let records = [
        (id(1), log("2026-01-31T00:00:00Z")),
        (id(2), log("2026-01-31T00:00:01Z")),
        (id(3), face(Role::EndUser).withdrawn(at("2026-01-02T00:00:00Z"))),
        (ItemId::from(RecordId::from_bytes([0xab; 16])), face(Role::EndUser)),
    ];
    let plan = Plan::make(&policy, records, at(NOW)).unwrap();
    let listed: Vec<_> = plan.items().iter().map(|item| (item.id().as_str(), item.rule())).collect();
    assert_eq!(listed, [("item-00003", "vs-1-withdrawal"), ("item-00001", "wb-4-audit-log")]);
    assert_eq!(
        plan.counts().into_iter().collect::<Vec<_>>(),
        [(DataClass::AuditLog, 1), (DataClass::Biometric, 1)]
    );
    assert_eq!((plan.earliest(), plan.latest()), (Some(at("2026-01-02T00:00:00Z")), Some(at(NOW))));
    assert_eq!((plan.considered(), plan.made_at(), plan.policy()), (4, at(NOW), policy.digest()));
}

#[test]
fn a_plan_has_one_encoding() {
    let plan = plan(20, 9);
    let bytes = plan.to_bytes().unwrap();
    assert_eq!(Plan::parse(&bytes).unwrap(), plan);
    assert_eq!(Plan::parse(&bytes).unwrap().digest(), plan.digest());
    let text = String::from_utf8(bytes).unwrap();
    let tampered = [
        format!("{text}\n"),
        text.replacen(':', ": ", 1),
        text.replacen("\"version\":2", "\"version\":1", 1),
        text.replacen("\"considered\":20", "\"considered\":8", 1),
        text.replacen("\"biometric\":9", "\"biometric\":8", 1),
        text.replacen("2026-04-01T00:00:00Z", "2026-04-01T00:00:00+00:00", 1),
        text.replacen("\"earliest\":\"2026-04-01T00:00:00Z\"", "\"earliest\":null", 1),
        text.replacen("item-00000", "item-00001", 1),
        text.replacen("item-00000", "Item-00000", 1),
        text.replacen("\"class\":\"biometric\"", "\"class\":\"biometrics\"", 1),
        text.replacen("\"made_at\":\"2026-05", "\"made_at\":\"2026-03", 1),
        text.replacen("{\"id\"", "{\"who\":\"x\",\"id\"", 1),
        text.chars().take(text.len() - 1).collect(),
    ];
    for other in tampered {
        assert_ne!(other, text);
        assert_eq!(Plan::parse(other.as_bytes()), Err(RetentionError::Plan), "{other:.80}");
    }
}

#[test]
fn the_breaker_stops_what_is_out_of_proportion() {
    let policy = Policy::default_notices().unwrap();
    let breaker = Breaker::default();
    assert!(plan(1000, 50).release(&policy, breaker, None).is_ok(), "5 percent");
    let over = RetentionError::Breaker { due: 51, considered: 1000, percent: 5 };
    assert_eq!(plan(1000, 51).release(&policy, breaker, None).err(), Some(over.clone()));
    assert!(plan(10, 10).release(&policy, breaker, None).is_ok(), "few enough");
    assert!(plan(11, 11).release(&policy, breaker, None).is_err());

    let seen = plan(1000, 51).digest().unwrap();
    let released = plan(1000, 51).release(&policy, breaker, Some(seen)).unwrap();
    assert_eq!((released.digest(), released.plan().items().len()), (seen, 51));
    let other = plan(1000, 52).release(&policy, breaker, Some(seen));
    assert!(other.is_err(), "an acknowledgement lets pass one plan");
}

#[test]
fn a_plan_is_not_released_under_another_policy() {
    let other = Policy::from_packs(&Policy::DEFAULT_PACKS[1..]).unwrap();
    let outcome = plan(10, 1).release(&other, Breaker::default(), None);
    assert_eq!(outcome.err(), Some(RetentionError::PolicyChanged));
}

#[test]
fn an_item_listed_twice_or_without_a_period_stops_the_plan() {
    let policy = Policy::default_notices().unwrap();
    let gone = || (id(1), face(Role::EndUser).withdrawn(at("2026-01-01T00:00:00Z")));
    assert_eq!(Plan::make(&policy, [gone(), gone()], at(NOW)), Err(RetentionError::DuplicateItem));
    let billing = (id(2), Facts::new(DataClass::Billing, None, Role::EndUser).unwrap());
    assert!(matches!(Plan::make(&policy, [billing], at(NOW)), Err(RetentionError::Gap { .. })));
    for bad in ["", "A", "a b", "é", &"x".repeat(65)] {
        assert_eq!(ItemId::parse(bad), Err(RetentionError::ItemId));
    }
}

proptest! {
    #[test]
    fn no_bytes_panic_the_parser(bytes in any::<Vec<u8>>()) {
        prop_assert!(Plan::parse(&bytes).is_err());
    }

    #[test]
    fn plans_read_back(total in 0u32..40, due in 0u32..40) {
        let plan = plan(total, due);
        prop_assert_eq!(Plan::parse(&plan.to_bytes().unwrap()), Ok(plan));
    }
}
