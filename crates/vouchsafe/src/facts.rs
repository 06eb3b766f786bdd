//! Facts about a person, as they or the organisation gave them: sealed by class, corrected with history in the log.

use serde::{Deserialize, Serialize};
use vouchsafe_ledger::{ActorRole, EntryKind};
use vouchsafe_types::{DataClass, FactField, FreeText, RecordId, Timestamp};
use zeroize::Zeroizing;

use crate::act::Act;
use crate::payload::Payload;
use crate::sealed::{Beside, Kind, Opened};
use crate::{Error, Subject};

/// A fact that is held about a person.
#[derive(Debug)]
#[non_exhaustive]
pub struct Fact {
    /// Which fact.
    pub id: RecordId,
    /// What it is about.
    pub field: FactField,
    /// What it says.
    pub value: FreeText,
    /// When it was recorded, or corrected last.
    pub at: Timestamp,
    /// The log entry of that.
    pub entry: u64,
}

/// Version 1 of what is sealed.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    v: u8,
    at: String,
    value: String,
}

impl Subject<'_> {
    /// Keeps a fact about the person, sealed under the leaf of its class. A field that holds one value replaces it, as
    /// [`Self::correct_fact`] does.
    ///
    /// # Errors
    /// [`Error::Retention`] with `Gap` while the policy states no period for the class: nothing is kept.
    pub fn record_fact(&self, field: FactField, value: &FreeText, by: ActorRole) -> Result<RecordId, Error> {
        let class = field.class();
        self.act(&[class, DataClass::AuditLog], |act| {
            self.make_known(act)?;
            if field.is_single()
                && let Some(known) = self.fact_of(act, field)?
            {
                return self.amend(act, &known, field, value, by);
            }
            let leaf = match class {
                DataClass::Account | DataClass::Billing if field.is_single() => {
                    act.lasting_holding(class, self.pseudonym)?
                }
                _ => act.daily_holding(class, self.pseudonym)?,
            };
            let id = act.record_id()?;
            let entry = self.log_fact(act, EntryKind::FactRecorded, id, field, by)?;
            let plain = plain(value, act.now)?;
            let beside = Beside { field: Some(field), ..Beside::default() };
            act.put_document((id, leaf, class), Kind::Fact, entry, &plain, beside)?;
            act.review(self.pseudonym)?;
            Ok(id)
        })
    }

    /// Corrects a fact (GDPR Art 16): the old value is overwritten, the log keeps that and when it was corrected.
    ///
    /// # Errors
    /// [`Error::UnknownRecord`] when the person has no such fact.
    pub fn correct_fact(&self, id: RecordId, value: &FreeText, by: ActorRole) -> Result<(), Error> {
        self.act(&[DataClass::AuditLog], |act| {
            let known = act.document(self.pseudonym, Kind::Fact, id)?.ok_or(Error::UnknownRecord)?;
            let field = FactField::from_code(known.row.field)?;
            self.amend(act, &known, field, value, by).map(drop)
        })
    }

    /// Every fact that is held about the person, in the order of their fields.
    ///
    /// # Errors
    /// [`Error::Store`], [`Error::Envelope`].
    pub fn facts(&self) -> Result<Vec<Fact>, Error> {
        self.act(&[], |act| {
            let facts = act.documents(self.pseudonym, Kind::Fact)?;
            let mut facts = facts.iter().map(fact).collect::<Result<Vec<_>, _>>()?;
            facts.sort_by_key(|fact| (fact.field, fact.entry));
            Ok(facts)
        })
    }

    fn fact_of(&self, act: &mut Act<'_>, field: FactField) -> Result<Option<Opened>, Error> {
        let facts = act.documents(self.pseudonym, Kind::Fact)?;
        Ok(facts.into_iter().find(|fact| fact.row.field == field.code()))
    }

    fn amend(
        &self,
        act: &mut Act<'_>,
        known: &Opened,
        field: FactField,
        value: &FreeText,
        by: ActorRole,
    ) -> Result<RecordId, Error> {
        let entry = self.log_fact(act, EntryKind::FactCorrected, known.row.id, field, by)?;
        let plain = plain(value, act.now)?;
        let beside = Beside { field: Some(field), ..Beside::default() };
        act.replace_document(&known.row, field.class(), Kind::Fact, entry, &plain, beside)?;
        Ok(known.row.id)
    }

    /// The log says which field changed and who changed it, never to what.
    fn log_fact(
        &self,
        act: &mut Act<'_>,
        kind: EntryKind,
        id: RecordId,
        field: FactField,
        by: ActorRole,
    ) -> Result<u64, Error> {
        let payload = Payload::by(by, act.now).id(id).classes([field.class()]).word("field", field.name());
        Ok(act.record(kind, DataClass::AuditLog, self.pseudonym, &payload)?.entry)
    }
}

fn plain(value: &FreeText, now: Timestamp) -> Result<Zeroizing<Vec<u8>>, Error> {
    let wire = Wire { v: 1, at: now.to_string(), value: value.expose_text().to_owned() };
    let plain = serde_json::to_vec(&wire).map(Zeroizing::new).map_err(|_| Error::Format("fact"));
    drop(Zeroizing::new(wire.value));
    plain
}

pub(crate) fn fact(opened: &Opened) -> Result<Fact, Error> {
    let wire: Wire = serde_json::from_slice(&opened.plain).map_err(|_| Error::Format("fact"))?;
    let value = Zeroizing::new(wire.value);
    Ok(Fact {
        id: opened.row.id,
        field: FactField::from_code(opened.row.field)?,
        value: FreeText::parse(&value)?,
        at: wire.at.parse().map_err(|_| Error::Format("fact"))?,
        entry: opened.row.entry,
    })
}
