//! The one encoding of an unsealed state, version 1; numbers are big-endian.
//!
//! `0x01 || generation (8) || revision (8) || data key (32) || log seed (32) || counters (1) ||
//! (class code (1) || next (8))* || key tree`, counters ascending by code and above 0.
use std::collections::BTreeMap;

use vouchsafe_types::{DataClass, Secret, SecretBytes};

use super::{COUNTER_BITS, OrganisationState};
use crate::EnvelopeError;
use crate::reader::Reader;
use crate::tree::KeyTree;

const VERSION: u8 = 0x01;
pub(super) const FIXED_LEN: usize = 1 + 8 + 8 + 32 + 32 + 1;
pub(super) const COUNTER_LEN: usize = 1 + 8;

impl OrganisationState {
    pub(super) fn encode(&self) -> SecretBytes {
        let mut out = Vec::with_capacity(self.encoded_len());
        out.push(VERSION);
        out.extend_from_slice(&self.generation.to_be_bytes());
        out.extend_from_slice(&self.revision.to_be_bytes());
        out.extend_from_slice(self.dek.expose_secret());
        out.extend_from_slice(self.log_seed.expose_secret());
        // At most one counter for each of the nine classes.
        out.push(u8::try_from(self.next.len()).unwrap_or(u8::MAX));
        for (code, next) in &self.next {
            out.push(*code);
            out.extend_from_slice(&next.to_be_bytes());
        }
        self.tree.encode_into(&mut out);
        SecretBytes::new(out)
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Self, EnvelopeError> {
        let mut reader = Reader::new(bytes, "organisation state");
        if reader.u8()? != VERSION {
            return Err(reader.malformed());
        }
        Ok(Self {
            generation: reader.u64()?,
            revision: reader.u64()?,
            dek: read_secret(&mut reader)?,
            log_seed: read_secret(&mut reader)?,
            next: read_counters(&mut reader)?,
            tree: KeyTree::decode(reader.rest())?,
        })
    }
}

fn read_secret(reader: &mut Reader<'_>) -> Result<Secret<32>, EnvelopeError> {
    let bytes = reader.array::<32>()?;
    Ok(Secret::init_with(|secret| secret.copy_from_slice(bytes)))
}

fn read_counters(reader: &mut Reader<'_>) -> Result<BTreeMap<u8, u64>, EnvelopeError> {
    let mut counters = BTreeMap::new();
    for _ in 0..reader.u8()? {
        let (code, next) = (reader.u8()?, reader.u64()?);
        let known = DataClass::from_code(code).is_ok();
        let ascending = counters.last_key_value().is_none_or(|(before, _)| *before < code);
        if !known || !ascending || next == 0 || next >> COUNTER_BITS != 0 {
            return Err(reader.malformed());
        }
        counters.insert(code, next);
    }
    Ok(counters)
}
