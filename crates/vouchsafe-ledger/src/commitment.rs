//! Hiding, binding commitments: HMAC-SHA-256 (RFC 2104) under a random key of exactly 32 bytes.
//!
//! The leaf holds the commitment, the payload lies elsewhere. Whoever lacks the opening learns nothing about the
//! payload, not even by guessing it; whoever holds both can show that they belong together. Once the opening and
//! the payload are destroyed, the leaf stays and says nothing more.

use std::fmt;

use ring::hmac;
use vouchsafe_types::{Entropy, EntropyUnavailable, Secret, wipe_stack};

/// The random key of one commitment. A person's receipt carries theirs.
pub struct Opening(Secret<32>);

impl Opening {
    /// A fresh opening; one commitment, one opening.
    ///
    /// # Errors
    /// [`EntropyUnavailable`] when the source cannot answer.
    pub fn random(entropy: &dyn Entropy) -> Result<Self, EntropyUnavailable> {
        Secret::random(entropy).map(Self)
    }

    /// Takes over an opening that was kept.
    pub const fn from_secret(secret: Secret<32>) -> Self {
        Self(secret)
    }

    /// The 32 bytes, to keep them in a sealed record or a receipt.
    pub fn expose_opening(&self) -> &[u8; 32] {
        self.0.expose_secret()
    }
}

impl fmt::Debug for Opening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opening").finish_non_exhaustive()
    }
}

/// Commits to a payload.
pub fn commit(opening: &Opening, payload: &[u8]) -> [u8; 32] {
    let commitment = mac(opening, payload);
    wipe_stack();
    commitment
}

/// Whether opening and payload belong to this commitment; compared in constant time.
#[must_use]
pub fn verify(opening: &Opening, payload: &[u8], commitment: &[u8; 32]) -> bool {
    let matches = check(opening, payload, commitment);
    wipe_stack();
    matches
}

#[inline(never)]
fn mac(opening: &Opening, payload: &[u8]) -> [u8; 32] {
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, opening.expose_opening()), payload);
    let mut bytes = [0; 32];
    bytes.iter_mut().zip(tag.as_ref()).for_each(|(out, byte)| *out = *byte);
    bytes
}

#[inline(never)]
fn check(opening: &Opening, payload: &[u8], commitment: &[u8; 32]) -> bool {
    let key = hmac::Key::new(hmac::HMAC_SHA256, opening.expose_opening());
    hmac::verify(&key, payload, commitment).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opening(fill: u8) -> Opening {
        Opening::from_secret(Secret::init_with(|bytes| bytes.fill(fill)))
    }

    /// The expected bytes come from Python's `hmac` module.
    #[test]
    fn known_answer() {
        let expected = "198a607eb44bfbc69903a0f1cf2bbdc5ba0aa3f3d9ae3c1c7a3b1696a0b68cf7";
        let text: String = commit(&opening(0x0b), b"Hi There").iter().map(|b| format!("{b:02x}")).collect();
        assert_eq!(text, expected);
    }

    #[test]
    fn only_the_same_opening_and_payload_verify() {
        let commitment = commit(&opening(1), b"payload");
        assert!(verify(&opening(1), b"payload", &commitment));
        assert!(!verify(&opening(2), b"payload", &commitment));
        assert!(!verify(&opening(1), b"payloaD", &commitment));
        let mut other = commitment;
        other[31] ^= 1;
        assert!(!verify(&opening(1), b"payload", &other));
        assert_eq!(format!("{:?}", opening(1)), "Opening { .. }");
    }
}
