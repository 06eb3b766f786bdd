//! What every use case shares: one act = the key state under its shared lock + one database transaction.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use vouchsafe_envelope::record::{open, seal};
use vouchsafe_envelope::{Context, KeyRing, OrganisationState};
use vouchsafe_ledger::{EntryKind, Leaf, LogSigner, Opening, Publisher, commitment};
use vouchsafe_store::{Holding, HoldingState, PayloadRow, RecordRow, StoreError, Transaction};
use vouchsafe_types::{
    DataClass, LeafIndex, OrganisationId, RecordId, Scope, Secret, SubjectPseudonym, Timestamp,
};

use crate::Error;
use crate::logs::{self, Log};
use crate::payload::Payload;
use crate::ports::Ports;

/// The version of the organisation's data encryption key that records name in their context.
const KEY_VERSION: u32 = 1;
/// A sealed payload begins with the opening of its entry's commitment.
const OPENING_LEN: usize = 32;

pub(crate) struct Core {
    pub(crate) ports: Ports,
    pub(crate) ring: KeyRing,
    /// Leaf indices that were allocated and not used; a crash leaves holes, never a reuse.
    spare: Mutex<HashMap<(OrganisationId, DataClass), Vec<LeafIndex>>>,
    /// Organisations whose database is known not to be behind their published log.
    checked: Mutex<HashSet<OrganisationId>>,
    /// Publishers that know the edge of their log, so that publishing costs what is new.
    publishers: Mutex<HashMap<OrganisationId, Publisher>>,
    /// The newest entry that this process has seen of each organisation, with its number.
    newest: Mutex<HashMap<OrganisationId, (u64, Vec<u8>)>>,
}

impl Core {
    pub(crate) fn new(ports: Ports) -> Self {
        let ring =
            KeyRing::new(Arc::clone(&ports.keys), Arc::clone(&ports.states), Arc::clone(&ports.entropy));
        Self {
            ports,
            ring,
            spare: Mutex::default(),
            checked: Mutex::default(),
            publishers: Mutex::default(),
            newest: Mutex::default(),
        }
    }

    /// The instant now, cut to the microseconds that rows hold.
    pub(crate) fn now(&self) -> Timestamp {
        let now = self.ports.clock.now();
        Timestamp::from_microsecond(now.as_microsecond()).unwrap_or(now)
    }

    /// Runs one act: state lock first, then the transaction, so that a destruction never waits for itself.
    ///
    /// `classes` are those of which the act may need a new leaf; they are allocated before any lock is taken.
    pub(crate) fn act<T>(
        &self,
        organisation: &OrganisationId,
        classes: &[DataClass],
        act: impl FnOnce(&mut Act<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.ensure_not_behind(organisation)?;
        self.act_unchecked(organisation, classes, act)
    }

    /// As [`Self::act`], for the recovery itself.
    pub(crate) fn act_unchecked<T>(
        &self,
        organisation: &OrganisationId,
        classes: &[DataClass],
        act: impl FnOnce(&mut Act<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let mut spare = classes
            .iter()
            .map(|class| Ok((*class, self.take_leaf(organisation, *class)?)))
            .collect::<Result<Vec<_>, Error>>()?;
        let now = self.now();
        let result: Result<_, Error> = self.ring.with_state(organisation, |state| {
            vouchsafe_store::write(&*self.ports.store, |rows| {
                self.ensure_continued(organisation, rows)?;
                let mut act_in_progress =
                    Act { core: self, organisation, state, rows, now, spare: &mut spare };
                let value = act(&mut act_in_progress)?;
                Ok::<_, Error>((value, newest_entry(act_in_progress.rows, organisation)?))
            })
        })?;
        lock(&self.spare, |pool| {
            for (class, leaf) in spare {
                pool.entry((organisation.clone(), class)).or_default().push(leaf);
            }
        });
        let (value, newest) = result?;
        self.remember(organisation, newest);
        Ok(value)
    }

    /// Refuses rows that lack the newest entry that this process has seen: the database was replaced underneath it.
    pub(crate) fn ensure_continued(
        &self,
        organisation: &OrganisationId,
        rows: &mut dyn Transaction,
    ) -> Result<(), Error> {
        let seen = lock(&self.newest, |newest| newest.get(organisation).cloned());
        let Some((number, bytes)) = seen else { return Ok(()) };
        if rows.entries(organisation, number, 1)?.first() == Some(&bytes) {
            return Ok(());
        }
        lock(&self.checked, |checked| checked.remove(organisation));
        Err(Error::RecoveryRequired)
    }

    fn remember(&self, organisation: &OrganisationId, entry: Option<(u64, Vec<u8>)>) {
        let Some((number, bytes)) = entry else { return };
        lock(&self.newest, |newest| {
            let seen = newest.entry(organisation.clone()).or_insert_with(|| (number, bytes.clone()));
            if seen.0 < number {
                *seen = (number, bytes);
            }
        });
    }

    /// Forgets what was seen and reserved before a recovery.
    pub(crate) fn forget(&self, organisation: &OrganisationId) {
        lock(&self.newest, |newest| newest.remove(organisation));
        lock(&self.publishers, |publishers| publishers.remove(organisation));
        lock(&self.spare, |spare| spare.retain(|(owner, _), _| owner != organisation));
        self.ring.forget_reserved(organisation);
    }

    fn take_leaf(&self, organisation: &OrganisationId, class: DataClass) -> Result<LeafIndex, Error> {
        let pooled = lock(&self.spare, |pool| pool.get_mut(&(organisation.clone(), class))?.pop());
        pooled.map_or_else(|| Ok(self.ring.allocate(organisation, class)?), Ok)
    }

    /// Refuses to go on where the published log knows entries that the database does not (a restored backup).
    pub(crate) fn ensure_not_behind(&self, organisation: &OrganisationId) -> Result<(), Error> {
        if lock(&self.checked, |checked| checked.contains(organisation)) {
            return Ok(());
        }
        if Log::open(self, organisation)?.is_behind()? {
            return Err(Error::RecoveryRequired);
        }
        self.mark_checked(organisation);
        Ok(())
    }

    pub(crate) fn mark_checked(&self, organisation: &OrganisationId) {
        lock(&self.checked, |checked| checked.insert(organisation.clone()));
    }

    pub(crate) fn signer(&self, state: &OrganisationState) -> Result<LogSigner, Error> {
        Ok(LogSigner::from_seed(&logs::origin(state), state.log_seed())?)
    }

    pub(crate) fn take_publisher(&self, organisation: &OrganisationId) -> Option<Publisher> {
        lock(&self.publishers, |publishers| publishers.remove(organisation))
    }

    pub(crate) fn keep_publisher(&self, organisation: &OrganisationId, publisher: Publisher) {
        lock(&self.publishers, |publishers| publishers.insert(organisation.clone(), publisher));
    }
}

fn newest_entry(
    rows: &mut dyn Transaction,
    organisation: &OrganisationId,
) -> Result<Option<(u64, Vec<u8>)>, Error> {
    let Some(number) = rows.entry_count(organisation)?.checked_sub(1) else { return Ok(None) };
    Ok(rows.entries(organisation, number, 1)?.pop().map(|bytes| (number, bytes)))
}

fn lock<T, R>(mutex: &Mutex<T>, act: impl FnOnce(&mut T) -> R) -> R {
    let mut guard: MutexGuard<'_, T> = mutex.lock().unwrap_or_else(PoisonError::into_inner);
    act(&mut guard)
}

/// One act in progress: the unwrapped key state and the open transaction.
pub(crate) struct Act<'a> {
    core: &'a Core,
    pub(crate) organisation: &'a OrganisationId,
    pub(crate) state: &'a OrganisationState,
    pub(crate) rows: &'a mut dyn Transaction,
    pub(crate) now: Timestamp,
    spare: &'a mut Vec<(DataClass, LeafIndex)>,
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
        let context = payload_context(self.organisation, holding, class, record);
        let mut plain = zeroize::Zeroizing::new(recorded.opening.expose_opening().to_vec());
        plain.extend_from_slice(&recorded.payload);
        let sealed = self.seal(holding, &context, &plain)?;
        self.rows.insert_payload(
            self.organisation,
            recorded.entry,
            &PayloadRow { leaf: holding, id: record, sealed },
        )?;
        Ok(recorded)
    }

    /// Appends an entry about the organisation itself. Nothing in its payload is about a person, so it is kept in
    /// clear and its opening is public: 32 zero bytes.
    pub(crate) fn record_public(&mut self, kind: EntryKind, payload: &Payload) -> Result<(), Error> {
        let recorded = self.append(kind, public_opening(), payload)?;
        Ok(self.rows.insert_public_payload(self.organisation, recorded.entry, &recorded.payload)?)
    }

    fn append(&mut self, kind: EntryKind, opening: Opening, payload: &Payload) -> Result<Recorded, Error> {
        let payload = payload.to_bytes(self.rows.entry_count(self.organisation)?)?;
        let leaf = Leaf {
            kind,
            hour: Leaf::hour_of(self.now)?,
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

    fn daily_holding(&mut self, class: DataClass, subject: SubjectPseudonym) -> Result<LeafIndex, Error> {
        let day = day_of(self.now)?;
        if let Some(holding) = self.rows.daily_holding(self.organisation, class, subject, day)? {
            return Ok(holding.leaf);
        }
        let leaf = self.new_leaf(class)?;
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
            },
        )?;
        Ok(leaf)
    }

    /// The payload of an entry, unless it was destroyed or was never kept apart.
    pub(crate) fn payload(&mut self, entry: u64) -> Result<Option<Payload>, Error> {
        let Some(PayloadRow { leaf, id, sealed }) = self.rows.payload(self.organisation, entry)? else {
            return Ok(None);
        };
        let holding = self.rows.holding(self.organisation, leaf)?.ok_or(StoreError::Damaged)?;
        let context = payload_context(self.organisation, leaf, holding.class, id);
        let plain = open(&self.state.record_key(leaf)?, &context, &sealed)?;
        let payload = plain.expose_secret().get(OPENING_LEN..).ok_or(Error::Format("payload"))?;
        Payload::parse(payload).map(Some)
    }

    /// Seals bytes under a leaf of the key tree.
    pub(crate) fn seal(&self, leaf: LeafIndex, context: &Context, plain: &[u8]) -> Result<Vec<u8>, Error> {
        Ok(seal(&self.state.record_key(leaf)?, context, plain, &*self.core.ports.entropy)?)
    }

    pub(crate) fn record_id(&self) -> Result<RecordId, Error> {
        let mut bytes = [0u8; 16];
        self.core.ports.entropy.fill(&mut bytes)?;
        Ok(RecordId::from_bytes(bytes))
    }
}

/// The opening of every entry about an organisation itself.
pub(crate) fn public_opening() -> Opening {
    Opening::from_secret(Secret::init_with(|_| ()))
}

/// The context of a sealed payload: no scope and no model.
fn payload_context(
    organisation: &OrganisationId,
    leaf: LeafIndex,
    class: DataClass,
    record: RecordId,
) -> Context {
    Context {
        organisation: organisation.clone(),
        leaf,
        class,
        scope: None,
        record,
        model: None,
        dimension: None,
        key_version: KEY_VERSION,
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
        key_version: KEY_VERSION,
    }
}

/// The UTC day around an instant, as `from..to`.
fn day_of(now: Timestamp) -> Result<(Timestamp, Timestamp), Error> {
    const DAY: i64 = 24 * 60 * 60;
    let start = now.as_second().div_euclid(DAY) * DAY;
    let at = |second| Timestamp::from_second(second).map_err(|_| Error::Format("instant"));
    Ok((at(start)?, at(start + DAY)?))
}
