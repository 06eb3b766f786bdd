//! The checkpoint lock: what is published when a publisher is killed, raced or restored under.

use std::collections::BTreeMap;
use std::io;

use proptest::prelude::*;
use vouchsafe_ledger::{
    CHECKPOINT_PATH, LedgerError, LogSigner, Publisher, SignedCheckpoint, verify_log, verify_tiles,
};
use vouchsafe_types::Secret;

use crate::support::{MemoryLock, MemoryTiles, ORIGIN, Rows, leaf, publish, signer, trust};

type Files = BTreeMap<String, Vec<u8>>;

/// Files and lock of a log with this many leaves.
fn log(leaves: u64) -> (Files, Vec<u8>) {
    let store = MemoryTiles::default();
    publish(&Rows::numbered(leaves), &store, &signer(), ORIGIN).unwrap();
    (store.snapshot(), store.lock.note().unwrap())
}

fn state(files: Files, lock: Option<&[u8]>) -> MemoryTiles {
    MemoryTiles { lock: MemoryLock::holding(lock), ..MemoryTiles::restored(files) }
}

fn fork(leaves: u64, at: usize) -> Rows {
    let mut rows = Rows::numbered(leaves);
    rows.0[at] = leaf(1_000_000).to_bytes().to_vec();
    rows
}

/// Nothing is written, neither tiles nor lock, by either way to publish.
fn check_refused(rows: &Rows, files: &Files, lock: Option<&[u8]>, expected: LedgerError) {
    let store = state(files.clone(), lock);
    assert_eq!(publish(rows, &store, &signer(), ORIGIN), Err(expected));
    let publisher = Publisher::new(ORIGIN).publish(&[&signer()], rows, &store, &store.lock);
    assert_eq!(publisher, Err(expected));
    assert_eq!(&store.snapshot(), files);
    assert_eq!(store.lock.note().as_deref(), lock);
}

#[test]
fn lock_and_file_hold_the_same_note_after_each_publication() {
    let store = MemoryTiles::default();
    for size in [0, 1, 256, 300] {
        let signed = publish(&Rows::numbered(size), &store, &signer(), ORIGIN).unwrap();
        assert_eq!(store.lock.note().unwrap(), signed.note().as_bytes());
        assert_eq!(store.snapshot()[CHECKPOINT_PATH], signed.note().as_bytes());
    }
}

/// Promise: WB-1.4-immutable
#[test]
fn a_publication_cut_short_behind_the_swap_is_finished_with_the_note_as_signed() {
    for (before, locked, rows) in
        [(0, 1, 1), (300, 600, 600), (300, 600, 900), (512, 513, 513), (256, 256, 300)]
    {
        let ((files, _), (_, note)) = (log(before), log(locked));
        for files in [files, Files::new()] {
            let store = state(files, Some(&note));
            let signed = publish(&Rows::numbered(rows), &store, &signer(), ORIGIN).unwrap();
            assert_eq!(signed.checkpoint().size(), rows);
            let (scratch, _) = log(rows);
            let now = store.snapshot();
            assert!(scratch.iter().all(|(path, bytes)| now.get(path) == Some(bytes)));
            assert!(verify_tiles(&store, &trust(&signer())).unwrap().is_sound());
        }
    }
}

/// The note in the lock is one that no second signing would give: it carries a line of somebody else.
#[test]
fn what_is_finished_is_the_note_of_the_lock_byte_for_byte() {
    let ((files, _), (_, note)) = (log(300), log(600));
    let note = format!("{}\u{2014} w.example/1 AAAAAAE=\n", String::from_utf8(note).unwrap());
    let store = state(files, Some(note.as_bytes()));
    let signed = publish(&Rows::numbered(600), &store, &signer(), ORIGIN).unwrap();
    assert_eq!(signed.note(), note);
    assert_eq!(store.snapshot()[CHECKPOINT_PATH], note.as_bytes());
    assert!(verify_log(&Rows::numbered(600), &store, &trust(&signer())).unwrap().is_sound());
}

/// Promise: WB-1.4-immutable
#[test]
fn rows_that_do_not_give_the_locked_root_are_refused_and_nothing_is_written() {
    let ((files, published), (_, locked)) = (log(300), log(600));
    for files in [&files, &Files::new()] {
        check_refused(&Rows::numbered(599), files, Some(&locked), LedgerError::RolledBack);
        check_refused(&Rows::default(), files, Some(&locked), LedgerError::RolledBack);
        for at in [0, 299, 300, 599] {
            check_refused(&fork(600, at), files, Some(&locked), LedgerError::Forked);
            check_refused(&fork(700, at), files, Some(&locked), LedgerError::Forked);
        }
    }
    let store = MemoryTiles::default();
    publish(&fork(300, 7), &store, &signer(), ORIGIN).unwrap();
    check_refused(&Rows::numbered(300), &store.snapshot(), Some(&published), LedgerError::Forked);
    check_refused(&Rows::numbered(600), &store.snapshot(), Some(&locked), LedgerError::Forked);
}

#[test]
fn an_empty_lock_takes_over_a_published_checkpoint_that_the_rows_give() {
    let (files, note) = log(300);
    let store = state(files.clone(), None);
    let signed = publish(&Rows::numbered(300), &store, &signer(), ORIGIN).unwrap();
    assert_eq!((signed.note().as_bytes(), store.lock.note()), (note.as_slice(), Some(note.clone())));
    check_refused(&Rows::numbered(299), &files, None, LedgerError::RolledBack);
    check_refused(&fork(300, 299), &files, None, LedgerError::Forked);
}

#[test]
fn a_file_ahead_of_the_lock_and_a_lock_that_does_not_verify_stop_publishing() {
    let ((files, note), (_, older)) = (log(600), log(300));
    check_refused(&Rows::numbered(600), &files, Some(&older), LedgerError::CheckpointMoved);
    check_refused(&Rows::numbered(600), &files, Some(b"\xff"), LedgerError::NoteMalformed);
    check_refused(&Rows::numbered(600), &files, Some(b"text\n"), LedgerError::NoteMalformed);
    let mut changed = note;
    changed[18] ^= 1;
    check_refused(&Rows::numbered(600), &files, Some(&changed), LedgerError::SignatureInvalid);
}

#[test]
fn of_two_writers_the_slower_one_moves_nothing() {
    struct Raced<'a>(&'a MemoryTiles);
    impl vouchsafe_ledger::CheckpointLock for Raced<'_> {
        fn load(&self) -> Result<Option<Vec<u8>>, LedgerError> {
            let seen = self.0.lock.note();
            publish(&Rows::numbered(400), self.0, &signer(), ORIGIN).unwrap();
            Ok(seen)
        }
        fn swap(&self, expected: Option<&[u8]>, new: &[u8]) -> Result<(), LedgerError> {
            self.0.lock.swap(expected, new)
        }
    }
    let store = MemoryTiles::default();
    publish(&Rows::numbered(300), &store, &signer(), ORIGIN).unwrap();
    let slower =
        vouchsafe_ledger::publish(&Rows::numbered(500), &store, &Raced(&store), &[&signer()], ORIGIN);
    assert_eq!(slower, Err(LedgerError::CheckpointMoved));
    assert_eq!(store.snapshot()[CHECKPOINT_PATH], store.lock.note().unwrap());
    assert!(verify_log(&Rows::numbered(400), &store, &trust(&signer())).unwrap().is_sound());
}

#[test]
fn a_lock_that_cannot_be_reached_publishes_nothing_and_passes_by_itself() {
    let store = MemoryTiles::default();
    let before = publish(&Rows::numbered(300), &store, &signer(), ORIGIN).unwrap();
    *store.lock.swaps_left.lock().unwrap() = Some(0);
    let refused = publish(&Rows::numbered(400), &store, &signer(), ORIGIN).unwrap_err();
    assert_eq!(refused, LedgerError::LockUnavailable(io::ErrorKind::TimedOut));
    assert!(refused.is_retryable());
    assert_eq!(store.snapshot()[CHECKPOINT_PATH], before.note().as_bytes());
    *store.lock.swaps_left.lock().unwrap() = None;
    assert_eq!(publish(&Rows::numbered(400), &store, &signer(), ORIGIN).unwrap().checkpoint().size(), 400);
}

#[test]
fn during_a_handover_both_keys_sign_and_either_one_goes_on() {
    let (old, new) =
        (signer(), LogSigner::from_seed(ORIGIN, &Secret::init_with(|seed| seed.fill(5))).unwrap());
    let store = MemoryTiles::default();
    let run = |signers: &[&LogSigner], rows: u64| {
        vouchsafe_ledger::publish(&Rows::numbered(rows), &store, &store.lock, signers, ORIGIN)
    };
    run(&[&old], 10).unwrap();
    assert_eq!(run(&[&new], 20), Err(LedgerError::SignatureMissing));
    assert_eq!(run(&[], 20), Err(LedgerError::SignatureMissing));
    let both = run(&[&new, &old], 20).unwrap();
    for key in [&old, &new] {
        assert_eq!(SignedCheckpoint::open(both.note(), key.verifier(), ORIGIN).as_ref(), Ok(&both));
    }
    let after = run(&[&new], 30).unwrap();
    assert!(SignedCheckpoint::open(after.note(), new.verifier(), ORIGIN).is_ok());
    assert_eq!(run(&[&old], 40), Err(LedgerError::SignatureMissing));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]
    /// Whatever fails when, the lock is never behind the file, and publishing again ends sound.
    #[test]
    fn any_single_failure_leaves_a_log_that_goes_on(
        sizes in prop::collection::vec(0u64..700, 1..6),
        writes in 0usize..8,
        swaps in 0usize..3,
    ) {
        let store = MemoryTiles::default();
        let mut publisher = Publisher::new(ORIGIN);
        let mut end = 0;
        for size in sizes {
            end = end.max(size);
            let rows = Rows::numbered(end);
            *store.writes_left.lock().unwrap() = Some(writes);
            *store.lock.swaps_left.lock().unwrap() = Some(swaps);
            if let Err(error) = publisher.publish(&[&signer()], &rows, &store, &store.lock) {
                prop_assert!(error.is_retryable());
            }
            *store.writes_left.lock().unwrap() = None;
            *store.lock.swaps_left.lock().unwrap() = None;
            let published = store.snapshot().get(CHECKPOINT_PATH).cloned();
            prop_assert!(published.is_none() || store.lock.note().is_some());
            if published.is_some() {
                prop_assert!(verify_tiles(&store, &trust(&signer())).unwrap().is_sound());
            }
            let signed = publisher.publish(&[&signer()], &rows, &store, &store.lock).unwrap();
            prop_assert_eq!(signed.checkpoint().size(), end);
            prop_assert!(verify_log(&rows, &store, &trust(&signer())).unwrap().is_sound());
        }
    }
}
