//! The Merkle tree of RFC 6962 section 2.1 with SHA-256: hashes, roots, proofs and their verification.

use ring::digest::{Context, SHA256};
use vouchsafe_types::Digest;

use crate::LedgerError;

mod frontier;
mod subtree;
pub(crate) use frontier::Frontier;
pub use subtree::{verify_subtree_consistency, verify_subtree_inclusion};

/// Reads the hashes of complete subtrees, from which every root and proof is made.
pub trait HashReader {
    /// The hash over the leaves `index << height .. (index + 1) << height`, all of which exist.
    ///
    /// # Errors
    /// The reader's own; [`LedgerError::OutOfRange`] when the log has fewer leaves.
    fn subtree(&self, height: u32, index: u64) -> Result<Digest, LedgerError>;
}

/// The hash of a leaf: `SHA-256(0x00 || leaf)`.
pub fn leaf_hash(leaf: &[u8]) -> Digest {
    sha256(&[&[0x00], leaf])
}

/// The hash of an inner node: `SHA-256(0x01 || left || right)`.
pub fn node_hash(left: &Digest, right: &Digest) -> Digest {
    sha256(&[&[0x01], left.as_bytes(), right.as_bytes()])
}

/// The root over a list of subtree hashes of equal height, of which only the last may be incomplete.
pub fn tree_hash(hashes: &[Digest]) -> Digest {
    let mut level = hashes.to_vec();
    while level.len() > 1 {
        let pair = |pair: &[Digest]| match pair {
            [left, right] => Some(node_hash(left, right)),
            other => other.first().copied(),
        };
        level = level.chunks(2).filter_map(pair).collect();
    }
    level.first().copied().unwrap_or_else(|| sha256(&[]))
}

/// The root over the first `size` leaves; that of the empty tree is the hash of nothing.
///
/// # Errors
/// The reader's own.
pub fn root(reader: &dyn HashReader, size: u64) -> Result<Digest, LedgerError> {
    range_hash(reader, 0, size)
}

/// The inclusion proof `PATH(index, D[size])` of RFC 6962 section 2.1.1, from the leaf's sibling upwards.
///
/// # Errors
/// [`LedgerError::OutOfRange`] unless `index < size`; the reader's own.
pub fn inclusion_proof(reader: &dyn HashReader, index: u64, size: u64) -> Result<Vec<Digest>, LedgerError> {
    if index >= size {
        return Err(LedgerError::OutOfRange);
    }
    let (mut low, mut high, mut proof) = (0, size, Vec::new());
    while high - low > 1 {
        let middle = low + split(high - low);
        if index < middle {
            proof.push(range_hash(reader, middle, high)?);
            high = middle;
        } else {
            proof.push(range_hash(reader, low, middle)?);
            low = middle;
        }
    }
    proof.reverse();
    Ok(proof)
}

/// The consistency proof `PROOF(old, D[new])` of RFC 6962 section 2.1.2; empty when `old` is 0 or `new`.
///
/// # Errors
/// [`LedgerError::OutOfRange`] unless `old <= new`; the reader's own.
pub fn consistency_proof(reader: &dyn HashReader, old: u64, new: u64) -> Result<Vec<Digest>, LedgerError> {
    if old > new {
        return Err(LedgerError::OutOfRange);
    }
    let (mut low, mut high, mut proof) = (0, new, Vec::new());
    while old > 0 && old != high {
        let middle = low + split(high - low);
        if old <= middle {
            proof.push(range_hash(reader, middle, high)?);
            high = middle;
        } else {
            proof.push(range_hash(reader, low, middle)?);
            low = middle;
        }
    }
    if low > 0 {
        proof.push(range_hash(reader, low, high)?);
    }
    proof.reverse();
    Ok(proof)
}

/// Checks that the leaf with this hash is at `index` of the tree with this size and root.
///
/// Implements RFC 9162 section 2.1.3.2.
///
/// # Errors
/// [`LedgerError::ProofRejected`] when it is not shown.
pub fn verify_inclusion(
    leaf: &Digest,
    index: u64,
    size: u64,
    proof: &[Digest],
    root: &Digest,
) -> Result<(), LedgerError> {
    if index >= size {
        return Err(LedgerError::ProofRejected);
    }
    let (mut node, mut last, mut hash) = (index, size - 1, *leaf);
    for sibling in proof {
        if last == 0 {
            return Err(LedgerError::ProofRejected);
        }
        if node & 1 == 1 || node == last {
            hash = node_hash(sibling, &hash);
            (node, last) = skip_left_edge(node, last);
        } else {
            hash = node_hash(&hash, sibling);
        }
        (node, last) = (node >> 1, last >> 1);
    }
    accept(last == 0 && hash == *root)
}

/// Checks that the tree with the old size and root is a prefix of that with the new size and root.
///
/// Implements RFC 9162 section 2.1.4.2. Every tree continues the empty one, and each is consistent with itself;
/// then the proof is empty.
///
/// # Errors
/// [`LedgerError::ProofRejected`] when it is not shown.
pub fn verify_consistency(
    old: u64,
    new: u64,
    old_root: &Digest,
    new_root: &Digest,
    proof: &[Digest],
) -> Result<(), LedgerError> {
    if old == new {
        return accept(proof.is_empty() && old_root == new_root);
    }
    if old == 0 {
        return accept(proof.is_empty() && *old_root == tree_hash(&[]));
    }
    let (first, rest) = match proof.split_first() {
        Some(_) if old.is_power_of_two() => (old_root, proof),
        Some((first, rest)) if old < new => (first, rest),
        _ => return Err(LedgerError::ProofRejected),
    };
    let shift = (old - 1).trailing_ones();
    let (mut node, mut last) = ((old - 1) >> shift, new.wrapping_sub(1) >> shift);
    let (mut old_hash, mut new_hash) = (*first, *first);
    for sibling in rest {
        if last == 0 {
            return Err(LedgerError::ProofRejected);
        }
        if node & 1 == 1 || node == last {
            old_hash = node_hash(sibling, &old_hash);
            new_hash = node_hash(sibling, &new_hash);
            (node, last) = skip_left_edge(node, last);
        } else {
            new_hash = node_hash(&new_hash, sibling);
        }
        (node, last) = (node >> 1, last >> 1);
    }
    accept(old < new && last == 0 && old_hash == *old_root && new_hash == *new_root)
}

/// Climbs while the node is a left child without a right sibling in the tree, so that it has no hash of its own.
const fn skip_left_edge(mut node: u64, mut last: u64) -> (u64, u64) {
    while node & 1 == 0 && node != 0 {
        (node, last) = (node >> 1, last >> 1);
    }
    (node, last)
}

const fn accept(shown: bool) -> Result<(), LedgerError> {
    if shown { Ok(()) } else { Err(LedgerError::ProofRejected) }
}

/// The hash over the leaves `low..high`, where `low` is a multiple of every subtree that fits.
fn range_hash(reader: &dyn HashReader, mut low: u64, high: u64) -> Result<Digest, LedgerError> {
    let mut parts = Vec::new();
    while low < high {
        let height = (high - low).ilog2();
        parts.push(reader.subtree(height, low >> height)?);
        low += 1 << height;
    }
    let folded = parts.into_iter().rev().reduce(|right, left| node_hash(&left, &right));
    Ok(folded.unwrap_or_else(|| tree_hash(&[])))
}

/// The largest power of two below `count`, which is at least 2.
const fn split(count: u64) -> u64 {
    1 << (count - 1).ilog2()
}

fn sha256(parts: &[&[u8]]) -> Digest {
    let mut context = Context::new(&SHA256);
    parts.iter().for_each(|part| context.update(part));
    let mut bytes = [0; 32];
    bytes.iter_mut().zip(context.finish().as_ref()).for_each(|(out, byte)| *out = *byte);
    Digest::from_bytes(bytes)
}

#[cfg(test)]
mod tests;
