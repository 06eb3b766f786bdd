use std::collections::BTreeSet;

use proptest::prelude::*;
use ring::rand::{SecureRandom, SystemRandom};
use vouchsafe_types::EntropyUnavailable;

use super::*;

struct Random;

impl Entropy for Random {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), EntropyUnavailable> {
        SystemRandom::new().fill(buffer).map_err(|_| EntropyUnavailable)
    }
}

type Small = KeyTree<8>;

fn index(value: u64) -> LeafIndex {
    LeafIndex::new(value).unwrap()
}

/// The tree as its definition says it, with every leaf computed from the root.
fn naive(root: &[u8; 32], leaf: u64, depth: u32) -> [u8; 32] {
    (0..depth).rev().fold(*root, |node, level| {
        let mut message = b"vouchsafe tree node v1".to_vec();
        message.push((leaf >> level & 1) as u8);
        let tag = hmac::sign(&Key::new(hmac::HMAC_SHA256, &node), &message);
        tag.as_ref().try_into().unwrap()
    })
}

/// How many nodes cover what is left: the maximal aligned ranges without a punctured leaf.
fn naive_cover(punctured: &BTreeSet<u64>, first: u64, depth: u32) -> usize {
    let len = 1u64 << depth;
    if punctured.range(first..first + len).next().is_none() {
        return 1;
    }
    if depth == 0 {
        return 0;
    }
    let half = len / 2;
    naive_cover(punctured, first, depth - 1) + naive_cover(punctured, first + half, depth - 1)
}

proptest! {
    /// Promise: WB-3-30days
    #[test]
    fn punctured_leaves_never_derive_and_the_others_never_change(
        batches in prop::collection::vec(prop::collection::vec(0u64..256, 0..40), 0..8),
    ) {
        let mut tree = Small::generate(&Random).unwrap();
        let root = *tree.keys.get(0).unwrap();
        let mut punctured = BTreeSet::new();
        for batch in batches {
            let indices: Vec<_> = batch.iter().copied().map(index).collect();
            let fresh = batch.iter().copied().collect::<BTreeSet<_>>().difference(&punctured).count();
            prop_assert_eq!(tree.puncture(&indices), Ok(fresh));
            prop_assert_eq!(tree.puncture(&indices), Ok(0));
            punctured.extend(batch);
            let read = Small::decode(tree.encode().expose_secret()).unwrap();
            prop_assert!(read.encode().expose_secret() == tree.encode().expose_secret());
            prop_assert_eq!(tree.node_count(), naive_cover(&punctured, 0, 8));
            for leaf in 0..256 {
                let expected = (!punctured.contains(&leaf)).then(|| naive(&root, leaf, 8));
                let derived = read.leaf(index(leaf)).ok().map(|key| *key.expose_secret());
                prop_assert_eq!(derived, expected);
                prop_assert_eq!(tree.is_punctured(index(leaf)), punctured.contains(&leaf));
            }
        }
    }

    #[test]
    fn only_encodings_that_we_write_are_read(bytes in prop::collection::vec(any::<u8>(), 0..200), at in 0usize..400, bit in 0u8..8) {
        if let Ok(tree) = Small::decode(&bytes) {
            prop_assert!(tree.encode().expose_secret() == bytes.as_slice());
        }
        let mut tree = Small::generate(&Random).unwrap();
        tree.puncture(&[index(3), index(200)]).unwrap();
        let mut changed = tree.encode().expose_secret().to_vec();
        let at = at % changed.len();
        changed[at] ^= 1 << bit;
        if let Ok(tree) = Small::decode(&changed) {
            prop_assert!(tree.encode().expose_secret() == changed.as_slice());
        }
    }
}

#[test]
fn the_production_tree_has_48_levels() {
    let mut tree = <KeyTree>::generate(&Random).unwrap();
    let root = *tree.keys.get(0).unwrap();
    let leaves = [0, 1, 0x0100_0000_0007, (1 << 48) - 1];
    for leaf in leaves {
        assert_eq!(*tree.leaf(index(leaf)).unwrap().expose_secret(), naive(&root, leaf, 48));
    }
    assert_eq!(tree.puncture(&[index(leaves[2])]), Ok(1));
    assert_eq!(tree.node_count(), 48);
    assert_eq!(tree.leaf(index(leaves[2])).unwrap_err(), Punctured);
    assert_eq!(*tree.leaf(index(leaves[3])).unwrap().expose_secret(), naive(&root, leaves[3], 48));
}

#[test]
fn a_whole_tree_can_die() {
    let mut tree = Small::generate(&Random).unwrap();
    assert_eq!(tree.puncture(&(0..256).map(index).collect::<Vec<_>>()), Ok(256));
    assert_eq!(tree.encode().expose_secret(), [1, 8, 0, 0, 0, 0]);
    assert!(Small::decode(&[1, 8, 0, 0, 0, 0]).unwrap().is_punctured(index(0)));
    assert!(Small::generate(&Random).unwrap().is_punctured(index(256)), "outside the tree");
}

#[test]
fn other_encodings_are_refused() {
    let node = |depth: u8, prefix: u8| [&[depth, 0, 0, 0, 0, 0, prefix][..], &[7; 32]].concat();
    let encode = |head: [u8; 2], nodes: &[Vec<u8>]| {
        [&head[..], &u32::try_from(nodes.len()).unwrap().to_be_bytes(), &nodes.concat()].concat()
    };
    assert!(Small::decode(&encode([1, 8], &[node(1, 0), node(2, 2)])).is_ok());
    let bad = [
        ("version", encode([2, 8], &[node(0, 0)])),
        ("tree depth", encode([1, 48], &[node(0, 0)])),
        ("node depth", encode([1, 8], &[node(9, 0)])),
        ("prefix", encode([1, 8], &[node(2, 4)])),
        ("order", encode([1, 8], &[node(2, 2), node(1, 0)])),
        ("twice", encode([1, 8], &[node(2, 2), node(2, 2)])),
        ("overlap", encode([1, 8], &[node(1, 0), node(2, 1)])),
        ("siblings", encode([1, 8], &[node(2, 2), node(2, 3)])),
        ("trailing", [encode([1, 8], &[node(0, 0)]), vec![0]].concat()),
        ("truncated", encode([1, 8], &[node(0, 0)])[..44].to_vec()),
        ("count", [&[1, 8, 0xff, 0xff, 0xff, 0xff][..], &node(0, 0)].concat()),
        ("empty", Vec::new()),
    ];
    for (name, bytes) in bad {
        assert!(Small::decode(&bytes).is_err(), "{name}");
    }
}

proptest! {
    /// A cover that is stored in spans is read back as it was, and each cover has one cut.
    #[test]
    fn spans_are_ascending_and_together_the_cover(
        punctured in prop::collection::vec(0u64..256, 0..60),
        limit in 1usize..20,
    ) {
        let mut tree = Small::generate(&Random).unwrap();
        tree.puncture(&punctured.into_iter().map(index).collect::<Vec<_>>()).unwrap();
        let spans = tree.spans(limit);
        let mut read = Small::with_capacity(0).unwrap();
        for span in &spans {
            prop_assert!(span.nodes.len() <= limit || span.root.depth == 8);
            read.append_encoded(tree.encode_spans(std::slice::from_ref(span)).expose_secret()).unwrap();
        }
        prop_assert!(read.encode().expose_secret() == tree.encode().expose_secret());
        prop_assert_eq!(read.spans(limit), spans);
    }
}
