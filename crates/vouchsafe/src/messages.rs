//! Messages to a person: promotional ones need a consent of their own, and one click ends it (RFC 8058).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use vouchsafe_consent::{MessageKind, SendPermit, UnsubscribeToken, may_send};
use vouchsafe_types::{Outcome, Purpose, Role, Scope};

use crate::close::ConsentEnded;
use crate::consents::line;
use crate::{Error, Organisation, Subject};

/// What sealed tokens of this kind are bound to.
const CONTEXT: &[u8] = b"unsubscribe";

impl Subject<'_> {
    /// Whether a message may be sent to the person now. Service messages always may; promotional ones need consent for
    /// communication.
    ///
    /// # Errors
    /// [`Error`] is no verdict: treat it as no.
    pub fn may_send(&self, kind: MessageKind, role: Role) -> Result<Outcome<SendPermit>, Error> {
        let core = self.organisation.core;
        let scope = Scope::new(None, role, Purpose::Communication)?;
        core.look(&self.organisation.id, |_, rows| {
            Ok(may_send(kind, &line(rows, &self.organisation.id, self.pseudonym, scope)?, core.now()))
        })
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
