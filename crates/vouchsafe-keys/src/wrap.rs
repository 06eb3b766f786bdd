//! Wrapping under a state key of this host, for the services whose keys pass through its memory.
use vouchsafe_envelope::port::KeyHandle;
use vouchsafe_envelope::{EnvelopeError, KeyServiceError, cobblestone};
use vouchsafe_types::{Entropy, Secret};

use crate::binding::wrap_context;
use crate::keys::Keys;

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
