//! One act in progress: what a use case reads and writes within its transaction.

use jiff::{ToSpan, civil::Date, tz::TimeZone};
use vouchsafe_envelope::{Context, LeafStatus, OrganisationState};
use vouchsafe_ledger::{EntryKind, Leaf, Opening, commitment};
use vouchsafe_store::{Holding, HoldingState, PayloadRow, RecordRow, StoreError, Transaction};
use vouchsafe_types::{
    DataClass, LeafIndex, OrganisationId, RecordId, Scope, Secret, SubjectPseudonym, Timestamp,
};

use crate::Error;
use crate::core::Core;
use crate::payload::Payload;

/// What the interaction clock says of whoever did not act.
pub(crate) const NO_ACT: u8 = 0;

/// A sealed payload begins with the opening of its entry's commitment.
const OPENING_LEN: usize = 32;

/// One act in progress: the unwrapped key state and the open transaction.
pub(crate) struct Act<'a> {
    pub(crate) core: &'a Core,
    pub(crate) organisation: &'a OrganisationId,
    pub(crate) state: &'a OrganisationState,
    pub(crate) rows: &'a mut dyn Transaction,
    pub(crate) now: Timestamp,
    pub(crate) spare: &'a mut Vec<(DataClass, LeafIndex)>,
}

/// A log entry that was appended, with what opens its commitment.
pub(crate) struct Recorded {
    pub(crate) entry: u64,
    pub(crate) leaf: Vec<u8>,
    pub(crate) opening: Opening,
    pub(crate) payload: Vec<u8>,
}

impl Act<'_> {
    /// Appends an entry about a person; its payload is sealed under the person's leaf of the class and day.
    pub(crate) fn record(
        &mut self,
        kind: EntryKind,
        class: DataClass,
        subject: SubjectPseudonym,
        payload: &Payload,
    ) -> Result<Recorded, Error> {
        let recorded = self.append(kind, Opening::random(&*self.core.ports.entropy)?, payload)?;
        let holding = self.daily_holding(class, subject)?;
        let record = self.record_id()?;
        let key_version = self.state.key_version();
        let context = payload_context(self.organisation, holding, class, record, key_version);
        let mut plain = zeroize::Zeroizing::new(recorded.opening.expose_opening().to_vec());
        plain.extend_from_slice(&recorded.payload);
        let sealed = self.seal(&context, &plain)?;
        self.rows.insert_payload(
            self.organisation,
            recorded.entry,
            &PayloadRow { leaf: holding, id: record, key_version: context.key_version, sealed },
        )?;
        Ok(recorded)
    }

    /// Appends an entry about the organisation itself. Nothing in its payload is about a person, so it is kept in
    /// clear and its opening is public: 32 zero bytes.
    ///
    /// Returns: the number of the entry.
    pub(crate) fn record_public(&mut self, kind: EntryKind, payload: &Payload) -> Result<u64, Error> {
        let recorded = self.append(kind, public_opening(), payload)?;
        self.rows.insert_public_payload(self.organisation, recorded.entry, &recorded.payload)?;
        Ok(recorded.entry)
    }

    fn append(&mut self, kind: EntryKind, opening: Opening, payload: &Payload) -> Result<Recorded, Error> {
        let payload = payload.to_bytes(self.rows.entry_count(self.organisation)?)?;
        let leaf = Leaf {
            kind,
            // A clock before 1970 stands in nobody's way.
            hour: Leaf::hour_of(self.now).unwrap_or(0),
            organisation: self.state.organisation_pseudonym(),
            commitment: commitment::commit(&opening, &payload),
        };
        let leaf = leaf.to_bytes().to_vec();
        let entry = self.rows.append_entry(self.organisation, &leaf)?;
        Ok(Recorded { entry, leaf, opening, payload })
    }

    /// A leaf that was allocated for this act; it is used up.
    pub(crate) fn new_leaf(&mut self, class: DataClass) -> Result<LeafIndex, Error> {
        let position = self.spare.iter().position(|(spare, _)| *spare == class);
        let position = position.ok_or(Error::Format("act without a leaf for its class"))?;
        Ok(self.spare.swap_remove(position).1)
    }

    pub(crate) fn daily_holding(
        &mut self,
        class: DataClass,
        subject: SubjectPseudonym,
    ) -> Result<LeafIndex, Error> {
        let day = day_of(self.now)?;
        if let Some(holding) = self.rows.daily_holding(self.organisation, class, subject, day)?
            // Another process may have reserved it since the keys in memory were read.
            && self.state.status(holding.leaf) != LeafStatus::NeverAllocated
        {
            return Ok(holding.leaf);
        }
        self.hold(class, subject)
    }

    /// A new holding without a scope.
    pub(crate) fn hold(&mut self, class: DataClass, subject: SubjectPseudonym) -> Result<LeafIndex, Error> {
        let leaf = self.new_leaf(class)?;
        let review_at = self.first_review(class)?;
        self.rows.insert_holding(
            self.organisation,
            &Holding {
                leaf,
                class,
                subject,
                scope: None,
                state: HoldingState::Live,
                created_at: self.now,
                created_entry: None,
                review_at,
            },
        )?;
        Ok(leaf)
    }

    /// The leaf of this month's address pseudonyms (UTC), with the month; a new one where there is none yet.
    pub(crate) fn address_key(&mut self) -> Result<(u32, LeafIndex), Error> {
        let (period, month) = month_of(self.now)?;
        let (class, nobody) = (DataClass::ConsentEvidence, self.nobody()?);
        if let Some(holding) = self.rows.daily_holding(self.organisation, class, nobody, month)? {
            return Ok((period, holding.leaf));
        }
        Ok((period, self.hold(class, nobody)?))
    }

    /// Who stands for what belongs to no person, or to nobody known.
    pub(crate) fn nobody(&mut self) -> Result<SubjectPseudonym, Error> {
        let nobody = self.state.nobody();
        if self.rows.last_interaction(self.organisation, nobody)?.is_none() {
            self.rows.touch_subject(self.organisation, nobody, self.now, NO_ACT)?;
        }
        Ok(nobody)
    }

    /// The payload of an entry, unless it was destroyed or was never kept apart.
    pub(crate) fn payload(&mut self, entry: u64) -> Result<Option<Payload>, Error> {
        Ok(match self.recorded(entry)? {
            Some(recorded) => Some(Payload::parse(&recorded.payload)?),
            None => None,
        })
    }

    /// The payload of the entry of a destruction, sealed or public.
    pub(crate) fn evidence_of(&mut self, entry: u64) -> Result<Option<Payload>, Error> {
        match self.rows.public_payload(self.organisation, entry)? {
            Some(public) => Payload::parse(&public).map(Some),
            None => self.payload(entry),
        }
    }

    /// An entry with its payload and opening, unless they were destroyed or never kept apart.
    pub(crate) fn recorded(&mut self, entry: u64) -> Result<Option<Recorded>, Error> {
        let Some(row) = self.rows.payload(self.organisation, entry)? else { return Ok(None) };
        let holding = self.rows.holding(self.organisation, row.leaf)?.ok_or(StoreError::Damaged)?;
        if holding.state != HoldingState::Live {
            return Ok(None);
        }
        let context = payload_context(self.organisation, row.leaf, holding.class, row.id, row.key_version);
        let plain = self.state.open(&context, &row.sealed)?;
        let (opening, payload) = split_payload(plain.expose_secret())?;
        let leaf = self.rows.entries(self.organisation, entry, 1)?.pop().ok_or(StoreError::Damaged)?;
        Ok(Some(Recorded { entry, leaf, opening, payload: payload.to_vec() }))
    }

    /// Whom the payload of an entry is about.
    pub(crate) fn payload_owner(&mut self, entry: u64) -> Result<Option<SubjectPseudonym>, Error> {
        let Some(row) = self.rows.payload(self.organisation, entry)? else { return Ok(None) };
        Ok(self.rows.holding(self.organisation, row.leaf)?.map(|holding| holding.subject))
    }

    /// Seals bytes under the leaf of the key tree that the context names.
    pub(crate) fn seal(&self, context: &Context, plain: &[u8]) -> Result<Vec<u8>, Error> {
        Ok(self.state.seal(context, plain, &*self.core.ports.entropy)?)
    }

    pub(crate) fn record_id(&self) -> Result<RecordId, Error> {
        let mut bytes = [0u8; 16];
        self.core.ports.entropy.fill(&mut bytes)?;
        Ok(RecordId::from_bytes(bytes))
    }
}

/// The opening and the payload that were sealed together.
pub(crate) fn split_payload(plain: &[u8]) -> Result<(Opening, &[u8]), Error> {
    let (opening, payload) = plain.split_first_chunk::<OPENING_LEN>().ok_or(Error::Format("payload"))?;
    Ok((Opening::from_secret(Secret::init_with(|own| own.copy_from_slice(opening))), payload))
}

/// The opening of every entry about an organisation itself.
pub(crate) fn public_opening() -> Opening {
    Opening::from_secret(Secret::init_with(|_| ()))
}

/// The context of a sealed payload: no scope and no model.
pub(crate) fn payload_context(
    organisation: &OrganisationId,
    leaf: LeafIndex,
    class: DataClass,
    record: RecordId,
    key_version: u32,
) -> Context {
    Context {
        organisation: organisation.clone(),
        leaf,
        class,
        scope: None,
        record,
        model: None,
        dimension: None,
        key_version,
    }
}

/// The context of a sealed template.
pub(crate) fn template_context(
    organisation: &OrganisationId,
    leaf: LeafIndex,
    scope: Scope,
    record: &RecordRow,
) -> Context {
    Context {
        organisation: organisation.clone(),
        leaf,
        class: DataClass::Biometric,
        scope: Some(scope),
        record: record.id,
        model: Some(record.model),
        dimension: Some(record.dimension),
        key_version: record.key_version,
    }
}

/// The months since January 1970 of an instant (UTC), and that month as `from..to`.
fn month_of(now: Timestamp) -> Result<(u32, (Timestamp, Timestamp)), Error> {
    const MALFORMED: Error = Error::Format("instant");
    let first = now.to_zoned_datetime(TimeZone::UTC).date().first_of_month();
    let next = first.checked_add(1.month()).map_err(|_| MALFORMED)?;
    let at = |date: Date| {
        Ok::<_, Error>(date.to_zoned_datetime(TimeZone::UTC).map_err(|_| MALFORMED)?.timestamp())
    };
    let months = (i32::from(first.year()) - 1970) * 12 + i32::from(first.month()) - 1;
    Ok((u32::try_from(months).map_err(|_| MALFORMED)?, (at(first)?, at(next)?)))
}

/// The UTC day around an instant, as `from..to`.
pub(crate) fn day_of(now: Timestamp) -> Result<(Timestamp, Timestamp), Error> {
    const DAY: i64 = 24 * 60 * 60;
    let start = now.as_second().div_euclid(DAY) * DAY;
    let at = |second| Timestamp::from_second(second).map_err(|_| Error::Format("instant"));
    Ok((at(start)?, at(start + DAY)?))
}
