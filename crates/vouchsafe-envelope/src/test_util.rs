//! Doors for known-answer vectors and second implementations. Not semver stable.
use ring::hmac::{HMAC_SHA256, HMAC_SHA512};
use vouchsafe_types::{DataClass, Entropy, Secret};

use crate::gcm::Gcm;
use crate::{EnvelopeError, OrganisationState, RecordKey, kdf};

/// AES-256-GCM, as messages use it: encrypts the buffer in its place and gives the tag.
///
/// # Errors
/// [`EnvelopeError::TooLarge`] over 64 GiB.
pub fn gcm_seal(
    key: &[u8; 32],
    nonce: &[u8; 12],
    aad: &[u8],
    buffer: &mut [u8],
) -> Result<[u8; 16], EnvelopeError> {
    Gcm::new(key).seal(nonce, aad, buffer)
}

/// AES-256-GCM, as messages use it: decrypts the buffer in its place.
///
/// # Errors
/// [`EnvelopeError::NotAuthentic`] when the tag does not fit.
pub fn gcm_open(
    key: &[u8; 32],
    nonce: &[u8; 12],
    aad: &[u8],
    buffer: &mut [u8],
    tag: &[u8; 16],
) -> Result<(), EnvelopeError> {
    Gcm::new(key).open(nonce, aad, buffer, tag)
}

/// HKDF-Expand with SHA-256, as records and templates use it.
pub fn expand_sha256(prk: &[u8], info: &[u8], out: &mut [u8]) {
    kdf::expand(HMAC_SHA256, prk, &[info], out);
}

/// HKDF-Expand with SHA-512, as messages use it.
pub fn expand_sha512(prk: &[u8], info: &[u8], out: &mut [u8]) {
    kdf::expand(HMAC_SHA512, prk, &[info], out);
}

/// HMAC-SHA-256, as the pseudonyms use it.
pub fn hmac_sha256(key: &[u8], message: &[u8]) -> Secret<32> {
    kdf::hmac_sha256(key, &[message])
}

/// A record key with known bytes.
pub const fn record_key(bytes: Secret<32>) -> RecordKey {
    RecordKey::new(bytes)
}

/// The bytes of a record key.
pub const fn record_key_bytes(key: &RecordKey) -> &Secret<32> {
    key.as_secret()
}

/// A new state with `count` reserved leaves of a class. It draws 32 bytes five times: lasting key, log
/// seed, fence key, data key, root.
///
/// # Errors
/// [`EnvelopeError::EntropyUnavailable`] and [`EnvelopeError::Exhausted`].
pub fn state(
    entropy: &dyn Entropy,
    class: DataClass,
    count: u64,
) -> Result<OrganisationState, EnvelopeError> {
    let mut state = OrganisationState::generate(entropy, std::sync::Arc::new(crate::port::NoAudit))?;
    state.reserve(class, count)?;
    Ok(state)
}

/// The record key of a leaf under a data key.
///
/// # Errors
/// As [`OrganisationState::open`].
pub fn leaf_record_key(
    state: &OrganisationState,
    leaf: vouchsafe_types::LeafIndex,
    key_version: u32,
) -> Result<RecordKey, EnvelopeError> {
    state.record_key(leaf, key_version)
}
