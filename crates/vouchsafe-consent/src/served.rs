use jiff::SignedDuration;
use vouchsafe_types::{OrganisationId, Scope, SubjectPseudonym, TicketId, Timestamp};

use crate::act::challenge;
use crate::{Act, ConsentError, ConsentLine, Expression, Notice, NoticeRef, PasskeyVerifier};

/// A notice that was actually shown: which bytes, to whom, for which one scope, when.
///
/// It is recorded apart from the act and joined to it by the ticket. One ticket is for one scope, so that one act can
/// never give two.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Served {
    ticket: TicketId,
    subject: SubjectPseudonym,
    scope: Scope,
    notice: NoticeRef,
    served_at: Timestamp,
}

impl Served {
    /// How long after it was shown a notice may be answered: 24 hours.
    pub const MAX_AGE: SignedDuration = SignedDuration::from_hours(24);

    /// Records that a notice is shown now.
    ///
    /// # Errors
    /// [`ConsentError::ScopeNotCovered`] or [`ConsentError::NoticeNotInForce`].
    pub fn new(
        ticket: TicketId,
        subject: SubjectPseudonym,
        scope: Scope,
        notice: &Notice,
        now: Timestamp,
    ) -> Result<Self, ConsentError> {
        if !notice.covers(scope) {
            return Err(ConsentError::ScopeNotCovered);
        }
        if now < notice.effective() {
            return Err(ConsentError::NoticeNotInForce);
        }
        Ok(Self { ticket, subject, scope, notice: notice.reference().clone(), served_at: now })
    }

    pub(crate) const fn stored(
        ticket: TicketId,
        subject: SubjectPseudonym,
        scope: Scope,
        notice: NoticeRef,
        served_at: Timestamp,
    ) -> Self {
        Self { ticket, subject, scope, notice, served_at }
    }

    /// The line after the act that answers this with consent: every check but the age, and that the ticket was not
    /// answered before, which the store knows.
    ///
    /// # Errors
    /// [`ConsentError::WrongLine`] when the line is another person's or for another scope; otherwise as
    /// [`Self::check_act`], [`Self::check_signature`] and [`ConsentLine::give`].
    pub fn give(
        &self,
        line: &ConsentLine,
        notice: &Notice,
        act: &Act,
        passkeys: &dyn PasskeyVerifier,
        now: Timestamp,
    ) -> Result<ConsentLine, ConsentError> {
        self.check_line(line)?;
        let at = self.check_act(notice, act, now)?;
        self.check_signature(line.organisation(), act, passkeys)?;
        line.give(notice, at)
    }

    /// The line after the person declines; no way of expressing that is prescribed.
    ///
    /// # Errors
    /// As [`Self::give`], and [`ConsentError::StillGiven`].
    pub fn refuse(
        &self,
        line: &ConsentLine,
        notice: &Notice,
        now: Timestamp,
    ) -> Result<ConsentLine, ConsentError> {
        self.check_line(line)?;
        self.check_notice(notice)?;
        line.refuse(notice, self.check_time(now, now)?)
    }

    fn check_line(&self, line: &ConsentLine) -> Result<(), ConsentError> {
        let own = line.subject() == self.subject && line.scope() == self.scope;
        if own { Ok(()) } else { Err(ConsentError::WrongLine) }
    }

    /// Checks that an act answers what was shown, and gives the instant of the act.
    ///
    /// A passkey signature is checked by [`Self::check_signature`], the age by the organisation's
    /// [`AgePolicy`](crate::AgePolicy).
    ///
    /// # Errors
    /// [`ConsentError::WrongLocale`], [`ConsentError::NoticeChanged`], [`ConsentError::ScopeNotCovered`],
    /// [`ConsentError::ExpressionNotAccepted`], [`ConsentError::BackDated`], [`ConsentError::FromTheFuture`] or
    /// [`ConsentError::ServedStale`].
    pub fn check_act(&self, notice: &Notice, act: &Act, now: Timestamp) -> Result<Timestamp, ConsentError> {
        self.check_notice(notice)?;
        if !notice.accepts(act.expression().kind()) {
            return Err(ConsentError::ExpressionNotAccepted);
        }
        self.check_time(act.acted_at().unwrap_or(now), now)
    }

    fn check_notice(&self, notice: &Notice) -> Result<(), ConsentError> {
        let named = notice.reference();
        if named.id == self.notice.id
            && named.version == self.notice.version
            && named.locale != self.notice.locale
        {
            return Err(ConsentError::WrongLocale);
        }
        if *named != self.notice {
            return Err(ConsentError::NoticeChanged);
        }
        if !notice.covers(self.scope) {
            return Err(ConsentError::ScopeNotCovered);
        }
        Ok(())
    }

    fn check_time(&self, at: Timestamp, now: Timestamp) -> Result<Timestamp, ConsentError> {
        if at < self.served_at {
            Err(ConsentError::BackDated)
        } else if at > now {
            Err(ConsentError::FromTheFuture)
        } else if now.duration_since(self.served_at) > Self::MAX_AGE {
            Err(ConsentError::ServedStale)
        } else {
            Ok(at)
        }
    }

    /// Checks the passkey signature of an act that has one; another act passes.
    ///
    /// # Errors
    /// What the verifier gives.
    pub fn check_signature(
        &self,
        organisation: &OrganisationId,
        act: &Act,
        passkeys: &dyn PasskeyVerifier,
    ) -> Result<(), ConsentError> {
        match act.expression() {
            Expression::PasskeySigned(assertion) => {
                passkeys.verify(self.subject, &self.challenge(organisation), assertion)
            }
            Expression::Checkbox | Expression::TypedSignature => Ok(()),
        }
    }

    /// What a passkey signs to answer this.
    pub fn challenge(&self, organisation: &OrganisationId) -> [u8; 32] {
        challenge(organisation, self.subject, self.scope, self.notice.digest, self.ticket)
    }

    /// Its own id.
    pub const fn ticket(&self) -> TicketId {
        self.ticket
    }

    /// To whom.
    pub const fn subject(&self) -> SubjectPseudonym {
        self.subject
    }

    /// For what.
    pub const fn scope(&self) -> Scope {
        self.scope
    }

    /// Which text, in which version and language.
    pub const fn notice(&self) -> &NoticeRef {
        &self.notice
    }

    /// When.
    pub const fn served_at(&self) -> Timestamp {
        self.served_at
    }
}

#[cfg(test)]
mod tests;
