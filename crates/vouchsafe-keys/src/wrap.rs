//! Wrapping under a state key of this host, for the services whose keys pass through its memory.
use vouchsafe_envelope::port::KeyHandle;
use vouchsafe_envelope::{EnvelopeError, KeyServiceError, cobblestone};
use vouchsafe_types::{Entropy, Secret};

use crate::keys::{Keys, organisation_len};

/// Encrypts a secret under the handle's key, bound to handle and context.
pub(crate) fn wrap(
    keys: &Keys,
    handle: &KeyHandle,
    secret: &Secret<32>,
    context: &[u8],
    entropy: &dyn Entropy,
) -> Result<Vec<u8>, KeyServiceError> {
    let key = keys.get(handle).ok_or(KeyServiceError::NoSuchKey)?;
    cobblestone::seal(key, &wrap_context(handle, context), secret.expose_secret(), entropy)
        .map_err(|_| KeyServiceError::Unavailable)
}

/// Decrypts what [`wrap`] gave for the same handle and context.
pub(crate) fn unwrap(
    keys: &Keys,
    handle: &KeyHandle,
    wrapped: &[u8],
    context: &[u8],
) -> Result<Secret<32>, KeyServiceError> {
    let key = keys.get(handle).ok_or(KeyServiceError::NoSuchKey)?;
    let opened = cobblestone::open(key, &wrap_context(handle, context), wrapped);
    let secret = opened.map_err(|error| match error {
        EnvelopeError::NotAuthentic => KeyServiceError::NotAuthentic,
        _ => KeyServiceError::Malformed,
    })?;
    Secret::copy_from_slice(secret.expose_secret()).ok_or(KeyServiceError::Malformed)
}

/// `"vouchsafe key wrap v1" || 0x00 || length of the organisation (1) || organisation || generation (8) || context`.
fn wrap_context(handle: &KeyHandle, context: &[u8]) -> Vec<u8> {
    let organisation = handle.organisation().as_str().as_bytes();
    let len = organisation_len(handle);
    let generation = handle.generation().to_be_bytes();
    [b"vouchsafe key wrap v1\0", [len].as_slice(), organisation, &generation, context].concat()
}
