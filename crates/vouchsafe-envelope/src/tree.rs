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
//! its two edges. The encoding is canonical, see [`KeyTree::encode`].
use ring::hmac::{self, Key};
use vouchsafe_types::{Entropy, LeafIndex, Secret, wipe_stack};

use crate::EnvelopeError;

mod wire;

/// The leaf was punctured: its key cannot be derived any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("key has been destroyed")]
pub struct Punctured;

/// A puncturable tree with `2^DEPTH` leaves; production uses the default, [`LeafIndex::BITS`].
pub struct KeyTree<const DEPTH: u32 = { LeafIndex::BITS }> {
    // INVARIANT (cover): ascending, disjoint, no two siblings, together every leaf that was not punctured.
    nodes: Vec<Node>,
}

struct Node {
    /// The first `depth` bits of every index below the node.
    prefix: u64,
    depth: u32,
    key: Secret<32>,
}

impl<const DEPTH: u32> KeyTree<DEPTH> {
    /// A tree with a fresh root and no punctured leaf.
    ///
    /// # Errors
    /// [`EnvelopeError::EntropyUnavailable`].
    pub fn generate(entropy: &dyn Entropy) -> Result<Self, EnvelopeError> {
        let key = Secret::random(entropy).map_err(|_| EnvelopeError::EntropyUnavailable)?;
        Ok(Self { nodes: vec![Node { prefix: 0, depth: 0, key }] })
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
        self.cover(index).is_none()
    }

    /// Forgets leaves for good, and says how many of them were there. Punctured ones are passed over.
    pub fn puncture(&mut self, indices: &[LeafIndex]) -> usize {
        let mut doomed: Vec<u64> =
            indices.iter().filter(|index| !self.is_punctured(**index)).map(|index| index.get()).collect();
        doomed.sort_unstable();
        doomed.dedup();
        if !doomed.is_empty() {
            self.replace_covers(&doomed);
            wipe_stack();
        }
        doomed.len()
    }

    /// How many nodes the cover has.
    pub fn node_count(&self) -> usize {
        self.nodes.len()
    }

    /// As [`Self::leaf`]; the caller wipes the stack.
    #[inline(never)]
    pub(crate) fn derive(&self, index: LeafIndex) -> Result<Secret<32>, Punctured> {
        let node = self.cover(index).ok_or(Punctured)?;
        let mut key = Secret::init_with(|own| own.copy_from_slice(node.key.expose_secret()));
        for level in (0..DEPTH - node.depth).rev() {
            key = child(&Key::new(hmac::HMAC_SHA256, key.expose_secret()), index.get() >> level & 1 == 1);
        }
        Ok(key)
    }

    #[cfg(test)]
    pub(crate) fn add_nodes(&self, add: impl FnMut(&Secret<32>)) {
        self.nodes.iter().map(|node| &node.key).for_each(add);
    }

    fn cover(&self, index: LeafIndex) -> Option<&Node> {
        let after = self.nodes.partition_point(|node| node.first::<DEPTH>() <= index.get());
        let node = self.nodes.get(after.checked_sub(1)?)?;
        (node.last::<DEPTH>() >= index.get()).then_some(node)
    }

    #[inline(never)]
    fn replace_covers(&mut self, doomed: &[u64]) {
        let mut kept = Vec::with_capacity(self.nodes.len() + LeafIndex::BITS as usize);
        let mut rest = doomed;
        for node in std::mem::take(&mut self.nodes) {
            let (here, later) = rest.split_at(rest.partition_point(|index| *index <= node.last::<DEPTH>()));
            node.split::<DEPTH>(here, &mut kept);
            rest = later;
        }
        self.nodes = kept;
    }
}

impl<const DEPTH: u32> std::fmt::Debug for KeyTree<DEPTH> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeyTree").finish_non_exhaustive()
    }
}

impl Node {
    const fn first<const DEPTH: u32>(&self) -> u64 {
        self.prefix << (DEPTH - self.depth)
    }

    const fn last<const DEPTH: u32>(&self) -> u64 {
        self.first::<DEPTH>() | ((1 << (DEPTH - self.depth)) - 1)
    }

    /// Keeps the co-path of the doomed leaves, ascending; the node itself is wiped when it goes out of scope.
    fn split<const DEPTH: u32>(self, doomed: &[u64], kept: &mut Vec<Self>) {
        if doomed.is_empty() {
            kept.push(self);
            return;
        }
        if self.depth == DEPTH {
            return;
        }
        let [left, right] = self.children();
        let middle = right.first::<DEPTH>();
        let (low, high) = doomed.split_at(doomed.partition_point(|index| *index < middle));
        left.split::<DEPTH>(low, kept);
        right.split::<DEPTH>(high, kept);
    }

    fn children(&self) -> [Self; 2] {
        let key = Key::new(hmac::HMAC_SHA256, self.key.expose_secret());
        [false, true].map(|bit| Self {
            prefix: self.prefix << 1 | u64::from(bit),
            depth: self.depth + 1,
            key: child(&key, bit),
        })
    }
}

fn child(key: &Key, bit: bool) -> Secret<32> {
    let label: &[u8] = if bit { b"vouchsafe tree node v1\x01" } else { b"vouchsafe tree node v1\x00" };
    let tag = hmac::sign(key, label);
    Secret::init_with(|out| out.copy_from_slice(tag.as_ref()))
}

#[cfg(test)]
mod tests;
