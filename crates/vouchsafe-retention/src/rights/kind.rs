use std::fmt;

use vouchsafe_types::DataClass;

use super::IdentityProof;

/// What a person asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum RequestKind {
    /// Have wrong data put right.
    Correct,
    /// Have data destroyed.
    Delete,
    /// Get a copy that a machine reads.
    Export,
    /// Get to know what is held.
    Know,
    /// Object to the processing.
    Object,
    /// Opt out of a sale. There is none to opt out of; the request is answered all the same.
    OptOutOfSale,
    /// Have the processing restricted to storage.
    Restrict,
    /// Withdraw consent.
    Withdraw,
}

impl RequestKind {
    /// Every kind, in the order of its code.
    pub const ALL: [Self; 8] = [
        Self::Know,
        Self::Export,
        Self::Correct,
        Self::Delete,
        Self::Restrict,
        Self::Object,
        Self::Withdraw,
        Self::OptOutOfSale,
    ];

    /// The stable code used in rows, 1 to 8.
    pub const fn code(self) -> u8 {
        match self {
            Self::Know => 1,
            Self::Export => 2,
            Self::Correct => 3,
            Self::Delete => 4,
            Self::Restrict => 5,
            Self::Object => 6,
            Self::Withdraw => 7,
            Self::OptOutOfSale => 8,
        }
    }

    /// Reads a code back; `None` for a code outside 1 to 8.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }

    /// The stable name used in packs and encodings.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Correct => "correct",
            Self::Delete => "delete",
            Self::Export => "export",
            Self::Know => "know",
            Self::Object => "object",
            Self::OptOutOfSale => "opt_out_of_sale",
            Self::Restrict => "restrict",
            Self::Withdraw => "withdraw",
        }
    }

    /// Reads a name back; `None` for a text that [`Self::name`] never gives.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Whether the person has to prove who they are, beyond asking from their own session.
    ///
    /// What discloses, alters or destroys data could be turned against the person by a stranger. What only stops
    /// processing is as easy as a session (GDPR Art 7(3); Cal. Code Regs. tit. 11, 7026(d)).
    pub const fn needs_identity(self) -> bool {
        matches!(self, Self::Correct | Self::Delete | Self::Export | Self::Know)
    }

    /// Whether the proof is enough for this kind.
    pub const fn accepts(self, proof: &IdentityProof) -> bool {
        !self.needs_identity() || !matches!(proof, IdentityProof::Session)
    }

    /// Whether a request of this kind owes an answer for the class.
    ///
    /// To know, to export and to delete concern every class; a correction those that hold facts about a person or their
    /// template; a restriction, an objection and a withdrawal the templates that processing needs; an opt-out none,
    /// since nothing is sold.
    pub const fn concerns(self, class: DataClass) -> bool {
        match self {
            Self::Delete | Self::Export | Self::Know => true,
            Self::Correct => matches!(
                class,
                DataClass::Account
                    | DataClass::Billing
                    | DataClass::Biometric
                    | DataClass::Support
                    | DataClass::Usage
            ),
            Self::Object | Self::Restrict | Self::Withdraw => matches!(class, DataClass::Biometric),
            Self::OptOutOfSale => false,
        }
    }
}

impl fmt::Display for RequestKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A request: 16 random bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RequestId([u8; 16]);

impl RequestId {
    /// Wraps 16 random bytes.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Reads 32 lower-case hexadecimal digits; `None` for any other text.
    pub fn parse(text: &str) -> Option<Self> {
        crate::hex::read(text).map(Self)
    }

    /// The 16 bytes.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Display for RequestId {
    /// Writes 32 lower-case hexadecimal digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        crate::hex::write(&self.0, f)
    }
}
