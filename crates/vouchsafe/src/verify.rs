use vouchsafe_consent::{Consented, Permit};
use vouchsafe_embed::{Assurance, EmbedError, FaceEmbedding, LiveFace};
use vouchsafe_envelope::{EnvelopeError, LeafStatus, OrganisationState};
use vouchsafe_ledger::{ActorRole, EntryKind, EntryOutcome};
use vouchsafe_retention::PersonalAct;
use vouchsafe_store::{Holding, HoldingState, StoreError, Transaction};
use vouchsafe_template::{Decision, ProtectedReference, TemplateKey, Threshold, compare, protect};
use vouchsafe_types::{DataClass, LeafIndex, Reasons, Refusal, Timestamp};

use crate::act::{Act, template_context};
use crate::lives::is_over;
use crate::payload::Payload;
use crate::{Error, Subject};

/// What the comparison found, before the transaction that decides.
enum Compared {
    /// The keys in memory are older than the template.
    Behind(FaceEmbedding<Consented>),
    /// No template was opened, and why.
    Closed(Reasons),
    /// The template under this leaf was opened.
    Opened { leaf: LeafIndex, decision: Decision },
}

impl Subject<'_> {
    /// Verifies a face against the enrolled template of the permit's scope.
    ///
    /// The comparison is made on a snapshot; then one transaction reads consent, marks and template again, appends the
    /// entry that says what was opened and what came of it, and moves the person's interaction. A withdrawal that was
    /// acknowledged before that transaction wins, also over a match.
    ///
    /// # Errors
    /// [`Error`] is no verdict; treat it as no. [`Error::Foreign`] for a permit of somebody else.
    pub fn verify(&self, permit: &Permit<Consented>, face: LiveFace<Consented>) -> Result<Decision, Error> {
        match self.embed(permit, face) {
            Err(Error::Embed(EmbedError::PermitStale)) => self.act(&[DataClass::VerificationLog], |act| {
                self.reject(act, permit, Reasons::one(Refusal::PermitStale))
            }),
            embedding => self.verify_embedding(permit, embedding?),
        }
    }

    /// Verifies an embedding that was made under a permit; what [`Self::verify`] does after embedding.
    ///
    /// # Errors
    /// As [`Self::verify`].
    pub fn verify_embedding(
        &self,
        permit: &Permit<Consented>,
        embedding: FaceEmbedding<Consented>,
    ) -> Result<Decision, Error> {
        self.check_binding(permit, &embedding)?;
        let (core, assurance) = (self.organisation.core, embedding.assurance());
        let look = |embedding| {
            core.look(&self.organisation.id, |state, rows| {
                self.compare(state, rows, permit, embedding, core.now())
            })
        };
        let compared = match look(embedding)? {
            // Another process enrolled between the look at the keys and the snapshot: the keys are read again.
            Compared::Behind(embedding) => {
                core.ring.wipe_one(&self.organisation.id);
                look(embedding)?
            }
            compared => compared,
        };
        self.act(&[DataClass::VerificationLog], |act| self.decide(act, permit, assurance, compared))
    }

    fn compare(
        &self,
        state: &OrganisationState,
        rows: &mut dyn Transaction,
        permit: &Permit<Consented>,
        embedding: FaceEmbedding<Consented>,
        now: Timestamp,
    ) -> Result<Compared, Error> {
        if let Some(reasons) = self.closed(rows, permit, embedding.assurance(), now)? {
            return Ok(Compared::Closed(reasons));
        }
        let (organisation, scope) = (&self.organisation.id, permit.binding().scope());
        let closed = |refusal| Ok(Compared::Closed(Reasons::one(refusal)));
        let leaf = match rows.biometric_holding(organisation, self.pseudonym, scope)? {
            Some(holding) if self.is_open(rows, &holding)? => holding.leaf,
            Some(_) => return closed(Refusal::TemplateDestroyed),
            None => return closed(Refusal::NotEnrolled),
        };
        if state.status(leaf) == LeafStatus::NeverAllocated {
            return Ok(Compared::Behind(embedding));
        }
        let record = rows.record(organisation, leaf)?.ok_or(StoreError::Damaged)?;
        let plain = state.open(&template_context(organisation, leaf, scope, &record), &record.sealed)?;
        let reference = ProtectedReference::parse(plain.expose_secret())?;
        let probe = protect(&TemplateKey::new(state.template_secret(leaf)?.into_secret()), embedding);
        let threshold = Threshold::reported_default(record.model)?;
        let decision = compare(&reference, probe, &threshold, now)?;
        Ok(Compared::Opened { leaf, decision })
    }

    /// Asks again, in the transaction that commits, whether what was compared may count.
    fn decide(
        &self,
        act: &mut Act<'_>,
        permit: &Permit<Consented>,
        assurance: Assurance,
        compared: Compared,
    ) -> Result<Decision, Error> {
        let (leaf, decision) = match compared {
            Compared::Behind(_) => return Err(Error::Envelope(EnvelopeError::NeverAllocated)),
            Compared::Closed(reasons) => return self.reject(act, permit, reasons),
            Compared::Opened { leaf, decision } => (leaf, decision),
        };
        let mut closed = self.closed(act.rows, permit, assurance, act.now)?;
        let open = match act.rows.holding(act.organisation, leaf)? {
            Some(holding) => self.is_open(act.rows, &holding)?,
            None => false,
        };
        if !open {
            closed.get_or_insert(Reasons::one(Refusal::TemplateDestroyed));
        }
        if let Some(reasons) = closed {
            self.log_opening(act, permit, EntryOutcome::Refused)?;
            return Ok(Decision::Rejected(reasons));
        }
        // Only the person's own act extends a retention period; a stranger's attempt is not one.
        if decision.is_accepted() {
            self.acted(act, PersonalAct::Verified)?;
        }
        let outcome = if decision.is_accepted() { EntryOutcome::Accepted } else { EntryOutcome::Rejected };
        self.log_opening(act, permit, outcome)?;
        Ok(decision)
    }

    /// Whether a template may be used: it is live, and its time is not over. One whose time is over and that a hold keeps
    /// is used for nothing.
    pub(crate) fn is_open(&self, rows: &mut dyn Transaction, holding: &Holding) -> Result<bool, Error> {
        let live = holding.state == HoldingState::Live;
        Ok(live && !is_over(&rows.events(&self.organisation.id, self.pseudonym)?, holding))
    }

    fn log_opening(
        &self,
        act: &mut Act<'_>,
        permit: &Permit<Consented>,
        outcome: EntryOutcome,
    ) -> Result<(), Error> {
        let payload = Payload::by(ActorRole::Person, act.now).binding(permit.binding()).outcome(outcome);
        act.record(EntryKind::TemplateOpened, DataClass::VerificationLog, self.pseudonym, &payload).map(drop)
    }

    fn reject(
        &self,
        act: &mut Act<'_>,
        permit: &Permit<Consented>,
        reasons: Reasons,
    ) -> Result<Decision, Error> {
        self.log_refusal(act, EntryKind::VerificationRefused, permit.binding().scope(), &reasons)?;
        Ok(Decision::Rejected(reasons))
    }
}
