//! The one encoding of an unsealed state, version 3; numbers are big-endian.
//!
//! ```text
//! 0x02 || generation (8) || revision (8) || fence records (8) ||
//! lasting key (32) || log seed (32) || fence key (32) ||
//! count (1) || next log seed (32)*                             at most one
//! count (1) || (data key version (4) || data key (32))*        ascending, at least one
//! count (1) || (class code (1) || next (8))*                   ascending, next above 0
//! count (2) || (honey leaf (6))*                               ascending
//! count (2) || (depth (1) || prefix (6) || name (16) || SHA-256 (32) || shard key (32))*     shards
//! key tree                                                     of the nodes that lie in no shard
//! ```
//!
//! Versions 1 and 2 were never released.
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use vouchsafe_types::{DataClass, Secret, SecretBytes};

use super::shards::SPAN_NODES;
use super::{COUNTER_BITS, FIXED_KEYS, MAX_DATA_KEYS, MAX_HONEY, OrganisationState, Shard};
use crate::EnvelopeError;
use crate::port::{OpenAudit, ShardName, StateVersion};
use crate::reader::Reader;
use crate::tree::{KeyTree, Node, encoded_len, low_byte};
use crate::vault::Vault;

const VERSION: u8 = 0x03;
const SHARD_LEN: usize = 1 + 6 + 16 + 32 + 32;

impl OrganisationState {
    /// The size of the head before it is sealed, in bytes.
    pub fn encoded_len(&self) -> usize {
        let fixed = 1 + 24 + 32 * FIXED_KEYS + 1 + 1 + 1 + 2 + 2;
        let next_log = if self.next_log.is_some() { 32 } else { 0 };
        let lists = next_log + 36 * self.data_keys.len() + 9 * self.next.len() + 6 * self.honey.len();
        let loose = self.loose_spans().iter().map(|span| span.nodes.len()).sum();
        fixed + lists + SHARD_LEN * self.shards.len() + encoded_len(loose)
    }

    pub(super) fn encode(&self) -> SecretBytes {
        // Reserved exactly, so that no smaller buffer is left behind by growth.
        let mut out = Vec::with_capacity(self.encoded_len());
        out.push(VERSION);
        for number in [self.version.generation, self.version.revision, self.fences] {
            out.extend_from_slice(&number.to_be_bytes());
        }
        self.keys.iter().take(FIXED_KEYS).for_each(|key| out.extend_from_slice(key));
        let next_log = self.next_log.as_ref().and_then(|next| next.get(0));
        out.push(u8::from(next_log.is_some()));
        next_log.into_iter().for_each(|key| out.extend_from_slice(key));
        out.push(short(self.data_keys.len()));
        for (version, key) in self.data_keys.iter().zip(self.keys.iter().skip(FIXED_KEYS)) {
            out.extend_from_slice(&version.to_be_bytes());
            out.extend_from_slice(key);
        }
        out.push(short(self.next.len()));
        for (code, next) in &self.next {
            out.push(*code);
            out.extend_from_slice(&next.to_be_bytes());
        }
        out.extend_from_slice(&long(self.honey.len()));
        self.honey.iter().for_each(|leaf| out.extend_from_slice(&six(*leaf)));
        out.extend_from_slice(&long(self.shards.len()));
        for shard in &self.shards {
            out.push(low_byte(shard.root.depth));
            out.extend_from_slice(&six(shard.root.prefix));
            out.extend_from_slice(shard.name.as_bytes());
            out.extend_from_slice(&shard.digest);
            out.extend_from_slice(shard.key.expose_secret());
        }
        out.extend_from_slice(self.tree.encode_spans(&self.loose_spans()).expose_secret());
        SecretBytes::new(out)
    }

    /// Reads a head. Its tree is not whole until the shards are loaded.
    pub(super) fn decode(bytes: &[u8], audit: Arc<dyn OpenAudit>) -> Result<Self, EnvelopeError> {
        let mut reader = Reader::new(bytes, "organisation state");
        if reader.u8()? != VERSION {
            return Err(reader.malformed());
        }
        let version = StateVersion { generation: reader.u64()?, revision: reader.u64()? };
        let fences = reader.u64()?;
        let (keys, next_log, data_keys) = read_keys(&mut reader)?;
        let next = read_counters(&mut reader)?;
        let honey = read_honey(&mut reader)?;
        let shards = read_shards(&mut reader)?;
        let tree = KeyTree::decode(reader.rest())?;
        if tree.node_count() > SPAN_NODES {
            return Err(reader.malformed());
        }
        let sealing = data_keys.last().copied().unwrap_or(0);
        let touched = Vec::new();
        Ok(Self {
            version,
            fences,
            keys,
            next_log,
            data_keys,
            sealing,
            next,
            honey,
            tree,
            shards,
            touched,
            audit,
        })
    }
}

fn read_keys(reader: &mut Reader<'_>) -> Result<(Vault, Option<Vault>, Vec<u32>), EnvelopeError> {
    let mut keys = Vault::with_capacity(FIXED_KEYS + 1)?;
    for _ in 0..FIXED_KEYS {
        keys.push_key(reader.array()?)?;
    }
    let next_log = read_next_log(reader)?;
    let count = usize::from(reader.u8()?);
    if count == 0 || count > MAX_DATA_KEYS {
        return Err(reader.malformed());
    }
    let mut versions = Vec::with_capacity(count);
    for _ in 0..count {
        let version = reader.u32()?;
        if version == 0 || versions.last().is_some_and(|before| *before >= version) {
            return Err(reader.malformed());
        }
        versions.push(version);
        keys.push_key(reader.array()?)?;
    }
    Ok((keys, next_log, versions))
}

fn read_next_log(reader: &mut Reader<'_>) -> Result<Option<Vault>, EnvelopeError> {
    match reader.u8()? {
        0 => Ok(None),
        1 => {
            let mut next = Vault::with_capacity(1)?;
            next.push_key(reader.array()?)?;
            Ok(Some(next))
        }
        _ => Err(reader.malformed()),
    }
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

fn read_honey(reader: &mut Reader<'_>) -> Result<BTreeSet<u64>, EnvelopeError> {
    let count = usize::from(reader.u16()?);
    let mut honey = BTreeSet::new();
    for _ in 0..count {
        let leaf = reader.u48()?;
        if count > MAX_HONEY || honey.last().is_some_and(|before| *before >= leaf) {
            return Err(reader.malformed());
        }
        honey.insert(leaf);
    }
    Ok(honey)
}

fn read_shards(reader: &mut Reader<'_>) -> Result<Vec<Shard>, EnvelopeError> {
    let count = usize::from(reader.u16()?);
    if reader.rest().len() < count * SHARD_LEN {
        return Err(reader.malformed());
    }
    let mut shards = Vec::with_capacity(count);
    for _ in 0..count {
        let root = Node { depth: u32::from(reader.u8()?), prefix: reader.u48()? };
        if root.depth > 48 || root.prefix >> root.depth != 0 {
            return Err(reader.malformed());
        }
        let name = ShardName::from_bytes(*reader.array()?);
        let digest = *reader.array()?;
        let key = reader.array::<32>()?;
        shards.push(Shard { root, name, digest, key: Secret::init_with(|own| own.copy_from_slice(key)) });
    }
    Ok(shards)
}

/// Counts are bounded where they grow.
fn short(count: usize) -> u8 {
    u8::try_from(count).unwrap_or(u8::MAX)
}

fn long(count: usize) -> [u8; 2] {
    u16::try_from(count).unwrap_or(u16::MAX).to_be_bytes()
}

fn six(number: u64) -> [u8; 6] {
    let [_, _, six @ ..] = number.to_be_bytes();
    six
}
