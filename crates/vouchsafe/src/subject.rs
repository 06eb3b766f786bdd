use vouchsafe_consent::{Consented, Permit};
use vouchsafe_embed::{Assurance, FaceEmbedding, LiveFace};
use vouchsafe_store::Transaction;
use vouchsafe_types::{DataClass, Outcome, Reasons, Refusal, SubjectPseudonym, Timestamp};

use crate::act::Act;
use crate::{Error, Organisation};

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

    /// Why this permit and capture open nothing, if so. Whoever commits asks within the committing transaction.
    pub(crate) fn closed(
        &self,
        rows: &mut dyn Transaction,
        permit: &Permit<Consented>,
        assurance: Assurance,
        now: Timestamp,
    ) -> Result<Option<Reasons>, Error> {
        let scope = permit.binding().scope();
        if !self.organisation.core.ports.assurance.allows(scope, assurance) {
            return Ok(Some(Reasons::one(Refusal::AssuranceTooLow)));
        }
        Ok(match self.permit_from(rows, scope, now)? {
            Outcome::Refused(reasons) => Some(reasons),
            Outcome::Done(fresh) => {
                let same = fresh.binding().sequence() == permit.binding().sequence() && permit.is_live(now);
                (!same).then(|| Reasons::one(Refusal::PermitStale))
            }
        })
    }

    pub(crate) fn check_binding(
        &self,
        permit: &Permit<Consented>,
        embedding: &FaceEmbedding<Consented>,
    ) -> Result<(), Error> {
        let binding = permit.binding();
        let own = binding.organisation() == &self.organisation.id && binding.subject() == self.pseudonym;
        if own && embedding.binding() == binding { Ok(()) } else { Err(Error::Foreign) }
    }

    pub(crate) fn embed(
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
