//! Correction of biometric data: the old template is destroyed, a new enrolment takes its place.

use vouchsafe_consent::{Consented, Permit};
use vouchsafe_embed::{FaceEmbedding, LiveFace};
use vouchsafe_ledger::{ActorRole, DestructionReason};
use vouchsafe_retention::rights::{RequestId, RequestKind, RightsError};
use vouchsafe_store::HoldingState;
use vouchsafe_types::{Outcome, Reasons, Refusal};

use crate::close::EVIDENCE;
use crate::events::end_template;
use crate::{Destruction, EnrolmentReceipt, Error, Subject};

impl Subject<'_> {
    /// Corrects the template of the permit's scope under a verified request to correct: destroys the old one, then
    /// enrols this face, and so answers the request's task.
    ///
    /// Nothing is destroyed unless the face can be enrolled. A template that a legal hold or a duty keeps cannot be
    /// replaced: [`Refusal::AlreadyEnrolled`]. After an interruption between the two steps there is no template; the
    /// person enrols again, and the request's task is answered all the same.
    ///
    /// # Errors
    /// [`Error::Rights`] for another kind of request, or unless work is going on; as [`Self::enrol`]; what stands in
    /// the way of the destruction.
    pub fn correct_template(
        &self,
        id: RequestId,
        permit: &Permit<Consented>,
        face: LiveFace<Consented>,
        by: ActorRole,
    ) -> Result<Outcome<EnrolmentReceipt>, Error> {
        self.require_correction(id)?;
        let embedding = self.embed(permit, face)?;
        self.correct_embedding(id, permit, embedding, by)
    }

    /// As [`Self::correct_template`], with an embedding that was made under the permit.
    ///
    /// # Errors
    /// As [`Self::correct_template`].
    pub fn correct_embedding(
        &self,
        id: RequestId,
        permit: &Permit<Consented>,
        embedding: FaceEmbedding<Consented>,
        by: ActorRole,
    ) -> Result<Outcome<EnrolmentReceipt>, Error> {
        self.require_correction(id)?;
        self.check_binding(permit, &embedding)?;
        let (scope, reason) = (permit.binding().scope(), DestructionReason::Correction);
        let ended = self.act(&EVIDENCE, |act| {
            if let Some(reasons) = self.closed(act.rows, permit, embedding.assurance(), act.now)? {
                return Ok(Err(reasons));
            }
            let held = act.rows.biometric_holding(act.organisation, self.pseudonym, scope)?;
            if !held.is_some_and(|holding| holding.state == HoldingState::Live) {
                return Ok(Ok(None));
            }
            match end_template(act, self.pseudonym, scope, reason, by)? {
                Some(leaf) => Ok(Ok(Some(leaf))),
                None => Ok(Err(Reasons::one(Refusal::AlreadyEnrolled))),
            }
        })?;
        match ended {
            Err(reasons) => return Ok(Outcome::Refused(reasons)),
            Ok(Some(leaf)) => {
                if let Destruction::Pending(pending) = self.organisation.destruction_of(&[leaf]) {
                    return Err(pending.into_cause());
                }
            }
            Ok(None) => {}
        }
        let enrolled = self.enrol_embedding(permit, embedding)?;
        if matches!(enrolled, Outcome::Done(_)) {
            let _ = self.carry_out_request(id, by)?;
        }
        Ok(enrolled)
    }

    fn require_correction(&self, id: RequestId) -> Result<(), Error> {
        let request = self.rights_request(id)?;
        request.require_work()?;
        if request.kind() == RequestKind::Correct {
            return Ok(());
        }
        Err(RightsError::NoCorrection(request.kind()).into())
    }
}
