use std::fmt;

use ring::digest::{SHA256, digest};
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use vouchsafe_types::{Secret, wipe_stack};

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
        Ok(Self { seed, verifier: VerifierKey::new(name, public) })
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
        check_text(text)?;
        let signature = raw_signature(&self.seed, text.as_bytes());
        wipe_stack();
        let bytes = [self.verifier.id.to_be_bytes().as_slice(), &signature?].concat();
        Ok(format!("{text}\n{DASH}{} {}\n", self.verifier.name, text::encode(&bytes)))
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
pub struct VerifierKey {
    name: String,
    id: u32,
    public: [u8; 32],
}

impl VerifierKey {
    /// Reads the text form; it has one spelling.
    ///
    /// # Errors
    /// [`LedgerError::KeyMalformed`] for any other text, also when the key id is not that of the key.
    pub fn parse(text: &str) -> Result<Self, LedgerError> {
        let key = Self::split(text).ok_or(LedgerError::KeyMalformed)?;
        if key.to_string() == text { Ok(key) } else { Err(LedgerError::KeyMalformed) }
    }

    /// The key name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The key id: the first four bytes of SHA-256(name || 0x0A || 0x01 || public key).
    pub const fn id(&self) -> u32 {
        self.id
    }

    /// The 32 bytes of the public key (RFC 8032 section 5.1.5).
    pub const fn public_key(&self) -> &[u8; 32] {
        &self.public
    }

    fn new(name: &str, public: [u8; 32]) -> Self {
        let hash = digest(&SHA256, &[name.as_bytes(), b"\n", &[ALGORITHM], &public].concat());
        let id = hash.as_ref().first_chunk().map_or(0, |id| u32::from_be_bytes(*id));
        Self { name: name.to_owned(), id, public }
    }

    fn split(text: &str) -> Option<Self> {
        let (name, rest) = text.split_once('+')?;
        let (_, key) = rest.split_once('+')?;
        check_name(name).ok()?;
        let key = text::decode(key)?;
        let (algorithm, public) = key.split_first()?;
        (*algorithm == ALGORITHM).then_some(Self::new(name, public.try_into().ok()?))
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = [&[ALGORITHM], self.public.as_slice()].concat();
        write!(f, "{}+{:08x}+{}", self.name, self.id, text::encode(&key))
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
        let mut known = false;
        for signature in &self.signatures {
            let mut matching = keys.iter().filter(|key| signature.is_by(key));
            if let Some(key) = matching.next() {
                let public = UnparsedPublicKey::new(&ED25519, &key.public);
                let checked = public.verify(self.text.as_bytes(), &signature.bytes);
                checked.map_err(|_| LedgerError::SignatureInvalid)?;
                known = true;
            }
        }
        if known { Ok(&self.text) } else { Err(LedgerError::SignatureMissing) }
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

#[derive(Debug, Clone, PartialEq, Eq)]
struct Signature {
    name: String,
    id: u32,
    bytes: Vec<u8>,
}

impl Signature {
    fn parse(line: &str) -> Option<Self> {
        let (name, signature) = line.strip_prefix(DASH)?.split_once(' ')?;
        check_name(name).ok()?;
        let decoded = text::decode(signature)?;
        let (id, bytes) = decoded.split_first_chunk()?;
        let (id, bytes) = (u32::from_be_bytes(*id), bytes.to_vec());
        (!bytes.is_empty()).then_some(Self { name: name.to_owned(), id, bytes })
    }

    fn is_by(&self, key: &VerifierKey) -> bool {
        self.id == key.id && self.name == key.name
    }
}

pub(crate) fn check_name(name: &str) -> Result<(), LedgerError> {
    let stray = |c: char| c.is_whitespace() || c == '+' || c < ' ';
    if name.is_empty() || name.chars().any(stray) { Err(LedgerError::Name) } else { Ok(()) }
}

fn check_text(text: &str) -> Result<(), LedgerError> {
    let clean = text.ends_with('\n') && text.chars().all(|c| c >= ' ' || c == '\n');
    if clean { Ok(()) } else { Err(LedgerError::NoteMalformed) }
}

// The expanded key lives on the stack only, in these two frames; their callers overwrite it.

#[inline(never)]
fn public_key(seed: &Secret<32>) -> Result<[u8; 32], LedgerError> {
    let pair = Ed25519KeyPair::from_seed_unchecked(seed.expose_secret());
    let pair = pair.map_err(|_| LedgerError::KeyMalformed)?;
    pair.public_key().as_ref().try_into().map_err(|_| LedgerError::KeyMalformed)
}

#[inline(never)]
fn raw_signature(seed: &Secret<32>, message: &[u8]) -> Result<[u8; 64], LedgerError> {
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
