use proptest::prelude::*;

use super::*;

/// Hashes of all complete subtrees, by height and index.
struct Table(Vec<Vec<Digest>>);

impl Table {
    fn new(leaves: impl Iterator<Item = Vec<u8>>) -> Self {
        let mut levels = vec![leaves.map(|leaf| leaf_hash(&leaf)).collect::<Vec<_>>()];
        while levels.last().unwrap().len() > 1 {
            let below = levels.last().unwrap();
            levels.push(below.chunks_exact(2).map(|pair| node_hash(&pair[0], &pair[1])).collect());
        }
        Self(levels)
    }

    fn numbered(size: u64) -> Self {
        Self::new((0..size).map(|i| format!("leaf {i}").into_bytes()))
    }

    fn leaf(&self, index: u64) -> &Digest {
        &self.0[0][usize::try_from(index).unwrap()]
    }
}

impl HashReader for Table {
    fn subtree(&self, height: u32, index: u64) -> Result<Digest, LedgerError> {
        let level = self.0.get(height as usize).ok_or(LedgerError::OutOfRange)?;
        level.get(usize::try_from(index).unwrap()).copied().ok_or(LedgerError::OutOfRange)
    }
}

fn hex(digests: &[Digest]) -> Vec<String> {
    digests.iter().map(ToString::to_string).collect()
}

/// The expected hashes come from RFC 6962's recursive definitions, written down in Python.
#[test]
fn known_answers() {
    let roots = [
        (0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        (1, "1bb97dcc21635d47e2663efdfd0a174686d98dd701352dd2cd06e8b43fd3d305"),
        (2, "fc5f6b88ff8554f75bb2f9e6f39c31b1936d44b69276edf7b1205a955b9761e3"),
        (3, "d4f92c8fbb89720eb3b55677c7d7efaddfeb10d11a1a84a0ba8f1a23337faa95"),
        (5, "341515982d650e23520dbd54d7fcf0afa1b70cc3a16a411d464dc9c1ac96c301"),
        (7, "5a61fc2b54f9cfa71774f2432143dd40c6cb2b11947faf65a7d3da5cb65199c8"),
    ];
    let table = Table::numbered(7);
    for (size, expected) in roots {
        assert_eq!(root(&table, size).unwrap().to_string(), expected, "{size}");
    }
    let inclusion = [
        "95adf15b7ef5db67386a8bafbefee4d145662afa450740e1868553e8348ed3a0",
        "fb7f869ce8b7b51fdf719fc8c21a4736c98cc160a825606a81f78a7f4d2261d9",
        "4f631084a157c54f54fcfb23ff5eb8650c4ba160c295bb13a9832b109d52677e",
    ];
    assert_eq!(hex(&inclusion_proof(&table, 4, 7).unwrap()), inclusion);
    let consistency = [
        "ab37ba34d1dfe29015de717a6d5764a8fb029c3a7a0f5b64b93b54351885bf7c",
        "58bd1496e1684aac9201c2e687ee7ae4f51c96a8b0d81ef3583628b93d3cd345",
        "fc5f6b88ff8554f75bb2f9e6f39c31b1936d44b69276edf7b1205a955b9761e3",
        "01571b557bc70672650d467c7bad8337e09a7f354a72051f23b43a782c0f48e6",
    ];
    assert_eq!(hex(&consistency_proof(&table, 3, 7).unwrap()), consistency);
}

#[test]
fn a_list_of_hashes_gives_the_same_root_as_its_subtrees() {
    let table = Table::numbered(300);
    for size in 0..=300 {
        assert_eq!(tree_hash(&table.0[0][..size]), root(&table, size as u64).unwrap());
    }
}

#[test]
fn every_proof_of_every_index_verifies_up_to_300() {
    let table = Table::numbered(300);
    for size in 1..=300 {
        let root = root(&table, size).unwrap();
        for index in 0..size {
            let proof = inclusion_proof(&table, index, size).unwrap();
            assert_eq!(verify_inclusion(table.leaf(index), index, size, &proof, &root), Ok(()));
        }
    }
}

#[test]
fn every_consistency_proof_verifies_up_to_300() {
    let table = Table::numbered(300);
    let roots = (0..=300).map(|size| root(&table, size).unwrap()).collect::<Vec<_>>();
    for (new, new_root) in roots.iter().enumerate() {
        for (old, old_root) in roots[..=new].iter().enumerate() {
            let (old, new) = (old as u64, new as u64);
            let proof = consistency_proof(&table, old, new).unwrap();
            assert_eq!(verify_consistency(old, new, old_root, new_root, &proof), Ok(()), "{old} {new}");
        }
    }
}

#[test]
fn outside_the_log_there_is_no_proof() {
    let table = Table::numbered(5);
    assert_eq!(inclusion_proof(&table, 5, 5), Err(LedgerError::OutOfRange));
    assert_eq!(inclusion_proof(&table, 0, 0), Err(LedgerError::OutOfRange));
    assert_eq!(consistency_proof(&table, 6, 5), Err(LedgerError::OutOfRange));
    assert_eq!(root(&table, 6), Err(LedgerError::OutOfRange));
    let hash = *table.leaf(0);
    assert_eq!(verify_inclusion(&hash, 0, 0, &[], &hash), Err(LedgerError::ProofRejected));
    for (old, new) in [(0, u64::MAX), (u64::MAX, 0), (1, 0), (u64::MAX, 1), (1, u64::MAX)] {
        assert_eq!(verify_consistency(old, new, &hash, &hash, &[hash]), Err(LedgerError::ProofRejected));
    }
}

fn flip(digest: &Digest, bit: usize) -> Digest {
    let mut bytes = *digest.as_bytes();
    bytes[bit / 8] ^= 1 << (bit % 8);
    Digest::from_bytes(bytes)
}

proptest! {
    #[test]
    fn any_flipped_bit_of_an_inclusion_proof_fails(size in 1u64..=300, seed: u64, bit in 0usize..256, at: prop::sample::Index) {
        let table = Table::numbered(size);
        let index = seed % size;
        let mut proof = inclusion_proof(&table, index, size).unwrap();
        let (mut leaf, mut root) = (*table.leaf(index), root(&table, size).unwrap());
        match at.index(proof.len() + 2) {
            0 => leaf = flip(&leaf, bit),
            1 => root = flip(&root, bit),
            n => proof[n - 2] = flip(&proof[n - 2], bit),
        }
        prop_assert!(verify_inclusion(&leaf, index, size, &proof, &root).is_err());
    }

    #[test]
    fn any_flipped_bit_of_a_consistency_proof_fails(new in 1u64..=300, seed: u64, bit in 0usize..256, at: prop::sample::Index) {
        let table = Table::numbered(new);
        let old = 1 + seed % new;
        let mut proof = consistency_proof(&table, old, new).unwrap();
        let mut roots = [root(&table, old).unwrap(), root(&table, new).unwrap()];
        match at.index(proof.len() + 2) {
            n @ (0 | 1) => roots[n] = flip(&roots[n], bit),
            n => proof[n - 2] = flip(&proof[n - 2], bit),
        }
        prop_assert!(verify_consistency(old, new, &roots[0], &roots[1], &proof).is_err());
    }

    #[test]
    fn another_index_or_size_fails(size in 2u64..=300, seed: u64, other in 0u64..400) {
        let table = Table::numbered(size);
        let (index, root) = (seed % size, root(&table, size).unwrap());
        let proof = inclusion_proof(&table, index, size).unwrap();
        if other != index {
            prop_assert!(verify_inclusion(table.leaf(index), other, size, &proof, &root).is_err());
        }
        let longer = [proof.as_slice(), &[root]].concat();
        prop_assert!(verify_inclusion(table.leaf(index), index, size, &longer, &root).is_err());
        prop_assert!(verify_inclusion(table.leaf(index), index, size, &proof[1..], &root).is_err());
    }
}

#[test]
fn a_frontier_grows_as_the_tree_does() {
    let table = Table::numbered(70);
    for start in 0..70 {
        let mut frontier = Frontier::read(&table, start).unwrap();
        for size in start..70 {
            assert_eq!((frontier.size(), frontier.root()), (size, root(&table, size).unwrap()));
            frontier.push(format!("leaf {size}").as_bytes());
        }
    }
}

#[test]
fn a_consistency_proof_is_one_of_the_subtree_at_the_left_edge() {
    let table = Table::numbered(40);
    for (old, new) in (1..=40).flat_map(|new| (1..=new).map(move |old| (old, new))) {
        let proof = consistency_proof(&table, old, new).unwrap();
        let (old_root, new_root) = (root(&table, old).unwrap(), root(&table, new).unwrap());
        assert_eq!(verify_subtree_consistency(0, old, new, &old_root, &new_root, &proof), Ok(()));
        let other = verify_subtree_consistency(0, old, new, &new_root, &old_root, &proof);
        assert_eq!(other.is_ok(), old == new);
    }
}

proptest! {
    #[test]
    fn no_numbers_make_the_checks_of_subtrees_panic(
        numbers in prop::array::uniform4(prop_oneof![any::<u64>(), 0u64..9, (u64::MAX - 8)..=u64::MAX]),
        length in 0usize..70,
    ) {
        let [index, start, end, size] = numbers;
        let (hash, proof) = (Digest::from_bytes([1; 32]), vec![Digest::from_bytes([2; 32]); length]);
        let _ = verify_subtree_inclusion(&hash, index, start, end, &proof, &hash);
        let _ = verify_subtree_consistency(start, end, size, &hash, &hash, &proof);
    }
}
