//! A key tree, of the production depth and of depth 8: one encoding, and a punctured leaf is gone for good.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vouchsafe_envelope::tree::KeyTree;
use vouchsafe_types::LeafIndex;

fuzz_target!(|bytes: &[u8]| {
    check::<48>(bytes);
    check::<8>(bytes);
});

fn check<const DEPTH: u32>(bytes: &[u8]) {
    let Ok(mut tree) = KeyTree::<DEPTH>::decode(bytes) else { return };
    assert_eq!(tree.encode().expose_secret(), bytes);
    // Where a leaf is taken from depends on the bytes, so that the fuzzer can move it.
    let place = bytes.iter().rev().take(6).fold(0, |sum, byte| sum << 8 | u64::from(*byte));
    let place = LeafIndex::new(place % (1 << DEPTH)).expect("an index within the tree");
    let was_there = !tree.is_punctured(place);
    assert_eq!(tree.leaf(place).is_ok(), was_there);
    assert_eq!(tree.puncture(&[place]), Ok(usize::from(was_there)));
    assert!(tree.is_punctured(place) && tree.leaf(place).is_err());
    let again = KeyTree::<DEPTH>::decode(tree.encode().expose_secret()).expect("what was written reads back");
    assert_eq!(again.node_count(), tree.node_count());
    assert!(again.is_punctured(place));
}
