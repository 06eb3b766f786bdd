//! The notices' retention tables, row by row.

use vouchsafe_retention::{Deadline, Facts, PersonalAct, Policy, RetentionError, RuleKind, Trigger, Verdict};
use vouchsafe_types::{DataClass, Modality, Role, Timestamp};

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub(crate) fn face(role: Role) -> Facts {
    Facts::new(DataClass::Biometric, Some(Modality::Face), role).unwrap()
}

fn voice() -> Facts {
    Facts::new(DataClass::Biometric, Some(Modality::Voice), Role::Administrator).unwrap()
}

fn of(class: DataClass) -> Facts {
    Facts::new(class, None, Role::EndUser).unwrap()
}

fn resolve(facts: &Facts) -> Deadline {
    Policy::default_notices().unwrap().resolve(facts).unwrap()
}

#[track_caller]
fn check(facts: &Facts, due: &str, rule: &str) {
    let deadline = resolve(facts);
    assert_eq!(deadline.due(), Some(at(due)), "{}", deadline.explanation());
    assert_eq!(deadline.decided().unwrap().rule(), rule);
}

const ENROLLED: &str = "2024-02-29T10:00:00Z";
const LATER: &str = "2025-06-01T12:00:00Z";

/// Row "Face embeddings (end users)".
///
/// Promise: WB-4-face-user
#[test]
fn face_embeddings_of_end_users() {
    let active = || face(Role::EndUser).acted(PersonalAct::Enrolled, at(ENROLLED));
    check(&active(), "2027-02-28T10:00:00Z", "wb-4-face-user-inactivity");
    let later = active().acted(PersonalAct::Verified, at(LATER));
    check(&later, "2028-06-01T12:00:00Z", "wb-4-face-user-inactivity");
    check(&active().account_deleted(at(LATER)), LATER, "wb-4-face-user-account-deletion");
    check(&active().purpose_met(at(LATER)), LATER, "fp-6-necessary");
    let too_late = active().account_deleted(at("2027-03-01T00:00:00Z"));
    check(&too_late, "2027-02-28T10:00:00Z", "wb-4-face-user-inactivity");
}

/// Row "Face embeddings (admin 2FA)".
///
/// Promise: WB-4-face-admin
#[test]
fn face_embeddings_of_administrators() {
    let active = || face(Role::Administrator).acted(PersonalAct::Enrolled, at(ENROLLED));
    check(&active().method_disabled(at(LATER)), LATER, "wb-4-face-admin-method-disabled");
    check(&active().account_deleted(at(LATER)), LATER, "wb-4-face-admin-account-deletion");
    check(&active().withdrawn(at(LATER)), LATER, "wb-4-face-admin-withdrawal");
    check(&active(), "2027-02-28T10:00:00Z", "wb-3-last-interaction");
    let all =
        active().withdrawn(at(LATER)).method_disabled(at("2025-05-01T00:00:00Z")).account_deleted(at(LATER));
    check(&all, "2025-05-01T00:00:00Z", "wb-4-face-admin-method-disabled");
}

/// Row "Voice embeddings (admin auth)".
///
/// Promise: WB-4-voice-admin
#[test]
fn voice_embeddings_of_administrators() {
    let active = || voice().acted(PersonalAct::Enrolled, at(ENROLLED));
    check(&active().method_disabled(at(LATER)), LATER, "wb-4-voice-admin-method-disabled");
    check(&active().account_deleted(at(LATER)), LATER, "wb-4-voice-admin-account-deletion");
    check(&active().withdrawn(at(LATER)), LATER, "wb-4-voice-admin-withdrawal");
}

/// Rows "Verification logs" and "Audit logs".
///
/// Promise: WB-4-logs
#[test]
fn verification_and_audit_logs() {
    let log = |class| of(class).created(at("2026-01-01T08:00:00Z"));
    check(&log(DataClass::VerificationLog), "2026-04-01T08:00:00Z", "wb-4-verification-log");
    check(&log(DataClass::AuditLog), "2026-04-01T08:00:00Z", "wb-4-audit-log");

    let with = |period: &str| {
        let own = format!(
            "format = 1\nid = \"acme\"\nversion = \"1\"\ntitle = \"Acme\"\nkind = \"organisation\"\n\
             [[setting]]\nrule = \"wb-4-audit-log\"\nperiod = \"{period}\"\n"
        );
        let packs = [Policy::DEFAULT_PACKS.as_slice(), &[own.as_str()]].concat();
        Policy::from_packs(&packs)
    };
    let due = |period| with(period).unwrap().resolve(&log(DataClass::AuditLog)).unwrap().due();
    assert_eq!(due("180 days"), Some(at("2026-06-30T08:00:00Z")));
    assert_eq!(due("7 days"), Some(at("2026-01-08T08:00:00Z")));
    assert_eq!(due("3 years"), Some(at("2029-01-01T08:00:00Z")));
    for outside in ["6 days", "at once", "3 years 1 day"] {
        assert!(matches!(with(outside), Err(RetentionError::Pack(_))), "{outside}");
    }
}

/// Row "Consent records".
///
/// Promise: WB-4-consent-7y
#[test]
fn consent_records() {
    let record = || of(DataClass::ConsentEvidence).created(at("2024-02-29T10:00:00Z"));
    check(&record(), "2031-02-28T10:00:00Z", "wb-4-consent-ceiling");
    let deadline = resolve(&record().account_deleted(at(LATER)).withdrawn(at(LATER)));
    assert_eq!(deadline.not_before(), deadline.due(), "not a day earlier, not a day later");
    assert_eq!(deadline.lost()[0].kind(), RuleKind::Floor);
    let verdict = |now| Policy::default_notices().unwrap().decide(&record(), &[], at(now)).unwrap().verdict();
    let due = "2031-02-28T10:00:00Z";
    assert_eq!(verdict("2031-02-28T09:59:59Z"), Verdict::Later(at(due)));
    assert_eq!(verdict(due), Verdict::Due);
}

/// Row "Account information".
///
/// Promise: WB-4-account
#[test]
fn account_information() {
    check(&of(DataClass::Account).account_deleted(at(LATER)), LATER, "wb-4-account");
    let kept = of(DataClass::Account).created(at(ENROLLED)).acted(PersonalAct::SignedIn, at(ENROLLED));
    assert_eq!(resolve(&kept).due(), None, "kept while the account exists");
}

/// Section 3: destroyed at once by default, within 30 days at the outside.
///
/// Promise: WB-3-30days
#[test]
fn biometric_data_after_withdrawal_or_account_deletion() {
    for (facts, trigger) in [
        (face(Role::EndUser).withdrawn(at(LATER)), Trigger::Withdrawal),
        (face(Role::EndUser).account_deleted(at(LATER)), Trigger::AccountDeletion),
        (voice().withdrawn(at(LATER)), Trigger::Withdrawal),
    ] {
        let deadline = resolve(&facts);
        assert_eq!(deadline.due(), Some(at(LATER)), "at once");
        let bound = deadline.lost().iter().rfind(|ruling| ruling.trigger() == trigger).unwrap();
        assert_eq!(bound.at(), at("2025-07-01T12:00:00Z"), "30 days");
        assert_eq!(bound.clause(), "WB 3");
    }
    let notice = Policy::from_packs(&[Policy::DEFAULT_PACKS[1]]).unwrap();
    let bound = notice.resolve(&face(Role::EndUser).withdrawn(at(LATER))).unwrap();
    assert_eq!(bound.due(), Some(at("2025-07-01T12:00:00Z")), "the notice alone allows 30 days");
}

/// FacialProof section 6.
///
/// Promise: FP-6-necessary
#[test]
fn templates_as_long_as_necessary() {
    let policy = Policy::from_packs(&[Policy::DEFAULT_PACKS[0]]).unwrap();
    let deadline = policy.resolve(&face(Role::EndUser).purpose_met(at(LATER))).unwrap();
    assert_eq!(deadline.due(), Some(at(LATER)));
    assert_eq!(deadline.decided().unwrap().clause(), "FP 6");
}

/// Promise: WB-7-children
#[test]
fn data_of_minors() {
    let biometric = face(Role::EndUser).acted(PersonalAct::Enrolled, at(ENROLLED)).learned_minor(at(LATER));
    check(&biometric, LATER, "wb-7-minor-biometric");
    check(&of(DataClass::Account).learned_minor(at(LATER)), LATER, "wb-7-minor-account");
}

/// Evidence of destruction outlives the 90-day log.
///
/// Promise: WB-4-logs
#[test]
fn destruction_evidence() {
    let evidence = of(DataClass::DestructionEvidence).created(at(LATER));
    check(&evidence, "2032-06-01T12:00:00Z", "vs-3-destruction-ceiling");
    assert_eq!(resolve(&evidence).not_before(), Some(at("2032-06-01T12:00:00Z")));
}

/// Neither notice says how long billing, support and usage data is kept: gaps, never defaults.
///
/// Promise: FP-2c-billing
/// Promise: FP-2a-support
#[test]
fn billing_support_and_usage_are_gaps_until_the_organisation_fills_them() {
    let policy = Policy::default_notices().unwrap();
    let gaps: Vec<_> = policy.gaps().iter().map(|gap| gap.rule().unwrap().id().to_owned()).collect();
    assert_eq!(gaps, ["fp-2a-support", "fp-2c-billing", "fp-2d-usage", "wb-1.1-billing", "wb-1.3-usage"]);
    for class in [DataClass::Billing, DataClass::Support, DataClass::Usage] {
        let outcome = policy.resolve(&of(class).created(at(LATER)));
        assert!(matches!(outcome, Err(RetentionError::Gap { class: of, rule: Some(_) }) if of == class));
    }
    let filled: String =
        gaps.iter().map(|rule| format!("[[setting]]\nrule = \"{rule}\"\nperiod = \"2 years\"\n")).collect();
    let own = format!(
        "format = 1\nid = \"acme\"\nversion = \"1\"\ntitle = \"Acme\"\nkind = \"organisation\"\n{filled}"
    );
    let policy = Policy::from_packs(&[Policy::DEFAULT_PACKS.as_slice(), &[own.as_str()]].concat()).unwrap();
    assert_eq!(policy.gaps(), []);
    let support = policy.resolve(&of(DataClass::Support).created(at(LATER))).unwrap();
    assert_eq!(support.due(), Some(at("2027-06-01T12:00:00Z")));
}

/// The last act counts whatever the order of the facts; what happens once counts from its first time.
///
/// Promise: WB-4-face-user
#[test]
fn the_order_of_facts_does_not_matter_and_repeating_postpones_nothing() {
    let facts = face(Role::EndUser)
        .acted(PersonalAct::Verified, at(LATER))
        .acted(PersonalAct::Enrolled, at(ENROLLED));
    check(&facts, "2028-06-01T12:00:00Z", "wb-4-face-user-inactivity");
    let twice = |first, second| facts.clone().withdrawn(at(first)).withdrawn(at(second));
    check(&twice(LATER, "2026-01-01T00:00:00Z"), LATER, "vs-1-withdrawal");
    check(&twice("2026-01-01T00:00:00Z", LATER), LATER, "vs-1-withdrawal");
}

#[test]
fn an_explanation_names_the_rule_that_decided_and_those_that_lost() {
    let facts = face(Role::EndUser).acted(PersonalAct::Verified, at(ENROLLED)).account_deleted(at(LATER));
    let text = resolve(&facts).explanation();
    let start = "Destruction is due at 2025-06-01T12:00:00Z: wb-4-face-user-account-deletion (WB 4) sets a ceiling \
                 of when the account was deleted (2025-06-01T12:00:00Z). Also considered: \
                 vs-2-account-deletion (vouchsafe 2)";
    assert!(text.starts_with(start), "{text}");
    assert!(
        text.contains("wb-3-account-deletion (WB 3) sets a ceiling of 30 days after the account was deleted")
    );
    assert!(text.ends_with("Calendar: UTC."), "{text}");
    assert!(!text.contains('\n'), "one paragraph");
}
