//! Requests by right and the disclosure register.

use vouchsafe_retention::disclosure::{DeletionOrder, Disclosure, DisclosureRefusal, LegalBasis};
use vouchsafe_retention::rights::{
    ExportContent, ExtensionReason, IdentityProof, Inventory, Place, RequestId, RequestKind, RequestStatus,
    RightsError, RightsRequest, TaskStatus,
};
use vouchsafe_retention::{Policy, RecipientId, Reference};
use vouchsafe_types::{DataClass, Jurisdiction, Scope, Timestamp};

use crate::rows::at;

/// A Friday.
const FRIDAY: &str = "2026-04-03T09:00:00Z";

fn open(kind: RequestKind, places: &[Jurisdiction]) -> RightsRequest {
    let policy = Policy::shipped().unwrap();
    RightsRequest::open(&policy, RequestId::from_bytes([9; 16]), kind, places.to_vec(), at(FRIDAY)).unwrap()
}

fn later(days: i64) -> Timestamp {
    Timestamp::from_second(at(FRIDAY).as_second() + days * 86_400).unwrap()
}

/// Promise: WB-11-ccpa
#[test]
fn california_confirms_in_ten_business_days_and_answers_in_45_once_extended_by_45() {
    let mut request = open(RequestKind::Delete, &[Jurisdiction::UsCa]);
    let told = request.deadlines(at(FRIDAY));
    assert_eq!(told.confirm_by(), Some(at("2026-04-17T09:00:00Z")), "two weeks of five days");
    assert_eq!(told.answer_by(), at("2026-05-18T09:00:00Z"));
    request.verify(IdentityProof::SignedIn, later(1)).unwrap();
    request.confirm(later(2)).unwrap();
    request.start(&inventory(), later(3)).unwrap();
    request.extend(ExtensionReason::ALL[0], later(44)).unwrap();
    assert_eq!(request.deadlines(later(44)).answer_by(), at("2026-07-02T09:00:00Z"));
    assert!(request.extend(ExtensionReason::ALL[0], later(50)).is_err(), "once");
    assert!(!request.due_actions(later(95)).is_empty(), "overdue is an alarm");
}

#[test]
fn each_law_has_its_clock_and_without_a_known_place_the_strictest_decides() {
    let answer = |places: &[Jurisdiction]| open(RequestKind::Know, places).deadlines(at(FRIDAY)).answer_by();
    assert_eq!(answer(&[Jurisdiction::Eu]), at("2026-05-03T09:00:00Z"));
    assert_eq!(answer(&[Jurisdiction::UsCo]), at("2026-05-18T09:00:00Z"));
    assert_eq!(answer(&[Jurisdiction::UsWa]), at("2026-05-18T09:00:00Z"));
    assert_eq!(answer(&[]), at("2026-05-03T09:00:00Z"));
    let confirm = open(RequestKind::Know, &[]).deadlines(at(FRIDAY)).confirm_by();
    assert_eq!(confirm, Some(at("2026-04-17T09:00:00Z")), "and California's confirmation");
}

fn inventory() -> Inventory {
    Inventory::new(DataClass::ALL.map(|class| (class, Place::Store))).unwrap()
}

/// Promise: WB-5-know, WB-5-delete
#[test]
fn nobody_unverified_is_answered_and_no_class_is_passed_over() {
    let mut request = open(RequestKind::Delete, &[Jurisdiction::Eu]);
    assert_eq!(request.start(&inventory(), later(1)), Err(RightsError::NotVerified));
    assert!(request.verify(IdentityProof::Session, later(1)).is_err(), "a session alone deletes nothing");
    request.verify(IdentityProof::SignedIn, later(1)).unwrap();
    request.start(&inventory(), later(2)).unwrap();
    for class in DataClass::ALL.into_iter().skip(1) {
        request.answer_task(class, &Place::Store, TaskStatus::NotHeld, later(3)).unwrap();
    }
    match request.answer(&inventory(), later(4)) {
        Err(RightsError::Incomplete(gaps)) => assert_eq!(gaps, [(DataClass::Biometric, Place::Store)]),
        other => panic!("{other:?}"),
    }
    let done = TaskStatus::Done { entry: 17 };
    request.answer_task(DataClass::Biometric, &Place::Store, done, later(4)).unwrap();
    request.answer(&inventory(), later(5)).unwrap();
    assert_eq!((request.status(), request.closed_at()), (RequestStatus::Answered, Some(later(5))));
    assert!(!request.freezes_evidence());
    let bytes = request.to_bytes().unwrap();
    assert_eq!(RightsRequest::parse(&bytes).unwrap(), request);
    assert!(RightsRequest::parse(&[bytes.as_slice(), b" "].concat()).is_err(), "one encoding");
}

/// Promise: WB-5-know
#[test]
fn a_place_that_the_inventory_got_after_the_work_began_is_a_gap() {
    let mut request = open(RequestKind::Know, &[Jurisdiction::Eu]);
    request.verify(IdentityProof::SignedIn, later(1)).unwrap();
    request.start(&inventory(), later(2)).unwrap();
    for class in DataClass::ALL {
        request.answer_task(class, &Place::Store, TaskStatus::NotHeld, later(3)).unwrap();
    }
    let added = (DataClass::Account, Place::Keys);
    let wider = inventory().pairs().cloned().chain([added.clone()]).collect::<Vec<_>>();
    let wider = Inventory::new(wider).unwrap();
    assert_eq!(request.answer(&wider, later(4)), Err(RightsError::Incomplete(vec![added])));
    request.widen(&wider).unwrap();
    request.answer_task(DataClass::Account, &Place::Keys, TaskStatus::NotHeld, later(5)).unwrap();
    request.answer(&wider, later(5)).unwrap();
}

/// Promise: WB-5-know
#[test]
fn california_gets_no_template_back_and_europe_does() {
    let policy = Policy::shipped().unwrap();
    let content = |places: &[Jurisdiction]| {
        policy.export_rule(DataClass::Biometric, &places.iter().copied().collect()).unwrap().content()
    };
    assert_eq!(content(&[Jurisdiction::UsCa]), ExportContent::Described);
    assert_eq!(content(&[Jurisdiction::Eu]), ExportContent::Included);
    assert_eq!(content(&[Jurisdiction::Eu, Jurisdiction::UsCa]), ExportContent::Described, "the stricter");
    assert_eq!(content(&[]), ExportContent::Described);
}

fn acme() -> Policy {
    let recipient = |id: &str, kind: &str, region: &str, classes: &str, more: &str| {
        format!(
            "[[recipient]]\nid = \"{id}\"\nname = \"R\"\nkind = \"{kind}\"\nregion = \"{region}\"\npurpose = \"p\"\n\
             classes = \"{classes}\"\ndocument = \"dpa-1\"\ndelete_within = \"30 days\"\n{more}"
        )
    };
    let all = "biometric, account";
    let own = [
        "format = 1\nid = \"acme\"\nversion = \"1\"\ntitle = \"Acme\"\nkind = \"organisation\"\n".to_owned(),
        "[organisation]\nname = \"Acme\"\naddress = \"1 Street\"\nemail = \"privacy@acme.example\"\n\
         minimum_age = \"18\"\nregions = \"us, eu\"\nstore_region = \"eu\"\n"
            .to_owned(),
        recipient("host", "processor", "us", all, "confidential = \"yes\"\n"),
        recipient("loose", "processor", "us", all, "confidential = \"no\"\n"),
        recipient("far", "processor", "cn", all, "confidential = \"yes\"\n"),
        recipient(
            "safe",
            "processor",
            "cn",
            "account",
            "confidential = \"yes\"\nsafeguard = \"scc: 2021/914\"\n",
        ),
        recipient("court", "authority", "us", all, "confidential = \"no\"\n"),
        recipient("buyer", "successor", "us", all, "confidential = \"yes\"\n"),
    ]
    .concat();
    let mut packs = Policy::shipped_packs();
    packs.push(&own);
    Policy::from_packs(&packs).unwrap()
}

fn propose(to: &str, basis: LegalBasis, class: DataClass) -> Result<Disclosure, DisclosureRefusal> {
    Disclosure::propose(&acme(), &RecipientId::parse(to).unwrap(), basis, [class], at(FRIDAY))
}

/// Promise: WB-3-no-sharing, WB-8-transfers
#[test]
fn a_disclosure_without_basis_or_safeguard_is_refused() {
    use DisclosureRefusal as No;
    let consent = || LegalBasis::ExplicitConsent { scope: Scope::FACE_VERIFICATION, sequence: 1 };
    let order = || LegalBasis::LegalObligation { document: Reference::parse("warrant-7").unwrap() };
    let (account, face) = (DataClass::Account, DataClass::Biometric);
    for (to, basis, class, refusal) in [
        ("nobody", LegalBasis::Processor, account, No::UnknownRecipient),
        ("host", LegalBasis::Processor, face, No::Biometric),
        ("host", LegalBasis::Security, face, No::Biometric),
        ("host", LegalBasis::Processor, DataClass::Billing, No::ClassNotCovered(DataClass::Billing)),
        ("host", order(), account, No::BasisUnfit),
        ("loose", LegalBasis::Processor, account, No::NotConfidential),
        ("far", LegalBasis::Processor, account, No::NoSafeguard),
        ("court", LegalBasis::Processor, account, No::BasisUnfit),
        ("buyer", LegalBasis::Security, account, No::Successor),
    ] {
        assert_eq!(propose(to, basis, class), Err(refusal), "{to}");
    }
    for (to, basis, class) in [
        ("host", LegalBasis::Processor, account),
        ("host", consent(), face),
        ("court", order(), face),
        ("safe", LegalBasis::Processor, account),
        ("buyer", consent(), account),
    ] {
        let line = propose(to, basis, class).unwrap();
        assert_eq!(Disclosure::parse(&line.to_bytes().unwrap()).unwrap(), line);
    }
}

/// Promise: WB-3-no-sale
#[test]
fn no_basis_says_sale() {
    let consent = LegalBasis::ExplicitConsent { scope: Scope::FACE_VERIFICATION, sequence: 1 };
    let line =
        String::from_utf8(propose("host", consent, DataClass::Account).unwrap().to_bytes().unwrap()).unwrap();
    for word in ["sale", "lease", "trade", "rent", "profit"] {
        let forged = line.replace("explicit_consent", word);
        assert_ne!(forged, line);
        assert!(Disclosure::parse(forged.as_bytes()).is_err(), "{word}");
    }
}

#[test]
fn an_order_to_delete_has_a_deadline_until_it_is_acknowledged() {
    let policy = acme();
    let host = policy.recipient(&RecipientId::parse("host").unwrap()).unwrap();
    let mut order = DeletionOrder::issue(&policy, host, at(FRIDAY)).unwrap();
    assert_eq!(order.due(), later(30));
    assert!(!order.is_overdue(later(29)) && order.is_overdue(later(30)));
    assert!(order.acknowledge(at("2026-01-01T00:00:00Z")).is_err(), "before it was ordered");
    order.acknowledge(later(31)).unwrap();
    assert!(!order.is_overdue(later(99)));
    assert_eq!(DeletionOrder::parse(&order.to_bytes().unwrap()).unwrap(), order);
}
