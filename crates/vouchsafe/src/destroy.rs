//! Withdrawal, erasure and the destruction that both set off.
//!
//! 1. One transaction records the act, fences the holdings (`Condemned`) and appends the entries: this commit is
//!    the acknowledgement; from here on everything is refused.
//! 2. The key tree is punctured and the old state key destroyed at the service.
//! 3. One transaction deletes the sealed bytes and records the destruction with its evidence.
//! 4. Remnants are removed, the log is published, certificates are issued.
//!
//! A crash after 1 leaves condemned holdings; [`Organisation::resume_destructions`] goes on from there.

use vouchsafe_consent::{ConsentLine, ConsentState};
use vouchsafe_envelope::PunctureReport;
use vouchsafe_envelope::port::ErasureStrength;
use vouchsafe_ledger::EntryKind;
use vouchsafe_ledger::merkle::leaf_hash;
use vouchsafe_store::{ConsentRow, Holding, HoldingState};
use vouchsafe_types::{DataClass, Digest, LeafIndex, Scope, SubjectPseudonym, Timestamp};

use crate::act::Act;
use crate::certificate::{DestructionCertificate, Statement};
use crate::payload::Payload;
use crate::receipt::Receipt;
use crate::subject::line;
use crate::{ConsentReceipt, Error, Organisation, Subject};

/// The id of the cause when the person withdrew consent.
pub(crate) const WITHDRAWAL: &str = "withdrawal";
/// The id of the cause when the person's account was deleted.
pub(crate) const ACCOUNT_DELETION: &str = "account_deletion";

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

/// A withdrawal that is acknowledged.
#[derive(Debug)]
#[must_use]
#[non_exhaustive]
pub struct Withdrawal {
    /// What the person keeps.
    pub receipt: ConsentReceipt,
    /// Whether the template is destroyed already.
    pub destruction: Destruction,
}

impl Subject<'_> {
    /// Withdraws consent for one scope and destroys what was held under it. As easy as giving: one call.
    ///
    /// When this returns `Ok`, the withdrawal is durable and every process refuses.
    ///
    /// # Errors
    /// [`Error::Consent`] when there is no consent to withdraw; any other error means: not withdrawn.
    pub fn withdraw(&self, scope: Scope) -> Result<Withdrawal, Error> {
        let (receipt, condemned) =
            self.act(&EVIDENCE, |act| withdraw(act, self.pseudonym, scope, WITHDRAWAL))?;
        let condemned: Vec<LeafIndex> = condemned.into_iter().collect();
        Ok(Withdrawal { receipt, destruction: self.organisation.destruction_of(&condemned) })
    }

    /// Withdraws every given consent and destroys every template of the person (account deletion).
    ///
    /// Consent evidence stays for its seven years; it has leaves of its own.
    ///
    /// # Errors
    /// Any error means: nothing was withdrawn.
    pub fn erase(&self) -> Result<Destruction, Error> {
        let condemned = self.act(&EVIDENCE, |act| {
            let mut all = Vec::new();
            for scope in Scope::all_biometric() {
                let row = act.rows.consent(act.organisation, self.pseudonym, scope)?;
                if row.is_some_and(|row| !row.withdrawn) {
                    let (_receipt, condemned) = withdraw(act, self.pseudonym, scope, ACCOUNT_DELETION)?;
                    all.extend(condemned);
                }
            }
            Ok(all)
        })?;
        Ok(self.organisation.destruction_of(&condemned))
    }
}

/// The classes of evidence that an act of withdrawal writes.
const EVIDENCE: [DataClass; 2] = [DataClass::ConsentEvidence, DataClass::DestructionEvidence];

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

fn withdraw(
    act: &mut Act<'_>,
    subject: SubjectPseudonym,
    scope: Scope,
    cause: &str,
) -> Result<(ConsentReceipt, Option<LeafIndex>), Error> {
    let given = act.rows.consent(act.organisation, subject, scope)?;
    let line = line(act.rows, act.organisation, subject, scope)?.withdraw(act.now)?;
    // `withdraw` refuses a line without an act, so there is a row.
    let notice = given.ok_or(Error::UnknownNotice)?.notice;
    act.rows.put_consent(act.organisation, subject, scope, &withdrawn_row(&line, notice, act.now))?;
    let payload = Payload::at(act.now).scope(scope).sequence(line.sequence()).cause(cause);
    let recorded = act.record(EntryKind::ConsentWithdrawn, DataClass::ConsentEvidence, subject, &payload)?;
    let held = act.rows.biometric_holding(act.organisation, subject, scope)?;
    let mut condemned = None;
    if let Some(holding) = held.filter(|holding| holding.state == HoldingState::Live) {
        condemn(act, &holding, cause)?;
        condemned = Some(holding.leaf);
    }
    Ok((ConsentReceipt(Receipt::new(recorded)), condemned))
}

/// The row of a withdrawn line, dated as the line says.
pub(crate) fn withdrawn_row(line: &ConsentLine, notice: Digest, now: Timestamp) -> ConsentRow {
    let at = match line.state() {
        ConsentState::Withdrawn { at } => at,
        _ => now,
    };
    ConsentRow { sequence: line.sequence(), withdrawn: true, notice, at }
}

/// Fences a live holding: from this commit on nothing opens it.
pub(crate) fn condemn(act: &mut Act<'_>, holding: &Holding, cause: &str) -> Result<(), Error> {
    act.rows.condemn(act.organisation, holding.leaf, cause, act.now)?;
    if holding.class == DataClass::Biometric {
        let payload = Payload::at(act.now).cause(cause).enrolment(holding.created_entry);
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
    fn destruction_of(&self, leaves: &[LeafIndex]) -> Destruction {
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
                strength: evidence.outcome.unwrap_or_else(|| "none".to_owned()),
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
    let kind = match holding.class {
        DataClass::Biometric => EntryKind::TemplateDestroyed,
        _ => EntryKind::PayloadDestroyed,
    };
    let payload = Payload::at(act.now).cause(cause).enrolment(holding.created_entry).outcome(strength.name());
    let recorded = act.record(kind, DataClass::DestructionEvidence, holding.subject, &payload)?;
    Ok(act.rows.mark_destroyed(act.organisation, holding.leaf, act.now, recorded.entry)?)
}
