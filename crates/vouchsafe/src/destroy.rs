//! The destruction that the end of a consent, or a retention rule, sets off.
//!
//! 1. One transaction records the act, fences the holdings (`Condemned`) and appends the entries: this commit is
//!    the acknowledgement; from here on everything is refused.
//! 2. The key tree is punctured and the old state key destroyed at the service.
//! 3. One transaction deletes the sealed bytes and records the destruction with its evidence.
//! 4. Remnants are removed, the log is published, certificates are issued.
//!
//! A crash after 1 leaves condemned holdings; [`Organisation::resume_destructions`] goes on from there.

use vouchsafe_envelope::PunctureReport;
use vouchsafe_envelope::port::ErasureStrength;
use vouchsafe_ledger::merkle::leaf_hash;
use vouchsafe_ledger::{ActorRole, DestructionReason, EntryKind};
use vouchsafe_store::{Holding, HoldingState};
use vouchsafe_types::{DataClass, LeafIndex, Scope, Timestamp};

use crate::act::Act;
use crate::certificate::{DestructionCertificate, Statement};
use crate::payload::Payload;
use crate::{Error, Organisation, Subject};

/// Whether what was condemned is destroyed. Refusal is immediate either way.
#[derive(Debug)]
#[must_use]
#[expect(clippy::exhaustive_enums, reason = "callers match both ends on purpose")]
pub enum Destruction {
    /// Nothing that was condemned can be opened any more; one certificate for each holding.
    Done(Vec<DestructionCertificate>),
    /// Fenced, and not yet destroyed; call [`Organisation::resume_destructions`] again.
    Pending(ErasureIncomplete),
}

/// What a destruction could not reach yet, and why.
#[derive(Debug)]
pub struct ErasureIncomplete {
    remaining: Option<usize>,
    cause: Error,
}

impl ErasureIncomplete {
    /// How many holdings are condemned and not yet certified; `None` when they could not even be counted.
    pub const fn remaining(&self) -> Option<usize> {
        self.remaining
    }

    /// What stood in the way.
    pub const fn cause(&self) -> &Error {
        &self.cause
    }

    pub(crate) fn into_cause(self) -> Error {
        self.cause
    }
}

impl Subject<'_> {
    /// The certificate of the newest destroyed template of a scope, again; `None` while there is none.
    ///
    /// # Errors
    /// As [`Organisation::certificate`].
    pub fn certificate(&self, scope: Scope) -> Result<Option<DestructionCertificate>, Error> {
        self.organisation.core.ensure_not_behind(&self.organisation.id)?;
        let held = vouchsafe_store::read(&*self.organisation.core.ports.store, |rows| {
            rows.biometric_holding(&self.organisation.id, self.pseudonym, scope).map_err(Error::from)
        })?;
        match held {
            Some(Holding { leaf, state: HoldingState::Destroyed { .. }, .. }) => {
                self.organisation.certificate(leaf).map(Some)
            }
            _ => Ok(None),
        }
    }
}

/// Fences a live holding: from this commit on nothing opens it.
pub(crate) fn condemn(
    act: &mut Act<'_>,
    holding: &Holding,
    cause: &str,
    actor: ActorRole,
) -> Result<(), Error> {
    act.rows.condemn(act.organisation, holding.leaf, cause, act.now)?;
    if holding.class == DataClass::Biometric {
        let payload = Payload::by(actor, act.now).cause(cause).enrolment(holding.created_entry);
        let (kind, class) = (EntryKind::TemplateDestroyRequested, DataClass::DestructionEvidence);
        act.record(kind, class, holding.subject, &payload)?;
    }
    Ok(())
}

impl Organisation<'_> {
    /// Destroys everything that is condemned and not yet destroyed. Idempotent; safe in several processes.
    pub fn resume_destructions(&self) -> Destruction {
        match self.condemned() {
            Ok(condemned) if condemned.is_empty() => match self.finish() {
                Ok(()) => Destruction::Done(Vec::new()),
                Err(cause) => Destruction::Pending(ErasureIncomplete { remaining: Some(0), cause }),
            },
            Ok(condemned) => match self.destroy(&condemned) {
                Ok(certificates) => Destruction::Done(certificates),
                Err(cause) => {
                    Destruction::Pending(ErasureIncomplete { remaining: Some(condemned.len()), cause })
                }
            },
            Err(cause) => Destruction::Pending(ErasureIncomplete { remaining: None, cause }),
        }
    }

    fn condemned(&self) -> Result<Vec<Holding>, Error> {
        self.core.ensure_not_behind(&self.id)?;
        vouchsafe_store::read(&*self.core.ports.store, |rows| Ok(rows.condemned(&self.id)?))
    }

    fn destroy(&self, condemned: &[Holding]) -> Result<Vec<DestructionCertificate>, Error> {
        let leaves: Vec<LeafIndex> = condemned.iter().map(|holding| holding.leaf).collect();
        let report = self.core.ring.destroy(&self.id, &leaves)?;
        for batch in condemned.chunks(BATCH) {
            let evidence = vec![DataClass::DestructionEvidence; batch.len()];
            self.core.act(&self.id, &evidence, |act| {
                batch.iter().try_for_each(|holding| record_destruction(act, holding, &report))
            })?;
        }
        self.finish()?;
        leaves.iter().map(|leaf| self.certified(*leaf)).collect()
    }

    /// Destroys what is condemned, and gives the certificates of these leaves, also when another process was faster.
    pub(crate) fn destruction_of(&self, leaves: &[LeafIndex]) -> Destruction {
        match self.resume_destructions() {
            Destruction::Done(_) => match leaves.iter().map(|leaf| self.certified(*leaf)).collect() {
                Ok(certificates) => Destruction::Done(certificates),
                Err(cause) => {
                    Destruction::Pending(ErasureIncomplete { remaining: Some(leaves.len()), cause })
                }
            },
            pending => pending,
        }
    }

    /// What follows every destruction; also catches up what an interrupted one left.
    fn finish(&self) -> Result<(), Error> {
        self.core.ports.store.remove_remnants()?;
        self.publish_log().map(drop)
    }

    /// The certificate of a destroyed holding, by its leaf; only when its remnants are gone and it is published.
    ///
    /// # Errors
    /// [`Error::NotDestroyed`] when it is not destroyed; [`Error::Format`] when its evidence is no longer held; what
    /// stands in the way of the remnants or the publication.
    pub fn certificate(&self, leaf: LeafIndex) -> Result<DestructionCertificate, Error> {
        self.finish()?;
        self.certified(leaf)
    }

    fn certified(&self, leaf: LeafIndex) -> Result<DestructionCertificate, Error> {
        let origin = self.log_origin()?;
        self.core.act(&self.id, &[], |act| {
            let holding = act.rows.holding(act.organisation, leaf)?;
            let Some(Holding {
                class,
                created_entry,
                state: HoldingState::Destroyed { cause, at, entry },
                ..
            }) = holding
            else {
                return Err(Error::NotDestroyed);
            };
            let evidence = act.payload(entry)?.ok_or(Error::Format("evidence of the destruction"))?;
            let enrolment = created_entry.map(|entry| act.rows.entries(act.organisation, entry, 1));
            let enrolment = created_entry.zip(enrolment.transpose()?.and_then(|mut rows| rows.pop()));
            let statement = Statement {
                origin,
                class,
                enrolment: enrolment.map(|(entry, row)| (entry, leaf_hash(&row))),
                destruction: entry,
                hour: hour_of(at)?.to_string(),
                cause,
                strength: evidence.strength.unwrap_or_else(|| "none".to_owned()),
            };
            DestructionCertificate::sign(statement, &self.core.signer(act.state)?)
        })
    }
}

/// The start of the hour around an instant, as coarse as the log.
fn hour_of(at: Timestamp) -> Result<Timestamp, Error> {
    let second = at.as_second().div_euclid(3600) * 3600;
    Timestamp::from_second(second).map_err(|_| Error::Format("instant"))
}

/// How many destructions one transaction records.
const BATCH: usize = 256;

fn record_destruction(act: &mut Act<'_>, holding: &Holding, report: &PunctureReport) -> Result<(), Error> {
    let stored = act.rows.holding(act.organisation, holding.leaf)?;
    match stored.map(|stored| stored.state) {
        Some(HoldingState::Condemned { cause, .. }) => {
            record_destroyed(act, holding, &cause, report.strength())
        }
        _ => Ok(()), // Another process was faster.
    }
}

/// Appends the entry of a destruction with its evidence, and deletes the sealed bytes of the condemned holding.
pub(crate) fn record_destroyed(
    act: &mut Act<'_>,
    holding: &Holding,
    cause: &str,
    strength: ErasureStrength,
) -> Result<(), Error> {
    let again = cause == DestructionReason::DestroyedBeforeRestore.name();
    let kind = match (holding.class, again) {
        (DataClass::Biometric, false) => EntryKind::TemplateDestroyed,
        (DataClass::Biometric, true) => EntryKind::TemplateDestroyedAgain,
        (_, false) => EntryKind::PayloadDestroyed,
        (_, true) => EntryKind::PayloadDestroyedAgain,
    };
    let payload = Payload::by(ActorRole::Service, act.now)
        .cause(cause)
        .strength(strength.name())
        .entries(act.rows.payload_entries(act.organisation, holding.leaf)?)
        .enrolment(holding.created_entry);
    let recorded = act.record(kind, DataClass::DestructionEvidence, holding.subject, &payload)?;
    Ok(act.rows.mark_destroyed(act.organisation, holding.leaf, act.now, recorded.entry)?)
}
