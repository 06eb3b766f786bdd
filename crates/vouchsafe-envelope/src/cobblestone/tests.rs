use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use ring::hkdf::{HKDF_SHA512, KeyType, Prk};
use vouchsafe_types::EntropyUnavailable;

use super::*;

/// Gives back the salt of a vector, so that sealing can be compared byte for byte.
struct Replay(Vec<u8>);

impl Entropy for Replay {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), EntropyUnavailable> {
        buffer.copy_from_slice(self.0.get(..buffer.len()).ok_or(EntropyUnavailable)?);
        Ok(())
    }
}

struct Length;

impl KeyType for Length {
    fn len(&self) -> usize {
        76
    }
}

/// The specification once more, over ring's HKDF and AES-GCM.
fn peer(key: &[u8; 32], context: &[u8], salt: [u8; SALT_LEN], plaintext: &[u8]) -> Vec<u8> {
    let mut keys = [0; 76];
    let info = [b"c2sp.org/chunked-encryption@v1+", &b"AEAD_AES_256_GCM\0"[..], &salt, context];
    Prk::new_less_safe(HKDF_SHA512, key).expand(&info, Length).unwrap().fill(&mut keys).unwrap();
    let cipher = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &keys[..32]).unwrap());
    let mut message = [&salt[..], &keys[44..]].concat();
    for number in 0..=plaintext.len() / CHUNK_LEN {
        let mut chunk = plaintext[number * CHUNK_LEN..].iter().copied().take(CHUNK_LEN).collect::<Vec<_>>();
        let mut nonce: [u8; 12] = keys[32..44].try_into().unwrap();
        nonce[11] ^= u8::try_from(number).unwrap();
        let nonce = Nonce::assume_unique_for_key(nonce);
        cipher.seal_in_place_append_tag(nonce, Aad::empty(), &mut chunk).unwrap();
        message.extend(chunk);
    }
    message
}

/// Promise: WB-3-encryption
#[test]
fn messages_are_those_of_the_specification_and_open_whole_or_not_at_all() {
    let key = Secret::init_with(|key| key.fill(7));
    let plaintext: Vec<u8> = (0..=250).cycle().take(3 * CHUNK_LEN + 9).collect();
    let message = seal(&key, b"here", &plaintext, &Replay(vec![9; 24])).unwrap();
    assert!(message == peer(&[7; 32], b"here", [9; 24], &plaintext));
    assert!(open(&key, b"here", &message).unwrap().expose_secret() == plaintext);
    // One byte of each part: salt, commitment, first chunk, its tag, last chunk, its tag.
    for at in [0, 23, 24, 55, 56, 56 + CHUNK_LEN, message.len() - 17, message.len() - 1] {
        let mut changed = message.clone();
        changed[at] ^= 1;
        assert_eq!(open(&key, b"here", &changed).unwrap_err(), EnvelopeError::NotAuthentic, "byte {at}");
    }
    let chunk =
        |number: usize| HEADER_LEN + number * SEALED_CHUNK_LEN..HEADER_LEN + (number + 1) * SEALED_CHUNK_LEN;
    let swapped = [&message[..HEADER_LEN], &message[chunk(1)], &message[chunk(0)], &message[chunk(1).end..]];
    assert_eq!(open(&key, b"here", &swapped.concat()).unwrap_err(), EnvelopeError::NotAuthentic);
    let other = Secret::init_with(|key| key.fill(8));
    assert_eq!(open(&other, b"here", &message).unwrap_err(), EnvelopeError::NotAuthentic);
}

#[test]
fn every_length_around_a_chunk_reads_back() {
    let key = Secret::init_with(|key| key.fill(7));
    for len in [0, 1, CHUNK_LEN - 1, CHUNK_LEN, CHUNK_LEN + 1, 2 * CHUNK_LEN, 2 * CHUNK_LEN + 5] {
        let plaintext: Vec<u8> = (0..=250).cycle().take(len).collect();
        let message = seal(&key, b"here", &plaintext, &Replay(vec![9; 24])).unwrap();
        assert_eq!(message.len(), sealed_len(len));
        assert!(open(&key, b"here", &message).unwrap().expose_secret() == plaintext);
        assert_eq!(open(&key, b"there", &message).unwrap_err(), EnvelopeError::NotAuthentic);
        for cut in [1, 15, 16, 17, message.len()] {
            let short = message.get(..message.len().saturating_sub(cut)).unwrap();
            assert!(open(&key, b"here", short).is_err(), "{len} bytes cut by {cut}");
        }
        assert!(open(&key, b"here", &[message, vec![0]].concat()).is_err());
    }
}

#[test]
fn no_salt_no_message() {
    let key = Secret::init_with(|key| key.fill(7));
    let sealed = seal(&key, b"", b"x", &Replay(Vec::new()));
    assert_eq!(sealed.unwrap_err(), EnvelopeError::EntropyUnavailable);
}
