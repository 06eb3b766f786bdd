use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use vouchsafe_types::{DataClass, Entropy, LeafIndex, Secret};

use crate::EnvelopeError;
use crate::port::{OpenAudit, StateVersion};
use crate::tree::KeyTree;
use crate::vault::{KEY_LEN, Vault};

mod derive;
mod open;
pub(crate) mod sealed;
mod shards;
mod wire;

pub use derive::TemplateSecret;
use shards::Shard;

/// Bits of an index that count within a data class; the class code stands above them.
const COUNTER_BITS: u32 = 40;
/// The highest counter of a class.
pub(crate) const MAX_COUNTER: u64 = (1 << COUNTER_BITS) - 1;
/// The most honey records of one organisation.
const MAX_HONEY: usize = 4096;
/// The most data keys that a state holds at once.
const MAX_DATA_KEYS: usize = 16;

/// What one organisation's keys come from: lasting key, data keys, log seed, counters and key tree.
///
/// It exists unsealed for at most 300 s, in pages of its own, and is wiped on drop. It is lent by
/// [`KeyRing::with_state`](crate::KeyRing::with_state).
pub struct OrganisationState {
    version: StateVersion,
    /// How many records the fence journal had when this state was made.
    fences: u64,
    /// Lasting key, log seed, fence key; then the data keys in the order of `data_keys`.
    keys: Vault,
    /// The log seed that a rotation of the log's key moves to.
    next_log: Option<Vault>,
    /// The versions of the data keys, ascending.
    data_keys: Vec<u32>,
    /// The version that seals: the newest that is durable.
    sealing: u32,
    /// The next free counter by class code; a class without one starts at 0.
    next: BTreeMap<u8, u64>,
    honey: BTreeSet<u64>,
    tree: KeyTree,
    /// How the tree is stored, when it is too large for the head.
    shards: Vec<Shard>,
    /// What was punctured since the shards were written.
    touched: Vec<u64>,
    audit: Arc<dyn OpenAudit>,
}

/// What became of a leaf.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "callers match the three answers on purpose")]
pub enum LeafStatus {
    /// Its keys can no longer be derived from this state: it is fenced, and destroyed for good once
    /// [`KeyRing::destroy`](crate::KeyRing::destroy) has returned.
    Destroyed,
    /// Its keys can be derived. A reserved index counts from its reservation, used or not.
    Live,
    /// No such index was ever given out.
    NeverAllocated,
}

/// The places of the lasting keys; data keys follow.
const LASTING: usize = 0;
const LOG_SEED: usize = 1;
const FENCE: usize = 2;
const FIXED_KEYS: usize = 3;

impl OrganisationState {
    pub(crate) fn generate(entropy: &dyn Entropy, audit: Arc<dyn OpenAudit>) -> Result<Self, EnvelopeError> {
        let mut keys = Vault::with_capacity(FIXED_KEYS + 1)?;
        for _ in 0..=FIXED_KEYS {
            keys.push(|key| entropy.fill(key).map_err(|_| EnvelopeError::EntropyUnavailable))?;
        }
        Ok(Self {
            version: StateVersion { generation: 1, revision: 1 },
            fences: 0,
            keys,
            next_log: None,
            data_keys: vec![1],
            sealing: 1,
            next: BTreeMap::new(),
            honey: BTreeSet::new(),
            tree: KeyTree::generate(entropy)?,
            shards: Vec::new(),
            touched: Vec::new(),
            audit,
        })
    }

    /// Generation and revision.
    pub const fn version(&self) -> StateVersion {
        self.version
    }

    /// The generation of the state key that seals this state, 1 or more; it grows with every erasure.
    pub const fn generation(&self) -> u64 {
        self.version.generation
    }

    /// Grows with every durable change of the state.
    pub const fn revision(&self) -> u64 {
        self.version.revision
    }

    /// The Ed25519 seed (RFC 8032) of the organisation's transparency log.
    pub fn log_seed(&self) -> Secret<32> {
        Secret::init_with(|own| own.copy_from_slice(self.key(LOG_SEED)))
    }

    /// The seed that a rotation of the log's key moves to, while one is under way.
    pub fn next_log_seed(&self) -> Option<Secret<32>> {
        let seed = self.next_log.as_ref()?.get(0)?;
        Some(Secret::init_with(|own| own.copy_from_slice(seed)))
    }

    /// What became of a leaf.
    pub fn status(&self, index: LeafIndex) -> LeafStatus {
        if !self.is_allocated(index) {
            LeafStatus::NeverAllocated
        } else if self.tree.is_punctured(index) {
            LeafStatus::Destroyed
        } else {
            LeafStatus::Live
        }
    }

    /// How many nodes the key tree's cover has.
    pub fn node_count(&self) -> usize {
        self.tree.node_count()
    }

    /// How many shards the state is stored in beside its head.
    pub fn shard_count(&self) -> usize {
        self.shards.len()
    }

    /// Whether the operating system keeps every lasting key in memory and out of core dumps.
    pub fn is_locked(&self) -> bool {
        let next = self.next_log.as_ref().is_none_or(Vault::is_locked);
        self.keys.is_locked() && next && self.tree.is_locked()
    }

    /// The version of the data key that seals records now; it stands in their context.
    pub const fn key_version(&self) -> u32 {
        self.sealing
    }

    /// The versions of the data keys that can open records, ascending.
    pub fn key_versions(&self) -> &[u32] {
        &self.data_keys
    }

    /// Every index of a class that was ever reserved, live or destroyed, ascending.
    pub fn reserved(&self, class: DataClass) -> impl Iterator<Item = LeafIndex> + use<> {
        let region = u64::from(class.code()) << COUNTER_BITS;
        let next = self.next.get(&class.code()).copied().unwrap_or(0);
        (region..region | next).filter_map(|index| LeafIndex::new(index).ok())
    }

    /// Whether the leaf is that of a honey record.
    pub fn is_honey(&self, index: LeafIndex) -> bool {
        self.honey.contains(&index.get())
    }

    /// How many honey records there are.
    pub fn honey_count(&self) -> usize {
        self.honey.len()
    }

    /// Whether this is no forked child, whose keys are zeros.
    pub(crate) fn is_intact(&self) -> bool {
        let next = self.next_log.as_ref().is_none_or(Vault::is_intact);
        self.keys.is_intact() && next && self.tree.is_intact()
    }

    /// Whether the index lies below its class's counter. Unknown classes have none.
    fn is_allocated(&self, index: LeafIndex) -> bool {
        let [_, _, code, ..] = index.get().to_be_bytes();
        self.next.get(&code).is_some_and(|next| index.get() & ((1 << COUNTER_BITS) - 1) < *next)
    }

    /// Takes `count` indices of a class out of circulation and gives them to the caller.
    pub(crate) fn reserve(&mut self, class: DataClass, count: u64) -> Result<Range<u64>, EnvelopeError> {
        let next = self.next.entry(class.code()).or_insert(0);
        let end = next.checked_add(count).filter(|end| end >> COUNTER_BITS == 0);
        let end = end.ok_or(EnvelopeError::Exhausted)?;
        let region = u64::from(class.code()) << COUNTER_BITS;
        let reserved = region | *next..region | end;
        *next = end;
        self.revise();
        Ok(reserved)
    }

    /// Raises a counter to what an outside copy knows, so that no index is given out twice.
    pub(crate) fn raise_counter(&mut self, code: u8, next: u64) {
        if DataClass::from_code(code).is_ok() && next > 0 && next >> COUNTER_BITS == 0 {
            let counter = self.next.entry(code).or_insert(0);
            *counter = next.max(*counter);
        }
    }

    /// The counter behind an index.
    pub(crate) const fn counter_past(&self, index: LeafIndex) -> u64 {
        (index.get() & ((1 << COUNTER_BITS) - 1)).saturating_add(1)
    }

    /// The next free counter of a class.
    pub(crate) fn counter(&self, class: DataClass) -> u64 {
        self.next.get(&class.code()).copied().unwrap_or(0)
    }

    /// Punctures leaves and says how many of them were live.
    pub(crate) fn puncture(&mut self, indices: &[LeafIndex]) -> Result<usize, EnvelopeError> {
        let before = self.touched.len();
        self.touched
            .extend(indices.iter().filter(|leaf| !self.tree.is_punctured(**leaf)).map(|leaf| leaf.get()));
        let punctured = self.tree.puncture(indices);
        if punctured.is_err() {
            self.touched.truncate(before);
        }
        punctured
    }

    /// Moves on to a later state key.
    pub(crate) const fn advance_to(&mut self, generation: u64) {
        self.version.generation = generation;
        self.revise();
    }

    /// Counts a change.
    pub(crate) const fn revise(&mut self) {
        self.version.revision = self.version.revision.saturating_add(1);
    }

    /// Moves past a revision that an outside copy knows.
    pub(crate) fn skip_to(&mut self, revision: u64) {
        self.version.revision = self.version.revision.max(revision);
    }

    /// How many records the fence journal had when this state was made.
    pub(crate) const fn fences(&self) -> u64 {
        self.fences
    }

    pub(crate) const fn set_fences(&mut self, count: u64) {
        self.fences = count;
    }

    /// The key that authenticates the fence journal.
    pub(crate) fn fence_key(&self) -> &[u8; KEY_LEN] {
        self.key(FENCE)
    }

    /// The version of the newest data key, sealing or not.
    pub(crate) fn newest_data_key(&self) -> u32 {
        self.data_keys.last().copied().unwrap_or(0)
    }

    /// Seals under the newest data key from now on; the caller has made it durable.
    pub(crate) fn seal_under_newest(&mut self) {
        self.sealing = self.newest_data_key();
    }

    /// Adds a data key, which does not seal yet; gives its version.
    pub(crate) fn add_data_key(&mut self, entropy: &dyn Entropy) -> Result<u32, EnvelopeError> {
        let version = self.newest_data_key().checked_add(1).ok_or(EnvelopeError::Exhausted)?;
        if self.data_keys.len() >= MAX_DATA_KEYS {
            return Err(EnvelopeError::Exhausted);
        }
        self.keys.push(|key| entropy.fill(key).map_err(|_| EnvelopeError::EntropyUnavailable))?;
        self.data_keys.push(version);
        self.revise();
        Ok(version)
    }

    /// Forgets every data key before this version, never the newest; gives how many there were.
    pub(crate) fn retire_data_keys(&mut self, below: u32) -> Result<usize, EnvelopeError> {
        let older = self.data_keys.partition_point(|version| *version < below);
        let retired = older.min(self.data_keys.len().saturating_sub(1));
        if retired > 0 {
            let mut kept = Vault::with_capacity(FIXED_KEYS + 1)?;
            let newest = self.keys.iter().skip(FIXED_KEYS + retired);
            self.keys.iter().take(FIXED_KEYS).chain(newest).try_for_each(|key| kept.push_key(key))?;
            self.keys = kept;
            self.data_keys.drain(..retired);
            self.revise();
        }
        Ok(retired)
    }

    /// Makes the seed that the log's key moves to; says whether there was none yet.
    pub(crate) fn begin_log_seed(&mut self, entropy: &dyn Entropy) -> Result<bool, EnvelopeError> {
        if self.next_log.is_some() {
            return Ok(false);
        }
        let mut next = Vault::with_capacity(1)?;
        next.push(|key| entropy.fill(key).map_err(|_| EnvelopeError::EntropyUnavailable))?;
        self.next_log = Some(next);
        self.revise();
        Ok(true)
    }

    /// Moves to the next log seed and forgets the former; says whether there was one to move to.
    pub(crate) fn finish_log_seed(&mut self) -> Result<bool, EnvelopeError> {
        let Some(next) = self.next_log.take() else { return Ok(false) };
        let mut kept = Vault::with_capacity(FIXED_KEYS + 1)?;
        for (place, key) in self.keys.iter().enumerate() {
            let replaced = if place == LOG_SEED { next.get(0) } else { None };
            kept.push_key(replaced.unwrap_or(key))?;
        }
        self.keys = kept;
        self.revise();
        Ok(true)
    }

    /// Marks a leaf as that of a honey record.
    pub(crate) fn add_honey(&mut self, index: LeafIndex) -> Result<(), EnvelopeError> {
        if self.status(index) != LeafStatus::Live {
            return Err(EnvelopeError::NeverAllocated);
        }
        if self.honey.len() >= MAX_HONEY {
            return Err(EnvelopeError::Exhausted);
        }
        if self.honey.insert(index.get()) {
            self.revise();
        }
        Ok(())
    }

    /// Every lasting key and every node's key.
    #[cfg(feature = "test-util")]
    pub(crate) fn keys(&self) -> impl Iterator<Item = &[u8; KEY_LEN]> {
        self.keys.iter().chain(self.next_log.iter().flat_map(Vault::iter)).chain(self.tree.node_keys())
    }

    /// A lasting key; the first three are always there.
    fn key(&self, place: usize) -> &[u8; KEY_LEN] {
        const MISSING: &[u8; KEY_LEN] = &[0; KEY_LEN];
        self.keys.get(place).unwrap_or(MISSING)
    }

    /// The data key of a version.
    fn data_key(&self, version: u32) -> Option<&[u8; KEY_LEN]> {
        let place = self.data_keys.binary_search(&version).ok()?;
        self.keys.get(FIXED_KEYS + place)
    }
}

impl std::fmt::Debug for OrganisationState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OrganisationState").finish_non_exhaustive()
    }
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod remnants;
#[cfg(test)]
mod tests;
