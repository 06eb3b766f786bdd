use std::collections::BTreeMap;

use proptest::prelude::*;
use vouchsafe_ledger::{
    CHECKPOINT_PATH, Finding, LeafSource, LedgerError, Publisher, TilePath, Trust, rebuild, verify_log,
    verify_tiles,
};

use crate::support::{Dice, MemoryTiles, ORIGIN, Rows, leaf, publish, signer, trust};

fn from_scratch(rows: &Rows) -> BTreeMap<String, Vec<u8>> {
    let store = MemoryTiles::default();
    publish(rows, &store, &signer(), ORIGIN).unwrap();
    store.snapshot()
}

/// Invariant 5: tiles and checkpoints are a projection that can be rebuilt.
fn check_steps(steps: &[usize]) {
    let rows = Rows::numbered(steps.iter().sum::<usize>() as u64);
    let (stepwise, together) = (MemoryTiles::default(), MemoryTiles::default());
    let mut publisher = Publisher::new(ORIGIN);
    let mut end = 0;
    for step in steps {
        end += step;
        let part = rows.first(end);
        let signed = publish(&part, &stepwise, &signer(), ORIGIN).unwrap();
        assert_eq!(publisher.publish(&[&signer()], &part, &together, &together.lock).unwrap(), signed);
        assert_eq!(signed.checkpoint().size(), end as u64);
    }
    assert_eq!(stepwise.snapshot(), together.snapshot());
    let (scratch, stepwise) = (from_scratch(&rows), stepwise.snapshot());
    for (path, bytes) in &scratch {
        assert_eq!(stepwise.get(path), Some(bytes), "{path}");
    }
    // What is there besides are the partial tiles of earlier checkpoints, each the start of a later tile.
    for (path, bytes) in stepwise.iter().filter(|(path, _)| !scratch.contains_key(*path)) {
        let partial = TilePath::parse(path).unwrap();
        assert!(partial.width() < 256, "{path}");
        let later = |width: String| scratch.get(&path.replace(&format!(".p/{}", partial.width()), &width));
        let full = later(String::new());
        let full = full.or_else(|| (1..256).find_map(|width| later(format!(".p/{width}")))).unwrap();
        assert!(full.starts_with(bytes), "{path}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn incremental_in_random_steps_gives_the_files_of_one_pass(steps in prop::collection::vec(0usize..300, 1..8)) {
        check_steps(&steps);
    }
}

#[test]
fn incremental_over_tile_borders_gives_the_files_of_one_pass() {
    check_steps(&[0, 1, 255, 1, 255, 257, 0, 256, 511]);
    check_steps(&[65_535, 1, 1]);
}

/// The example of C2SP tlog-tiles, "Partial Tiles".
#[test]
fn a_tree_of_70000_has_the_tiles_of_the_standard() {
    let files = from_scratch(&Rows::numbered(70_000));
    let count = |prefix: &str| files.keys().filter(|path| path.starts_with(prefix)).count();
    assert_eq!((count("tile/0/"), count("tile/1/"), count("tile/2/")), (274, 2, 1));
    assert_eq!((count("tile/entries/"), files.len()), (274, 274 + 2 + 1 + 274 + 1));
    for path in
        ["tile/0/273.p/112", "tile/1/000", "tile/1/001.p/17", "tile/2/000.p/1", "tile/entries/273.p/112"]
    {
        assert!(files.contains_key(path), "{path}");
    }
}

#[test]
fn the_empty_log_has_a_checkpoint_and_no_tile() {
    let files = from_scratch(&Rows::default());
    assert_eq!(files.keys().collect::<Vec<_>>(), [CHECKPOINT_PATH]);
    let store = MemoryTiles::restored(files);
    assert!(verify_log(&Rows::default(), &store, &trust(&signer())).unwrap().is_sound());
    assert_eq!(Rows::default().is_empty(), Ok(true));
}

/// Nothing is written when the rows do not continue the signed history.
fn check_refused(rows: &Rows, published: &BTreeMap<String, Vec<u8>>, expected: LedgerError) {
    let store = MemoryTiles::restored(published.clone());
    assert_eq!(publish(rows, &store, &signer(), ORIGIN), Err(expected));
    assert_eq!(rebuild(rows, &store, &trust(&signer())), Err(expected));
    assert_eq!(&store.snapshot(), published);
}

#[test]
fn a_log_never_goes_backwards_and_never_forks() {
    let rows = Rows::numbered(600);
    let published = from_scratch(&rows);
    check_refused(&rows.first(599), &published, LedgerError::RolledBack);
    check_refused(&Rows::default(), &published, LedgerError::RolledBack);
    for changed in [0, 255, 256, 599] {
        let mut fork = Rows::numbered(700);
        fork.0[changed] = leaf(9_999).to_bytes().to_vec();
        check_refused(&fork, &published, LedgerError::Forked);
    }
}

#[test]
fn a_restored_database_that_grew_again_is_a_fork_for_a_running_publisher() {
    for (before, kept) in [(600, 500), (512, 511), (512, 100), (300, 299)] {
        let store = MemoryTiles::default();
        let mut publisher = Publisher::new(ORIGIN);
        publisher.publish(&[&signer()], &Rows::numbered(before), &store, &store.lock).unwrap();
        let published = store.snapshot();
        let mut restored = Rows::numbered(kept);
        restored.0.extend((0..600).map(|i| leaf(1_000_000 + i).to_bytes().to_vec()));
        assert_eq!(publisher.publish(&[&signer()], &restored, &store, &store.lock), Err(LedgerError::Forked));
        assert_eq!(
            publisher.publish(&[&signer()], &Rows::numbered(kept), &store, &store.lock),
            Err(LedgerError::RolledBack)
        );
        assert_eq!(store.snapshot(), published);
        assert_eq!(
            publisher
                .publish(&[&signer()], &Rows::numbered(700), &store, &store.lock)
                .unwrap()
                .checkpoint()
                .size(),
            700
        );
    }
}

#[test]
fn a_restored_store_is_noticed_by_whoever_remembers_a_checkpoint() {
    let (old, new) = (from_scratch(&Rows::numbered(300)), MemoryTiles::default());
    let remembered = publish(&Rows::numbered(400), &new, &signer(), ORIGIN).unwrap();
    let remembered = remembered.checkpoint();
    for files in [old, BTreeMap::new()] {
        let store = MemoryTiles::restored(files);
        let mut publisher = Publisher::new(ORIGIN).remembering(remembered.clone());
        assert_eq!(
            publisher.publish(&[&signer()], &Rows::numbered(400), &store, &store.lock),
            Err(LedgerError::RolledBack)
        );
    }
    // A fork that the log signed itself, shown by the checkpoint from before.
    let mut fork = Rows::numbered(500);
    fork.0[350] = leaf(1).to_bytes().to_vec();
    let store = MemoryTiles::restored(from_scratch(&fork));
    let signer = signer();
    let trust = Trust::new(signer.verifier(), ORIGIN);
    assert!(verify_log(&fork, &store, &trust).unwrap().is_sound());
    let report = verify_log(&fork, &store, &trust.remembering(remembered)).unwrap();
    assert_eq!(report.findings(), [Finding::Forked]);
    let report = verify_tiles(&store, &trust.remembering(remembered)).unwrap();
    assert_eq!(report.findings(), [Finding::Forked]);
    let older = MemoryTiles::restored(from_scratch(&Rows::numbered(300)));
    let report = verify_tiles(&older, &trust.remembering(remembered)).unwrap();
    assert_eq!(report.findings(), [Finding::RolledBack]);
}

#[test]
fn a_checkpoint_that_does_not_verify_stops_publishing_and_is_not_repaired() {
    let mut published = from_scratch(&Rows::numbered(300));
    let note = published.get_mut(CHECKPOINT_PATH).unwrap();
    let last = note.len() - 10;
    note[last] ^= 1;
    let store = MemoryTiles::restored(published.clone());
    assert!(publish(&Rows::numbered(301), &store, &signer(), ORIGIN).is_err());
    assert!(rebuild(&Rows::numbered(300), &store, &trust(&signer())).is_err());
    assert_eq!(store.snapshot(), published);
    let other = MemoryTiles::restored(from_scratch(&Rows::numbered(3)));
    assert_eq!(
        publish(&Rows::numbered(4), &other, &signer(), "log.example/b"),
        Err(LedgerError::OriginMismatch)
    );
}

#[test]
fn a_full_disk_leaves_the_old_checkpoint_and_publishing_again_completes_it() {
    let rows = Rows::numbered(900);
    let mut publisher = Publisher::new(ORIGIN);
    let store = MemoryTiles::default();
    let before = publisher.publish(&[&signer()], &rows.first(300), &store, &store.lock).unwrap();
    let mut failures = 0;
    for budget in 0.. {
        *store.writes_left.lock().unwrap() = Some(budget);
        match publisher.publish(&[&signer()], &rows, &store, &store.lock) {
            Ok(after) => {
                assert_eq!(after.checkpoint().size(), 900);
                break;
            }
            Err(error) => {
                assert!(error.is_retryable());
                assert_eq!(store.snapshot()[CHECKPOINT_PATH], before.note().as_bytes());
                assert!(verify_log(&rows, &store, &trust(&signer())).unwrap().is_sound());
                failures += 1;
            }
        }
    }
    assert!(failures > 5);
    assert!(verify_tiles(&store, &trust(&signer())).unwrap().is_sound());
}

#[test]
fn rebuilding_restores_every_file_byte_for_byte_and_leaves_the_checkpoint() {
    let rows = Rows::numbered(70_000);
    let published = from_scratch(&rows);
    let mut damaged = published.clone();
    let mut dice = Dice(1);
    let mut touched = 0;
    for (path, bytes) in damaged.iter_mut().filter(|(path, _)| *path != CHECKPOINT_PATH) {
        if path.ends_with('7') || path.contains(".p/") {
            let at = dice.below(bytes.len());
            bytes[at] ^= 0x10;
            touched += 1;
        }
    }
    damaged.remove("tile/0/001");
    damaged.insert("tile/entries/002".to_owned(), Vec::new());
    let store = MemoryTiles::restored(damaged);
    assert_eq!(rebuild(&rows, &store, &trust(&signer())), Ok(touched + 2));
    assert_eq!(store.snapshot(), published);
    assert_eq!(rebuild(&rows, &store, &trust(&signer())), Ok(0));
    let empty = MemoryTiles::default();
    assert_eq!(rebuild(&rows, &empty, &trust(&signer())), Err(LedgerError::CheckpointMissing));
}

#[test]
fn a_source_that_promises_more_than_it_gives_is_unavailable() {
    struct Liar;
    impl LeafSource for Liar {
        fn len(&self) -> Result<u64, LedgerError> {
            Ok(5)
        }
        fn leaves(&self, _: u64, _: usize) -> Result<Vec<Vec<u8>>, LedgerError> {
            Ok(Vec::new())
        }
    }
    let store = MemoryTiles::default();
    assert_eq!(publish(&Liar, &store, &signer(), ORIGIN), Err(LedgerError::SourceUnavailable));
    assert!(!store.snapshot().contains_key(CHECKPOINT_PATH));
}
