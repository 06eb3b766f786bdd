//! The sealed state as the store keeps it; numbers are big-endian.
//!
//! ```text
//! 0x01 || generation (8) || wrapped length (2) || wrapped state data key || Cobblestone-256(state)
//! ```
//!
//! The state data key is fresh for every write. It is wrapped by the key service under the state key of that
//! organisation and generation; both encryptions are bound to the same context, every part length-prefixed:
//! `"vouchsafe state context v1" || organisation || generation`.
//!
//! Generation 0 without a body is the mark that provisioning has begun: no key, no secret, nothing to lose yet.
use std::sync::Arc;

use vouchsafe_types::{Digest, Entropy, OrganisationId, Secret, wipe_stack};

use super::OrganisationState;
use crate::context::push;
use crate::port::{KeyHandle, KeyService, OpenAudit};
use crate::reader::Reader;
use crate::{EnvelopeError, KeyServiceError, cobblestone};

const VERSION: u8 = 0x01;
const LABEL: &[u8] = b"vouchsafe state context v1";

/// What a stored blob is.
pub(crate) enum Blob<'a> {
    Provisioning,
    State { generation: u64, wrapped: &'a [u8], message: &'a [u8] },
}

/// The mark that provisioning has begun.
pub(crate) fn provisioning_mark() -> Vec<u8> {
    [&[VERSION][..], &0u64.to_be_bytes()].concat()
}

impl<'a> Blob<'a> {
    pub(crate) fn parse(bytes: &'a [u8]) -> Result<Self, EnvelopeError> {
        let mut reader = Reader::new(bytes, "sealed organisation state");
        if reader.u8()? != VERSION {
            return Err(reader.malformed());
        }
        let generation = reader.u64()?;
        if generation == 0 {
            return reader.end().map(|()| Self::Provisioning);
        }
        let wrapped_len = usize::from(reader.u16()?);
        let wrapped = reader.slice(wrapped_len)?;
        Ok(Self::State { generation, wrapped, message: reader.rest() })
    }
}

/// Seals the head of a state under the state key of its own generation.
pub(crate) fn seal(
    state: &OrganisationState,
    organisation: &OrganisationId,
    service: &dyn KeyService,
    entropy: &dyn Entropy,
) -> Result<Vec<u8>, EnvelopeError> {
    let context = context(organisation, state.generation());
    let handle = KeyHandle::new(organisation.clone(), state.generation());
    let key = Secret::random(entropy).map_err(|_| EnvelopeError::EntropyUnavailable)?;
    let wrapped = service.wrap(&handle, &key, &context).map_err(from_service)?;
    let wrapped_len =
        u16::try_from(wrapped.len()).map_err(|_| EnvelopeError::malformed("wrapped state key"))?;
    let plaintext = state.encode();
    let message_len = cobblestone::sealed_len(plaintext.expose_secret().len());
    let mut out = Vec::with_capacity(11 + wrapped.len() + message_len);
    out.push(VERSION);
    out.extend_from_slice(&state.generation().to_be_bytes());
    out.extend_from_slice(&wrapped_len.to_be_bytes());
    out.extend_from_slice(&wrapped);
    cobblestone::seal_into(&key, &context, plaintext.expose_secret(), entropy, &mut out)?;
    Ok(out)
}

/// Opens the parts of a [`Blob::State`]; shards are not loaded yet.
pub(crate) fn open(
    organisation: &OrganisationId,
    service: &dyn KeyService,
    (generation, wrapped, message): (u64, &[u8], &[u8]),
    audit: Arc<dyn OpenAudit>,
) -> Result<OrganisationState, EnvelopeError> {
    let context = context(organisation, generation);
    let handle = KeyHandle::new(organisation.clone(), generation);
    let key = service.unwrap(&handle, wrapped, &context).map_err(from_service)?;
    let plaintext = cobblestone::open(&key, &context, message)?;
    let state = OrganisationState::decode(plaintext.expose_secret(), audit);
    wipe_stack();
    state.and_then(|state| {
        let same = state.generation() == generation;
        if same { Ok(state) } else { Err(EnvelopeError::malformed("organisation state")) }
    })
}

/// Names a sealed state in evidence: the SHA-256 of its ciphertext.
pub(crate) fn digest(blob: &[u8]) -> Digest {
    let hash = ring::digest::digest(&ring::digest::SHA256, blob);
    let mut bytes = [0; 32];
    bytes.iter_mut().zip(hash.as_ref()).for_each(|(to, from)| *to = *from);
    Digest::from_bytes(bytes)
}

fn context(organisation: &OrganisationId, generation: u64) -> Vec<u8> {
    let mut out = Vec::with_capacity(128);
    push(&mut out, LABEL);
    push(&mut out, organisation.as_str().as_bytes());
    push(&mut out, &generation.to_be_bytes());
    out
}

fn from_service(error: KeyServiceError) -> EnvelopeError {
    match error {
        KeyServiceError::NoSuchKey => EnvelopeError::KeyMissing,
        KeyServiceError::NotAuthentic => EnvelopeError::NotAuthentic,
        other => EnvelopeError::KeyService(other),
    }
}
