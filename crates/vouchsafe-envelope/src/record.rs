#![doc = include_str!("../docs/record-format.md")]
use vouchsafe_types::{Entropy, Secret, SecretBytes};

use crate::{Context, EnvelopeError, cobblestone};

/// The only record version so far, the first byte of a sealed record.
pub const VERSION: u8 = 0x01;

/// The longest plaintext of a record, in bytes: 1 MiB.
pub const MAX_PLAINTEXT: usize = 1 << 20;

/// The key of one leaf's records. The organisation state derives it.
pub struct RecordKey(Secret<32>);

impl RecordKey {
    pub(crate) const fn new(secret: Secret<32>) -> Self {
        Self(secret)
    }

    #[cfg(any(test, feature = "test-util"))]
    pub(crate) const fn as_secret(&self) -> &Secret<32> {
        &self.0
    }
}

impl std::fmt::Debug for RecordKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RecordKey").finish_non_exhaustive()
    }
}

/// Seals a plaintext of at most [`MAX_PLAINTEXT`] bytes under a record key, bound to its context.
///
/// # Errors
/// [`EnvelopeError::TooLarge`] and [`EnvelopeError::EntropyUnavailable`].
pub fn seal(
    key: &RecordKey,
    context: &Context,
    plaintext: &[u8],
    entropy: &dyn Entropy,
) -> Result<Vec<u8>, EnvelopeError> {
    if plaintext.len() > MAX_PLAINTEXT {
        return Err(EnvelopeError::TooLarge);
    }
    let mut out = Vec::with_capacity(sealed_len(plaintext.len()));
    out.push(VERSION);
    cobblestone::seal_into(&key.0, &context.to_bytes(), plaintext, entropy, &mut out)?;
    Ok(out)
}

/// Opens a sealed record.
///
/// # Errors
/// [`EnvelopeError::Malformed`] for a length that no record has, [`EnvelopeError::NotAuthentic`] for a wrong
/// key, a wrong context, changed bytes or another version: one error for all, so that it answers no question.
pub fn open(key: &RecordKey, context: &Context, sealed: &[u8]) -> Result<SecretBytes, EnvelopeError> {
    let (version, message) = sealed.split_first().ok_or(EnvelopeError::malformed("sealed record"))?;
    if sealed.len() > sealed_len(MAX_PLAINTEXT) {
        return Err(EnvelopeError::malformed("sealed record"));
    }
    if *version != VERSION {
        return Err(EnvelopeError::NotAuthentic);
    }
    cobblestone::open(&key.0, &context.to_bytes(), message)
}

/// The version that a sealed record claims, for migrations and reports; [`open`] alone says whether it holds.
pub fn claimed_version(sealed: &[u8]) -> Option<u8> {
    sealed.first().copied()
}

/// The length of the sealed record of a plaintext of this length.
pub const fn sealed_len(plaintext_len: usize) -> usize {
    1 + cobblestone::sealed_len(plaintext_len)
}

#[cfg(test)]
mod tests {
    use vouchsafe_types::{EntropyUnavailable, RecordId};

    use super::*;
    use crate::context::tests::sample;

    struct Fixed(u8);

    impl Entropy for Fixed {
        fn fill(&self, buffer: &mut [u8]) -> Result<(), EntropyUnavailable> {
            buffer.fill(self.0);
            Ok(())
        }
    }

    fn key(byte: u8) -> RecordKey {
        RecordKey::new(Secret::init_with(|key| key.fill(byte)))
    }

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn every_flipped_bit_gives_the_same_refusal() {
        let sealed = seal(&key(1), &sample(), &[0x5a; 2048], &Fixed(2)).unwrap();
        for bit in 0..sealed.len() * 8 {
            let mut changed = sealed.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(open(&key(1), &sample(), &changed).unwrap_err(), EnvelopeError::NotAuthentic, "{bit}");
        }
        assert!(open(&key(1), &sample(), &sealed).is_ok());
    }

    #[test]
    fn wrong_key_and_swapped_records_give_the_same_refusal() {
        let (here, there) = (sample(), Context { record: RecordId::from_bytes([9; 16]), ..sample() });
        let a = seal(&key(1), &here, b"a", &Fixed(2)).unwrap();
        let b = seal(&key(1), &there, b"b", &Fixed(3)).unwrap();
        assert_eq!(open(&key(1), &here, &a).unwrap().expose_secret(), b"a");
        assert_eq!(open(&key(1), &there, &b).unwrap().expose_secret(), b"b");
        for (key, context, sealed) in [(key(1), &here, &b), (key(1), &there, &a), (key(2), &here, &a)] {
            assert_eq!(open(&key, context, sealed).unwrap_err(), EnvelopeError::NotAuthentic);
        }
    }

    #[test]
    fn lengths_are_checked() {
        let sealed = seal(&key(1), &sample(), &[0; MAX_PLAINTEXT], &Fixed(2)).unwrap();
        assert_eq!(sealed.len(), sealed_len(MAX_PLAINTEXT));
        assert!(open(&key(1), &sample(), &sealed).is_ok());
        let over = seal(&key(1), &sample(), &[0; MAX_PLAINTEXT + 1], &Fixed(2));
        assert_eq!(over.unwrap_err(), EnvelopeError::TooLarge);
        let long = [sealed.clone(), vec![0; cobblestone::CHUNK_LEN]].concat();
        assert!(matches!(open(&key(1), &sample(), &long), Err(EnvelopeError::Malformed(_))));
        assert!(open(&key(1), &sample(), &[sealed, vec![0]].concat()).is_err());
        for short in [&[][..], &[1], &[1; 72]] {
            assert!(matches!(open(&key(1), &sample(), short), Err(EnvelopeError::Malformed(_))));
        }
    }

    #[test]
    fn the_specification_holds_the_encoding_of_its_example() {
        let page = include_str!("../docs/record-format.md").replace(['\n', ' '], "");
        let sealed = seal(&key(1), &sample(), b"example", &Fixed(2)).unwrap();
        assert!(page.contains(&hex(&sealed)), "record: {}", hex(&sealed));
        assert!(page.contains(&hex(&sample().to_bytes())), "context: {}", hex(&sample().to_bytes()));
        assert_eq!(open(&key(1), &sample(), &sealed).unwrap().expose_secret(), b"example");
    }
}
