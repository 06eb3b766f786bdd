//! The file of keys under a TPM's root secret, version 1. The SHA-256 behind it is not part of it.
//!
//! `"vouchsafe tpm\0\0\x01" || Cobblestone-256(root secret, context: the same 16 bytes, the table of keys)`.
use std::path::Path;

use vouchsafe_envelope::cobblestone;
use vouchsafe_types::{Entropy, Secret, wipe_stack};

use crate::keys::Keys;
use crate::{KeysError, file};

const MAGIC: &[u8; 16] = b"vouchsafe tpm\0\0\x01";

/// Replaces a file by the table sealed under the root secret, durably.
pub(super) fn store(
    path: &Path,
    root: &Secret<32>,
    keys: &Keys,
    entropy: &dyn Entropy,
) -> Result<(), KeysError> {
    let sealed = cobblestone::seal(root, MAGIC, &keys.encode(), entropy);
    let sealed = sealed.map_err(|_| KeysError::Unavailable)?;
    file::replace(path, &[MAGIC.as_slice(), &sealed].concat())
}

/// Opens a file.
///
/// A damaged one is [`KeysError::Corrupt`], and a whole one under another root secret
/// [`KeysError::NotAuthentic`].
pub(super) fn load(path: &Path, root: &Secret<32>) -> Result<Keys, KeysError> {
    let bytes = file::read(path)?;
    let sealed = bytes.strip_prefix(MAGIC).ok_or(KeysError::Corrupt)?;
    let table = cobblestone::open(root, MAGIC, sealed).map_err(|_| KeysError::NotAuthentic)?;
    let keys = Keys::decode(table.expose_secret()).ok_or(KeysError::Corrupt);
    wipe_stack();
    keys
}
