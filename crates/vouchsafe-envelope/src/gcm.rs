//! AES-256-GCM, NIST SP 800-38D: keys of 32 bytes, nonces of 12 and tags of 16, and no others.
use aes_gcm::aead::inout::InOutBuf;
use aes_gcm::{AeadInOut, Aes256Gcm, KeyInit};

use crate::EnvelopeError;

/// A key schedule, wiped on drop.
pub(crate) struct Gcm(Aes256Gcm);

impl Gcm {
    /// Expands a key.
    pub(crate) fn new(key: &[u8; 32]) -> Self {
        Self(Aes256Gcm::new(key.into()))
    }

    /// Encrypts the buffer in its place and gives its tag.
    ///
    /// # Errors
    /// [`EnvelopeError::TooLarge`] over 64 GiB.
    pub(crate) fn seal(
        &self,
        nonce: &[u8; 12],
        aad: &[u8],
        buffer: &mut [u8],
    ) -> Result<[u8; 16], EnvelopeError> {
        let sealed = self.0.encrypt_inout_detached(nonce.into(), aad, InOutBuf::from(buffer));
        sealed.map(Into::into).map_err(|_| EnvelopeError::TooLarge)
    }

    /// Decrypts the buffer in its place; before the tag has been checked, nothing is decrypted.
    ///
    /// # Errors
    /// [`EnvelopeError::NotAuthentic`] when the tag does not fit.
    pub(crate) fn open(
        &self,
        nonce: &[u8; 12],
        aad: &[u8],
        buffer: &mut [u8],
        tag: &[u8; 16],
    ) -> Result<(), EnvelopeError> {
        let opened = self.0.decrypt_inout_detached(nonce.into(), aad, InOutBuf::from(buffer), tag.into());
        opened.map_err(|_| EnvelopeError::NotAuthentic)
    }
}
