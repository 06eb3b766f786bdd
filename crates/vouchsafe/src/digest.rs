use ring::digest::{SHA256, digest};
use vouchsafe_types::Digest;

/// SHA-256 of the bytes.
pub(crate) fn sha256(bytes: &[u8]) -> Digest {
    let mut own = [0; 32];
    own.copy_from_slice(digest(&SHA256, bytes).as_ref());
    Digest::from_bytes(own)
}
