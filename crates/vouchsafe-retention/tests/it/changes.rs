//! What another policy would change, and who may change it.

use vouchsafe_retention::{
    Facts, PackStatement, PackVerifier, Policy, Problem, RetentionError, RuleChange, Shift,
};
use vouchsafe_types::{DataClass, Role};

use crate::laws::{own, with};
use crate::rows::{at, face};

const NOW: &str = "2026-04-01T12:00:00Z";

fn log(created: &str) -> Facts {
    Facts::new(DataClass::AuditLog, None, Role::EndUser).unwrap().created(at(created))
}

#[test]
fn a_diff_lists_rules_that_come_go_or_change() {
    let before = Policy::shipped().unwrap();
    assert_eq!(before.diff(&before), []);
    let after = with(
        "[[setting]]\nrule = \"wb-4-audit-log\"\nperiod = \"30 days\"\n\
         [[adopt]]\nrule = \"co-inactivity\"\nby = \"counsel\"\non = \"2026-03-01\"\n\
         [[rule]]\nid = \"acme-1\"\nclass = \"support\"\ntrigger = \"creation\"\nkind = \"ceiling\"\n\
         period = \"1 year\"\nclause = \"A\"\nsays = \"S.\"\nconfidence = \"confirmed\"\n",
    )
    .unwrap();
    let changes = before.diff(&after);
    let ids: Vec<_> = changes.iter().map(RuleChange::id).collect();
    assert_eq!(ids, ["acme-1", "co-inactivity", "wb-4-audit-log"]);
    assert!(changes[0].before().is_none() && changes[0].after().is_some());
    assert_eq!(changes[2].before().unwrap().period().unwrap().to_string(), "90 days");
    assert_eq!(changes[2].after().unwrap().period().unwrap().to_string(), "30 days");
    let back: Vec<_> = after.diff(&before).iter().map(|change| change.after().is_none()).collect();
    assert_eq!(back, [true, false, false]);
}

#[test]
fn a_rule_that_only_moves_in_its_pack_is_no_change() {
    let packs = Policy::DEFAULT_PACKS;
    let moved = packs[0].replacen("[[rule]]", "\n\n[[rule]]", 1);
    let before = Policy::from_packs(&packs).unwrap();
    let after = Policy::from_packs(&[&moved, packs[1], packs[2]]).unwrap();
    assert_eq!(before.diff(&after), []);
}

#[test]
fn a_comparison_counts_what_is_destroyed_earlier_and_later() {
    let before = Policy::shipped().unwrap();
    let after = with("[[setting]]\nrule = \"wb-4-audit-log\"\nperiod = \"30 days\"\n").unwrap();
    let support = Facts::new(DataClass::Support, None, Role::EndUser).unwrap().created(at(NOW));
    let records = || {
        [
            log("2026-02-01T00:00:00Z"),
            log("2026-03-31T00:00:00Z"),
            log("2025-01-01T00:00:00Z"),
            face(Role::EndUser),
            support.clone(),
        ]
    };
    let count = |shift: Shift| (shift.considered, shift.earlier, shift.later, shift.newly_due, shift.gaps);
    assert_eq!(count(before.compare(&after, records(), at(NOW)).unwrap()), (5, 3, 0, 1, 1));
    assert_eq!(count(after.compare(&before, records(), at(NOW)).unwrap()), (5, 0, 3, 0, 1));
    assert_eq!(count(before.compare(&before, records(), at(NOW)).unwrap()), (5, 0, 0, 0, 1));
}

/// Takes for a signature the statement read backwards.
struct Backwards;

impl PackVerifier for Backwards {
    fn is_signed(&self, statement: &[u8], signature: &[u8]) -> bool {
        statement.iter().rev().eq(signature)
    }
}

fn sign(pack: &str) -> Vec<u8> {
    PackStatement::of(pack).to_bytes().into_iter().rev().collect()
}

#[test]
fn a_pack_with_a_wrong_signature_is_refused() {
    let pack = own("[[setting]]\nrule = \"wb-4-audit-log\"\nperiod = \"30 days\"\n");
    let longer = pack.replace("30 days", "300 days");
    let signed = Policy::from_signed(&[(&pack, &sign(&pack))], &Backwards).unwrap();
    assert_eq!(signed.rule("wb-4-audit-log").unwrap().period().unwrap().to_string(), "30 days");
    let statement = String::from_utf8(PackStatement::of(&pack).to_bytes()).unwrap();
    assert_eq!(statement, format!("vouchsafe-policy-pack-1\n{}\n", PackStatement::of(&pack).digest()));
    for signature in [sign(&pack), Vec::new()] {
        match Policy::from_signed(&[(&longer, &signature)], &Backwards) {
            Err(RetentionError::Pack(fault)) => {
                assert_eq!(fault.problem(), &Problem::Signature);
                let place = Policy::shipped_packs().len() + 1;
                assert_eq!(fault.pack(), format!("number {place}"));
            }
            other => panic!("{other:?}"),
        }
    }
}
