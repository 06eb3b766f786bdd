//! Doors for known-answer vectors and second implementations. Not semver stable.
use ring::hmac::{HMAC_SHA256, HMAC_SHA512};
use std::sync::Arc;

use vouchsafe_types::{DataClass, Entropy, LeafIndex, OrganisationId, Secret};

use crate::gcm::Gcm;
use crate::port::{KeyService, NoAudit, StateStore};
use crate::state::sealed::{self, Blob};
use crate::{EnvelopeError, OrganisationState, RecordKey, kdf};

/// AES-256-GCM, as messages use it: encrypts the buffer in its place and gives the tag.
///
/// # Errors
/// [`EnvelopeError::TooLarge`] over 64 GiB.
pub fn gcm_seal(
    key: &[u8; 32],
    nonce: &[u8; 12],
    aad: &[u8],
    buffer: &mut [u8],
) -> Result<[u8; 16], EnvelopeError> {
    Gcm::new(key).seal(nonce, aad, buffer)
}

/// AES-256-GCM, as messages use it: decrypts the buffer in its place.
///
/// # Errors
/// [`EnvelopeError::NotAuthentic`] when the tag does not fit.
pub fn gcm_open(
    key: &[u8; 32],
    nonce: &[u8; 12],
    aad: &[u8],
    buffer: &mut [u8],
    tag: &[u8; 16],
) -> Result<(), EnvelopeError> {
    Gcm::new(key).open(nonce, aad, buffer, tag)
}

/// HKDF-Expand with SHA-256, as records and templates use it.
pub fn expand_sha256(prk: &[u8], info: &[u8], out: &mut [u8]) {
    kdf::expand(HMAC_SHA256, prk, &[info], out);
}

/// HKDF-Expand with SHA-512, as messages use it.
pub fn expand_sha512(prk: &[u8], info: &[u8], out: &mut [u8]) {
    kdf::expand(HMAC_SHA512, prk, &[info], out);
}

/// HMAC-SHA-256, as the pseudonyms use it.
pub fn hmac_sha256(key: &[u8], message: &[u8]) -> Secret<32> {
    kdf::hmac_sha256(key, &[message])
}

/// A record key with known bytes.
pub const fn record_key(bytes: Secret<32>) -> RecordKey {
    RecordKey::new(bytes)
}

/// The bytes of a record key.
pub const fn record_key_bytes(key: &RecordKey) -> &Secret<32> {
    key.as_secret()
}

/// A new state with `count` reserved leaves of a class. It draws 32 bytes five times: lasting key, log
/// seed, fence key, data key, root.
///
/// # Errors
/// [`EnvelopeError::EntropyUnavailable`] and [`EnvelopeError::Exhausted`].
pub fn state(
    entropy: &dyn Entropy,
    class: DataClass,
    count: u64,
) -> Result<OrganisationState, EnvelopeError> {
    let mut state = OrganisationState::generate(entropy, Arc::new(NoAudit))?;
    state.reserve(class, count)?;
    Ok(state)
}

/// The record key of a leaf under a data key.
///
/// # Errors
/// As [`OrganisationState::open`].
pub fn leaf_record_key(
    state: &OrganisationState,
    leaf: LeafIndex,
    key_version: u32,
) -> Result<RecordKey, EnvelopeError> {
    state.record_key(leaf, key_version)
}

/// Unseals the newest stored state that the service opens, past the start-up gate: what a thief of the storage and of
/// the service could do, and what a drill has to count.
///
/// # Errors
/// As [`KeyRing::with_state`](crate::KeyRing::with_state), but for the gate.
pub fn ungated_state(
    service: &dyn KeyService,
    states: &dyn StateStore,
    organisation: &OrganisationId,
) -> Result<OrganisationState, EnvelopeError> {
    let mut last = EnvelopeError::NotProvisioned;
    for head in states.read_all(organisation).map_err(EnvelopeError::StateStore)? {
        match unseal(service, states, organisation, &head) {
            Ok(state) => return Ok(state),
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn unseal(
    service: &dyn KeyService,
    states: &dyn StateStore,
    organisation: &OrganisationId,
    head: &[u8],
) -> Result<OrganisationState, EnvelopeError> {
    let Blob::State { generation, wrapped, message } = Blob::parse(head)? else {
        return Err(EnvelopeError::NotProvisioned);
    };
    let mut state = sealed::open(organisation, service, (generation, wrapped, message), Arc::new(NoAudit))?;
    state.load_shards(organisation, &|name| {
        let shard = states.read_shard(organisation, name).map_err(EnvelopeError::StateStore)?;
        shard.ok_or(EnvelopeError::StateLost)
    })?;
    Ok(state)
}

/// Shows every lasting key and every node of the key tree, for scans of memory.
pub fn each_key(state: &OrganisationState, show: impl FnMut(&[u8; 32])) {
    state.keys().for_each(show);
}

/// Punctures a state in memory, as a destruction does before it is sealed.
///
/// # Errors
/// [`EnvelopeError::NoResources`].
pub fn puncture(state: &mut OrganisationState, leaves: &[LeafIndex]) -> Result<usize, EnvelopeError> {
    state.puncture(leaves)
}

/// What a write of this state would store now: the head and the fresh shards, before they are sealed, in bytes.
///
/// # Errors
/// [`EnvelopeError::EntropyUnavailable`].
pub fn write_len(
    state: &mut OrganisationState,
    organisation: &OrganisationId,
    entropy: &dyn Entropy,
) -> Result<(usize, usize), EnvelopeError> {
    let fresh = state.reshard(organisation, entropy)?;
    Ok((state.encoded_len(), fresh.iter().map(|shard| shard.sealed.len()).sum()))
}
