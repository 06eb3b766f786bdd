//! Cobblestone-256: C2SP `chunked-encryption.md`, instantiated with HKDF-SHA-512 and AES-256-GCM.
//!
//! ```text
//! key(32) || base nonce(12) || commitment(32) =
//!     HKDF-Expand-SHA-512(input key, "c2sp.org/chunked-encryption@v1+" || "AEAD_AES_256_GCM" || 0x00 || salt || context)
//! message = salt(24) || commitment(32) || chunk 0 || chunk 1 || ...
//! ```
//!
//! Chunks hold 16 KiB and the last one always less, so there is one chunking per length and truncation shows.
//! The commitment is compared first, in constant time: a message opens under one key only.
//!
//! DIFFERENCE: none in the bytes. Messages are whole buffers; there is no streaming and no random access.
use ring::hmac::HMAC_SHA512;
use subtle::ConstantTimeEq;
use vouchsafe_types::{Entropy, Secret, SecretBytes, wipe_stack};

use crate::gcm::Gcm;
use crate::{EnvelopeError, kdf};

/// Bytes of the random salt at the head of a message.
pub const SALT_LEN: usize = 24;
/// Bytes of the key commitment after the salt.
pub const COMMITMENT_LEN: usize = 32;
/// Plaintext bytes of every chunk but the last.
pub const CHUNK_LEN: usize = 16 * 1024;
/// Bytes of an AES-GCM tag, one per chunk.
pub const TAG_LEN: usize = 16;

const HEADER_LEN: usize = SALT_LEN + COMMITMENT_LEN;
const SEALED_CHUNK_LEN: usize = CHUNK_LEN + TAG_LEN;
const LABEL: &[u8] = b"c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\0";
/// Chunk numbers stay below this, "Message chunking".
const MAX_CHUNKS: u64 = 1 << 38;

/// The length of a message with a plaintext of this length: 72 bytes more, and 16 for every full 16 KiB.
pub const fn sealed_len(plaintext_len: usize) -> usize {
    HEADER_LEN + plaintext_len + (plaintext_len / CHUNK_LEN + 1) * TAG_LEN
}

/// Seals a plaintext under a key, bound to a context.
///
/// # Errors
/// [`EnvelopeError::EntropyUnavailable`] without a salt.
pub fn seal(
    key: &Secret<32>,
    context: &[u8],
    plaintext: &[u8],
    entropy: &dyn Entropy,
) -> Result<Vec<u8>, EnvelopeError> {
    let mut out = Vec::with_capacity(sealed_len(plaintext.len()));
    seal_into(key, context, plaintext, entropy, &mut out)?;
    Ok(out)
}

/// Opens a message.
///
/// # Errors
/// [`EnvelopeError::Malformed`] for a length that no message has, [`EnvelopeError::NotAuthentic`] for a wrong
/// key, a wrong context or changed bytes.
pub fn open(key: &Secret<32>, context: &[u8], message: &[u8]) -> Result<SecretBytes, EnvelopeError> {
    let opened = open_all(key, context, message);
    wipe_stack();
    opened
}

/// As [`seal`], behind what `out` already holds. Reserve [`sealed_len`] bytes to avoid a copy.
pub(crate) fn seal_into(
    key: &Secret<32>,
    context: &[u8],
    plaintext: &[u8],
    entropy: &dyn Entropy,
    out: &mut Vec<u8>,
) -> Result<(), EnvelopeError> {
    let mut salt = [0; SALT_LEN];
    entropy.fill(&mut salt).map_err(|_| EnvelopeError::EntropyUnavailable)?;
    let sealed = seal_all(key, context, plaintext, &salt, out);
    wipe_stack();
    sealed
}

// Never inlined: its frame holds key schedules, and the caller wipes it.
#[inline(never)]
fn seal_all(
    key: &Secret<32>,
    context: &[u8],
    plaintext: &[u8],
    salt: &[u8; SALT_LEN],
    out: &mut Vec<u8>,
) -> Result<(), EnvelopeError> {
    let keys = derive(key, salt, context);
    let parts = Parts::of(&keys)?;
    let cipher = Gcm::new(parts.key);
    out.reserve_exact(sealed_len(plaintext.len()));
    out.extend_from_slice(salt);
    out.extend_from_slice(parts.commitment);
    for number in 0..=plaintext.len() / CHUNK_LEN {
        let from = number * CHUNK_LEN;
        let chunk = plaintext.get(from..plaintext.len().min(from + CHUNK_LEN)).unwrap_or_default();
        let nonce = nonce(parts.base_nonce, number)?;
        let start = out.len();
        out.extend_from_slice(chunk);
        let tag = cipher.seal(&nonce, b"", out.get_mut(start..).unwrap_or_default())?;
        out.extend_from_slice(&tag);
    }
    Ok(())
}

#[inline(never)]
fn open_all(key: &Secret<32>, context: &[u8], message: &[u8]) -> Result<SecretBytes, EnvelopeError> {
    let malformed = EnvelopeError::malformed("sealed message");
    let (salt, rest) = message.split_first_chunk::<SALT_LEN>().ok_or(malformed.clone())?;
    let (commitment, chunks) = rest.split_first_chunk::<COMMITMENT_LEN>().ok_or(malformed.clone())?;
    // The last chunk is at least a tag, and shorter than a full chunk.
    if chunks.len() % SEALED_CHUNK_LEN < TAG_LEN {
        return Err(malformed);
    }
    let keys = derive(key, salt, context);
    let parts = Parts::of(&keys)?;
    if !bool::from(parts.commitment.ct_eq(commitment)) {
        return Err(EnvelopeError::NotAuthentic);
    }
    let cipher = Gcm::new(parts.key);
    let mut plaintext = zeroize::Zeroizing::new(Vec::with_capacity(chunks.len()));
    for (number, chunk) in chunks.chunks(SEALED_CHUNK_LEN).enumerate() {
        let (sealed, tag) = chunk.split_last_chunk::<TAG_LEN>().ok_or(EnvelopeError::NotAuthentic)?;
        let nonce = nonce(parts.base_nonce, number)?;
        let start = plaintext.len();
        plaintext.extend_from_slice(sealed);
        cipher.open(&nonce, b"", plaintext.get_mut(start..).unwrap_or_default(), tag)?;
    }
    Ok(SecretBytes::new(std::mem::take(&mut *plaintext)))
}

/// Key, base nonce and commitment of one message, one behind the other.
fn derive(key: &Secret<32>, salt: &[u8; SALT_LEN], context: &[u8]) -> Secret<76> {
    Secret::init_with(|out| kdf::expand(HMAC_SHA512, key.expose_secret(), &[LABEL, salt, context], out))
}

/// What [`derive`] gives, taken apart.
struct Parts<'a> {
    key: &'a [u8; 32],
    base_nonce: &'a [u8; 12],
    commitment: &'a [u8; COMMITMENT_LEN],
}

impl<'a> Parts<'a> {
    /// It cannot fail: the lengths add up to 76.
    fn of(keys: &'a Secret<76>) -> Result<Self, EnvelopeError> {
        let split = |keys: &'a [u8]| {
            let (key, rest) = keys.split_first_chunk()?;
            let (base_nonce, commitment) = rest.split_first_chunk()?;
            Some(Self { key, base_nonce, commitment: commitment.try_into().ok()? })
        };
        split(keys.expose_secret()).ok_or(EnvelopeError::NotAuthentic)
    }
}

/// Base nonce XOR chunk number, big-endian, "AEAD usage".
fn nonce(base: &[u8; 12], chunk: usize) -> Result<[u8; 12], EnvelopeError> {
    let number = u64::try_from(chunk).unwrap_or(u64::MAX);
    if number >= MAX_CHUNKS {
        return Err(EnvelopeError::TooLarge);
    }
    let mut nonce = *base;
    nonce.iter_mut().skip(4).zip(number.to_be_bytes()).for_each(|(to, from)| *to ^= from);
    Ok(nonce)
}

#[cfg(test)]
mod tests;
