use vouchsafe_types::Digest;

use super::{accept, node_hash, tree_hash, verify_inclusion};
use crate::LedgerError;

/// Checks that the leaf with this hash is at `index` of a tree whose subtree over the leaves `start..end` has this
/// root.
///
/// Implements draft-ietf-plants-merkle-tree-certs-02, "Subtree Inclusion Proofs".
///
/// # Errors
/// [`LedgerError::ProofRejected`] when it is not shown, or the range is no subtree.
pub fn verify_subtree_inclusion(
    leaf: &Digest,
    index: u64,
    start: u64,
    end: u64,
    proof: &[Digest],
    root: &Digest,
) -> Result<(), LedgerError> {
    if !is_subtree(start, end) || index < start {
        return Err(LedgerError::ProofRejected);
    }
    verify_inclusion(leaf, index - start, end - start, proof, root)
}

/// Checks that the subtree over the leaves `start..end` with this root is part of the tree with this size and root.
///
/// Implements draft-ietf-plants-merkle-tree-certs-02, "Verifying a Subtree Consistency Proof". The empty subtree is
/// part of every tree; then the proof is empty.
///
/// # Errors
/// [`LedgerError::ProofRejected`] when it is not shown, or the range is no subtree.
pub fn verify_subtree_consistency(
    start: u64,
    end: u64,
    size: u64,
    subtree_root: &Digest,
    root: &Digest,
    proof: &[Digest],
) -> Result<(), LedgerError> {
    if start == end && end <= size {
        return accept(proof.is_empty() && *subtree_root == tree_hash(&[]));
    }
    if !is_subtree(start, end) || end > size {
        return Err(LedgerError::ProofRejected);
    }
    let (mut first, mut node, mut last) = (start, end - 1, size - 1);
    let shift =
        if node == last { width(first ^ node) } else { width(first ^ node).min(node.trailing_ones()) };
    (first, node, last) = (shifted(first, shift), shifted(node, shift), shifted(last, shift));
    let (seed, rest) = match proof.split_first() {
        _ if first == node => (subtree_root, proof),
        Some((seed, rest)) => (seed, rest),
        None => return Err(LedgerError::ProofRejected),
    };
    let (mut subtree_hash, mut hash) = (*seed, *seed);
    for sibling in rest {
        if last == 0 {
            return Err(LedgerError::ProofRejected);
        }
        if node & 1 == 1 || node == last {
            if first < node {
                subtree_hash = node_hash(sibling, &subtree_hash);
            }
            hash = node_hash(sibling, &hash);
            let skip = if node == 0 { 0 } else { node.trailing_zeros() };
            (first, node, last) = (first >> skip, node >> skip, last >> skip);
        } else {
            hash = node_hash(&hash, sibling);
        }
        (first, node, last) = (first >> 1, node >> 1, last >> 1);
    }
    accept(last == 0 && subtree_hash == *subtree_root && hash == *root)
}

/// Whether a tree of at least `end` leaves has a subtree over `start..end`: it begins at a multiple of the power of
/// two that it fits into.
fn is_subtree(start: u64, end: u64) -> bool {
    let fits = |length: u64| {
        length.checked_next_power_of_two().map_or(start == 0, |power| start.is_multiple_of(power))
    };
    start < end && fits(end - start)
}

/// How many bits a number has.
const fn width(number: u64) -> u32 {
    u64::BITS - number.leading_zeros()
}

fn shifted(number: u64, shift: u32) -> u64 {
    number.checked_shr(shift).unwrap_or(0)
}
