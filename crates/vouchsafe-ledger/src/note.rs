use std::fmt;

use ring::signature::{Ed25519KeyPair, KeyPair};
use vouchsafe_types::{Secret, wipe_stack};

use crate::key::{NamedKey, check_name};
use crate::{LedgerError, text};

/// The key that signs the checkpoints of one log: Ed25519 (RFC 8032), wiped on drop.
pub struct LogSigner {
    seed: Secret<32>,
    verifier: VerifierKey,
}

impl LogSigner {
    /// The signer with this key name and the seed of RFC 8032 section 5.1.5, 32 random bytes.
    ///
    /// # Errors
    /// [`LedgerError::Name`] when the name is empty, or holds a space, a plus or a control character.
    pub fn from_seed(name: &str, seed: &Secret<32>) -> Result<Self, LedgerError> {
        check_name(name)?;
        let public = public_key(seed)?;
        wipe_stack();
        let seed = Secret::init_with(|own| own.copy_from_slice(seed.expose_secret()));
        Ok(Self { seed, verifier: VerifierKey(NamedKey::new(ALGORITHM, name, public)) })
    }

    /// The key that verifies what this one signs.
    pub const fn verifier(&self) -> &VerifierKey {
        &self.verifier
    }

    /// Signs a text that ends in a newline, and gives the whole signed note.
    ///
    /// # Errors
    /// [`LedgerError::NoteMalformed`] for a text without a final newline or with control characters.
    pub fn sign(&self, text: &str) -> Result<String, LedgerError> {
        self.signature(text).map(|line| format!("{text}\n{line}"))
    }

    /// The signature line alone, with its newline.
    pub(crate) fn signature(&self, text: &str) -> Result<String, LedgerError> {
        check_text(text)?;
        let signature = raw_signature(&self.seed, text.as_bytes());
        wipe_stack();
        Ok(format!("{}\n", signature_line(&self.verifier.0, &signature?)))
    }
}

impl fmt::Debug for LogSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogSigner").field("verifier", &self.verifier).finish_non_exhaustive()
    }
}

/// The public key of a log, with its name: what a verifier must know and nothing more.
///
/// The text form is `name+hex8+base64(0x01 || public key)`, as Go's `golang.org/x/mod/sumdb/note` writes it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct VerifierKey(NamedKey);

impl VerifierKey {
    /// Reads the text form; it has one spelling.
    ///
    /// # Errors
    /// [`LedgerError::KeyMalformed`] for any other text, also when the key id is not that of the key.
    pub fn parse(text: &str) -> Result<Self, LedgerError> {
        NamedKey::parse(ALGORITHM, text).map(Self)
    }

    /// The key name.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// The key id: the first four bytes of SHA-256(name || 0x0A || 0x01 || public key).
    pub const fn id(&self) -> u32 {
        self.0.id
    }

    /// The 32 bytes of the public key (RFC 8032 section 5.1.5).
    pub const fn public_key(&self) -> &[u8; 32] {
        &self.0.public
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.text(ALGORITHM))
    }
}

/// A parsed note ([C2SP signed-note](https://c2sp.org/signed-note)); not to be believed before [`Self::verify`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    text: String,
    signatures: Vec<Signature>,
}

impl Note {
    /// The longest note, in bytes.
    pub const MAX_LEN: usize = 1_000_000;
    /// The most signature lines.
    pub const MAX_SIGNATURES: usize = 100;

    /// Reads a note strictly.
    ///
    /// # Errors
    /// [`LedgerError::NoteMalformed`] when it is not a text, an empty line and signature lines.
    pub fn parse(note: &str) -> Result<Self, LedgerError> {
        Self::split(note).ok_or(LedgerError::NoteMalformed)
    }

    /// The signed text, if a known key signed it. Signatures by unknown keys are ignored.
    ///
    /// # Errors
    /// [`LedgerError::SignatureInvalid`] when the signature of a known key does not verify, even beside one that
    /// does; [`LedgerError::SignatureMissing`] when no signature is by a known key.
    pub fn verify(&self, keys: &[&VerifierKey]) -> Result<&str, LedgerError> {
        if self.signers(keys)?.is_empty() { Err(LedgerError::SignatureMissing) } else { Ok(&self.text) }
    }

    /// Those of the keys that signed the text, in the order of their signatures.
    ///
    /// # Errors
    /// [`LedgerError::SignatureInvalid`] when the signature of one of them does not verify.
    pub fn signers<'k>(&self, keys: &[&'k VerifierKey]) -> Result<Vec<&'k VerifierKey>, LedgerError> {
        let mut signers = Vec::new();
        for signature in &self.signatures {
            if let Some(key) = keys.iter().find(|key| signature.is_by(&key.0)) {
                key.0.verify(self.text.as_bytes(), &signature.bytes)?;
                signers.push(*key);
            }
        }
        Ok(signers)
    }

    /// The text that the signatures are about; not to be believed before [`Self::verify`].
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    pub(crate) fn signatures(&self) -> &[Signature] {
        &self.signatures
    }

    fn split(note: &str) -> Option<Self> {
        if note.len() > Self::MAX_LEN {
            return None;
        }
        let (text, signatures) = note.rsplit_once("\n\n")?;
        let text = format!("{text}\n");
        check_text(&text).ok()?;
        let lines = signatures.strip_suffix('\n')?.split('\n');
        let signatures = lines.map(Signature::parse).collect::<Option<Vec<_>>>()?;
        (signatures.len() <= Self::MAX_SIGNATURES).then_some(Self { text, signatures })
    }
}

/// One signature line: key name, key id and what the key made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Signature {
    name: String,
    id: u32,
    bytes: Vec<u8>,
}

impl Signature {
    pub(crate) fn parse(line: &str) -> Option<Self> {
        let (name, signature) = line.strip_prefix(DASH)?.split_once(' ')?;
        check_name(name).ok()?;
        let decoded = text::decode(signature)?;
        let (id, bytes) = decoded.split_first_chunk()?;
        let (id, bytes) = (u32::from_be_bytes(*id), bytes.to_vec());
        (!bytes.is_empty()).then_some(Self { name: name.to_owned(), id, bytes })
    }

    pub(crate) fn is_by(&self, key: &NamedKey) -> bool {
        self.id == key.id && self.name == key.name
    }

    /// What the key made, without the key id.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

impl fmt::Display for Signature {
    /// Writes the line without its newline.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = [self.id.to_be_bytes().as_slice(), &self.bytes].concat();
        write!(f, "{DASH}{} {}", self.name, text::encode(&bytes))
    }
}

/// The line of a signature by this key.
pub(crate) fn signature_line(key: &NamedKey, bytes: &[u8]) -> Signature {
    Signature { name: key.name.clone(), id: key.id, bytes: bytes.to_vec() }
}

fn check_text(text: &str) -> Result<(), LedgerError> {
    let clean = text.ends_with('\n') && text.chars().all(|c| c >= ' ' || c == '\n');
    if clean { Ok(()) } else { Err(LedgerError::NoteMalformed) }
}

// The expanded key lives on the stack only, in these two frames; their callers overwrite it.

#[inline(never)]
pub(crate) fn public_key(seed: &Secret<32>) -> Result<[u8; 32], LedgerError> {
    let pair = Ed25519KeyPair::from_seed_unchecked(seed.expose_secret());
    let pair = pair.map_err(|_| LedgerError::KeyMalformed)?;
    pair.public_key().as_ref().try_into().map_err(|_| LedgerError::KeyMalformed)
}

#[inline(never)]
pub(crate) fn raw_signature(seed: &Secret<32>, message: &[u8]) -> Result<[u8; 64], LedgerError> {
    let pair = Ed25519KeyPair::from_seed_unchecked(seed.expose_secret());
    let signature = pair.map_err(|_| LedgerError::KeyMalformed)?.sign(message);
    signature.as_ref().try_into().map_err(|_| LedgerError::KeyMalformed)
}

/// The signature type of Ed25519.
const ALGORITHM: u8 = 0x01;
/// What a signature line starts with: em dash and space.
const DASH: &str = "\u{2014} ";

#[cfg(test)]
mod tests;
