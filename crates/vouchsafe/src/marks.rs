//! What closes the gate for a person whatever they consented to: restriction, objection, minority.

use vouchsafe_ledger::{ActorRole, DestructionReason, EntryKind};
use vouchsafe_retention::Trigger;
use vouchsafe_store::MarkRow;
use vouchsafe_types::DataClass;

use crate::close::{EVIDENCE, End, end_all};
use crate::consents::Mark;
use crate::events::{end_due, note, stands, supersede};
use crate::payload::Payload;
use crate::{Destruction, Error, Subject};

impl Subject<'_> {
    /// Restricts processing (GDPR Art 18): no permit and no verification until it is lifted; nothing is destroyed.
    ///
    /// # Errors
    /// Any error means: not restricted.
    pub fn restrict(&self, by: ActorRole) -> Result<(), Error> {
        self.mark(Mark::Restricted, by)
    }

    /// Lifts the restriction.
    ///
    /// # Errors
    /// Any error means: still restricted.
    pub fn lift_restriction(&self, by: ActorRole) -> Result<(), Error> {
        self.unmark(Mark::Restricted, by)
    }

    /// Records the person's objection (GDPR Art 21): no permit and no verification until it is withdrawn.
    ///
    /// # Errors
    /// Any error means: not recorded.
    pub fn object(&self) -> Result<(), Error> {
        self.mark(Mark::Objected, ActorRole::Person)
    }

    /// Records that the person withdrew the objection.
    ///
    /// # Errors
    /// Any error means: the objection stands.
    pub fn withdraw_objection(&self) -> Result<(), Error> {
        self.unmark(Mark::Objected, ActorRole::Person)
    }

    /// Records that the organisation learned that the person is a minor: every consent is invalid, every template is
    /// destroyed, and no consent is taken any more.
    ///
    /// # Errors
    /// Any error means: not recorded.
    pub fn learned_minor(&self, by: ActorRole) -> Result<Destruction, Error> {
        let condemned = self.act(&EVIDENCE, |act| {
            self.make_known(act)?;
            let entry = self.put_mark(act, Mark::Minor, by)?;
            let (person, reason) = (self.pseudonym, DestructionReason::LearnedMinor);
            let mut condemned = Vec::new();
            if !stands(act, person, Trigger::LearnedMinor)? {
                condemned.extend(supersede(act, person, Trigger::LearnedMinor, reason, by)?);
                note(act, person, None, Trigger::LearnedMinor, entry)?;
            }
            condemned.extend(end_all(act, person, End::MINOR)?);
            condemned.extend(end_due(act, person, reason, by)?);
            Ok(condemned)
        })?;
        Ok(self.organisation.destruction_of(&condemned))
    }

    fn mark(&self, mark: Mark, by: ActorRole) -> Result<(), Error> {
        self.act(&[DataClass::ConsentEvidence], |act| {
            self.make_known(act)?;
            self.put_mark(act, mark, by).map(drop)
        })
    }

    fn put_mark(&self, act: &mut crate::act::Act<'_>, mark: Mark, by: ActorRole) -> Result<u64, Error> {
        let payload = Payload::by(by, act.now).mark(mark.name());
        let recorded = self.evidence(act, EntryKind::SubjectMarked, &payload)?;
        let row = MarkRow { mark: mark.code(), set_at: act.now, entry: recorded.entry };
        act.rows.put_mark(act.organisation, self.pseudonym, &row)?;
        Ok(recorded.entry)
    }

    fn unmark(&self, mark: Mark, by: ActorRole) -> Result<(), Error> {
        self.act(&[DataClass::ConsentEvidence], |act| {
            if act.rows.remove_mark(act.organisation, self.pseudonym, mark.code())? {
                let payload = Payload::by(by, act.now).mark(mark.name());
                self.evidence(act, EntryKind::SubjectUnmarked, &payload)?;
            }
            Ok(())
        })
    }
}
