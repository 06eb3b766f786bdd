//! The conflicts of the sources: what is known to conflict is reported, with both citations and what is done.

use vouchsafe_retention::{Conflict, ConflictKind, Policy};

use crate::laws::with;

fn found(policy: &Policy, kind: ConflictKind) -> Vec<Conflict> {
    policy.conflicts().into_iter().filter(|conflict| conflict.kind() == kind).collect()
}

#[track_caller]
fn has(kind: ConflictKind, first: &str, second: &str, resolution: &str) {
    let all = found(&Policy::shipped().unwrap(), kind);
    let fits = |conflict: &&Conflict| {
        conflict.first().contains(first)
            && conflict.second().contains(second)
            && conflict.resolution().contains(resolution)
    };
    assert!(all.iter().any(|conflict| fits(&conflict)), "{first} | {second}: {all:#?}");
}

/// The documented conflicts are those of the shipped packs. `UPDATE_DOCS=1` rewrites them.
#[test]
fn the_documented_conflicts_are_up_to_date() {
    let generated = Policy::shipped().unwrap().conflict_report();
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/conflicts.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(path, &generated).unwrap();
    }
    assert_eq!(std::fs::read_to_string(path).unwrap(), generated, "run with UPDATE_DOCS=1");
}

/// Promise: WB-4-face-user
#[test]
fn three_years_against_texas_and_colorado_are_reported() {
    has(ConflictKind::Ceilings, "wb-3-last-interaction", "tx-c3-reading", "The shorter `tx-c3-reading` wins");
    has(ConflictKind::Ceilings, "wb-4-face-user-inactivity", "co-inactivity", "not confirmed");
    let adopted =
        with("[[adopt]]\nrule = \"co-inactivity\"\nby = \"counsel\"\non = \"2026-03-01\"\n").unwrap();
    let colorado = found(&adopted, ConflictKind::Ceilings);
    let colorado = colorado.iter().find(|conflict| {
        conflict.first().contains("wb-3-last-interaction") && conflict.second().contains("co-inactivity")
    });
    assert!(colorado.unwrap().resolution().ends_with("adopted by counsel."), "{colorado:?}");
}

/// Promise: WB-4-logs
#[test]
fn a_90_day_log_against_proof_of_destruction_is_reported() {
    has(ConflictKind::Promise, "vs-audit-log", "WB 4", "seven years");
}

#[test]
fn withdrawal_by_contacting_us_is_reported() {
    has(ConflictKind::Promise, "GDPR Art 7(3)", "WB 5", "one call");
}

#[test]
fn kept_media_and_transfers_are_reported() {
    has(ConflictKind::Promise, "FP 6", "WB 1.2", "no class, column or type");
    has(ConflictKind::Promise, "FP 7", "740 ILCS 14/15(d)", "new consent");
}

/// Promise: WB-7-children
#[test]
fn thirteen_against_eighteen_is_reported() {
    has(ConflictKind::Age, "13 years (FP 14", "18 years (WB 7", "under 18");
    assert_eq!(found(&Policy::shipped().unwrap(), ConflictKind::Age).len(), 1);
}

/// Promise: FP-2c-billing
/// Promise: FP-2a-support
#[test]
fn silence_on_billing_support_and_usage_is_reported_until_it_is_filled() {
    let policy = Policy::shipped().unwrap();
    for id in ["fp-2a-support", "fp-2c-billing", "fp-2d-usage", "wb-1.1-billing", "wb-1.3-usage"] {
        has(ConflictKind::Silence, id, "no period", "organisation states one");
    }
    assert_eq!(found(&policy, ConflictKind::Silence).len(), 5);
    let filled = with("[[setting]]\nrule = \"fp-2a-support\"\nperiod = \"2 years\"\n").unwrap();
    assert_eq!(found(&filled, ConflictKind::Silence).len(), 4);
}

/// What other crates decide is on the list too, so that readers of the policy see it.
#[test]
fn promises_beyond_arithmetic_are_reported() {
    has(ConflictKind::Promise, "lookalike", "cannot be turned back", "Protected templates");
    has(ConflictKind::Promise, "IPv4", "SHA-256 and a salt", "keyed hash");
    has(ConflictKind::Promise, "Voice comparison", "WB 1.5", "not confirmed");
    has(ConflictKind::Promise, "blink", "WB 1.2", "never decides alone");
    has(ConflictKind::Promise, "one person", "its own key", "leaf of one record");
    has(ConflictKind::Promise, "liveness", "not kept", "no score");
}

#[test]
fn a_law_that_keeps_longer_than_a_notice_is_reported_as_precedence() {
    let rule = |id: &str, kind: &str, period: &str| {
        format!(
            "[[rule]]\nid = \"{id}\"\nclass = \"support\"\ntrigger = \"creation\"\nkind = \"{kind}\"\n\
             period = \"{period}\"\nclause = \"T\"\nsays = \"S.\"\nconfidence = \"confirmed\"\n"
        )
    };
    let pack = |id: &str, kind: &str, rule: String| {
        format!("format = 1\nid = \"{id}\"\nversion = \"1\"\ntitle = \"T\"\nkind = \"{kind}\"\n{rule}")
    };
    let law = pack("law", "statute", rule("keep", "floor", "2 years"));
    let notice = pack("notice", "notice", rule("destroy", "ceiling", "1 year"));
    let policy = Policy::from_packs(&[&law, &notice]).unwrap();
    let all = found(&policy, ConflictKind::Precedence);
    assert_eq!(all.len(), 1);
    assert_eq!(all[0].resolution(), "`keep` binds by law and wins.");
    let law = pack("law", "statute", rule("keep", "floor", "1 year"));
    let policy = Policy::from_packs(&[&law, &notice]).unwrap();
    assert_eq!(found(&policy, ConflictKind::Precedence), []);
}
