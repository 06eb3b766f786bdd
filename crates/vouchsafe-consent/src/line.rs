use vouchsafe_types::{Digest, OrganisationId, Scope, SubjectPseudonym, Timestamp};

use crate::status::{ConsentEvent, ConsentStatus, next};
use crate::{ConsentError, Notice};

/// The newest act of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a row, written and read by the store")]
pub struct LastAct {
    /// Where it left the line.
    pub status: ConsentStatus,
    /// SHA-256 of the notice that was answered; an end keeps the notice of the consent it ended.
    pub notice: Digest,
    /// When.
    pub at: Timestamp,
    /// When a given consent ends of itself; `None` when it is closed, or when its notice states no term.
    pub expires: Option<Timestamp>,
}

/// The consent of one person for one scope, with the number of its newest act.
///
/// The sequence number starts at 0 (no act) and grows by one with every act. A permit is bound to it, and the
/// transaction that commits what the permit allowed reads it again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsentLine {
    organisation: OrganisationId,
    subject: SubjectPseudonym,
    scope: Scope,
    sequence: u64,
    last: Option<LastAct>,
}

impl ConsentLine {
    /// The line of a person who has not acted yet.
    pub const fn absent(organisation: OrganisationId, subject: SubjectPseudonym, scope: Scope) -> Self {
        Self { organisation, subject, scope, sequence: 0, last: None }
    }

    pub(crate) fn stored(absent: Self, sequence: u64, last: Option<LastAct>) -> Result<Self, ConsentError> {
        let numbered = (sequence > 0) == last.is_some();
        let dated = last.is_none_or(|act| match act.expires {
            Some(expires) => act.status.is_open() && expires >= act.at,
            None => true,
        });
        if numbered && dated { Ok(Self { sequence, last, ..absent }) } else { Err(ConsentError::Stored) }
    }

    /// The line after the person consents to a notice; also renews a given consent.
    ///
    /// # Errors
    /// [`ConsentError::BackDated`] when `at` is before the line's newest act, [`ConsentError::ScopeNotCovered`],
    /// [`ConsentError::NoticeNotInForce`], or [`ConsentError::Term`] when the term reaches beyond the calendar.
    pub fn give(&self, notice: &Notice, at: Timestamp) -> Result<Self, ConsentError> {
        self.answers(notice, at)?;
        self.step(ConsentEvent::Give, notice.digest(), at, notice.ends(at)?)
    }

    /// The line after the person declines a notice.
    ///
    /// # Errors
    /// As [`Self::give`], and [`ConsentError::StillGiven`] when consent is given: it is withdrawn instead.
    pub fn refuse(&self, notice: &Notice, at: Timestamp) -> Result<Self, ConsentError> {
        self.answers(notice, at)?;
        self.step(ConsentEvent::Refuse, notice.digest(), at, None)
    }

    /// The line after the person withdraws. A clock that went back never stands in the way: the withdrawal is then
    /// dated as the act it follows.
    ///
    /// # Errors
    /// [`ConsentError::NothingToWithdraw`] when no consent is given.
    pub fn withdraw(&self, at: Timestamp) -> Result<Self, ConsentError> {
        self.end(ConsentEvent::Withdraw, at)
    }

    /// The line after the controller revokes; dated as [`Self::withdraw`].
    ///
    /// # Errors
    /// [`ConsentError::NothingToWithdraw`] when no consent is given.
    pub fn revoke(&self, at: Timestamp) -> Result<Self, ConsentError> {
        self.end(ConsentEvent::Revoke, at)
    }

    /// The line after the consent is found to be invalid; dated as [`Self::withdraw`].
    ///
    /// # Errors
    /// [`ConsentError::NothingToWithdraw`] when no consent is given.
    pub fn invalidate(&self, at: Timestamp) -> Result<Self, ConsentError> {
        self.end(ConsentEvent::Invalidate, at)
    }

    /// The line after its term is over.
    ///
    /// # Errors
    /// [`ConsentError::NotYet`] before that instant or without a term, [`ConsentError::NothingToWithdraw`] when no
    /// consent is given.
    pub fn expire(&self, now: Timestamp) -> Result<Self, ConsentError> {
        let over =
            self.last.is_some_and(|act| !act.status.is_open() || act.expires.is_some_and(|end| now >= end));
        if self.last.is_some() && !over {
            return Err(ConsentError::NotYet);
        }
        self.end(ConsentEvent::Expire, now)
    }

    fn answers(&self, notice: &Notice, at: Timestamp) -> Result<(), ConsentError> {
        if !notice.covers(self.scope) {
            return Err(ConsentError::ScopeNotCovered);
        }
        if at < notice.effective() {
            return Err(ConsentError::NoticeNotInForce);
        }
        match self.last {
            Some(act) if at < act.at => Err(ConsentError::BackDated),
            _ => Ok(()),
        }
    }

    fn end(&self, event: ConsentEvent, at: Timestamp) -> Result<Self, ConsentError> {
        let act = self.last.ok_or(ConsentError::NothingToWithdraw)?;
        self.step(event, act.notice, at.max(act.at), None)
    }

    fn step(
        &self,
        event: ConsentEvent,
        notice: Digest,
        at: Timestamp,
        expires: Option<Timestamp>,
    ) -> Result<Self, ConsentError> {
        let status = next(self.status(), event).ok_or(match event {
            ConsentEvent::Give | ConsentEvent::Refuse => ConsentError::StillGiven,
            _ => ConsentError::NothingToWithdraw,
        })?;
        let sequence = self.sequence.checked_add(1).ok_or(ConsentError::Stored)?;
        Ok(Self { sequence, last: Some(LastAct { status, notice, at, expires }), ..self.clone() })
    }

    /// Whose tenant.
    pub const fn organisation(&self) -> &OrganisationId {
        &self.organisation
    }

    /// Whose consent.
    pub const fn subject(&self) -> SubjectPseudonym {
        self.subject
    }

    /// For what.
    pub const fn scope(&self) -> Scope {
        self.scope
    }

    /// The number of the newest act; 0 when there is none.
    pub const fn sequence(&self) -> u64 {
        self.sequence
    }

    /// The newest act; `None` when there is none.
    pub const fn last(&self) -> Option<LastAct> {
        self.last
    }

    /// Where the line stands; `None` when there is no act yet.
    pub fn status(&self) -> Option<ConsentStatus> {
        self.last.map(|act| act.status)
    }

    /// Whether consent is given and its term is not over. A clock that went back behind the act cannot vouch for it.
    pub fn is_open(&self, now: Timestamp) -> bool {
        self.last.is_some_and(|act| {
            act.status.is_open() && now >= act.at && act.expires.is_none_or(|end| now < end)
        })
    }
}

#[cfg(test)]
mod tests;
