//! A person with a row in every table.

use vouchsafe_types::{DataClass, Digest, RecordId};

use super::*;
use crate::{
    ConsentRow, DocumentRow, EventRow, HoldRow, Holding, HoldingState, JobRow, MarkRow, NoticeRow,
    PayloadRow, RecordRow, ResidenceRow, RetentionRow, ServedRow,
};

pub(crate) const NOTICE: Digest = Digest::from_bytes([1; 32]);
pub(crate) const POLICY: Digest = Digest::from_bytes([2; 32]);

pub(crate) fn id(number: u8) -> RecordId {
    RecordId::from_bytes([number; 16])
}

pub(crate) fn holding(number: u8, class: DataClass, subject: u8, review_at: Option<i64>) -> Holding {
    Holding {
        leaf: leaf(number),
        class,
        subject: person(subject),
        scope: None,
        state: HoldingState::Live,
        created_at: at(number.into()),
        created_entry: None,
        review_at: review_at.map(at),
    }
}

pub(crate) fn document(number: u8, leaf_number: u8, kind: u8, next_at: Option<i64>) -> DocumentRow {
    DocumentRow {
        id: id(number),
        leaf: leaf(leaf_number),
        kind,
        field: if kind == 1 { number } else { 0 },
        sealed: vec![number; 40],
        key_version: 1,
        entry: 0,
        next_at: next_at.map(at),
        closed_at: None,
    }
}

pub(crate) fn hold(number: u8, subject: Option<u8>) -> HoldRow {
    HoldRow {
        id: id(number),
        matter: format!("matter-{number}"),
        authority: 5,
        subject: subject.map(person),
        class: Some(DataClass::Biometric),
        placed_at: at(number.into()),
        expires: Some(at(1_000)),
        released_at: None,
        requested_by: "counsel".to_owned(),
        approved_by: "officer".to_owned(),
        entry: 3,
    }
}

pub(crate) fn job(number: u8, kind: u8, subject: Option<u8>, run_at: Option<i64>) -> JobRow {
    JobRow {
        id: id(number),
        kind,
        subject: subject.map(person),
        state: vec![number],
        created_at: at(number.into()),
        run_at: run_at.map(at),
        attempts: 0,
        lease_until: None,
        fence: 0,
        finished_at: None,
    }
}

pub(crate) fn event(scope: Option<Scope>, trigger: u8, second: i64, entry: u64) -> EventRow {
    EventRow { scope, trigger, at: at(second), entry }
}

/// An organisation with a notice, a log entry and its payload, and a policy.
pub(crate) fn found(rows: &mut dyn Transaction, organisation: &OrganisationId) -> Result<(), StoreError> {
    rows.insert_organisation(organisation, at(0))?;
    let notice = NoticeRow {
        digest: NOTICE,
        id: "biometrics".to_owned(),
        version: "1".to_owned(),
        locale: "en".to_owned(),
        shown: vec![1],
        published_at: at(0),
        effective_at: at(0),
        material: false,
        attested_by: 1,
        terms: vec![],
        schedule: vec![],
    };
    rows.insert_notice(organisation, &notice)?;
    let entry = rows.append_entry(organisation, b"policy")?;
    rows.insert_public_payload(organisation, entry, b"policy")?;
    let retention = RetentionRow { policy: POLICY, activated_at: at(0), newest: at(0), swept_at: None };
    rows.put_retention(organisation, &retention)?;
    let holder = id(organisation.as_str().bytes().fold(0, u8::wrapping_add));
    rows.take_lease(organisation, 1, holder, at(0), at(60)).map(drop)
}

/// A person under three leaves from `10 * number` on: biometric data, consent evidence, destruction evidence.
pub(crate) fn live(
    rows: &mut dyn Transaction,
    organisation: &OrganisationId,
    number: u8,
) -> Result<(), StoreError> {
    let (who, first) = (person(number), 10 * number);
    rows.touch_subject(organisation, who, at(5), 1)?;
    let classes = [DataClass::Biometric, DataClass::ConsentEvidence, DataClass::DestructionEvidence];
    for (leaf_number, class) in (first..).zip(classes) {
        rows.insert_holding(organisation, &holding(leaf_number, class, number, Some(100)))?;
        let entry = rows.append_entry(organisation, b"entry")?;
        let payload =
            PayloadRow { leaf: leaf(leaf_number), id: id(leaf_number), sealed: vec![1], key_version: 1 };
        rows.insert_payload(organisation, entry, &payload)?;
    }
    let record = RecordRow {
        id: id(first),
        leaf: leaf(first),
        model: Digest::from_bytes([7; 32]),
        dimension: 512,
        sealed: vec![first; 40],
        key_version: 1,
    };
    rows.insert_record(organisation, &record)?;
    rows.insert_document(organisation, &document(first + 1, first + 1, 1, None))?;
    let act = ConsentRow { sequence: 1, status: 1, notice: NOTICE, at: at(5), expires: None, entry: Some(0) };
    rows.append_consent(organisation, who, face(), &act)?;
    let served = ServedRow {
        ticket: [number; 16],
        subject: who,
        scope: face(),
        notice: NOTICE,
        served_at: at(4),
        entry: 0,
        used_sequence: Some(1),
    };
    rows.insert_served(organisation, &served)?;
    rows.put_mark(organisation, who, &MarkRow { mark: 1, set_at: at(5), entry: 0 })?;
    rows.put_event(organisation, who, &event(None, 2, 5, 0))?;
    rows.put_residence(organisation, who, &ResidenceRow { jurisdiction: 1, since: at(5), entry: 0 })?;
    rows.insert_hold(organisation, &hold(first, Some(number)))?;
    rows.insert_job(organisation, &job(first, 1, Some(number), Some(50)))
}

/// Destroys what is under a leaf.
pub(crate) fn destroy(
    rows: &mut dyn Transaction,
    organisation: &OrganisationId,
    number: u8,
    second: i64,
) -> Result<(), StoreError> {
    rows.condemn(organisation, leaf(number), "rule", at(second))?;
    rows.mark_destroyed(organisation, leaf(number), at(second), 0)
}

/// Two organisations, in each the persons 1 and 2.
pub(crate) fn two_organisations<'a>(fresh: Fresh<'a>) -> Box<dyn Stage + 'a> {
    let stage = fresh();
    let store = stage.store();
    for organisation in [&acme(), &other()] {
        change(store, organisation, |rows| {
            found(rows, organisation)?;
            live(rows, organisation, 1)?;
            live(rows, organisation, 2)
        })
        .unwrap();
    }
    stage
}

/// How many rows each table has of each organisation.
pub(crate) fn census(stage: &dyn Stage) -> Vec<(&'static str, String, i64)> {
    let mut tables: Vec<_> = crate::INVENTORY.iter().map(|column| column.table).collect();
    tables.dedup();
    let tables = tables.into_iter().filter(|table| *table != "organisation");
    let counts = |table| {
        let sql =
            format!("SELECT organisation, count(*) FROM {table} GROUP BY organisation ORDER BY organisation");
        stage.look(&sql).into_iter().map(move |(organisation, count)| (table, organisation, count))
    };
    tables.flat_map(counts).collect()
}
