//! The destruction that the end of a consent, or a retention rule, sets off.
//!
//! 1. One transaction records the act, fences the holdings (`Condemned`) and appends the entries: this commit is
//!    the acknowledgement; from here on everything is refused.
//! 2. The key tree is punctured and the old state key destroyed at the service.
//! 3. One transaction deletes the sealed bytes and records the destruction with its evidence.
//! 4. Remnants are removed, the log is published, certificates are issued.
//!
//! A crash after 1 leaves condemned holdings; [`Organisation::resume_destructions`] goes on from there.

use std::collections::BTreeMap;

use vouchsafe_envelope::port::ErasureStrength;
use vouchsafe_envelope::{EnvelopeError, PunctureReport};
use vouchsafe_ledger::merkle::leaf_hash;
use vouchsafe_ledger::{ActorRole, DestructionReason, EntryKind};
use vouchsafe_retention::Rule;
use vouchsafe_store::{Holding, HoldingState, StoreError};
use vouchsafe_types::{DataClass, Digest, LeafIndex, Scope, SubjectPseudonym, Timestamp};

use crate::act::{Act, day_of};
use crate::cause::Cause;
use crate::certificate::{DestructionCertificate, Statement};
use crate::leases::Leadership;
use crate::orders::open_orders;
use crate::payload::Payload;
use crate::{Error, Organisation, Subject};

/// Whether what was condemned is destroyed. Refusal is immediate either way.
#[derive(Debug)]
#[must_use]
#[expect(clippy::exhaustive_enums, reason = "callers match both ends on purpose")]
pub enum Destruction {
    /// Nothing that was condemned can be opened any more; one certificate for each holding.
    Done(Vec<DestructionCertificate>),
    /// Fenced, and not yet destroyed, or left to another process that sweeps; call [`Organisation::resume_destructions`] again.
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

    /// Until when another process does the work, if that is why; there is nothing to do then.
    pub const fn elsewhere_until(&self) -> Option<Timestamp> {
        match self.cause {
            Error::Elsewhere(until) => Some(until),
            _ => None,
        }
    }

    pub(crate) const fn uncounted(cause: Error) -> Self {
        Self { remaining: None, cause }
    }

    /// Everything that was condemned is certified, and something else is left to do.
    pub(crate) const fn of_the_rest(cause: Error) -> Self {
        Self { remaining: Some(0), cause }
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
        let held =
            vouchsafe_store::read(&*self.organisation.core.ports.store, &self.organisation.id, |rows| {
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
    cause: &Cause<'_>,
    actor: ActorRole,
) -> Result<(), Error> {
    act.rows.condemn(act.organisation, holding.leaf, &cause.to_string(), act.now)?;
    if holding.class == DataClass::Biometric {
        let payload = Payload::by(actor, act.now).cause(cause.reason).rule(cause.rule);
        let payload = payload.enrolment(holding.created_entry);
        let (kind, class) = (EntryKind::TemplateDestroyRequested, DataClass::DestructionEvidence);
        act.record(kind, class, holding.subject, &payload)?;
    }
    Ok(())
}

impl Organisation<'_> {
    /// Destroys everything that is condemned and not yet destroyed. Idempotent; safe in several processes.
    pub fn resume_destructions(&self) -> Destruction {
        self.resume_destructions_as(None)
    }

    /// As [`Self::resume_destructions`], for as long as the leadership lasts.
    pub(crate) fn resume_destructions_as(&self, leader: Option<&Leadership<'_>>) -> Destruction {
        match self.condemned() {
            Ok(condemned) if condemned.is_empty() => match self.finish() {
                Ok(()) => Destruction::Done(Vec::new()),
                Err(cause) => Destruction::Pending(ErasureIncomplete { remaining: Some(0), cause }),
            },
            Ok(condemned) => match self.destroy(&condemned, leader) {
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
        vouchsafe_store::read(&*self.core.ports.store, &self.id, |rows| Ok(rows.condemned(&self.id)?))
    }

    fn destroy(
        &self,
        condemned: &[Holding],
        leader: Option<&Leadership<'_>>,
    ) -> Result<Vec<DestructionCertificate>, Error> {
        let leaves: Vec<LeafIndex> = condemned.iter().map(|holding| holding.leaf).collect();
        let report = self.core.ring.destroy(&self.id, &leaves)?;
        for batch in condemned.chunks(BATCH) {
            let evidence = vec![DataClass::DestructionEvidence; batch.len()];
            self.core.act(&self.id, &evidence, |act| {
                leader.map_or(Ok(()), |leader| leader.keep(act))?;
                batch.iter().try_for_each(|holding| record_destruction(act, holding, &report))
            })?;
        }
        self.finish()?;
        self.certified_all(&leaves)
    }

    /// Destroys what is condemned, and gives the certificates of these leaves, also when another process was faster.
    pub(crate) fn destruction_of(&self, leaves: &[LeafIndex]) -> Destruction {
        match self.resume_destructions() {
            Destruction::Done(_) => match self.certified_all(leaves) {
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

    /// Adds to a certificate the proof that its destruction is in the log; publishes first when needed.
    ///
    /// # Errors
    /// As [`Self::prove`].
    pub fn prove_certificate(&self, certificate: &mut DestructionCertificate) -> Result<(), Error> {
        certificate.set_proof(self.prove(certificate.destruction_entry())?);
        Ok(())
    }

    fn certified(&self, leaf: LeafIndex) -> Result<DestructionCertificate, Error> {
        self.certified_all(&[leaf])?.pop().ok_or(Error::NotDestroyed)
    }

    /// One certificate for each.
    fn certified_all(&self, leaves: &[LeafIndex]) -> Result<Vec<DestructionCertificate>, Error> {
        let mut certificates = Vec::with_capacity(leaves.len());
        for batch in leaves.chunks(BATCH) {
            certificates.extend(self.certify_again(batch, |statement| {
                statement.ok_or(Error::Format("evidence of the destruction")).map(Some)
            })?);
        }
        Ok(certificates)
    }

    /// The certificates of those whose evidence is still held, from one look at the rows.
    pub(crate) fn certified_together(
        &self,
        leaves: &[LeafIndex],
    ) -> Result<Vec<DestructionCertificate>, Error> {
        self.certify_again(leaves, Ok)
    }

    fn certify_again(
        &self,
        leaves: &[LeafIndex],
        held: impl Fn(Option<Statement>) -> Result<Option<Statement>, Error>,
    ) -> Result<Vec<DestructionCertificate>, Error> {
        match self.certify(leaves, &held) {
            // Another process has just reserved the leaf of the evidence: the keys in memory are read again.
            Err(Error::Envelope(EnvelopeError::NeverAllocated)) => {
                self.core.ring.wipe_one(&self.id);
                self.certify(leaves, &held)
            }
            certified => certified,
        }
    }

    fn certify(
        &self,
        leaves: &[LeafIndex],
        held: impl Fn(Option<Statement>) -> Result<Option<Statement>, Error>,
    ) -> Result<Vec<DestructionCertificate>, Error> {
        let (origin, now) = (self.log_origin()?, self.core.now());
        self.core.look(&self.id, |state, rows| {
            let (signer, organisation) = (self.core.signer(state)?, &self.id);
            let mut act = Act { core: self.core, organisation, state, rows, now, spare: &mut Vec::new() };
            let mut certificates = Vec::with_capacity(leaves.len());
            for leaf in leaves {
                if let Some(statement) = held(statement(&mut act, &origin, *leaf)?)? {
                    certificates.push(DestructionCertificate::sign(statement, &signer)?);
                }
            }
            Ok(certificates)
        })
    }

    /// What is destroyed, evidence of destructions apart, by the entry that says so.
    pub(crate) fn destroyed_by_entry(&self) -> Result<BTreeMap<u64, LeafIndex>, Error> {
        vouchsafe_store::read(&*self.core.ports.store, &self.id, |rows| {
            let (mut destroyed, mut after) = (BTreeMap::new(), None);
            loop {
                let page = rows.holdings(&self.id, after, PAGE)?;
                let Some(last) = page.last() else { return Ok(destroyed) };
                after = Some(last.leaf);
                destroyed.extend(page.iter().filter_map(|holding| match holding.state {
                    HoldingState::Destroyed { entry, .. } => {
                        (holding.class != DataClass::DestructionEvidence).then_some((entry, holding.leaf))
                    }
                    _ => None,
                }));
            }
        })
    }
}

/// What the certificate of a destroyed holding says; `None` when its evidence is no longer held.
fn statement(act: &mut Act<'_>, origin: &str, leaf: LeafIndex) -> Result<Option<Statement>, Error> {
    let holding = act.rows.holding(act.organisation, leaf)?.ok_or(Error::NotDestroyed)?;
    let HoldingState::Destroyed { cause, at, entry } = &holding.state else {
        return Err(Error::NotDestroyed);
    };
    let Some(evidence) = act.evidence_of(*entry)? else { return Ok(None) };
    let enrolment = holding.created_entry.map(|entry| leaf_of(act, entry)).transpose()?;
    let cause = Cause::parse(cause);
    let rule = cause.rule.and_then(|id| act.core.ports.retention.rule(id));
    let word = |name: &str| evidence.words.get(name).cloned().unwrap_or_else(|| "none".to_owned());
    let strength = evidence.strength.clone().unwrap_or_else(|| ErasureStrength::None.name().to_owned());
    Ok(Some(Statement {
        origin: origin.to_owned(),
        class: holding.class,
        enrolment,
        destruction: leaf_of(act, *entry)?,
        hour: hour_of(*at)?.to_string(),
        cause: cause.reason.to_owned(),
        rule: cause.rule.map(|id| (id.to_owned(), clause_of(rule))),
        policy: evidence.policy.clone(),
        statements: word(STATEMENTS),
        state_digest: word(STATE_DIGEST),
        not_reached: not_reached(act, &holding, &strength)?,
        strength,
    }))
}

/// What the destruction of a holding did not reach, in the words of the certificate.
fn not_reached(act: &mut Act<'_>, holding: &Holding, strength: &str) -> Result<Vec<String>, Error> {
    let mut left = Vec::new();
    if strength == ErasureStrength::HostOnly.name() {
        left.push("copies-of-the-key-host".to_owned());
    } else if strength == ErasureStrength::None.name() {
        left.push("everything".to_owned());
    }
    let recipients = open_orders(act, holding.subject, holding.class)?;
    if recipients > 0 {
        left.push(format!("recipients {recipients}"));
    }
    Ok(left)
}

/// A rule that left the policy since is named without its clause.
fn clause_of(rule: Option<&Rule>) -> String {
    rule.map_or(RETIRED, Rule::clause).to_owned()
}

/// What stands in the place of its clause.
pub(crate) const RETIRED: &str = "no longer in the policy";

fn leaf_of(act: &mut Act<'_>, entry: u64) -> Result<(u64, Digest), Error> {
    let row = act.rows.entries(act.organisation, entry, 1)?.pop().ok_or(StoreError::Damaged)?;
    Ok((entry, leaf_hash(&row)))
}

/// The start of the hour around an instant, as coarse as the log.
fn hour_of(at: Timestamp) -> Result<Timestamp, Error> {
    let second = at.as_second().div_euclid(3600) * 3600;
    Timestamp::from_second(second).map_err(|_| Error::Format("instant"))
}

/// How many destructions one transaction records, or one look certifies.
const BATCH: usize = 256;
/// How many holdings are read together.
const PAGE: u32 = 512;

fn record_destruction(act: &mut Act<'_>, holding: &Holding, report: &PunctureReport) -> Result<(), Error> {
    let stored = act.rows.holding(act.organisation, holding.leaf)?;
    match stored.map(|stored| stored.state) {
        Some(HoldingState::Condemned { cause, .. }) => {
            let seen = Seen { strength: report.strength(), report: Some(report) };
            record_destroyed(act, holding, &Cause::parse(&cause), &seen)
        }
        _ => Ok(()), // Another process was faster.
    }
}

/// What the key service said of a destruction.
pub(crate) struct Seen<'a> {
    pub(crate) strength: ErasureStrength,
    /// `None` where it happened before a restore.
    pub(crate) report: Option<&'a PunctureReport>,
}

/// Appends the entry of a destruction with its evidence, and deletes the sealed bytes of the condemned holding.
///
/// Evidence of destructions leaves none of its own that is about the person: it would have no end.
pub(crate) fn record_destroyed(
    act: &mut Act<'_>,
    holding: &Holding,
    cause: &Cause<'_>,
    seen: &Seen<'_>,
) -> Result<(), Error> {
    let again = cause.reason == DestructionReason::DestroyedBeforeRestore.name();
    let kind = match (holding.class, again) {
        (DataClass::DestructionEvidence, _) => EntryKind::EvidenceExpired,
        (DataClass::Biometric, false) => EntryKind::TemplateDestroyed,
        (DataClass::Biometric, true) => EntryKind::TemplateDestroyedAgain,
        (_, false) => EntryKind::PayloadDestroyed,
        (_, true) => EntryKind::PayloadDestroyedAgain,
    };
    let mut payload = Payload::by(ActorRole::Service, act.now)
        .cause(cause.reason)
        .rule(cause.rule)
        .policy(act.core.ports.retention.digest())
        .strength(seen.strength.name())
        .entries(act.rows.payload_entries(act.organisation, holding.leaf)?)
        .enrolment(holding.created_entry);
    if let Some(report) = seen.report {
        payload = payload
            .word(STATEMENTS, &report.evidence().len().to_string())
            .word(STATE_DIGEST, &report.state_digest().to_string());
    }
    let entry = match kind {
        EntryKind::EvidenceExpired => act.record_public(kind, &payload)?,
        _ => act.record(kind, DataClass::DestructionEvidence, holding.subject, &payload)?.entry,
    };
    act.rows.mark_destroyed(act.organisation, holding.leaf, act.now, entry)?;
    match holding.class {
        DataClass::DestructionEvidence => end_of_evidence(act, holding),
        // Evidence of consent begins to age when the last template is gone.
        DataClass::Biometric => act.review(holding.subject),
        _ => forget(act, holding.subject),
    }
}

/// With the evidence of its destruction goes the row that it was about.
fn end_of_evidence(act: &mut Act<'_>, holding: &Holding) -> Result<(), Error> {
    let (_, day) = day_of(holding.created_at)?;
    act.rows.purge_destroyed(act.organisation, holding.subject, day)?;
    forget(act, holding.subject)
}

/// Rows in clear outlive what is sealed by nothing.
fn forget(act: &mut Act<'_>, subject: SubjectPseudonym) -> Result<(), Error> {
    act.rows.forget_subject(act.organisation, subject)?;
    Ok(())
}

const STATEMENTS: &str = "key_service_statements";
const STATE_DIGEST: &str = "state_digest";
