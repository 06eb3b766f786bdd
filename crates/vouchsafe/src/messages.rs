//! Messages to a person: promotional ones need a consent of their own, and one click ends it (RFC 8058).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use vouchsafe_consent::{ConsentLine, MessageKind, SendPermit, UnsubscribeToken, may_send};
use vouchsafe_store::Transaction;
use vouchsafe_types::{Outcome, Purpose, Reasons, Refusal, Role, Scope, Timestamp};

use crate::close::ConsentEnded;
use crate::consents::{line, marks};
use crate::{Error, Organisation, Subject};

/// What sealed tokens of this kind are bound to.
const CONTEXT: &[u8] = b"unsubscribe";

impl Subject<'_> {
    /// Whether a message may be sent to the person now. Service messages always may; promotional ones need consent for
    /// communication that no objection, restriction or newer notice closes.
    ///
    /// # Errors
    /// [`Error`] is no verdict: treat it as no.
    pub fn may_send(&self, kind: MessageKind, role: Role) -> Result<Outcome<SendPermit>, Error> {
        let core = self.organisation.core;
        let scope = Scope::new(None, role, Purpose::Communication)?;
        core.look(&self.organisation.id, |_, rows| {
            let (organisation, now) = (&self.organisation.id, core.now());
            let line = line(rows, organisation, self.pseudonym, scope)?;
            if kind == MessageKind::Promotional
                && let Some(refusal) = self.promotion_closed(rows, &line, now)?
            {
                return Ok(Outcome::Refused(Reasons::one(refusal)));
            }
            Ok(may_send(kind, &line, now))
        })
    }

    /// What closes promotion although consent for it is open: a mark, or a notice that asks again.
    fn promotion_closed(
        &self,
        rows: &mut dyn Transaction,
        line: &ConsentLine,
        now: Timestamp,
    ) -> Result<Option<Refusal>, Error> {
        let organisation = &self.organisation.id;
        let marks = marks(&rows.marks(organisation, self.pseudonym)?);
        let marked = [
            (marks.objected, Refusal::ProcessingObjected),
            (marks.restricted, Refusal::ProcessingRestricted),
            (marks.minor, Refusal::Minor),
        ];
        if let Some((_, refusal)) = marked.into_iter().find(|(set, _)| *set) {
            return Ok(Some(refusal));
        }
        let Some(last) = line.last() else { return Ok(None) };
        let newer = rows.notices_since(organisation, last.notice, now)?;
        Ok(newer.iter().any(|notice| notice.material).then_some(Refusal::ConsentOutdated))
    }

    /// A token for the `List-Unsubscribe` header of a promotional message: sealed, so that it tells its bearer nothing.
    ///
    /// # Errors
    /// [`Error::Envelope`].
    pub fn unsubscribe_token(&self, role: Role) -> Result<String, Error> {
        let core = self.organisation.core;
        let token = UnsubscribeToken::issue(self.pseudonym, role, core.now()).to_bytes();
        let sealed = core.ring.with_state(&self.organisation.id, |state| {
            state.seal_token(CONTEXT, &token, &*core.ports.entropy)
        })??;
        Ok(URL_SAFE_NO_PAD.encode(sealed))
    }
}

impl Organisation<'_> {
    /// One click: withdraws the consent for communication that a token names. A second click changes nothing.
    ///
    /// Whoever has the message has the token, so it can withdraw and nothing else.
    ///
    /// # Errors
    /// [`Error::Format`] for a token that this organisation did not make; any other error means: not withdrawn.
    pub fn unsubscribe(&self, token: &str) -> Result<Option<ConsentEnded>, Error> {
        const FOREIGN: Error = Error::Format("unsubscribe token");
        let sealed = URL_SAFE_NO_PAD.decode(token).map_err(|_| FOREIGN)?;
        let plain = self.core.ring.with_state(&self.id, |state| state.open_token(CONTEXT, &sealed))?;
        let token = UnsubscribeToken::from_bytes(plain.map_err(|_| FOREIGN)?.expose_secret())?;
        let subject = Subject { organisation: self, pseudonym: token.subject };
        let scope = token.scope()?;
        match subject.withdraw(scope) {
            Err(Error::Consent(vouchsafe_consent::ConsentError::NothingToWithdraw)) => Ok(None),
            ended => ended.map(Some),
        }
    }
}
