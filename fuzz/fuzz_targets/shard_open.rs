//! The shards of a large state, each sealed with its right key: what is loaded is one tree, with each node in its
//! place, and destroying a leaf of it works; a changed or exchanged shard is refused.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vouchsafe_envelope::LeafStatus;
use vouchsafe_fuzz::{Harm, Large, acme, place, range};
use vouchsafe_types::LeafIndex;

fuzz_target!(|bytes: &[u8]| {
    let Some((harm, rest)) = bytes.split_first() else { return };
    let Some(large) = Large::read(rest) else { return };
    let harm = [Harm::None, Harm::None, Harm::Bit, Harm::BitWithDigest, Harm::Swap][usize::from(harm % 5)];
    let (world, len) = large.world(harm, place(rest, usize::MAX));
    let loaded = world.ring.with_state(&acme(), |state| {
        assert_eq!(state.shard_count(), large.shard_count());
        assert_eq!(state.encoded_len(), len, "one encoding");
        state.node_count()
    });
    let Ok(nodes) = loaded else { return };
    let harmed = if harm == Harm::Swap { large.shard_count() > 1 } else { harm != Harm::None };
    assert!(!harmed || large.shard_count() == 0, "a changed shard is loaded");
    assert!(large.is_sound(), "a node out of its place is loaded");
    let all = large.nodes();
    assert_eq!(nodes, all.len());

    // Some leaf, live or not.
    let (first, last) =
        all.get(place(rest, all.len())).and_then(|node| range(*node)).unwrap_or((1 << 40, 1 << 40));
    let [first, last] = [first, last].map(|index| LeafIndex::new(index).expect("an index within the tree"));
    let status = |leaf| world.ring.status(&acme(), leaf).expect("what was loaded is loaded again");
    if status(first) == LeafStatus::Live {
        let report = world.ring.destroy(&acme(), &[first]).expect("ports in memory do not fail");
        assert_eq!(report.punctured(), 1);
        world.ring.wipe();
        assert_eq!(status(first), LeafStatus::Destroyed);
        assert!(first == last || status(last) != LeafStatus::Destroyed, "its neighbour stays");
    }
});
