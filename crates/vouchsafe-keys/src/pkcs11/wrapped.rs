//! The bytes of a wrap: `0x01 || IV (12) || ciphertext (32) || tag (16)`, 61 in all.
//!
//! AES-256-GCM with the associated data of [`wrap_context`](crate::binding::wrap_context).

/// Bytes of the initialisation vector (NIST SP 800-38D, section 5.2.1.1 recommends 96 bits).
pub(super) const IV_LEN: usize = 12;
/// Bytes of the ciphertext and its tag.
pub(super) const SEALED_LEN: usize = 32 + 16;

const VERSION: u8 = 1;

/// A wrap, taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Wrapped {
    pub(super) iv: [u8; IV_LEN],
    pub(super) sealed: [u8; SEALED_LEN],
}

impl Wrapped {
    pub(super) fn encode(&self) -> Vec<u8> {
        [[VERSION].as_slice(), &self.iv, &self.sealed].concat()
    }

    /// `None` for bytes that [`Self::encode`] never gives.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let (iv, sealed) = bytes.strip_prefix(&[VERSION])?.split_first_chunk::<IV_LEN>()?;
        Some(Self { iv: *iv, sealed: sealed.try_into().ok()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrap_has_one_encoding() {
        let wrapped = Wrapped { iv: [3; IV_LEN], sealed: [4; SEALED_LEN] };
        let bytes = wrapped.encode();
        assert_eq!((bytes.len(), Wrapped::decode(&bytes)), (61, Some(wrapped)));
        for len in (0..61).chain([62, 122]) {
            let mut other = bytes.clone();
            other.resize(len, 4);
            assert_eq!(Wrapped::decode(&other), None, "{len}");
        }
        for version in [0, 2, 255] {
            let mut other = bytes.clone();
            other[0] = version;
            assert_eq!(Wrapped::decode(&other), None, "{version}");
        }
    }
}
