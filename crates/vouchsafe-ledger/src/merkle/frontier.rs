use vouchsafe_types::Digest;

use super::{HashReader, leaf_hash, node_hash, tree_hash};
use crate::LedgerError;

/// The right edge of a tree: the hashes of its largest complete subtrees, from which it can grow.
#[derive(Debug, Clone)]
pub(crate) struct Frontier {
    size: u64,
    /// One for each set bit of the size, the largest first.
    nodes: Vec<Digest>,
}

impl Frontier {
    /// Reads the edge of the tree over the first `size` leaves.
    pub(crate) fn read(reader: &dyn HashReader, size: u64) -> Result<Self, LedgerError> {
        let heights = (0..u64::BITS).rev().filter(|height| size >> height & 1 == 1);
        let nodes = heights.map(|height| reader.subtree(height, (size >> height) - 1));
        Ok(Self { size, nodes: nodes.collect::<Result<_, _>>()? })
    }

    /// How many leaves the tree has.
    pub(crate) const fn size(&self) -> u64 {
        self.size
    }

    /// Appends a leaf.
    pub(crate) fn push(&mut self, leaf: &[u8]) {
        let mut hash = leaf_hash(leaf);
        for _ in 0..self.size.trailing_ones() {
            if let Some(left) = self.nodes.pop() {
                hash = node_hash(&left, &hash);
            }
        }
        self.nodes.push(hash);
        self.size += 1;
    }

    /// The root of the tree so far.
    pub(crate) fn root(&self) -> Digest {
        let folded = self.nodes.iter().copied().rev().reduce(|right, left| node_hash(&left, &right));
        folded.unwrap_or_else(|| tree_hash(&[]))
    }
}
