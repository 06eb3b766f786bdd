use vouchsafe_consent::{Binding, Consented, Permit};
use vouchsafe_embed::{EmbedError, FaceEmbedding, LiveFace};
use vouchsafe_ledger::{ActorRole, EntryKind};
use vouchsafe_retention::{PersonalAct, Trigger};
use vouchsafe_store::{Holding, HoldingState, RecordRow};
use vouchsafe_template::{TemplateKey, protect};
use vouchsafe_types::{DataClass, Digest, LeafIndex, Outcome, Reasons, Refusal, Scope};

use crate::act::{Act, template_context};
use crate::lives::trigger_code;
use crate::payload::Payload;
use crate::receipt::Receipt;
use crate::{EnrolmentReceipt, Error, Subject};

/// The classes of which an enrolment may need a new leaf.
pub(crate) const CLASSES: [DataClass; 3] =
    [DataClass::Biometric, DataClass::ConsentEvidence, DataClass::VerificationLog];

impl Subject<'_> {
    /// Enrols a face: embeds, protects, seals and stores it.
    ///
    /// The transaction reads consent again: a withdrawal that was acknowledged in between wins.
    ///
    /// Returns [`Outcome::Refused`] with [`Refusal::AssuranceTooLow`], [`Refusal::PermitStale`], [`Refusal::ConsentWithdrawn`],
    /// [`Refusal::AlreadyEnrolled`], or [`Refusal::TemplateDestroyed`] while an old template is being destroyed.
    ///
    /// # Errors
    /// [`Error::Foreign`] for a permit of somebody else.
    pub fn enrol(
        &self,
        permit: &Permit<Consented>,
        face: LiveFace<Consented>,
    ) -> Result<Outcome<EnrolmentReceipt>, Error> {
        self.enrol_by(permit, face, |embedding| self.enrol_embedding(permit, embedding))
    }

    /// Embeds the face, and hands the embedding on.
    pub(crate) fn enrol_by(
        &self,
        permit: &Permit<Consented>,
        face: LiveFace<Consented>,
        enrol: impl FnOnce(FaceEmbedding<Consented>) -> Result<Outcome<EnrolmentReceipt>, Error>,
    ) -> Result<Outcome<EnrolmentReceipt>, Error> {
        match self.embed(permit, face) {
            Err(Error::Embed(EmbedError::PermitStale)) => self.act(&[DataClass::VerificationLog], |act| {
                let stale = Reasons::one(Refusal::PermitStale);
                self.refuse_enrolment(act, permit.binding().scope(), stale)
            }),
            embedding => enrol(embedding?),
        }
    }

    /// Enrols an embedding that was made under a permit; what [`Self::enrol`] does after embedding.
    ///
    /// # Errors
    /// As [`Self::enrol`].
    pub fn enrol_embedding(
        &self,
        permit: &Permit<Consented>,
        embedding: FaceEmbedding<Consented>,
    ) -> Result<Outcome<EnrolmentReceipt>, Error> {
        self.check_binding(permit, &embedding)?;
        self.act(&CLASSES, |act| self.enrol_in(act, permit, embedding))
    }

    /// What [`Self::enrol_embedding`] does within its transaction.
    pub(crate) fn enrol_in(
        &self,
        act: &mut Act<'_>,
        permit: &Permit<Consented>,
        embedding: FaceEmbedding<Consented>,
    ) -> Result<Outcome<EnrolmentReceipt>, Error> {
        let scope = permit.binding().scope();
        if let Some(reasons) = self.closed(act.rows, permit, embedding.assurance(), act.now)? {
            return self.refuse_enrolment(act, scope, reasons);
        }
        let held = act.rows.biometric_holding(act.organisation, self.pseudonym, scope)?;
        let open = match &held {
            Some(holding) => self.is_open(act.rows, holding)?,
            None => false,
        };
        let refusal = match held.map(|holding| holding.state) {
            Some(HoldingState::Live) if open => Some(Refusal::AlreadyEnrolled),
            // Its time is over and a hold keeps it, or it is being destroyed: there is no room for another yet.
            Some(HoldingState::Live | HoldingState::Condemned { .. }) => Some(Refusal::TemplateDestroyed),
            Some(HoldingState::Destroyed { .. }) | None => None,
        };
        if let Some(refusal) = refusal {
            return self.refuse_enrolment(act, scope, Reasons::one(refusal));
        }
        self.store_template(act, permit.binding(), embedding).map(Outcome::Done)
    }

    fn refuse_enrolment<T>(
        &self,
        act: &mut Act<'_>,
        scope: Scope,
        reasons: Reasons,
    ) -> Result<Outcome<T>, Error> {
        self.log_refusal(act, EntryKind::EnrolmentRefused, scope, &reasons)?;
        Ok(Outcome::Refused(reasons))
    }

    fn store_template(
        &self,
        act: &mut Act<'_>,
        binding: &Binding,
        embedding: FaceEmbedding<Consented>,
    ) -> Result<EnrolmentReceipt, Error> {
        let leaf = act.new_leaf(DataClass::Biometric)?;
        let probe = protect(&TemplateKey::new(act.state.template_secret(leaf)?.into_secret()), embedding);
        let model = probe.model();
        let reference = probe.into_reference().to_bytes();
        self.store_reference(act, binding, (leaf, model), reference.expose_secret())
    }

    fn begin_life(&self, act: &mut Act<'_>, scope: Scope) -> Result<(), Error> {
        for scope in [Some(scope), None] {
            for trigger in ENDS {
                act.rows.clear_event(act.organisation, self.pseudonym, scope, trigger_code(trigger))?;
            }
        }
        Ok(())
    }

    /// Stores an encoded reference under a fresh leaf, with the entry that says so.
    pub(crate) fn store_reference(
        &self,
        act: &mut Act<'_>,
        binding: &Binding,
        (leaf, model): (LeafIndex, Digest),
        reference: &[u8],
    ) -> Result<EnrolmentReceipt, Error> {
        let scope = binding.scope();
        let payload = Payload::by(ActorRole::Person, act.now).binding(binding);
        self.acted(act, PersonalAct::Enrolled)?;
        let recorded =
            act.record(EntryKind::TemplateEnrolled, DataClass::ConsentEvidence, self.pseudonym, &payload)?;
        self.begin_life(act, scope)?;
        let mut holding = Holding {
            leaf,
            class: DataClass::Biometric,
            subject: self.pseudonym,
            scope: Some(scope),
            state: HoldingState::Live,
            created_at: act.now,
            created_entry: Some(recorded.entry),
            review_at: None,
        };
        let life = act.life(self.pseudonym)?;
        holding.review_at = act.decide(&life, &holding)?.review_at(act.now);
        act.rows.insert_holding(act.organisation, &holding)?;
        let mut record = RecordRow {
            id: act.record_id()?,
            leaf,
            model,
            dimension: DIMENSION,
            key_version: act.state.key_version(),
            sealed: Vec::new(),
        };
        let context = template_context(act.organisation, leaf, scope, &record);
        record.sealed = act.seal(&context, reference)?;
        act.rows.insert_record(act.organisation, &record)?;
        Ok(EnrolmentReceipt(Receipt::new(recorded)))
    }
}

const DIMENSION: u16 = 512;

/// What starts a period ends with what it ended: whoever enrols anew begins a new life.
const ENDS: [Trigger; 4] =
    [Trigger::AccountDeletion, Trigger::MethodDisabled, Trigger::PurposeMet, Trigger::Withdrawal];
