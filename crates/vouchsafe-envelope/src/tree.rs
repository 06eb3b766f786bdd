//! The key tree: a pseudorandom function from leaf index to key that can forget single points.
//!
//! # Construction
//!
//! The tree of Goldreich, Goldwasser and Micali (*How to construct random functions*, J. ACM 33(4), 1986) over a
//! length-doubling generator made of HMAC-SHA-256: the root is 32 random bytes, and
//!
//! ```text
//! child(node, bit) = HMAC-SHA-256(node, "vouchsafe tree node v1" || bit)      bit = 0x00 or 0x01
//! leaf(i)          = child(... child(child(root, first bit of i), second bit of i) ..., last bit of i)
//! ```
//!
//! The state holds the *cover*: the nodes whose subtrees are exactly the leaves that were not punctured.
//! At first it is the root. To **puncture** leaf *i*, the node that covers it is replaced by the siblings of the
//! path from it down to *i* (the co-path): derived and kept first, then the node and the path are wiped.
//! The cost is one HMAC per level and at most 48 new nodes; no other leaf's key changes.
//!
//! # Why a punctured leaf stays secret
//!
//! Sketch, for one leaf *i* and whoever holds the punctured cover. Replace, from the top, each pair of children
//! of a path node by independent random values. Each step is undetectable as long as HMAC-SHA-256 under an
//! unknown key is a pseudorandom function: the path node appears nowhere but as that key, because the cover holds
//! siblings only, and siblings are the *other* output of the same generator call. After 48 steps `leaf(i)` is a
//! random value independent of the cover, so the advantage is at most 48 times that against HMAC.
//! Batches: apply it leaf by leaf; covers depend on the set of punctured leaves and not on their order.
//! This is the puncturable instance of the constrained functions of Boneh and Waters (ASIACRYPT 2013), Kiayias,
//! Papadopoulos, Triandopoulos and Zacharias (CCS 2013) and Boyle, Goldwasser and Ivan (PKC 2014).
//!
//! The proof speaks of the cover *after* the puncture. An older cover still opens everything, so the sealed state
//! must be unreadable once replaced: its key is destroyed at the key service. Secure deletion by a small erasable
//! secret over storage that forgets nothing follows Reardon, Ritzdorf, Basin and Capkun (CCS 2013).
//!
//! # Size
//!
//! A node takes 39 bytes. What dies together should lie together: a whole run of dead leaves costs no more than
//! its two edges. The encoding is canonical, see [`KeyTree::encode`]. A large cover is stored in spans, one for
//! each subtree that is small enough, so that a puncture rewrites the spans it touches and no other.
use std::ops::Range;

use ring::hmac::{self, Key};
use vouchsafe_types::{Entropy, LeafIndex, Secret, wipe_stack};

use crate::EnvelopeError;
use crate::vault::{KEY_LEN, Vault};

mod spans;
mod wire;

pub(crate) use spans::Span;
pub(crate) use wire::{encoded_len, low_byte};

/// The leaf was punctured: its key cannot be derived any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("key has been destroyed")]
pub struct Punctured;

/// A puncturable tree with `2^DEPTH` leaves; production uses the default, [`LeafIndex::BITS`].
pub struct KeyTree<const DEPTH: u32 = { LeafIndex::BITS }> {
    // INVARIANT (cover): ascending, disjoint, no two siblings, together every leaf that was not punctured.
    nodes: Vec<Node>,
    /// The nodes' keys, in the same order.
    keys: Vault,
}

/// A subtree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Node {
    /// The first `depth` bits of every index below the node.
    pub(crate) prefix: u64,
    pub(crate) depth: u32,
}

impl<const DEPTH: u32> KeyTree<DEPTH> {
    /// A tree with a fresh root and no punctured leaf.
    ///
    /// # Errors
    /// [`EnvelopeError::EntropyUnavailable`], [`EnvelopeError::NoResources`].
    pub fn generate(entropy: &dyn Entropy) -> Result<Self, EnvelopeError> {
        let mut tree = Self::with_capacity(1)?;
        tree.nodes.push(Node { prefix: 0, depth: 0 });
        tree.keys.push(|key| entropy.fill(key).map_err(|_| EnvelopeError::EntropyUnavailable))?;
        Ok(tree)
    }

    /// A tree of which nothing is left, to be filled.
    pub(crate) fn with_capacity(nodes: usize) -> Result<Self, EnvelopeError> {
        Ok(Self { nodes: Vec::with_capacity(nodes), keys: Vault::with_capacity(nodes)? })
    }

    /// Derives a leaf's key.
    ///
    /// # Errors
    /// [`Punctured`] after [`Self::puncture`], and for an index outside the tree.
    pub fn leaf(&self, index: LeafIndex) -> Result<Secret<32>, Punctured> {
        let leaf = self.derive(index);
        wipe_stack();
        leaf
    }

    /// Whether the leaf's key is gone; also true for an index outside the tree.
    pub fn is_punctured(&self, index: LeafIndex) -> bool {
        self.cover(index.get()).is_none()
    }

    /// Forgets leaves for good, and says how many of them were there. Punctured ones are passed over.
    ///
    /// # Errors
    /// [`EnvelopeError::NoResources`]; the tree is then as it was.
    pub fn puncture(&mut self, indices: &[LeafIndex]) -> Result<usize, EnvelopeError> {
        let mut doomed: Vec<u64> =
            indices.iter().filter(|index| !self.is_punctured(**index)).map(|index| index.get()).collect();
        doomed.sort_unstable();
        doomed.dedup();
        if !doomed.is_empty() {
            let replaced = self.without(&doomed);
            wipe_stack();
            *self = replaced?;
        }
        Ok(doomed.len())
    }

    /// How many nodes the cover has.
    pub fn node_count(&self) -> usize {
        self.nodes.len()
    }

    /// Whether the operating system keeps the keys in memory and out of core dumps.
    pub(crate) fn is_locked(&self) -> bool {
        self.keys.is_locked()
    }

    /// As [`Self::leaf`]; the caller wipes the stack.
    #[inline(never)]
    pub(crate) fn derive(&self, index: LeafIndex) -> Result<Secret<32>, Punctured> {
        let (node, key) = self.cover(index.get()).ok_or(Punctured)?;
        let mut key = Secret::init_with(|own| own.copy_from_slice(key));
        for level in (0..DEPTH - node.depth).rev() {
            key = child(&Key::new(hmac::HMAC_SHA256, key.expose_secret()), index.get() >> level & 1 == 1);
        }
        Ok(key)
    }

    /// Whether this is no forked child, whose keys are zeros.
    pub(crate) fn is_intact(&self) -> bool {
        self.keys.is_intact()
    }

    #[cfg(any(test, feature = "test-util"))]
    pub(crate) fn node_keys(&self) -> impl Iterator<Item = &[u8; KEY_LEN]> {
        self.keys.iter()
    }

    fn cover(&self, index: u64) -> Option<(Node, &[u8; KEY_LEN])> {
        let after = self.nodes.partition_point(|node| node.first::<DEPTH>() <= index);
        let place = after.checked_sub(1)?;
        let node = *self.nodes.get(place)?;
        if node.last::<DEPTH>() < index {
            return None;
        }
        Some((node, self.keys.get(place)?))
    }

    /// The tree without these leaves, ascending.
    #[inline(never)]
    fn without(&self, doomed: &[u64]) -> Result<Self, EnvelopeError> {
        let mut kept = Self::with_capacity(self.nodes.len() + LeafIndex::BITS as usize)?;
        let mut rest = doomed;
        for (node, key) in self.nodes.iter().zip(self.keys.iter()) {
            let (here, later) = rest.split_at(rest.partition_point(|index| *index <= node.last::<DEPTH>()));
            kept.push_without(*node, key, here)?;
            rest = later;
        }
        Ok(kept)
    }

    /// Appends the co-path of the doomed leaves below a node, ascending; a node without any stays whole.
    fn push_without(&mut self, node: Node, key: &[u8; KEY_LEN], doomed: &[u64]) -> Result<(), EnvelopeError> {
        if doomed.is_empty() {
            return self.push(node, key);
        }
        if node.depth == DEPTH {
            return Ok(());
        }
        let hmac_key = Key::new(hmac::HMAC_SHA256, key);
        let [left, right] = node.children();
        let middle = right.first::<DEPTH>();
        let (low, high) = doomed.split_at(doomed.partition_point(|index| *index < middle));
        self.push_without(left, child(&hmac_key, false).expose_secret(), low)?;
        self.push_without(right, child(&hmac_key, true).expose_secret(), high)
    }

    fn push(&mut self, node: Node, key: &[u8; KEY_LEN]) -> Result<(), EnvelopeError> {
        self.keys.push_key(key)?;
        self.nodes.push(node);
        Ok(())
    }

    /// Takes over the nodes of another cover from a place up to the first that lies behind an index; gives its place.
    pub(crate) fn append_before(
        &mut self,
        other: &Self,
        from: usize,
        index: u64,
    ) -> Result<usize, EnvelopeError> {
        let to = other.nodes.partition_point(|node| node.first::<DEPTH>() < index).max(from);
        other.nodes_in(from..to).try_for_each(|(node, key)| self.push(*node, key))?;
        Ok(to)
    }

    fn nodes_in(&self, range: Range<usize>) -> impl Iterator<Item = (&Node, &[u8; KEY_LEN])> {
        self.nodes.iter().zip(self.keys.iter()).skip(range.start).take(range.len())
    }
}

impl<const DEPTH: u32> std::fmt::Debug for KeyTree<DEPTH> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeyTree").finish_non_exhaustive()
    }
}

impl Node {
    pub(crate) const fn first<const DEPTH: u32>(self) -> u64 {
        self.prefix << (DEPTH - self.depth)
    }

    pub(crate) const fn last<const DEPTH: u32>(self) -> u64 {
        self.first::<DEPTH>() | ((1 << (DEPTH - self.depth)) - 1)
    }

    fn children(self) -> [Self; 2] {
        [0, 1].map(|bit| Self { prefix: self.prefix << 1 | bit, depth: self.depth + 1 })
    }
}

fn child(key: &Key, bit: bool) -> Secret<32> {
    let label: &[u8] = if bit { b"vouchsafe tree node v1\x01" } else { b"vouchsafe tree node v1\x00" };
    let tag = hmac::sign(key, label);
    Secret::init_with(|out| out.copy_from_slice(tag.as_ref()))
}

#[cfg(test)]
mod tests;
