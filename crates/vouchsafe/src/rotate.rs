//! Rotation of an organisation's keys while it serves: durable step by step, resumed by calling it again.

use vouchsafe_envelope::{EnvelopeError, KeyReport};
use vouchsafe_ledger::{ActorRole, EntryKind};
use vouchsafe_store::{HoldingState, KeyUsage, StoreError};

use crate::act::{Act, payload_context, template_context};
use crate::payload::Payload;
use crate::{Destruction, Error, Organisation};

/// How many records one transaction seals again.
const BATCH: u32 = 256;

/// How far a rotation of the data key is.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rotation {
    /// The data key that records are sealed under from now on, by version.
    pub to: u32,
    /// Templates and payloads sealed again so far.
    pub resealed: u64,
    /// Those still under an older data key.
    pub remaining: u64,
    /// At the end: how many processes still hold the older keys, for 300 s at most.
    pub leases: usize,
}

/// Which keys an organisation has, and what is sealed under them.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyStatus {
    /// The keys.
    pub keys: KeyReport,
    /// Stored templates and payloads by data key; one indexed query.
    pub usage: Vec<KeyUsage>,
}

impl Organisation<'_> {
    /// Which keys the organisation has, and what is sealed under them. Nothing in it opens anything.
    ///
    /// # Errors
    /// [`Error::Envelope`], [`Error::Store`].
    pub fn key_status(&self) -> Result<KeyStatus, Error> {
        let keys = self.core.ring.report_keys(&self.id)?;
        Ok(KeyStatus { keys, usage: self.key_usage()? })
    }

    /// Seals the key state under a fresh state key and destroys the former one at the key service.
    ///
    /// # Errors
    /// [`Error::Envelope`]; call it again then.
    pub fn rotate_state_key(&self) -> Result<(), Error> {
        self.core.ensure_not_behind(&self.id)?;
        let report = self.core.ring.rotate_state_key(&self.id)?;
        self.record_rotation(&format!("state key {}", report.generation()))
    }

    /// Rotates the data key: makes a new one, seals every stored template and payload again under it in small
    /// transactions, then forgets the older ones for good. The organisation is served meanwhile.
    ///
    /// `progress` is told after each transaction. Call it again after an interruption: it goes on where it stopped,
    /// without another new key. Sealed records in older backups become unreadable at the end; make a new backup.
    ///
    /// # Errors
    /// [`Error::Envelope`], [`Error::Store`]; what is sealed again stays so.
    pub fn rotate_data_key(&self, mut progress: impl FnMut(&Rotation)) -> Result<Rotation, Error> {
        self.core.ensure_not_behind(&self.id)?;
        self.end_destructions()?;
        let to = self.begin_rotation()?;
        let mut rotation = Rotation { to, resealed: 0, remaining: self.remaining(to)?, leases: 0 };
        progress(&rotation);
        while rotation.remaining > 0 {
            let resealed = self.core.act(&self.id, &[], |act| reseal(act, to))?;
            if resealed == 0 {
                // What is condemned cannot be opened; its destruction ends it.
                self.end_destructions()?;
            }
            let remaining = self.remaining(to)?;
            if remaining >= rotation.remaining && resealed == 0 {
                return Err(Error::Store(StoreError::Damaged));
            }
            rotation.resealed += resealed;
            rotation.remaining = remaining;
            progress(&rotation);
        }
        self.core.ports.store.remove_remnants()?;
        match self.core.ring.retire_data_keys(&self.id, to) {
            // Forgotten here and in the stored state; what others hold ends by itself.
            Err(EnvelopeError::ErasureIncomplete(left)) if left.generations().is_empty() => {
                rotation.leases = left.leases();
            }
            retired => drop(retired?),
        }
        self.record_rotation(&format!("data key {to}"))?;
        Ok(rotation)
    }

    /// What [`Self::rotate_data_key`] would do now.
    ///
    /// # Errors
    /// [`Error::Envelope`], [`Error::Store`].
    pub fn plan_data_key_rotation(&self) -> Result<Rotation, Error> {
        let (newest, several) = self.data_keys()?;
        let to = if several { newest } else { newest.checked_add(1).ok_or(EnvelopeError::Exhausted)? };
        Ok(Rotation { to, resealed: 0, remaining: self.remaining(to)?, leases: 0 })
    }

    fn end_destructions(&self) -> Result<(), Error> {
        match self.resume_destructions() {
            Destruction::Done(_) => Ok(()),
            Destruction::Pending(incomplete) => Err(incomplete.into_cause()),
        }
    }

    /// The key to seal under: the newest of an unfinished rotation, or a fresh one.
    fn begin_rotation(&self) -> Result<u32, Error> {
        let (newest, several) = self.data_keys()?;
        let to = if several { newest } else { self.core.ring.add_data_key(&self.id, newest)? };
        // Whoever still holds the state of before would go on sealing under the older key.
        self.core.ring.await_current(&self.id)?;
        Ok(to)
    }

    /// The newest data key, and whether there are others.
    fn data_keys(&self) -> Result<(u32, bool), Error> {
        Ok(self.core.ring.with_state(&self.id, |state| {
            let versions = state.key_versions();
            (versions.last().copied().unwrap_or(0), versions.len() > 1)
        })?)
    }

    fn key_usage(&self) -> Result<Vec<KeyUsage>, Error> {
        vouchsafe_store::read(&*self.core.ports.store, &self.id, |rows| Ok(rows.key_usage(&self.id)?))
    }

    fn remaining(&self, to: u32) -> Result<u64, Error> {
        let usage = self.key_usage()?;
        let older = usage.iter().filter(|usage| usage.key_version < to);
        Ok(older.map(|usage| usage.records + usage.payloads + usage.documents).sum())
    }

    fn record_rotation(&self, what: &str) -> Result<(), Error> {
        self.core.act(&self.id, &[], |act| {
            let payload = Payload::by(ActorRole::Operator, act.now).cause(what);
            act.record_public(EntryKind::KeysRotated, &payload).map(drop)
        })
    }
}

/// Seals a batch of templates and payloads again; gives how many.
fn reseal(act: &mut Act<'_>, to: u32) -> Result<u64, Error> {
    let (organisation, entropy) = (act.organisation, &*act.core.ports.entropy);
    let records = act.rows.records_under(organisation, to, BATCH)?;
    let mut resealed = 0;
    for record in &records {
        let holding = act.rows.holding(organisation, record.leaf)?.ok_or(StoreError::Damaged)?;
        if holding.state != HoldingState::Live {
            continue;
        }
        let scope = holding.scope.ok_or(StoreError::Damaged)?;
        let context = template_context(organisation, record.leaf, scope, record);
        let sealed = act.state.reseal(&context, &record.sealed, to, entropy)?;
        act.rows.reseal_record(organisation, record.leaf, record.key_version, &sealed, to)?;
        resealed += 1;
    }
    let payloads = act.rows.payloads_under(organisation, to, BATCH)?;
    for (entry, payload) in &payloads {
        let holding = act.rows.holding(organisation, payload.leaf)?.ok_or(StoreError::Damaged)?;
        if holding.state != HoldingState::Live {
            continue;
        }
        let context =
            payload_context(organisation, payload.leaf, holding.class, payload.id, payload.key_version);
        let sealed = act.state.reseal(&context, &payload.sealed, to, entropy)?;
        act.rows.reseal_payload(organisation, *entry, payload.key_version, &sealed, to)?;
        resealed += 1;
    }
    for document in &act.rows.documents_under(organisation, to, BATCH)? {
        let holding = act.rows.holding(organisation, document.leaf)?.ok_or(StoreError::Damaged)?;
        if holding.state != HoldingState::Live {
            continue;
        }
        let context =
            payload_context(organisation, document.leaf, holding.class, document.id, document.key_version);
        let sealed = act.state.reseal(&context, &document.sealed, to, entropy)?;
        act.rows.reseal_document(organisation, document.id, document.key_version, &sealed, to)?;
        resealed += 1;
    }
    Ok(resealed)
}
