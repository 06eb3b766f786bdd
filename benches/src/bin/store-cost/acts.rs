//! What the facade asks of the port for a verification that is accepted, and for a withdrawal, in its order.

use vouchsafe::{Scope, Timestamp};
use vouchsafe_benches::figures::Result;
use vouchsafe_store::{
    ConsentRow, EventRow, Holding, HoldingState, PayloadRow, RecordRow, Store, StoreError, Transaction, read,
    write,
};
use vouchsafe_types::{DataClass, Digest, LeafIndex, OrganisationId, RecordId, SubjectPseudonym};

/// Which act.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Verify,
    Withdraw,
}

/// Whose act.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Person {
    number: u64,
    who: SubjectPseudonym,
}

pub(crate) const NOTICE: Digest = Digest::from_bytes([5; 32]);
const FACE: Scope = Scope::FACE_VERIFICATION;
/// A day after everybody enrolled.
const NOW: i64 = 1_780_000_000;
/// Leaves of evidence begin behind those of all people.
const EVIDENCE: u64 = 100_000_000;

pub(crate) fn acme() -> Result<OrganisationId> {
    Ok(OrganisationId::parse("acme")?)
}

impl Person {
    pub(crate) fn of(number: u64) -> Self {
        let mut who = [0; 32];
        // Pseudonyms are in no order.
        who[..8].copy_from_slice(&number.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes());
        who[8..16].copy_from_slice(&number.to_be_bytes());
        Self { number, who: SubjectPseudonym::from_bytes(who) }
    }

    /// What is stored of everybody.
    pub(crate) fn enrolled(&self) -> Result<(Holding, RecordRow)> {
        let at = Timestamp::from_second(NOW - 86_400)?;
        let holding = Holding {
            leaf: LeafIndex::new(self.number)?,
            class: DataClass::Biometric,
            subject: self.who,
            scope: Some(FACE),
            state: HoldingState::Live,
            created_at: at,
            created_entry: Some(self.number),
            review_at: Some(Timestamp::from_second(NOW + 90_000_000)?),
        };
        let record = RecordRow {
            id: self.id(0),
            leaf: holding.leaf,
            model: Digest::from_bytes([7; 32]),
            dimension: 512,
            sealed: vec![7; 1_100],
            key_version: 1,
        };
        Ok((holding, record))
    }

    fn id(&self, what: u8) -> RecordId {
        let mut id = [what; 16];
        id[..8].copy_from_slice(&self.number.wrapping_mul(0xd134_2543_de82_ef95).to_be_bytes());
        RecordId::from_bytes(id)
    }
}

/// Runs the act.
///
/// Returns: how many statements the transaction before the one that writes has, when they are recorded.
pub(crate) fn act(store: &dyn Store, kind: Kind, person: &Person) -> Result<usize> {
    let organisation = acme()?;
    match kind {
        Kind::Verify => {
            read(store, &organisation, |rows| compare(rows, &organisation, person))?;
            write(store, &organisation, |rows| decide(rows, &organisation, person))?;
            Ok(READS)
        }
        Kind::Withdraw => {
            write(store, &organisation, |rows| withdraw(rows, &organisation, person))?;
            Ok(0)
        }
    }
}

/// The statements of [`compare`].
const READS: usize = 8;

/// The snapshot on which faces are compared.
fn compare(rows: &mut dyn Transaction, of: &OrganisationId, person: &Person) -> Result<(), StoreError> {
    continued(rows, of)?;
    permit(rows, of, person)?;
    rows.biometric_holding(of, person.who, FACE)?.ok_or(StoreError::Damaged)?;
    rows.events(of, person.who)?;
    rows.record(of, leaf(person.number)?)?.ok_or(StoreError::Damaged).map(drop)
}

/// The transaction that decides, and records what was opened.
fn decide(rows: &mut dyn Transaction, of: &OrganisationId, person: &Person) -> Result<(), StoreError> {
    continued(rows, of)?;
    permit(rows, of, person)?;
    rows.holding(of, leaf(person.number)?)?.ok_or(StoreError::Damaged)?;
    rows.events(of, person.who)?;
    rows.touch_subject(of, person.who, now(0)?, 3)?;
    record(rows, of, person, DataClass::VerificationLog)?;
    newest(rows, of)
}

fn withdraw(rows: &mut dyn Transaction, of: &OrganisationId, person: &Person) -> Result<(), StoreError> {
    continued(rows, of)?;
    let consent = rows.consent(of, person.who, FACE)?.ok_or(StoreError::Conflict)?;
    let entry = record(rows, of, person, DataClass::ConsentEvidence)?;
    let ended = ConsentRow {
        sequence: consent.sequence + 1,
        status: 4,
        at: now(0)?,
        expires: None,
        entry: Some(entry),
        ..consent
    };
    rows.append_consent(of, person.who, FACE, &ended)?;
    rows.put_event(of, person.who, &EventRow { scope: Some(FACE), trigger: 5, at: now(0)?, entry })?;
    let holding = rows.biometric_holding(of, person.who, FACE)?.ok_or(StoreError::Damaged)?;
    rows.residences(of, person.who)?;
    rows.holds_of(of, person.who)?;
    rows.last_interaction(of, person.who)?;
    rows.events(of, person.who)?;
    rows.condemn(of, holding.leaf, "withdrawal", now(0)?)?;
    record(rows, of, person, DataClass::DestructionEvidence)?;
    newest(rows, of)
}

/// That the rows go on from the newest entry that this process has seen.
fn continued(rows: &mut dyn Transaction, of: &OrganisationId) -> Result<(), StoreError> {
    rows.entries(of, 0, 1).map(drop)
}

/// What the consent gate asks.
fn permit(rows: &mut dyn Transaction, of: &OrganisationId, person: &Person) -> Result<(), StoreError> {
    let consent = rows.consent(of, person.who, FACE)?.ok_or(StoreError::Conflict)?;
    rows.notice(of, consent.notice)?.ok_or(StoreError::Damaged)?;
    rows.notices_since(of, consent.notice, Timestamp::MAX)?;
    rows.marks(of, person.who).map(drop)
}

/// An entry of the log, with its payload under the leaf of the person, class and day, which is the first one.
fn record(
    rows: &mut dyn Transaction,
    of: &OrganisationId,
    person: &Person,
    class: DataClass,
) -> Result<u64, StoreError> {
    rows.entry_count(of)?;
    let entry = rows.append_entry(of, &[9; 80])?;
    let day = (now(-40_000)?, now(46_400)?);
    if rows.daily_holding(of, class, person.who, day)?.is_some() {
        return Err(StoreError::Damaged);
    }
    let leaf = leaf(EVIDENCE * u64::from(class.code()) + person.number)?;
    let held = Holding {
        leaf,
        class,
        subject: person.who,
        scope: None,
        state: HoldingState::Live,
        created_at: now(0)?,
        created_entry: None,
        review_at: Some(now(90_000_000)?),
    };
    rows.insert_holding(of, &held)?;
    let payload = PayloadRow { leaf, id: person.id(class.code()), sealed: vec![3; 420], key_version: 1 };
    rows.insert_payload(of, entry, &payload)?;
    Ok(entry)
}

fn newest(rows: &mut dyn Transaction, of: &OrganisationId) -> Result<(), StoreError> {
    let count = rows.entry_count(of)?;
    rows.entries(of, count - 1, 1).map(drop)
}

fn leaf(number: u64) -> Result<LeafIndex, StoreError> {
    LeafIndex::new(number).map_err(|_| StoreError::Damaged)
}

fn now(later: i64) -> Result<Timestamp, StoreError> {
    Timestamp::from_second(NOW + later).map_err(|_| StoreError::Damaged)
}
