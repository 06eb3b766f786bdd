//! Records of a fence journal, each behind a length of one byte, with their right tags: the key ring understands
//! what the format says, and nothing else; a changed, exchanged or missing record never authenticates.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vouchsafe_envelope::port::StateVersion;
use vouchsafe_envelope::{EnvelopeError, FenceLoss, LeafStatus};
use vouchsafe_fuzz::{FULL, Plain, Said, World, acme, chain, place, tree};
use vouchsafe_types::LeafIndex;

fuzz_target!(|bytes: &[u8]| {
    let mut bodies: Vec<&[u8]> = Vec::new();
    let mut rest = bytes;
    while let Some((len, after)) = rest.split_first() {
        let (body, after) = after.split_at(after.len().min(usize::from(*len)));
        bodies.push(body);
        rest = after;
    }
    let records = chain("acme", &bodies);
    let (said, bad) = Said::read(&bodies);
    read(&records, &said, bad);
    recover(&records, &said, bad);
    harm(bytes, &records);
});

/// A state that no journal is ahead of.
fn newest(fences: usize) -> Plain {
    Plain { fences: fences as u64, ..Plain::full(u64::MAX, u64::MAX, tree(&[(0, 0)])) }
}

fn status(world: &World, leaf: u64) -> LeafStatus {
    let leaf = LeafIndex::new(leaf).expect("an index of 48 bits");
    world.ring.status(&acme(), leaf).expect("what was loaded is loaded again")
}

fn read(records: &[Vec<u8>], said: &Said, bad: bool) {
    let world = World::with(newest(records.len()).head(), [], records.to_vec());
    if bad {
        assert!(matches!(world.ring.report_keys(&acme()), Err(EnvelopeError::Malformed(_))));
        return;
    }
    let report = world.ring.report_keys(&acme()).expect("a journal that can be read");
    assert_eq!((report.pending, report.destroyed), (said.pending.len(), said.destroyed.len()));
    for leaf in &said.pending {
        assert_ne!(status(&world, *leaf), LeafStatus::Live, "what is fenced opens nothing");
    }
}

/// With a state from before everything, and its key.
fn recover(records: &[Vec<u8>], said: &Said, bad: bool) {
    let mut plain = Plain::full(1, 1, tree(&[(0, 0)]));
    plain.counters = vec![(1, 64), (8, FULL)];
    let world = World::with(plain.head(), [], records.to_vec());
    let own = StateVersion { generation: 1, revision: 1 };
    let served = world.ring.with_state(&acme(), |_| ()).is_ok();
    assert_eq!(served, !bad && own >= said.version && said.live_from <= 1);
    let loss = if bad { FenceLoss::Accepted } else { FenceLoss::Refused };
    if bad {
        assert_eq!(world.ring.recover(&acme(), FenceLoss::Refused), Err(EnvelopeError::FencesLost));
    }
    let replay = match world.ring.recover(&acme(), loss) {
        Ok(replay) => replay,
        Err(error) => {
            assert_eq!((error, said.version.generation), (EnvelopeError::Exhausted, u64::MAX));
            return;
        }
    };
    // Of a journal that is given up, what was read before the damage is taken over.
    assert_eq!((replay.journal_replaced, replay.rolled_back), (bad, own < said.version));
    assert_eq!(replay.resurrected, [1][..usize::from(!bad && said.live_from > 1)]);
    assert_eq!(replay.replayed, said.pending.union(&said.destroyed).count());
    for leaf in said.pending.union(&said.destroyed) {
        assert_ne!(status(&world, *leaf), LeafStatus::Live, "what was destroyed is destroyed again");
    }
    for class in 1..=11 {
        let own = plain.counters.iter().find(|(code, _)| *code == class).map_or(0, |(_, next)| *next);
        let noted = said.counters.get(&class).copied().filter(|next| *next <= FULL).unwrap_or(0);
        let (next, region) = (own.max(noted), u64::from(class) << 40);
        assert!(next == 0 || status(&world, region | (next - 1)) != LeafStatus::NeverAllocated);
        assert!(bad || status(&world, region | next) == LeafStatus::NeverAllocated);
    }
    world.ring.wipe();
    world.ring.check(&acme()).expect("what was recovered may be used");
}

fn harm(bytes: &[u8], records: &[Vec<u8>]) {
    let refused = |fences: usize, records: Vec<Vec<u8>>| {
        let world = World::with(newest(fences).head(), [], records);
        assert_eq!(world.ring.with_state(&acme(), |_| ()), Err(EnvelopeError::FencesLost));
    };
    // The bytes as they are, unless they are a record with its right tag.
    if !matches!(bytes.split_last_chunk::<32>(), Some((body, _)) if chain("acme", &[body]) == [bytes]) {
        refused(0, vec![bytes.to_vec()]);
    }
    if records.is_empty() {
        return;
    }
    let mut changed = records.to_vec();
    let number = place(bytes, records.len());
    let bit = place(bytes, 8 * changed[number].len());
    changed[number][bit / 8] ^= 1 << (bit % 8);
    // The records before it are read first, and may be none.
    let world = World::with(newest(0).head(), [], changed[number..].to_vec());
    assert_eq!(world.ring.with_state(&acme(), |_| ()), Err(EnvelopeError::FencesLost));
    let before: Vec<_> = records[..number].iter().map(|record| &record[..record.len() - 32]).collect();
    if !Said::read(&before).1 {
        refused(0, changed);
        let mut shorter = records.to_vec();
        shorter.remove(number);
        refused(records.len(), shorter.clone());
        shorter.insert(number.saturating_sub(1), records[number].clone());
        if shorter != records {
            refused(0, shorter);
        }
    }
}
