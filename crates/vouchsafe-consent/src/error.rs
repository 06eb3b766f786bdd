use thiserror::Error;

use crate::notice::Element;

/// Why an act of consent could not be recorded. Refusals of the gate are not here: they are verdicts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ConsentError {
    /// Malformed: a passkey assertion is empty or too long.
    #[error("passkey assertion is empty or too long")]
    Assertion,
    /// Misuse: an act is dated before the act it follows, or before the notice it answers was served.
    #[error("act is dated before what it follows")]
    BackDated,
    /// Malformed: an element that the law requires of the notice is not there.
    #[error("notice lacks a required element: {0}")]
    ElementMissing(Element),
    /// Misuse: the notice does not accept consent expressed in this way.
    #[error("the notice does not accept this way of expressing consent")]
    ExpressionNotAccepted,
    /// Misuse: an act is dated after the present instant.
    #[error("act is dated in the future")]
    FromTheFuture,
    /// Malformed: nobody attests whether the notice asks for new consent.
    #[error("nobody attests whether the notice is a material change")]
    MaterialityMissing,
    /// Misuse: the act names another notice, or the notice's bytes are not those that were served.
    #[error("the notice is not the one that was served")]
    NoticeChanged,
    /// Misuse: a receipt of no act.
    #[error("a receipt needs at least one act")]
    NoEvents,
    /// Malformed: a notice has no text.
    #[error("notice has no text")]
    NoticeEmpty,
    /// Malformed: a stored notice does not read back, or has another spelling than the one valid one.
    #[error("stored notice is malformed")]
    NoticeEncoding,
    /// Malformed: a notice id or version is empty, too long or holds control characters.
    #[error("notice id or version is malformed")]
    NoticeLabel,
    /// Malformed: a locale is not a BCP 47 tag of the form `language[-Script][-REGION]`.
    #[error("notice locale is malformed")]
    NoticeLocale,
    /// Misuse: a notice was used before the date on which it comes into force.
    #[error("notice is not in force yet")]
    NoticeNotInForce,
    /// Malformed: a notice or a schedule is longer than the limit, or is not UTF-8.
    #[error("notice text is too long or not text")]
    NoticeText,
    /// Misuse: an expiry before the date on which the consent ends, or of a consent that has no such date.
    #[error("the consent has not expired")]
    NotYet,
    /// Misuse: a withdrawal, revocation, expiry or invalidation where no consent is given.
    #[error("there is no consent to withdraw")]
    NothingToWithdraw,
    /// Unavailable: no verifier of passkey signatures is configured.
    #[error("passkey signatures cannot be verified here")]
    PasskeysUnavailable,
    /// Malformed: an element was stated that does not stand in the bytes shown, word for word.
    #[error("the bytes shown do not contain the stated passage: {0}")]
    PassageMissing(Element),
    /// Misuse: a passkey signature is not this person's over this act.
    #[error("passkey signature does not fit the act")]
    PasskeyRejected,
    /// Malformed: a receipt does not read back, or has another spelling than the one valid one.
    #[error("receipt is malformed")]
    ReceiptEncoding,
    /// Misuse: the notice does not cover the scope.
    #[error("the notice does not cover this scope")]
    ScopeNotCovered,
    /// Malformed: a notice covers no scope.
    #[error("notice covers no scope")]
    ScopesMissing,
    /// Misuse: the notice was served too long ago; serve it again.
    #[error("the notice was served too long ago")]
    ServedStale,
    /// Misuse: a refusal where consent is given; a given consent is withdrawn instead.
    #[error("consent is given: it is withdrawn, not refused")]
    StillGiven,
    /// Malformed: a stored line or served notice contradicts itself.
    #[error("stored consent contradicts itself")]
    Stored,
    /// Malformed: a term is not a period of years, months and days, is empty, or reaches beyond the calendar.
    #[error("term is malformed")]
    Term,
    /// Malformed: an unsubscribe token, its address or its header is malformed.
    #[error("unsubscribe token or address is malformed")]
    Unsubscribe,
    /// Misuse: the notice was served in another language than the one named.
    #[error("the notice was served in another language")]
    WrongLocale,
    /// Misuse: a grant was made for another person, organisation or scope.
    #[error("act and consent line belong to different scopes")]
    WrongLine,
}

impl ConsentError {
    /// Whether the same call may succeed later.
    pub const fn is_retryable(self) -> bool {
        matches!(self, Self::PasskeysUnavailable)
    }
}
