use std::collections::BTreeMap;
use std::ops::Range;

use vouchsafe_types::{DataClass, Entropy, LeafIndex, Secret};

use crate::EnvelopeError;
use crate::tree::KeyTree;

mod derive;
pub(crate) mod sealed;
mod wire;

pub use derive::TemplateSecret;

/// Bits of an index that count within a data class; the class code stands above them.
const COUNTER_BITS: u32 = 40;

/// What one organisation's keys come from: data key, log seed, counters and key tree.
///
/// It exists unsealed only inside [`KeyRing::with_state`](crate::KeyRing::with_state) and is wiped on drop.
pub struct OrganisationState {
    generation: u64,
    revision: u64,
    dek: Secret<32>,
    log_seed: Secret<32>,
    /// The next free counter by class code; a class without one starts at 0.
    next: BTreeMap<u8, u64>,
    tree: KeyTree,
}

/// What became of a leaf.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "callers match the three answers on purpose")]
pub enum LeafStatus {
    /// Its keys are gone for good.
    Destroyed,
    /// Its keys can be derived. A reserved index counts from its reservation, used or not.
    Live,
    /// No such index was ever given out.
    NeverAllocated,
}

impl OrganisationState {
    pub(crate) fn generate(entropy: &dyn Entropy) -> Result<Self, EnvelopeError> {
        let random = || Secret::random(entropy).map_err(|_| EnvelopeError::EntropyUnavailable);
        Ok(Self {
            generation: 1,
            revision: 1,
            dek: random()?,
            log_seed: random()?,
            next: BTreeMap::new(),
            tree: KeyTree::generate(entropy)?,
        })
    }

    /// The generation of the state key that seals this state, 1 or more; it grows with every erasure.
    pub const fn generation(&self) -> u64 {
        self.generation
    }

    /// Grows with every durable change of the state.
    pub const fn revision(&self) -> u64 {
        self.revision
    }

    /// The Ed25519 seed (RFC 8032) of the organisation's transparency log.
    pub const fn log_seed(&self) -> &Secret<32> {
        &self.log_seed
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

    /// The size of the state before it is sealed, in bytes.
    pub fn encoded_len(&self) -> usize {
        wire::FIXED_LEN + wire::COUNTER_LEN * self.next.len() + self.tree.encoded_len()
    }

    /// Whether the index lies below its class's counter. Unknown classes have none.
    /// Every index of a class that was ever reserved, live or destroyed, ascending.
    pub fn reserved(&self, class: DataClass) -> impl Iterator<Item = LeafIndex> + use<> {
        let region = u64::from(class.code()) << COUNTER_BITS;
        let next = self.next.get(&class.code()).copied().unwrap_or(0);
        (region..region | next).filter_map(|index| LeafIndex::new(index).ok())
    }

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
        self.revision = self.revision.saturating_add(1);
        Ok(reserved)
    }

    /// Punctures leaves and says how many of them were live.
    pub(crate) fn puncture(&mut self, indices: &[LeafIndex]) -> usize {
        self.tree.puncture(indices)
    }

    /// Moves on to a later state key.
    pub(crate) const fn advance_to(&mut self, generation: u64) {
        self.generation = generation;
        self.revision = self.revision.saturating_add(1);
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
