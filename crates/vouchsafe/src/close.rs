//! How a consent ends: withdrawn by the person, revoked or invalidated by the controller, expired by its date.
//!
//! Whatever ends it, one transaction moves the line, fences the template and appends the entries: its commit is the
//! acknowledgement, and from then on every process refuses. The destruction follows.

use vouchsafe_consent::ConsentStatus;
use vouchsafe_ledger::{ActorRole, DestructionReason, EntryKind};
use vouchsafe_retention::Trigger;
use vouchsafe_types::{DataClass, LeafIndex, Scope, SubjectPseudonym};

use crate::act::Act;
use crate::consents::{line, put_line};
use crate::events::{end_template, note};
use crate::leases::{Leadership, Work, or_elsewhere};
use crate::payload::Payload;
use crate::receipt::Receipt;
use crate::{ConsentReceipt, Destruction, Error, Organisation, Subject};

/// An end of consent that is acknowledged.
#[derive(Debug)]
#[must_use]
#[non_exhaustive]
pub struct ConsentEnded {
    /// What the person keeps.
    pub receipt: ConsentReceipt,
    /// Whether the template is destroyed already.
    pub destruction: Destruction,
}

#[derive(Debug, Clone, Copy)]
enum EndEvent {
    Expire,
    Invalidate,
    Revoke,
    Withdraw,
}

/// One way in which a consent ends.
#[derive(Debug, Clone, Copy)]
pub(crate) struct End {
    event: EndEvent,
    kind: EntryKind,
    actor: ActorRole,
    pub(crate) reason: DestructionReason,
}

impl End {
    pub(crate) const WITHDRAWN: Self = Self {
        event: EndEvent::Withdraw,
        kind: EntryKind::ConsentWithdrawn,
        actor: ActorRole::Person,
        reason: DestructionReason::Withdrawal,
    };
    /// Consent that ends with the account; whoever deletes the account acts in the person's place.
    pub(crate) const fn account_deleted(actor: ActorRole, reason: DestructionReason) -> Self {
        Self { reason, actor, ..Self::WITHDRAWN }
    }

    const REVOKED: Self = Self {
        event: EndEvent::Revoke,
        kind: EntryKind::ConsentRevoked,
        actor: ActorRole::Administrator,
        reason: DestructionReason::Revocation,
    };
    const INVALIDATED: Self = Self {
        event: EndEvent::Invalidate,
        kind: EntryKind::ConsentInvalidated,
        actor: ActorRole::Administrator,
        reason: DestructionReason::Invalidation,
    };
    pub(crate) const MINOR: Self = Self { reason: DestructionReason::LearnedMinor, ..Self::INVALIDATED };
    const EXPIRED: Self = Self {
        event: EndEvent::Expire,
        kind: EntryKind::ConsentExpired,
        actor: ActorRole::Service,
        reason: DestructionReason::Expiry,
    };
}

/// The classes of evidence that the end of one consent writes.
pub(crate) const EVIDENCE: [DataClass; 2] = [DataClass::ConsentEvidence, DataClass::DestructionEvidence];

impl Subject<'_> {
    /// The person withdraws consent for one scope; what was held under it is destroyed. As easy as giving: one call.
    ///
    /// When this returns `Ok`, the withdrawal is durable and every process refuses.
    ///
    /// # Errors
    /// [`Error::Consent`] when there is no consent to withdraw; any other error means: not withdrawn.
    pub fn withdraw(&self, scope: Scope) -> Result<ConsentEnded, Error> {
        self.end(scope, End::WITHDRAWN)
    }

    /// The controller ends a consent; what was held under it is destroyed.
    ///
    /// # Errors
    /// As [`Self::withdraw`].
    pub fn revoke(&self, scope: Scope) -> Result<ConsentEnded, Error> {
        self.end(scope, End::REVOKED)
    }

    /// The controller records that a consent was never valid; what was held under it is destroyed.
    ///
    /// # Errors
    /// As [`Self::withdraw`].
    pub fn invalidate(&self, scope: Scope) -> Result<ConsentEnded, Error> {
        self.end(scope, End::INVALIDATED)
    }

    /// The person withdraws every consent that is given.
    ///
    /// # Errors
    /// Any error means: nothing was withdrawn.
    pub fn withdraw_all(&self) -> Result<Destruction, Error> {
        let condemned = self.act(&EVIDENCE, |act| end_all(act, self.pseudonym, End::WITHDRAWN))?;
        Ok(self.organisation.destruction_of(&condemned))
    }

    fn end(&self, scope: Scope, how: End) -> Result<ConsentEnded, Error> {
        let (receipt, condemned) = self.act(&EVIDENCE, |act| self.end_in(act, scope, how))?;
        Ok(self.ended(receipt, condemned))
    }

    /// What the end of a consent does within its transaction.
    pub(crate) fn end_in(
        &self,
        act: &mut Act<'_>,
        scope: Scope,
        how: End,
    ) -> Result<(ConsentReceipt, Option<LeafIndex>), Error> {
        end(act, self.pseudonym, scope, how)
    }

    /// What follows once that is committed.
    pub(crate) fn ended(&self, receipt: ConsentReceipt, condemned: Option<LeafIndex>) -> ConsentEnded {
        let condemned: Vec<LeafIndex> = condemned.into_iter().collect();
        ConsentEnded { receipt, destruction: self.organisation.destruction_of(&condemned) }
    }
}

impl Organisation<'_> {
    /// Records the end of every consent whose time is over, and destroys what was held under them.
    ///
    /// The gate refuses from the date itself on, whether this ran or not. One process at a time does it; to the others it
    /// is pending.
    ///
    /// # Errors
    /// What stands in the way of recording; what was recorded stays so.
    pub fn expire_consents(&self) -> Result<Destruction, Error> {
        or_elsewhere(self.lead(Work::Expiry).and_then(|leader| self.expire_consents_as(&leader)))
    }

    fn expire_consents_as(&self, leader: &Leadership<'_>) -> Result<Destruction, Error> {
        loop {
            let due = vouchsafe_store::read(&*self.core.ports.store, &self.id, |rows| {
                rows.open_consents_due(&self.id, self.core.now(), BATCH).map_err(Error::from)
            })?;
            let mut ended = false;
            for (subject, scope, _) in due {
                ended |= self.core.act(&self.id, &EVIDENCE, |act| {
                    leader.keep(act)?;
                    // The person may have renewed or withdrawn meanwhile.
                    let due = line(act.rows, act.organisation, subject, scope)?.expire(act.now).is_ok();
                    due.then(|| end(act, subject, scope, End::EXPIRED)).transpose().map(|end| end.is_some())
                })?;
            }
            if !ended {
                return Ok(self.resume_destructions_as(Some(leader)));
            }
        }
    }
}

/// How many consents are looked at together.
const BATCH: u32 = 256;

/// Ends every open consent of a person, in one transaction.
pub(crate) fn end_all(
    act: &mut Act<'_>,
    subject: SubjectPseudonym,
    how: End,
) -> Result<Vec<LeafIndex>, Error> {
    let mut condemned = Vec::new();
    for scope in Scope::all() {
        let status = line(act.rows, act.organisation, subject, scope)?.status();
        if status.is_some_and(ConsentStatus::is_open) {
            let (_receipt, leaf) = end(act, subject, scope, how)?;
            condemned.extend(leaf);
        }
    }
    Ok(condemned)
}

fn end(
    act: &mut Act<'_>,
    subject: SubjectPseudonym,
    scope: Scope,
    how: End,
) -> Result<(ConsentReceipt, Option<LeafIndex>), Error> {
    let line = line(act.rows, act.organisation, subject, scope)?;
    let line = match how.event {
        EndEvent::Withdraw => line.withdraw(act.now),
        EndEvent::Revoke => line.revoke(act.now),
        EndEvent::Expire => line.expire(act.now),
        EndEvent::Invalidate => line.invalidate(act.now),
    }?;
    let payload = Payload::by(how.actor, act.now).line(&line).cause(how.reason.name());
    let recorded = act.record(how.kind, DataClass::ConsentEvidence, subject, &payload)?;
    put_line(act, &line, Some(recorded.entry))?;
    note(act, subject, Some(scope), Trigger::Withdrawal, recorded.entry)?;
    let condemned = end_template(act, subject, scope, how.reason, how.actor)?;
    Ok((ConsentReceipt(Receipt::new(recorded)), condemned))
}
