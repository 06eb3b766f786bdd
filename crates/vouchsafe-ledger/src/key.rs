use ring::digest::{SHA256, digest};
use ring::signature::{ED25519, UnparsedPublicKey};

use crate::{LedgerError, text};

/// An Ed25519 key with a name, as [C2SP signed-note](https://c2sp.org/signed-note) writes it; the signature type
/// is that of whoever wraps it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct NamedKey {
    pub(crate) name: String,
    pub(crate) id: u32,
    pub(crate) public: [u8; 32],
}

impl NamedKey {
    pub(crate) fn new(algorithm: u8, name: &str, public: [u8; 32]) -> Self {
        let hash = digest(&SHA256, &[name.as_bytes(), b"\n", &[algorithm], &public].concat());
        let id = hash.as_ref().first_chunk().map_or(0, |id| u32::from_be_bytes(*id));
        Self { name: name.to_owned(), id, public }
    }

    /// Reads the one spelling of the text form.
    pub(crate) fn parse(algorithm: u8, text: &str) -> Result<Self, LedgerError> {
        let key = Self::split(algorithm, text).ok_or(LedgerError::KeyMalformed)?;
        if key.text(algorithm) == text { Ok(key) } else { Err(LedgerError::KeyMalformed) }
    }

    /// The text form.
    pub(crate) fn text(&self, algorithm: u8) -> String {
        let key = [&[algorithm], self.public.as_slice()].concat();
        format!("{}+{:08x}+{}", self.name, self.id, text::encode(&key))
    }

    pub(crate) fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), LedgerError> {
        let public = UnparsedPublicKey::new(&ED25519, &self.public);
        public.verify(message, signature).map_err(|_| LedgerError::SignatureInvalid)
    }

    fn split(algorithm: u8, text: &str) -> Option<Self> {
        let (name, rest) = text.split_once('+')?;
        let (_, key) = rest.split_once('+')?;
        check_name(name).ok()?;
        let key = text::decode(key)?;
        let (first, public) = key.split_first()?;
        (*first == algorithm).then_some(Self::new(algorithm, name, public.try_into().ok()?))
    }
}

pub(crate) fn check_name(name: &str) -> Result<(), LedgerError> {
    let stray = |c: char| c.is_whitespace() || c == '+' || c < ' ';
    if name.is_empty() || name.chars().any(stray) { Err(LedgerError::Name) } else { Ok(()) }
}
