//! What is derived from a state: HKDF-SHA-256 (RFC 5869) with one label per use.
use vouchsafe_types::{ClientAddress, Entropy, LeafIndex, Secret, SecretBytes, SubjectPseudonym, wipe_stack};

use super::{LASTING, LeafStatus, OrganisationState};
use crate::{EnvelopeError, RecordKey, cobblestone, kdf};

const RECORD: &[u8] = b"vouchsafe record v1";
const FINGERPRINT: &[u8] = b"vouchsafe data key fingerprint v1";
const TEMPLATE: &[u8] = b"vouchsafe template v1";
const SUBJECT: &[u8] = b"vouchsafe subject pseudonym v1";
const ORGANISATION: &[u8] = b"vouchsafe organisation pseudonym v1";

const ADDRESS: &[u8] = b"vouchsafe ip pseudonym v1";
const NOBODY: &[u8] = b"vouchsafe nobody v1";
const TOKEN: &[u8] = b"vouchsafe token v1";

/// The key of one leaf's protected template.
pub struct TemplateSecret(Secret<32>);

impl TemplateSecret {
    /// Hands the secret to the template mechanism.
    pub fn into_secret(self) -> Secret<32> {
        self.0
    }

    /// The secret, for the template mechanism.
    pub const fn as_secret(&self) -> &Secret<32> {
        &self.0
    }
}

impl std::fmt::Debug for TemplateSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TemplateSecret").finish_non_exhaustive()
    }
}

impl OrganisationState {
    /// The key of a leaf's records under a data key.
    pub(crate) fn record_key(&self, index: LeafIndex, key_version: u32) -> Result<RecordKey, EnvelopeError> {
        let data_key = self.data_key(key_version).ok_or(EnvelopeError::KeyRetired)?;
        let key = self.derive(index, data_key, RECORD);
        wipe_stack();
        key.map(RecordKey::new)
    }

    /// The key of a leaf's protected template. It does not depend on the data key, which can be rotated.
    ///
    /// # Errors
    /// [`EnvelopeError::Destroyed`] or [`EnvelopeError::NeverAllocated`].
    pub fn template_secret(&self, index: LeafIndex) -> Result<TemplateSecret, EnvelopeError> {
        let key = self.derive(index, self.key(LASTING), TEMPLATE);
        wipe_stack();
        key.map(TemplateSecret)
    }

    /// A person's pseudonym: HMAC-SHA-256 of the caller's own id under a key of the organisation.
    pub fn pseudonym(&self, caller_id: &[u8]) -> SubjectPseudonym {
        let tag = self.keyed_hash(SUBJECT, caller_id);
        wipe_stack();
        SubjectPseudonym::from_bytes(*tag.expose_secret())
    }

    /// A client address's pseudonym: the first half of HMAC-SHA-256 under a key of this leaf.
    ///
    /// Two pseudonyms under one leaf can be compared; once the leaf is destroyed nobody can make another one, and
    /// trying every address leads nowhere.
    ///
    /// # Errors
    /// [`EnvelopeError::Destroyed`] or [`EnvelopeError::NeverAllocated`].
    pub fn address_pseudonym(
        &self,
        index: LeafIndex,
        address: &ClientAddress,
    ) -> Result<[u8; 16], EnvelopeError> {
        let key = self.derive(index, self.key(LASTING), ADDRESS);
        let tag = key.map(|key| kdf::hmac_sha256(key.expose_secret(), &[address.expose_address()]));
        wipe_stack();
        let [first, _] = halves(tag?.expose_secret());
        Ok(first)
    }

    /// Seals what a person carries and hands back, such as an unsubscribe token. It is opened by its context.
    ///
    /// # Errors
    /// [`EnvelopeError::EntropyUnavailable`].
    pub fn seal_token(
        &self,
        context: &[u8],
        plain: &[u8],
        entropy: &dyn Entropy,
    ) -> Result<Vec<u8>, EnvelopeError> {
        let sealed = cobblestone::seal(&self.token_key(), context, plain, entropy);
        wipe_stack();
        sealed
    }

    /// Opens what [`Self::seal_token`] sealed.
    ///
    /// # Errors
    /// [`EnvelopeError::NotAuthentic`].
    pub fn open_token(&self, context: &[u8], sealed: &[u8]) -> Result<SecretBytes, EnvelopeError> {
        let plain = cobblestone::open(&self.token_key(), context, sealed);
        wipe_stack();
        plain
    }

    #[inline(never)]
    fn token_key(&self) -> Secret<32> {
        kdf::hkdf_sha256(b"", self.key(LASTING), TOKEN)
    }

    /// Stands where a person would for what belongs to none, such as the leaves of address pseudonyms, or to nobody
    /// known. No caller id gives it.
    pub fn nobody(&self) -> SubjectPseudonym {
        let tag = self.keyed_hash(NOBODY, b"");
        wipe_stack();
        SubjectPseudonym::from_bytes(*tag.expose_secret())
    }

    /// The organisation's own pseudonym, as it stands in log leaves.
    pub fn organisation_pseudonym(&self) -> [u8; 16] {
        let tag = self.keyed_hash(ORGANISATION, b"");
        wipe_stack();
        let [first, _] = halves(tag.expose_secret());
        first
    }

    /// Names a data key in reports: 16 bytes of HKDF-SHA-256, from which nothing can be opened.
    pub fn fingerprint(&self, key_version: u32) -> Option<[u8; 16]> {
        let print = kdf::hkdf_sha256(b"", self.data_key(key_version)?, FINGERPRINT);
        wipe_stack();
        let [first, _] = halves(print.expose_secret());
        Some(first)
    }

    // Neither is inlined: their frames hold hash states, and the caller wipes them.
    #[inline(never)]
    fn derive(&self, index: LeafIndex, salt: &[u8], label: &[u8]) -> Result<Secret<32>, EnvelopeError> {
        if self.status(index) == LeafStatus::NeverAllocated {
            return Err(EnvelopeError::NeverAllocated);
        }
        let leaf = self.tree.derive(index).map_err(|_| EnvelopeError::Destroyed)?;
        Ok(kdf::hkdf_sha256(salt, leaf.expose_secret(), label))
    }

    #[inline(never)]
    fn keyed_hash(&self, label: &[u8], message: &[u8]) -> Secret<32> {
        let key = kdf::hkdf_sha256(b"", self.key(LASTING), label);
        kdf::hmac_sha256(key.expose_secret(), &[message])
    }
}

fn halves(bytes: &[u8; 32]) -> [[u8; 16]; 2] {
    let mut out = [[0; 16]; 2];
    out.iter_mut().zip(bytes.chunks_exact(16)).for_each(|(half, from)| half.copy_from_slice(from));
    out
}
