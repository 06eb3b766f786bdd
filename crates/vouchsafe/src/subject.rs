use vouchsafe_consent::{Act as Expression, ConsentLine, ConsentState, Consented, Notice, Permit, danger};
use vouchsafe_embed::{Assurance, EmbedError, FaceEmbedding, LiveFace};
use vouchsafe_ledger::EntryKind;
use vouchsafe_store::{ConsentRow, Holding, HoldingState, NoticeRow, RecordRow, StoreError, Transaction};
use vouchsafe_template::{Decision, ProtectedReference, TemplateKey, Threshold, compare, protect};
use vouchsafe_types::{
    DataClass, Digest, LeafIndex, OrganisationId, Outcome, Reasons, Refusal, Scope, SubjectPseudonym,
};

use crate::act::{Act, template_context};
use crate::payload::Payload;
use crate::receipt::Receipt;
use crate::{ConsentReceipt, EnrolmentReceipt, Error, Organisation};

/// One person of one organisation. Only a keyed pseudonym of the caller's id is kept.
#[derive(Debug)]
pub struct Subject<'a> {
    pub(crate) organisation: &'a Organisation<'a>,
    pub(crate) pseudonym: SubjectPseudonym,
}

impl Subject<'_> {
    /// The keyed pseudonym that stands for the person in the database.
    pub const fn pseudonym(&self) -> SubjectPseudonym {
        self.pseudonym
    }

    /// Records that the person consented to one scope, having been shown the notice; also renews.
    ///
    /// # Errors
    /// [`Error::UnknownNotice`] when the notice is not published by this organisation or no longer the newest.
    pub fn give_consent(
        &self,
        scope: Scope,
        notice: &Notice,
        expression: Expression,
    ) -> Result<ConsentReceipt, Error> {
        self.act(&[DataClass::ConsentEvidence], |act| {
            let newest = act.rows.newest_notice(act.organisation, notice.id(), notice.locale())?;
            let newest = newest.filter(|newest| newest.digest == notice.digest());
            // The label that is recorded is the published one, whatever the caller's says.
            let notice = &self::notice(&newest.ok_or(Error::UnknownNotice)?)?;
            act.rows.touch_subject(act.organisation, self.pseudonym, act.now)?;
            let line = line(act.rows, act.organisation, self.pseudonym, scope)?.give(notice, act.now)?;
            put_line(act, &line, notice)?;
            let payload =
                Payload::at(act.now).scope(scope).sequence(line.sequence()).notice(notice).act(expression);
            let recorded =
                act.record(EntryKind::ConsentGiven, DataClass::ConsentEvidence, self.pseudonym, &payload)?;
            Ok(ConsentReceipt(Receipt::new(recorded)))
        })
    }

    /// Asks the consent gate for a permit.
    ///
    /// # Errors
    /// [`Error`] is no verdict; a refusal is [`Outcome::Refused`].
    pub fn permit(&self, scope: Scope) -> Result<Outcome<Permit<Consented>>, Error> {
        let core = self.organisation.core;
        core.ensure_not_behind(&self.organisation.id)?;
        vouchsafe_store::read(&*core.ports.store, |rows| {
            core.ensure_continued(&self.organisation.id, rows)?;
            self.permit_from(rows, scope, core.now())
        })
    }

    fn permit_from(
        &self,
        rows: &mut dyn Transaction,
        scope: Scope,
        now: vouchsafe_types::Timestamp,
    ) -> Result<Outcome<Permit<Consented>>, Error> {
        let organisation = &self.organisation.id;
        let line = line(rows, organisation, self.pseudonym, scope)?;
        let in_force = match line.state() {
            ConsentState::Given { notice, .. } => newest_version_of(rows, organisation, notice)?,
            _ => None,
        };
        match in_force {
            Some(notice) => Ok(self.organisation.core.ports.gate.permit(&line, &notice, now)),
            None if matches!(line.state(), ConsentState::Withdrawn { .. }) => {
                refuse(Refusal::ConsentWithdrawn)
            }
            None => refuse(Refusal::ConsentMissing),
        }
    }

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
        match self.embed(permit, face) {
            Err(Error::Embed(EmbedError::PermitStale)) => refuse(Refusal::PermitStale),
            embedding => self.enrol_embedding(permit, embedding?),
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
        let scope = permit.binding().scope();
        self.act(&[DataClass::Biometric, DataClass::ConsentEvidence], |act| {
            if let Some(refusal) = self.closed(act, permit, embedding.assurance())? {
                return refuse(refusal);
            }
            let held = act.rows.biometric_holding(act.organisation, self.pseudonym, scope)?;
            match held.map(|holding| holding.state) {
                Some(HoldingState::Live) => return refuse(Refusal::AlreadyEnrolled),
                Some(HoldingState::Condemned { .. }) => return refuse(Refusal::TemplateDestroyed),
                Some(HoldingState::Destroyed { .. }) | None => {}
            }
            self.store_template(act, scope, embedding).map(Outcome::Done)
        })
    }

    fn store_template(
        &self,
        act: &mut Act<'_>,
        scope: Scope,
        embedding: FaceEmbedding<Consented>,
    ) -> Result<EnrolmentReceipt, Error> {
        let leaf = act.new_leaf(DataClass::Biometric)?;
        let probe = protect(&TemplateKey::new(act.state.template_secret(leaf)?.into_secret()), embedding);
        let model = probe.model();
        let reference = probe.into_reference().to_bytes();
        self.store_reference(act, scope, (leaf, model), reference.expose_secret())
    }

    /// Stores an encoded reference under a fresh leaf, with the entry that says so.
    pub(crate) fn store_reference(
        &self,
        act: &mut Act<'_>,
        scope: Scope,
        (leaf, model): (LeafIndex, Digest),
        reference: &[u8],
    ) -> Result<EnrolmentReceipt, Error> {
        let payload = Payload::at(act.now).scope(scope);
        act.rows.touch_subject(act.organisation, self.pseudonym, act.now)?;
        let recorded =
            act.record(EntryKind::TemplateEnrolled, DataClass::ConsentEvidence, self.pseudonym, &payload)?;
        act.rows.insert_holding(
            act.organisation,
            &Holding {
                leaf,
                class: DataClass::Biometric,
                subject: self.pseudonym,
                scope: Some(scope),
                state: HoldingState::Live,
                created_at: act.now,
                created_entry: Some(recorded.entry),
            },
        )?;
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

    /// Verifies a face against the enrolled template of the permit's scope.
    ///
    /// Opening the template, the log entry that says so and the person's interaction are one transaction, which
    /// reads consent again: a withdrawal that was acknowledged in between wins.
    ///
    /// # Errors
    /// [`Error`] is no verdict; treat it as no. [`Error::Foreign`] for a permit of somebody else.
    pub fn verify(&self, permit: &Permit<Consented>, face: LiveFace<Consented>) -> Result<Decision, Error> {
        match self.embed(permit, face) {
            Err(Error::Embed(EmbedError::PermitStale)) => self.act(&[DataClass::VerificationLog], |act| {
                self.reject(act, permit.binding().scope(), Refusal::PermitStale)
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
        self.act(&[DataClass::VerificationLog], |act| self.decide(act, permit, embedding))
    }

    fn decide(
        &self,
        act: &mut Act<'_>,
        permit: &Permit<Consented>,
        embedding: FaceEmbedding<Consented>,
    ) -> Result<Decision, Error> {
        let scope = permit.binding().scope();
        if let Some(refusal) = self.closed(act, permit, embedding.assurance())? {
            return self.reject(act, scope, refusal);
        }
        let held = act.rows.biometric_holding(act.organisation, self.pseudonym, scope)?;
        let holding = match held {
            Some(holding) if holding.state == HoldingState::Live => holding,
            Some(_) => return self.reject(act, scope, Refusal::TemplateDestroyed),
            None => return self.reject(act, scope, Refusal::NotEnrolled),
        };
        let leaf = holding.leaf;
        let record = act.rows.record(act.organisation, leaf)?.ok_or(StoreError::Damaged)?;
        let context = template_context(act.organisation, leaf, scope, &record);
        let plain = act.state.open(&context, &record.sealed)?;
        let reference = ProtectedReference::parse(plain.expose_secret())?;
        let probe = protect(&TemplateKey::new(act.state.template_secret(leaf)?.into_secret()), embedding);
        let threshold = Threshold::reported_default(record.model)?;
        let decision = compare(&reference, probe, &threshold, act.now)?;
        // Only the person's own act extends a retention period; a stranger's attempt is not one.
        if decision.is_accepted() {
            act.rows.touch_subject(act.organisation, self.pseudonym, act.now)?;
        }
        let outcome = if decision.is_accepted() { "accepted" } else { "rejected" };
        let payload = Payload::at(act.now).scope(scope).outcome(outcome);
        act.record(EntryKind::TemplateOpened, DataClass::VerificationLog, self.pseudonym, &payload)?;
        Ok(decision)
    }

    fn reject(&self, act: &mut Act<'_>, scope: Scope, refusal: Refusal) -> Result<Decision, Error> {
        let payload = Payload::at(act.now).scope(scope).outcome("refused");
        act.record(EntryKind::VerificationRefused, DataClass::VerificationLog, self.pseudonym, &payload)?;
        Ok(Decision::Rejected(Reasons::one(refusal)))
    }

    /// Why this permit and capture open nothing, if so. Consent is read within the committing transaction.
    fn closed(
        &self,
        act: &mut Act<'_>,
        permit: &Permit<Consented>,
        assurance: Assurance,
    ) -> Result<Option<Refusal>, Error> {
        let scope = permit.binding().scope();
        if !self.organisation.core.ports.assurance.allows(scope, assurance) {
            return Ok(Some(Refusal::AssuranceTooLow));
        }
        let line = line(act.rows, act.organisation, self.pseudonym, scope)?;
        Ok(match line.state() {
            ConsentState::Withdrawn { .. } => Some(Refusal::ConsentWithdrawn),
            ConsentState::Given { .. } if line.sequence() == permit.binding().sequence() => {
                (!permit.is_live(act.now)).then_some(Refusal::PermitStale)
            }
            _ => Some(Refusal::PermitStale),
        })
    }

    fn check_binding(
        &self,
        permit: &Permit<Consented>,
        embedding: &FaceEmbedding<Consented>,
    ) -> Result<(), Error> {
        let binding = permit.binding();
        let own = binding.organisation() == &self.organisation.id && binding.subject() == self.pseudonym;
        if own && embedding.binding() == binding { Ok(()) } else { Err(Error::Foreign) }
    }

    fn embed(
        &self,
        permit: &Permit<Consented>,
        face: LiveFace<Consented>,
    ) -> Result<FaceEmbedding<Consented>, Error> {
        let core = self.organisation.core;
        let engine = core.ports.engine.as_ref().ok_or(Error::NoEngine)?;
        Ok(engine.embed(permit, face, core.now())?)
    }

    pub(crate) fn act<T>(
        &self,
        classes: &[DataClass],
        act: impl FnOnce(&mut Act<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.organisation.core.act(&self.organisation.id, classes, act)
    }
}

const DIMENSION: u16 = 512;

fn refuse<T>(refusal: Refusal) -> Result<Outcome<T>, Error> {
    Ok(Outcome::Refused(Reasons::one(refusal)))
}

/// The line of consent as it is stored.
pub(crate) fn line(
    rows: &mut dyn Transaction,
    organisation: &OrganisationId,
    subject: SubjectPseudonym,
    scope: Scope,
) -> Result<ConsentLine, Error> {
    Ok(match rows.consent(organisation, subject, scope)? {
        None => ConsentLine::absent(organisation.clone(), subject, scope),
        Some(ConsentRow { sequence, withdrawn, notice, at }) => {
            let state =
                if withdrawn { ConsentState::Withdrawn { at } } else { ConsentState::Given { notice, at } };
            danger::stored_line(organisation.clone(), subject, scope, sequence, state)
        }
    })
}

fn put_line(act: &mut Act<'_>, line: &ConsentLine, notice: &Notice) -> Result<(), Error> {
    let row =
        ConsentRow { sequence: line.sequence(), withdrawn: false, notice: notice.digest(), at: act.now };
    Ok(act.rows.put_consent(act.organisation, line.subject(), line.scope(), &row)?)
}

/// The newest published version of the notice with this digest.
fn newest_version_of(
    rows: &mut dyn Transaction,
    organisation: &OrganisationId,
    digest: Digest,
) -> Result<Option<Notice>, Error> {
    let Some(shown) = rows.notice(organisation, digest)? else { return Ok(None) };
    let newest = rows.newest_notice(organisation, &shown.id, &shown.locale)?;
    newest.map(|row| notice(&row)).transpose()
}

fn notice(row: &NoticeRow) -> Result<Notice, Error> {
    Ok(Notice::with_digest(&row.id, &row.version, &row.locale, row.digest)?)
}
