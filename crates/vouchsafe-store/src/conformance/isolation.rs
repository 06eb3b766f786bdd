//! One organisation never reaches another: every query of the port, and every change.

use std::fmt::Debug;

use vouchsafe_types::{DataClass, Digest};

use super::life::{NOTICE, census, destroy, document, event, found, hold, holding, id, job, live};
use super::*;
use crate::{
    ConsentRow, Holding, MarkRow, NoticeRow, PayloadRow, RecordRow, ResidenceRow, RetentionRow, ServedRow,
};

/// The number of no person.
const NOBODY: u8 = 20;
const LATER: Digest = Digest::from_bytes([9; 32]);

/// An organisation with a row for every query to find, all of them under numbers of its person.
pub(crate) fn populate(store: &dyn Store, organisation: &OrganisationId, number: u8) {
    change(store, organisation, |rows| {
        found(rows, organisation)?;
        let later = NoticeRow {
            digest: LATER,
            id: "biometrics".to_owned(),
            version: "2".to_owned(),
            locale: "en".to_owned(),
            shown: vec![2],
            published_at: at(1),
            effective_at: at(1),
            material: true,
            attested_by: 1,
            terms: vec![],
            schedule: vec![],
        };
        rows.insert_notice(organisation, &later)?;
        for _ in 0..skipped(number) {
            rows.append_entry(organisation, b"other")?;
        }
        live(rows, organisation, number)?;
        let first = 10 * number;
        let scoped = Holding { scope: Some(face()), ..holding(first + 3, DataClass::Biometric, number, None) };
        rows.insert_holding(organisation, &scoped)?;
        rows.insert_holding(organisation, &holding(first + 4, DataClass::Usage, number, None))?;
        rows.insert_holding(organisation, &holding(first + 5, DataClass::Usage, number, None))?;
        rows.condemn(organisation, leaf(first + 5), "rule", at(9))?;
        rows.insert_document(organisation, &document(first + 2, first + 2, 2, Some(9)))?;
        let act =
            ConsentRow { sequence: 2, status: 2, notice: LATER, at: at(6), expires: Some(at(7)), entry: None };
        rows.append_consent(organisation, person(number), face(), &act)
    })
    .unwrap();
}

/// The answer of every query about a person and what is under their numbers.
pub(crate) fn answers(
    store: &dyn Store,
    acting: &OrganisationId,
    about: &OrganisationId,
    number: u8,
) -> Vec<(&'static str, String)> {
    let (who, first, far) = (person(number), 10 * number, at(1_000_000));
    let entry = 1 + skipped(number);
    let mut answers = Vec::new();
    let mut note = |query, ask: &dyn Fn(&mut dyn Transaction) -> Result<String, StoreError>| {
        answers.push((query, format!("{:?}", change(store, acting, |rows| ask(rows)))));
    };
        note("organisation_exists", &|rows| said(rows.organisation_exists(about)));
        note("notice_in_force", &|rows| said(rows.notice_in_force(about, "biometrics", "en", far)));
        note("notices_since", &|rows| said(rows.notices_since(about, NOTICE, far)));
        note("notices", &|rows| said(rows.notices(about)));
        note("notice", &|rows| said(rows.notice(about, NOTICE)));
        note("consent", &|rows| said(rows.consent(about, who, face())));
        note("consent_acts", &|rows| said(rows.consent_acts(about, who, face())));
        note("open_consents_due", &|rows| said(rows.open_consents_due(about, far, 9)));
        note("served", &|rows| said(rows.served(about, [number; 16])));
        note("served_to", &|rows| said(rows.served_to(about, who)));
        note("marks", &|rows| said(rows.marks(about, who)));
        note("record", &|rows| said(rows.record(about, leaf(first))));
        note("record_by_id", &|rows| said(rows.record_by_id(about, id(first))));
        note("entry_count", &|rows| said(rows.entry_count(about)));
        note("entries", &|rows| said(rows.entries(about, 0, 99)));
        note("public_payload", &|rows| said(rows.public_payload(about, 0)));
        note("payload", &|rows| said(rows.payload(about, entry)));
        note("payloads", &|rows| said(rows.payloads(about, None, 99)));
        note("payload_entries", &|rows| said(rows.payload_entries(about, leaf(first))));
        note("key_usage", &|rows| said(rows.key_usage(about)));
        note("records_under", &|rows| said(rows.records_under(about, 9, 99)));
        note("payloads_under", &|rows| said(rows.payloads_under(about, 9, 99)));
        note("biometric_holding", &|rows| said(rows.biometric_holding(about, who, face())));
        note("daily_holding", &|rows| said(rows.daily_holding(about, DataClass::Usage, who, (at(0), far))));
        note("holding", &|rows| said(rows.holding(about, leaf(first))));
        note("holdings", &|rows| said(rows.holdings(about, None, 99)));
        note("condemned", &|rows| said(rows.condemned(about)));
        note("holdings_of", &|rows| said(rows.holdings_of(about, who)));
        note("holdings_due", &|rows| said(rows.holdings_due(about, far, None, 99)));
        note("late_count", &|rows| said(rows.late_count(about, far)));
        note("oldest_review", &|rows| said(rows.oldest_review(about)));
        note("live_count", &|rows| said(rows.live_count(about)));
        note("tallies", &|rows| said(rows.tallies(about)));
        note("document", &|rows| said(rows.document(about, id(first + 1))));
        note("documents", &|rows| said(rows.documents(about, who, 1)));
        note("documents_due", &|rows| said(rows.documents_due(about, 2, far, 99)));
        note("documents_under", &|rows| said(rows.documents_under(about, 9, 99)));
        note("subject", &|rows| said(rows.subject(about, who)));
        note("last_interaction", &|rows| said(rows.last_interaction(about, who)));
        note("events", &|rows| said(rows.events(about, who)));
        note("residences", &|rows| said(rows.residences(about, who)));
        note("people_by_consent", &|rows| said(rows.people_by_consent(about)));
        note("holds", &|rows| said(rows.holds(about)));
        note("holds_of", &|rows| said(rows.holds_of(about, who)));
        note("job", &|rows| said(rows.job(about, id(first))));
        note("unfinished_job", &|rows| said(rows.unfinished_job(about, 1)));
        note("jobs", &|rows| said(rows.jobs(about)));
        note("lease", &|rows| said(rows.lease(about, 1)));
        note("retention", &|rows| said(rows.retention(about)));
        note("orphans", &|rows| said(rows.orphans(about)));
    answers
}

/// How many entries come between the organisation's own one and those of its person: as many as others have.
fn skipped(number: u8) -> u64 {
    3 * (u64::from(number) - 1)
}

fn said(answer: Result<impl Debug, StoreError>) -> Result<String, StoreError> {
    answer.map(|answer| format!("{answer:?}"))
}

pub(super) fn a_transaction_of_one_organisation_finds_nothing_of_another(fresh: Fresh<'_>) {
    let stage = fresh();
    let store = stage.store();
    populate(store, &acme(), 1);
    populate(store, &other(), 2);
    let nowhere = OrganisationId::parse("nowhere").unwrap();
    let nothing = answers(store, &acme(), &nowhere, 2);
    for (own, nothing) in answers(store, &other(), &other(), 2).iter().zip(&nothing) {
        assert!(own != nothing || own.0 == "orphans", "the control finds what there is: {}", own.0);
    }
    assert_eq!(answers(store, &acme(), &other(), 2), nothing, "named as the other's");
    let unknown = answers(store, &acme(), &acme(), NOBODY);
    assert_eq!(answers(store, &acme(), &acme(), 2), unknown, "the other's numbers among the own");
}

pub(super) fn a_transaction_of_one_organisation_changes_nothing_of_another(fresh: Fresh<'_>) {
    let stage = fresh();
    let store = stage.store();
    populate(store, &acme(), 1);
    populate(store, &other(), 2);
    let (before, theirs) = (census(&*stage), answers(store, &other(), &other(), 2));
    let (their, who) = (other(), person(2));
    let (record, payload) = (
        RecordRow {
            id: id(99),
            leaf: leaf(21),
            model: NOTICE,
            dimension: 512,
            sealed: vec![1],
            key_version: 1,
        },
        PayloadRow { leaf: leaf(20), id: id(99), sealed: vec![1], key_version: 1 },
    );
    let served = ServedRow {
        ticket: [99; 16],
        subject: who,
        scope: face(),
        notice: NOTICE,
        served_at: at(4),
        entry: 0,
        used_sequence: None,
    };
    let act = ConsentRow { sequence: 3, status: 4, notice: NOTICE, at: at(9), expires: None, entry: None };
    let retention = RetentionRow { policy: NOTICE, activated_at: at(9), newest: at(9), swept_at: None };
    let notice = |rows: &mut dyn Transaction| rows.notice(&their, NOTICE);
    assert_eq!(change(store, &acme(), notice), Ok(None));

    type Change<'a> = (&'a str, &'a dyn Fn(&mut dyn Transaction) -> Result<(), StoreError>);
    let refused: &[Change<'_>] = &[
        ("insert_organisation", &|rows| {
            rows.insert_organisation(&OrganisationId::parse("new").unwrap(), at(0))
        }),
        ("append_consent", &|rows| rows.append_consent(&their, who, face(), &act)),
        ("insert_served", &|rows| rows.insert_served(&their, &served)),
        ("use_served", &|rows| rows.use_served(&their, [2; 16], 9)),
        ("put_mark", &|rows| {
            rows.put_mark(&their, who, &MarkRow { mark: 2, set_at: at(9), entry: 0 }).map(drop)
        }),
        ("insert_record", &|rows| rows.insert_record(&their, &record)),
        ("append_entry", &|rows| rows.append_entry(&their, b"x").map(drop)),
        ("insert_public_payload", &|rows| rows.insert_public_payload(&their, 1, b"x")),
        ("insert_payload", &|rows| rows.insert_payload(&their, 0, &payload)),
        ("reseal_record", &|rows| rows.reseal_record(&their, leaf(20), 1, b"x", 2)),
        ("reseal_payload", &|rows| rows.reseal_payload(&their, 1, 1, b"x", 2)),
        ("insert_holding", &|rows| {
            rows.insert_holding(&their, &holding(29, DataClass::Usage, 2, None))
        }),
        ("condemn", &|rows| rows.condemn(&their, leaf(20), "rule", at(9))),
        ("mark_destroyed", &|rows| rows.mark_destroyed(&their, leaf(25), at(9), 0)),
        ("destroy", &|rows| destroy(rows, &their, 25, 9)),
        ("set_review", &|rows| rows.set_review(&their, leaf(20), None)),
        ("insert_document", &|rows| rows.insert_document(&their, &document(99, 21, 1, None))),
        ("replace_document", &|rows| rows.replace_document(&their, &document(21, 21, 1, Some(5)))),
        ("reseal_document", &|rows| rows.reseal_document(&their, id(21), 1, b"x", 2)),
        ("touch_subject", &|rows| rows.touch_subject(&their, who, at(999), 2)),
        ("put_event", &|rows| rows.put_event(&their, who, &event(None, 2, 1, 0)).map(drop)),
        ("put_residence", &|rows| {
            let row = ResidenceRow { jurisdiction: 1, since: at(1), entry: 0 };
            rows.put_residence(&their, who, &row).map(drop)
        }),
        ("insert_hold", &|rows| rows.insert_hold(&their, &hold(99, None))),
        ("release_hold", &|rows| rows.release_hold(&their, id(20), at(9))),
        ("insert_job", &|rows| rows.insert_job(&their, &job(99, 1, None, None))),
        ("save_job", &|rows| rows.save_job(&their, &job(20, 1, Some(2), None))),
        ("take_lease", &|rows| rows.take_lease(&their, 1, id(9), at(9), at(99)).map(drop)),
        ("put_retention", &|rows| rows.put_retention(&their, &retention)),
    ];
    for (name, act) in refused {
        assert_eq!(change(store, &acme(), |rows| act(rows)), Err(StoreError::Conflict), "{name}");
    }
    let far = at(1_000_000);
    let ignored = change(store, &acme(), |rows| {
        assert!(!rows.remove_mark(&their, who, 1)?);
        assert!(!rows.remove_document(&their, id(21))?);
        assert!(!rows.clear_event(&their, who, None, 2)?);
        assert!(!rows.forget_subject(&their, who)?);
        assert!(!rows.remove_job(&their, id(20))?);
        assert!(!rows.renew_lease(&their, 1, 1, far)? && !rows.release_lease(&their, 1, 1)?);
        assert_eq!(rows.claim_job(&their, 1, far, far)?, None);
        assert_eq!(rows.purge_destroyed(&their, who, far)?, 0);
        assert_eq!(rows.purge_evidence(&their, far, 9)?, 0);
        assert_eq!(rows.purge_holds(&their, far)?, 0);
        assert_eq!(rows.purge_jobs(&their, far, 9)?, 0);
        Ok(())
    });
    ignored.unwrap();
    assert_eq!((census(&*stage), answers(store, &other(), &other(), 2)), (before, theirs));
}
