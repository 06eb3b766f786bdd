//! The end of an account: one transaction fences every class that the policy says ends with it, and writes the job that
//! sees the destruction through, whatever comes between.

use vouchsafe_ledger::{ActorRole, DestructionReason, EntryKind};
use vouchsafe_retention::Trigger;
use vouchsafe_types::{DataClass, LeafIndex, SubjectPseudonym, Timestamp};

use crate::act::Act;
use crate::close::{End, end_all};
use crate::events::{end_due, note, stands, supersede};
use crate::jobs::{Job, JobKind};
use crate::orders::order_deletions;
use crate::payload::Payload;
use crate::{Destruction, ErasureIncomplete, Error, Subject};

/// The classes of evidence that one deletion writes; orders come to it where there are recipients.
const EVIDENCE: [DataClass; 3] =
    [DataClass::ConsentEvidence, DataClass::DestructionEvidence, DataClass::Disclosure];

impl Subject<'_> {
    /// Deletes the person's account: withdraws every given consent, destroys every template and whatever else the policy
    /// says ends with the account, and orders the recipients of their data to delete it too.
    ///
    /// One transaction acknowledges it, with the job that goes on after an interruption
    /// ([`Organisation::resume_jobs`](crate::Organisation::resume_jobs)). Consent evidence stays for its seven years; it
    /// has leaves of its own.
    ///
    /// # Errors
    /// Any error means: nothing was deleted.
    pub fn erase(&self) -> Result<Destruction, Error> {
        self.erase_as(ActorRole::Person, DestructionReason::AccountDeletion, None)
    }

    /// As [`Self::erase`], asked for by an administrator.
    ///
    /// # Errors
    /// As [`Self::erase`].
    pub fn erase_by(&self, by: ActorRole) -> Result<Destruction, Error> {
        self.erase_as(by, DestructionReason::AccountDeletion, None)
    }

    /// `since` is when the request that is carried out began: what was ordered under it is not ordered twice.
    pub(crate) fn erase_as(
        &self,
        by: ActorRole,
        reason: DestructionReason,
        since: Option<Timestamp>,
    ) -> Result<Destruction, Error> {
        // A leaf that may not be needed could have to be reserved, which waits for whoever uses the keys.
        let orders = !self.organisation.core.ports.retention.recipients().is_empty();
        let evidence = EVIDENCE.get(..if orders { 3 } else { 2 }).unwrap_or(&EVIDENCE);
        let condemned = self.act(evidence, |act| delete_account(act, self.pseudonym, by, reason, since))?;
        let destruction = self.organisation.destruction_of(&condemned);
        if matches!(destruction, Destruction::Done(_))
            && let Err(cause) = self.organisation.resume_jobs()
        {
            // The deletion is acknowledged, whatever becomes of its job now.
            return Ok(Destruction::Pending(ErasureIncomplete::of_the_rest(cause)));
        }
        Ok(destruction)
    }
}

/// Fences what ends with the account and writes down what is left to do; gives what was fenced.
pub(crate) fn delete_account(
    act: &mut Act<'_>,
    subject: SubjectPseudonym,
    by: ActorRole,
    reason: DestructionReason,
    since: Option<Timestamp>,
) -> Result<Vec<LeafIndex>, Error> {
    if act.rows.last_interaction(act.organisation, subject)?.is_none() {
        return Ok(Vec::new());
    }
    let mut condemned = Vec::new();
    // Whoever asks again, because an answer was lost, deletes nothing twice.
    if !stands(act, subject, Trigger::AccountDeletion)? {
        condemned.extend(supersede(act, subject, Trigger::AccountDeletion, reason, by)?);
        let payload =
            Payload::by(by, act.now).word("event", Trigger::AccountDeletion.name()).cause(reason.name());
        let recorded = act.record(EntryKind::SubjectEvent, DataClass::ConsentEvidence, subject, &payload)?;
        note(act, subject, None, Trigger::AccountDeletion, recorded.entry)?;
    }
    condemned.extend(end_all(act, subject, End::account_deleted(by, reason))?);
    condemned.extend(end_due(act, subject, reason, by)?);
    let orders = order_deletions(act, subject, since)?;
    if !condemned.is_empty() || orders > 0 {
        act.begin_job(JobKind::AccountDeletion, Some(subject), &Job::of(&condemned))?;
    }
    Ok(condemned)
}
