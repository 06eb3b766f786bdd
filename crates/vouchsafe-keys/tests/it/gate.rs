//! The start-up gate: what a restore brings back is noticed, and the recovery destroys it again.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests")]

use std::fs;
use std::path::PathBuf;

use vouchsafe_envelope::port::{KeyHandle, KeyService};
use vouchsafe_envelope::{EnvelopeError, FenceLoss, LeafStatus};
use vouchsafe_types::LeafIndex;

use crate::setup::{Place, acme, allocate, fingerprint};

/// Files and their bytes at one instant.
struct Snapshot(Vec<(PathBuf, Vec<u8>)>);

impl Snapshot {
    fn of(files: &[PathBuf]) -> Self {
        Self(files.iter().map(|file| (file.clone(), fs::read(file).unwrap())).collect())
    }

    fn restore(&self) {
        self.0.iter().for_each(|(file, bytes)| fs::write(file, bytes).unwrap());
    }
}

fn states(place: &Place) -> Vec<PathBuf> {
    vec![place.state_file(), place.replica_file()]
}

/// 8 leaves, a snapshot of keys and states, then 3 of them destroyed.
fn destroyed_after_a_snapshot() -> (Place, Vec<LeafIndex>, Snapshot) {
    let place = Place::provisioned();
    let leaves = allocate(&place.ring(), 8);
    let snapshot = Snapshot::of(&[states(&place), vec![place.key_file()]].concat());
    let _ = place.ring().destroy(&acme(), &leaves[..3]).unwrap();
    (place, leaves, snapshot)
}

/// Promise: WB-3-30days
#[test]
fn destroyed_keys_that_come_back_stop_everything_until_they_are_destroyed_again() {
    let (place, leaves, snapshot) = destroyed_after_a_snapshot();
    let survivors: Vec<_> =
        leaves[3..].iter().map(|leaf| fingerprint(&place.ring(), *leaf).unwrap()).collect();
    snapshot.restore();
    let ring = place.ring();
    for refused in [
        ring.provision(&acme()).err(),
        fingerprint(&ring, leaves[0]).err(),
        fingerprint(&ring, leaves[5]).err(),
        ring.destroy(&acme(), &leaves[..1]).err(),
        ring.check(&acme()).err(),
    ] {
        assert_eq!(refused, Some(EnvelopeError::StateRolledBack));
    }
    let replay = ring.recover(&acme(), FenceLoss::Refused).unwrap();
    assert!(replay.rolled_back);
    assert_eq!((replay.resurrected, replay.replayed, replay.report.generation()), (vec![1], 3, 3));
    for leaf in &leaves[..3] {
        assert_eq!(fingerprint(&ring, *leaf), Err(EnvelopeError::Destroyed));
    }
    for (leaf, before) in leaves[3..].iter().zip(survivors) {
        assert_eq!(fingerprint(&place.ring(), *leaf), Ok(before));
    }
    assert_eq!(place.held(), [3]);
    place.ring().provision(&acme()).unwrap();
}

/// The service alone was restored: the state is current, and so is its key, but the old key opens old states again.
#[test]
fn a_resurrected_key_beside_a_current_state_is_noticed() {
    let place = Place::provisioned();
    let leaf = allocate(&place.ring(), 1)[0];
    let _ = place.ring().destroy(&acme(), &[leaf]).unwrap();
    place.service().create(&KeyHandle::new(acme(), 1)).unwrap();
    match place.ring().provision(&acme()) {
        Err(EnvelopeError::Resurrected(back)) => assert_eq!(back.generations(), [1]),
        other => panic!("{other:?}"),
    }
    assert!(matches!(fingerprint(&place.ring(), leaf), Err(EnvelopeError::Resurrected(_))));
    let replay = place.ring().recover(&acme(), FenceLoss::Refused).unwrap();
    assert_eq!((replay.rolled_back, replay.resurrected, replay.replayed), (false, vec![1], 0));
    assert_eq!(place.held(), [3]);
}

#[test]
fn an_older_revision_of_the_same_generation_is_refused() {
    let place = Place::provisioned();
    let snapshot = Snapshot::of(&states(&place));
    let given = allocate(&place.ring(), 1)[0];
    snapshot.restore();
    assert_eq!(place.ring().with_state(&acme(), |_| ()), Err(EnvelopeError::StateRolledBack));
    let _ = place.ring().recover(&acme(), FenceLoss::Refused).unwrap();
    let next = allocate(&place.ring(), 1)[0];
    assert!(next.get() >= given.get() + 64, "no index is given out twice");
}

#[test]
fn a_lost_or_shortened_journal_is_refused_until_the_loss_is_accepted() {
    for shortened in [true, false] {
        let (place, leaves, _) = destroyed_after_a_snapshot();
        let journal = fs::read(place.journal_file()).unwrap();
        if shortened {
            fs::write(place.journal_file(), &journal[..120]).unwrap();
        } else {
            fs::remove_file(place.journal_file()).unwrap();
        }
        assert_eq!(place.ring().provision(&acme()), Err(EnvelopeError::FencesLost));
        let refused = place.ring().recover(&acme(), FenceLoss::Refused);
        assert_eq!(refused.err(), Some(EnvelopeError::FencesLost));
        let _ = place.ring().recover(&acme(), FenceLoss::Accepted).unwrap();
        place.ring().provision(&acme()).unwrap();
        assert_eq!(place.ring().status(&acme(), leaves[0]), Ok(LeafStatus::Destroyed));
        assert_eq!(place.ring().status(&acme(), leaves[4]), Ok(LeafStatus::Live));
        let kept = place.root().join("fences/acme.fences.lost-1");
        assert_eq!(kept.exists(), shortened, "what there was is kept for those who look into it");
    }
}

#[test]
fn every_changed_byte_of_a_journal_is_noticed_or_was_never_acknowledged() {
    let (place, _, _) = destroyed_after_a_snapshot();
    let journal = fs::read(place.journal_file()).unwrap();
    // The last record says that the destruction is done: 4 + 8 + 17 + 32 bytes.
    let last = journal.len() - 61;
    for at in 0..last {
        let mut changed = journal.clone();
        changed[at] ^= 1;
        fs::write(place.journal_file(), changed).unwrap();
        assert_eq!(place.ring().provision(&acme()), Err(EnvelopeError::FencesLost), "byte {at}");
    }
    fs::write(place.journal_file(), [journal.as_slice(), &[0, 0, 0, 9, 1, 2]].concat()).unwrap();
    place.ring().provision(&acme()).unwrap();
    assert_eq!(place.held(), [2]);
    fs::write(place.journal_file(), &journal[..last + 20]).unwrap();
    place.ring().provision(&acme()).unwrap();
    assert_eq!(place.held(), [3], "without its end, a destruction is done once more");
    let leaf = allocate(&place.ring(), 1)[0];
    let _ = place.ring().destroy(&acme(), &[leaf]).unwrap();
    place.ring().provision(&acme()).unwrap();
}

#[test]
fn one_place_of_two_is_enough_to_read_and_both_are_needed_to_write() {
    let place = Place::provisioned();
    let leaf = allocate(&place.ring(), 1)[0];
    let before = fingerprint(&place.ring(), leaf).unwrap();
    for damaged in states(&place) {
        let whole = fs::read(&damaged).unwrap();
        for damage in [None, Some(&whole[..whole.len() / 2]), Some(&whole[..40])] {
            match damage {
                None => fs::remove_file(&damaged).unwrap(),
                Some(bytes) => fs::write(&damaged, bytes).unwrap(),
            }
            assert_eq!(fingerprint(&place.ring(), leaf), Ok(before), "{damage:?}");
            assert_eq!(place.states().replicate(&acme()), Ok(1));
            assert_eq!(fs::read(&damaged).unwrap(), whole);
        }
    }
    assert_eq!(place.states().replicate(&acme()), Ok(0));
    let folder = place.root().join("replica");
    let ring = place.ring();
    fs::rename(&folder, place.root().join("away")).unwrap();
    assert_eq!(fingerprint(&ring, leaf), Ok(before));
    let refused = ring.destroy(&acme(), &[leaf]).unwrap_err();
    assert!(matches!(refused, EnvelopeError::StateStore(_)), "{refused:?}");
    // Fenced all the same: nothing opens, and the destruction ends when the place is back.
    assert_eq!(fingerprint(&ring, leaf), Err(EnvelopeError::Destroyed));
    fs::rename(place.root().join("away"), folder).unwrap();
    place.ring().provision(&acme()).unwrap();
    assert_eq!(place.held().len(), 1);
}
