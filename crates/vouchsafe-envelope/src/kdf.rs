//! HKDF (RFC 5869) over ring's HMAC, written so that outputs land in their final place.
use ring::hmac::{self, Algorithm, Key};
use vouchsafe_types::Secret;

/// HKDF-Expand, RFC 5869 section 2.3. `out` is at most 255 hash lengths; callers pass fixed, short arrays.
pub(crate) fn expand(algorithm: Algorithm, prk: &[u8], info: &[&[u8]], out: &mut [u8]) {
    let key = Key::new(algorithm, prk);
    let block_len = algorithm.digest_algorithm().output_len();
    let mut written = 0;
    let mut counter = 1u8;
    while written < out.len() {
        let (done, rest) = out.split_at_mut(written);
        let mut context = hmac::Context::with_key(&key);
        // T(n - 1) is what was written last; before the first block it is empty.
        context.update(done.get(written.saturating_sub(block_len)..).unwrap_or_default());
        info.iter().for_each(|part| context.update(part));
        context.update(&[counter]);
        let block = context.sign();
        rest.iter_mut().zip(block.as_ref()).for_each(|(to, from)| *to = *from);
        written += rest.len().min(block_len);
        counter = counter.wrapping_add(1);
    }
}

/// HKDF-SHA-256, extract and expand to 32 bytes, RFC 5869 sections 2.2 and 2.3.
pub(crate) fn hkdf_sha256(salt: &[u8], ikm: &[u8], label: &[u8]) -> Secret<32> {
    let prk = hmac_sha256(salt, &[ikm]);
    Secret::init_with(|out| expand(hmac::HMAC_SHA256, prk.expose_secret(), &[label], out))
}

/// HMAC-SHA-256, RFC 2104.
pub(crate) fn hmac_sha256(key: &[u8], parts: &[&[u8]]) -> Secret<32> {
    let key = Key::new(hmac::HMAC_SHA256, key);
    let mut context = hmac::Context::with_key(&key);
    parts.iter().for_each(|part| context.update(part));
    let tag = context.sign();
    Secret::init_with(|out| out.copy_from_slice(tag.as_ref()))
}
