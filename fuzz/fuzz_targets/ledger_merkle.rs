//! Proofs: two sizes (8 bytes each), then hashes. Proofs of any kind are checked; those of a small tree hold, and
//! no other index or size takes them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vouchsafe_ledger::LedgerError;
use vouchsafe_ledger::merkle::{
    HashReader, consistency_proof, inclusion_proof, leaf_hash, tree_hash, verify_consistency,
    verify_inclusion,
};
use vouchsafe_types::Digest;

/// A tree of distinct leaves in memory.
struct Leaves(Vec<Digest>);

impl Leaves {
    fn numbered(count: u64) -> Self {
        Self((0..count).map(|number| leaf_hash(&number.to_be_bytes())).collect())
    }

    fn root(&self) -> Digest {
        tree_hash(&self.0)
    }
}

impl HashReader for Leaves {
    fn subtree(&self, height: u32, index: u64) -> Result<Digest, LedgerError> {
        let (first, count) = ((index << height) as usize, 1usize << height);
        self.0.get(first..first + count).map(tree_hash).ok_or(LedgerError::OutOfRange)
    }
}

fuzz_target!(|bytes: &[u8]| {
    let Some((old, rest)) = bytes.split_first_chunk() else { return };
    let Some((new, rest)) = rest.split_first_chunk() else { return };
    let (old, new) = (u64::from_be_bytes(*old), u64::from_be_bytes(*new));
    let proof: Vec<_> = rest.as_chunks().0.iter().copied().map(Digest::from_bytes).collect();
    let any = [1, 2].map(|fill| Digest::from_bytes([fill; 32]));
    let [first, second] = [proof.first().unwrap_or(&any[0]), proof.last().unwrap_or(&any[1])];
    let _ = verify_inclusion(first, old, new, &proof, second);
    let _ = verify_consistency(old, new, first, second, &proof);

    let (index, size, other) = (old % 70, new % 70, old >> 32 & 0x7f);
    let tree = Leaves::numbered(size);
    let Ok(proof) = inclusion_proof(&tree, index, size) else {
        assert!(index >= size);
        return;
    };
    let (leaf, root) = (&tree.0[index as usize], tree.root());
    assert_eq!(verify_inclusion(leaf, index, size, &proof, &root), Ok(()));
    assert!(other == index || verify_inclusion(leaf, other, size, &proof, &root).is_err());
    let proof = consistency_proof(&tree, index, size).expect("index is below size");
    let before = tree_hash(&tree.0[..index as usize]);
    assert_eq!(verify_consistency(index, size, &before, &root, &proof), Ok(()));
    assert!(index == 0 || verify_consistency(index, size, &root, &root, &proof).is_err());
});
