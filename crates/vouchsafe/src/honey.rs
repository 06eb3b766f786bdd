//! Honey templates: people who do not exist, so that whoever opens their templates is no honest caller.

use vouchsafe_consent::{Act, Notice};
use vouchsafe_template::{ProtectedReference, Threshold};
use vouchsafe_types::{DataClass, LeafIndex, Outcome, Scope, SubjectPseudonym};

use crate::{Error, Organisation, Subject};

impl Organisation<'_> {
    /// Plants honey templates: consent, entries and sealed records like those of people, under pseudonyms that no
    /// id of the caller leads to. Opening one, or trying to, raises
    /// [`Alarm::HoneyTouched`](crate::envelope::port::Alarm::HoneyTouched) and writes `honey.touched` to the log.
    ///
    /// Which records they are stands in the sealed key state alone; its size shows how many there are. Plant them
    /// over time: rows that were made in one instant look alike. They count in every statistic of the database, and retention rules end them as they
    /// end others. Returns their leaves, for the operator's own records.
    ///
    /// # Errors
    /// [`Error::UnknownNotice`]; [`Error::Envelope`] with `Exhausted` above 4,096 of an organisation.
    pub fn plant_honey(&self, notice: &Notice, scope: Scope, count: u16) -> Result<Vec<LeafIndex>, Error> {
        self.core.ensure_not_behind(&self.id)?;
        // One by one, like those of people: a block of its own would show in the fence journal.
        let allocate = |_| self.core.ring.allocate(&self.id, DataClass::Biometric);
        let leaves = (0..count).map(allocate).collect::<Result<Vec<_>, _>>()?;
        self.core.ring.mark_honey(&self.id, &leaves)?;
        for leaf in &leaves {
            self.plant(notice, scope, *leaf)?;
        }
        Ok(leaves)
    }

    fn plant(&self, notice: &Notice, scope: Scope, leaf: LeafIndex) -> Result<(), Error> {
        let mut pseudonym = [0; 32];
        self.core.ports.entropy.fill(&mut pseudonym)?;
        let nobody = Subject { organisation: self, pseudonym: SubjectPseudonym::from_bytes(pseudonym) };
        let served = nobody.serve_notice(scope, notice)?;
        let act = Act::checkbox().attesting_age(self.core.ports.age.minimum);
        let (Outcome::Done(_), Outcome::Done(permit)) =
            (nobody.give_consent(served.ticket(), act)?, nobody.permit(scope)?)
        else {
            return Err(Error::UnknownNotice);
        };
        // As long as a reference, and no reference: whoever opens it has nothing to compare with.
        let mut nothing = [0; ProtectedReference::ENCODED_LEN];
        self.core.ports.entropy.fill(&mut nothing)?;
        self.core.act(&self.id, &[DataClass::ConsentEvidence], |act| {
            nobody
                .store_reference(act, permit.binding(), (leaf, Threshold::SHIPPED_FACE_MODEL), &nothing)
                .map(drop)
        })
    }
}
