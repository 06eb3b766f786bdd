use std::fmt;

use ring::digest::{Context, SHA256};
use vouchsafe_types::{
    Digest, IpPseudonym, OrganisationId, Refusal, Scope, SubjectPseudonym, TicketId, Timestamp,
};

use crate::ConsentError;

/// The ways of expressing consent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum ExpressionKind {
    /// Ticked an unticked box beside the notice.
    Checkbox,
    /// Signed with a passkey.
    PasskeySigned,
    /// Typed their name as an electronic signature (740 ILCS 14/10, P.A. 103-0769).
    TypedSignature,
}

impl ExpressionKind {
    /// Every way, in the order of its code.
    pub const ALL: [Self; 3] = [Self::Checkbox, Self::TypedSignature, Self::PasskeySigned];

    /// The stable code used in rows and payloads, 1 to 3.
    pub const fn code(self) -> u8 {
        match self {
            Self::Checkbox => 1,
            Self::TypedSignature => 2,
            Self::PasskeySigned => 3,
        }
    }

    /// Reads a code back; `None` for a code outside 1 to 3.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }

    /// The stable name used in stored notices and receipts.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Checkbox => "checkbox",
            Self::PasskeySigned => "passkey_signed",
            Self::TypedSignature => "typed_signature",
        }
    }
}

/// How a person expressed consent.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Expression {
    /// Ticked an unticked box beside the notice.
    Checkbox,
    /// Signed the act's [`challenge`] with a passkey.
    PasskeySigned(PasskeyAssertion),
    /// Typed their name as an electronic signature. The name itself is no part of the evidence.
    TypedSignature,
}

impl Expression {
    /// Which way.
    pub const fn kind(&self) -> ExpressionKind {
        match self {
            Self::Checkbox => ExpressionKind::Checkbox,
            Self::PasskeySigned(_) => ExpressionKind::PasskeySigned,
            Self::TypedSignature => ExpressionKind::TypedSignature,
        }
    }
}

/// The answer of a person's authenticator, as it came; only a [`PasskeyVerifier`] reads it.
#[derive(Clone, PartialEq, Eq)]
pub struct PasskeyAssertion(Vec<u8>);

impl PasskeyAssertion {
    /// The longest answer, in bytes: 8 KiB.
    pub const MAX_LEN: usize = 8 * 1024;

    /// Takes the bytes over.
    ///
    /// # Errors
    /// [`ConsentError::Assertion`] when there are none, or too many.
    pub fn new(bytes: Vec<u8>) -> Result<Self, ConsentError> {
        if (1..=Self::MAX_LEN).contains(&bytes.len()) {
            Ok(Self(bytes))
        } else {
            Err(ConsentError::Assertion)
        }
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for PasskeyAssertion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PasskeyAssertion").finish_non_exhaustive()
    }
}

/// Verifies that a person's own passkey signed an act.
pub trait PasskeyVerifier: Send + Sync {
    /// Verifies one answer over one challenge.
    ///
    /// # Errors
    /// [`ConsentError::PasskeyRejected`] when the signature does not fit, [`ConsentError::PasskeysUnavailable`] when
    /// it cannot be verified.
    fn verify(
        &self,
        subject: SubjectPseudonym,
        challenge: &[u8; 32],
        assertion: &PasskeyAssertion,
    ) -> Result<(), ConsentError>;
}

/// No passkeys: refuses each.
#[derive(Debug, Clone, Copy, Default)]
#[expect(clippy::exhaustive_structs, reason = "it has no state")]
pub struct NoPasskeys;

impl PasskeyVerifier for NoPasskeys {
    fn verify(
        &self,
        _subject: SubjectPseudonym,
        _challenge: &[u8; 32],
        _assertion: &PasskeyAssertion,
    ) -> Result<(), ConsentError> {
        Err(ConsentError::PasskeysUnavailable)
    }
}

/// What a passkey signs for an act: SHA-256 over the domain, then each part after its length (8 bytes, big-endian).
pub fn challenge(
    organisation: &OrganisationId,
    subject: SubjectPseudonym,
    scope: Scope,
    notice: Digest,
    ticket: TicketId,
) -> [u8; 32] {
    let mut hash = Context::new(&SHA256);
    let parts: [&[u8]; 6] = [
        b"vouchsafe/consent-challenge/v1",
        organisation.as_str().as_bytes(),
        subject.as_bytes(),
        &scope.code(),
        notice.as_bytes(),
        ticket.as_bytes(),
    ];
    for part in parts {
        hash.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(part);
    }
    let mut out = [0; 32];
    out.copy_from_slice(hash.finish().as_ref());
    out
}

/// A person's word that they are at least so many years old. A date of birth is neither asked nor kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "one attested number")]
pub struct AgeAttestation {
    /// In years.
    pub at_least: u8,
}

/// What age an organisation asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a policy of two values")]
pub struct AgePolicy {
    /// In years; 18 by default, the stricter of the two notices.
    pub minimum: u8,
    /// Whether an act without an attestation is refused; true by default.
    pub required: bool,
}

impl AgePolicy {
    /// Judges an attestation.
    ///
    /// # Errors
    /// [`Refusal::Minor`] below the minimum, [`Refusal::AgeNotAttested`] where one is required and none was made.
    pub const fn check(self, attestation: Option<AgeAttestation>) -> Result<(), Refusal> {
        match attestation {
            Some(AgeAttestation { at_least }) if at_least < self.minimum => Err(Refusal::Minor),
            None if self.required => Err(Refusal::AgeNotAttested),
            _ => Ok(()),
        }
    }
}

impl Default for AgePolicy {
    fn default() -> Self {
        Self { minimum: 18, required: true }
    }
}

/// What a person did in answer to a notice.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct Act {
    expression: Expression,
    at: Option<Timestamp>,
    ip: Option<IpPseudonym>,
    age: Option<AgeAttestation>,
}

impl Act {
    const fn new(expression: Expression) -> Self {
        Self { expression, at: None, ip: None, age: None }
    }

    /// The person ticked an unticked box.
    pub const fn checkbox() -> Self {
        Self::new(Expression::Checkbox)
    }

    /// The person typed their name.
    pub const fn typed_signature() -> Self {
        Self::new(Expression::TypedSignature)
    }

    /// The person signed with a passkey.
    pub const fn passkey(assertion: PasskeyAssertion) -> Self {
        Self::new(Expression::PasskeySigned(assertion))
    }

    /// When; the instant at which it is recorded unless set.
    pub const fn at(mut self, instant: Timestamp) -> Self {
        self.at = Some(instant);
        self
    }

    /// The person attests to be at least so many years old.
    pub const fn attesting_age(mut self, years: u8) -> Self {
        self.age = Some(AgeAttestation { at_least: years });
        self
    }

    /// From which network address.
    pub const fn from(mut self, ip: IpPseudonym) -> Self {
        self.ip = Some(ip);
        self
    }

    /// How consent was expressed.
    pub const fn expression(&self) -> &Expression {
        &self.expression
    }

    /// When, if the caller says so.
    pub const fn acted_at(&self) -> Option<Timestamp> {
        self.at
    }

    /// From which network address.
    pub const fn ip(&self) -> Option<IpPseudonym> {
        self.ip
    }

    /// The attested age.
    pub const fn age(&self) -> Option<AgeAttestation> {
        self.age
    }
}
