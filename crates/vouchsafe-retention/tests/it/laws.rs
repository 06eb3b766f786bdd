//! The laws that ship, against the notices: every conflict of the two, and how it is resolved.

use vouchsafe_retention::{
    Authority, Confidence, Facts, Force, Hold, HoldFault, HoldId, PersonalAct, Policy, Problem,
    RetentionError, Verdict,
};
use vouchsafe_types::{DataClass, Jurisdiction, Modality, Role, Timestamp};

use crate::rows::{at, face};

const NOW: &str = "2026-04-01T12:00:00Z";

fn shipped() -> Policy {
    Policy::shipped().unwrap()
}

pub(crate) fn own(tables: &str) -> String {
    format!("format = 1\nid = \"acme\"\nversion = \"1\"\ntitle = \"Acme\"\nkind = \"organisation\"\n{tables}")
}

pub(crate) fn with(tables: &str) -> Result<Policy, RetentionError> {
    let own = own(tables);
    let mut packs = Policy::shipped_packs();
    packs.push(&own);
    Policy::from_packs(&packs)
}

pub(crate) fn enrolled() -> Facts {
    face(Role::EndUser).acted(PersonalAct::Enrolled, at(NOW))
}

fn due(policy: &Policy, facts: &Facts) -> (Option<Timestamp>, String) {
    let deadline = policy.resolve(facts).unwrap();
    (deadline.due(), deadline.decided().unwrap().rule().to_owned())
}

/// Promise: WB-4-face-user
#[test]
fn three_years_of_inactivity_exceed_texas_and_the_shortest_ceiling_wins() {
    let year = (Some(at("2027-04-01T12:00:00Z")), "tx-c3-reading".to_owned());
    assert_eq!(due(&shipped(), &enrolled().residing(Jurisdiction::UsTx)), year);
    assert_eq!(due(&shipped(), &enrolled()), year, "nobody knows where: every law applies");
    let moved = enrolled().residing(Jurisdiction::UsTx).residing(Jurisdiction::Eu);
    assert_eq!(due(&shipped(), &moved), year, "moving away takes no law back");
    let three = due(&shipped(), &enrolled().residing(Jurisdiction::UsIl));
    assert_eq!(
        three,
        (Some(at("2029-04-01T12:00:00Z")), "wb-4-face-user-inactivity".to_owned()),
        "the same day; the more specific rule"
    );
    let elsewhere = due(&shipped(), &enrolled().residing(Jurisdiction::Elsewhere));
    assert_eq!(elsewhere.1, "wb-4-face-user-inactivity");
}

/// Promise: WB-4-face-user
#[test]
fn three_years_of_inactivity_exceed_colorado_once_its_unconfirmed_source_is_adopted() {
    let colorado = enrolled().residing(Jurisdiction::UsCo);
    assert_eq!(shipped().rule("co-inactivity").unwrap().confidence(), Confidence::Unconfirmed);
    assert_eq!(due(&shipped(), &colorado).0, Some(at("2029-04-01T12:00:00Z")), "listed, decides nothing");
    let adopted =
        with("[[adopt]]\nrule = \"co-inactivity\"\nby = \"counsel\"\non = \"2026-03-01\"\n").unwrap();
    assert_eq!(due(&adopted, &colorado), (Some(at("2028-04-01T12:00:00Z")), "co-inactivity".to_owned()));
    assert_ne!(adopted.digest(), shipped().digest());
    for (own, problem) in [
        ("[[adopt]]\nrule = \"nobodys\"\nby = \"counsel\"\non = \"2026-03-01\"\n", Problem::UnknownRule),
        (
            "[[adopt]]\nrule = \"il-15a-purpose\"\nby = \"counsel\"\non = \"2026-03-01\"\n",
            Problem::NotAdoptable,
        ),
        (
            "[[adopt]]\nrule = \"co-purpose\"\nby = \"counsel\"\non = \"2026-02-29\"\n",
            Problem::UnknownValue("on"),
        ),
    ] {
        match with(own) {
            Err(RetentionError::Pack(fault)) => {
                assert_eq!((fault.pack(), fault.problem()), ("acme", &problem))
            }
            other => panic!("{other:?}"),
        }
    }
}

/// Promise: WB-4-logs
#[test]
fn a_90_day_log_cannot_prove_a_destruction_so_evidence_of_destruction_is_a_class_of_its_own() {
    let of = |class| Facts::new(class, None, Role::EndUser).unwrap().created(at(NOW));
    let log = due(&shipped(), &of(DataClass::AuditLog)).0.unwrap();
    let evidence = due(&shipped(), &of(DataClass::DestructionEvidence)).0.unwrap();
    let five_years = at("2031-04-01T12:00:00Z");
    assert!(log < five_years && evidence > five_years, "740 ILCS 14 may be sued under for five years");
}

/// Promise: WB-7-children
#[test]
fn thirteen_against_eighteen_the_stricter_age_is_the_default() {
    assert_eq!(shipped().ages().iter().map(|age| age.years()).collect::<Vec<_>>(), [13, 18]);
    assert_eq!(shipped().minimum_age(), Some(18));
}

#[test]
fn media_as_long_as_necessary_against_never_stored_and_a_transfer_against_never_disclosed() {
    let policy = shipped();
    let against: Vec<_> = policy.notes().iter().filter(|note| note.against().is_some()).collect();
    let ids: Vec<_> = against.iter().map(|note| note.id()).collect();
    assert_eq!((&ids[..2], ids[ids.len() - 1]), (&["fp-6-media", "fp-7-transfer"][..], "eu-7-3"));
    assert!(!DataClass::ALL.iter().any(|class| ["media", "image", "recording"].contains(&class.name())));
}

/// Promise: WB-11-ccpa
#[test]
fn californias_register_is_kept_24_months_and_no_longer() {
    let request = Facts::new(DataClass::RightsRequest, None, Role::EndUser)
        .unwrap()
        .created(at("2024-01-15T10:00:00Z"))
        .residing(Jurisdiction::UsCa);
    assert_eq!(shipped().resolve(&request).unwrap().due(), None, "an open one stays");
    let deadline = shipped().resolve(&request.purpose_met(at("2024-02-29T10:00:00Z"))).unwrap();
    assert_eq!(deadline.due(), Some(at("2026-02-28T10:00:00Z")));
    assert_eq!(deadline.not_before(), deadline.due());
}

pub(crate) fn hold(authority: Authority) -> Hold {
    let id = HoldId::from_bytes([1; 16]);
    Hold::place(id, "case-26-104", authority, at(NOW), ["dpo", "counsel"]).unwrap()
}

/// Promise: FP-6-necessary
#[test]
fn a_hold_stops_destruction_as_long_as_any_matter_is_open() {
    let policy = shipped();
    let withdrawn = enrolled().residing(Jurisdiction::Eu).withdrawn(at(NOW));
    let decide = |holds: &[Hold], now: &str| policy.decide(&withdrawn, holds, at(now)).unwrap();
    assert_eq!(decide(&[], NOW).verdict(), Verdict::Due);
    let ends = at("2026-06-01T00:00:00Z");
    let short = hold(Authority::CourtOrder).expiring(ends).unwrap();
    let long = hold(Authority::LitigationNotice);
    assert_eq!(decide(&[short.clone(), long.clone()], NOW).verdict(), Verdict::Held { until: None });
    assert_eq!(decide(std::slice::from_ref(&short), NOW).verdict(), Verdict::Held { until: Some(ends) });
    assert_eq!(
        decide(std::slice::from_ref(&short), "2026-06-01T00:00:00Z").verdict(),
        Verdict::Due,
        "it expired"
    );
    let released = long.released(at("2026-05-01T00:00:00Z")).unwrap();
    assert_eq!(
        decide(&[short, released], "2026-05-02T00:00:00Z").verdict(),
        Verdict::Held { until: Some(ends) }
    );
    let other = hold(Authority::Warrant).of_class(DataClass::Account);
    assert_eq!(decide(&[other], NOW).verdict(), Verdict::Due, "of another class");
}

/// Promise: FP-6-necessary
#[test]
fn illinois_honours_warrants_and_subpoenas_only() {
    let policy = shipped();
    for (place, authority, held) in [
        (Jurisdiction::UsIl, Authority::Warrant, true),
        (Jurisdiction::UsIl, Authority::Subpoena, true),
        (Jurisdiction::UsIl, Authority::CourtOrder, false),
        (Jurisdiction::UsIl, Authority::Regulator, false),
        (Jurisdiction::UsIl, Authority::LitigationNotice, false),
        (Jurisdiction::Eu, Authority::LitigationNotice, true),
    ] {
        let facts = enrolled().residing(place).withdrawn(at(NOW));
        let decision = policy.decide(&facts, &[hold(authority)], at(NOW)).unwrap();
        assert_eq!(matches!(decision.verdict(), Verdict::Held { .. }), held, "{authority:?} in {place:?}");
        let told = decision.explanation();
        assert_eq!(told.contains("is not honoured: il-15a-holds (740 ILCS 14/15(a))"), !held, "{told}");
        let evidence = Facts::new(DataClass::ConsentEvidence, None, Role::EndUser).unwrap().created(at(NOW));
        let evidence =
            policy.decide(&evidence.residing(place), &[hold(authority)], at("2040-01-01T00:00:00Z"));
        assert!(matches!(evidence.unwrap().verdict(), Verdict::Held { .. }), "the row is about templates");
    }
}

#[test]
fn a_hold_needs_a_matter_an_authority_and_two_different_people() {
    let place = |matter: &str, approvers| {
        Hold::place(HoldId::from_bytes([1; 16]), matter, Authority::Warrant, at(NOW), approvers).err()
    };
    let refused = |fault| Some(RetentionError::Hold(fault));
    assert_eq!(place("Doe v. Acme", ["dpo", "counsel"]), refused(HoldFault::Matter), "no names of people");
    assert_eq!(place("case-1", ["dpo", "dpo"]), refused(HoldFault::SameApprover));
    assert_eq!(place("case-1", ["", "dpo"]), refused(HoldFault::Approver));
    assert!(Authority::from_code(0).is_err() && Authority::from_code(99).is_err());
    let early = hold(Authority::Warrant).expiring(at("2026-01-01T00:00:00Z")).err();
    assert_eq!(early, refused(HoldFault::Instants));
}

/// A floor of a law outranks a notice's ceiling; a floor of a notice never outranks a law's ceiling.
#[test]
fn force_decides_between_a_duty_to_keep_and_a_duty_to_destroy() {
    let floor = "[[rule]]\nid = \"keep\"\nclass = \"biometric\"\ntrigger = \"creation\"\nkind = \"floor\"\n\
                 period = \"5 years\"\nclause = \"T 1\"\nsays = \"S.\"\nconfidence = \"confirmed\"\n";
    let policy = with(floor).unwrap();
    let facts = enrolled().created(at(NOW)).residing(Jurisdiction::Eu).withdrawn(at("2027-04-01T12:00:00Z"));
    let (due, rule) = due(&policy, &facts);
    assert_eq!((due, rule.as_str()), (Some(at("2027-04-01T12:00:00Z")), "eu-17-withdrawal"));
    assert_eq!(policy.rule("eu-17-withdrawal").unwrap().force(), Force::Statute);
    let elsewhere = enrolled().created(at(NOW)).residing(Jurisdiction::Elsewhere).withdrawn(at(NOW));
    let deadline = policy.resolve(&elsewhere).unwrap();
    assert_eq!(
        deadline.due(),
        Some(at("2031-04-01T12:00:00Z")),
        "no law there: the organisation's own duty counts"
    );
}

#[test]
fn the_29th_of_february_ends_on_the_28th() {
    let facts = face(Role::EndUser).acted(PersonalAct::Verified, at("2028-02-29T00:00:00Z"));
    let due = due(&shipped(), &facts.residing(Jurisdiction::UsTx)).0;
    assert_eq!(due, Some(at("2029-02-28T00:00:00Z")));
    assert_eq!(Modality::ALL.len(), 2);
}

#[test]
fn a_clock_that_was_set_stops_a_sweep() {
    let guard = shipped().clock_guard();
    let check = |now: &str| guard.check(Some(at(NOW)), at(now));
    assert!(check(NOW).is_ok() && check("2026-05-01T12:00:00Z").is_ok());
    assert!(matches!(check("2026-05-01T12:00:01Z"), Err(RetentionError::ClockJumped { .. })));
    assert!(matches!(check("2025-04-01T12:00:00Z"), Err(RetentionError::ClockSetBack { .. })), "a year back");
}
