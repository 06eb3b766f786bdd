//! What a monitor sees from one look to the next.

use vouchsafe_ledger::merkle::verify_consistency;
use vouchsafe_ledger::{
    CHECKPOINT_PATH, Checkpoint, Cosigner, EntryKind, Finding, Handover, HandoverReason, HandoverStatement,
    Leaf, LedgerError, LogSigner, MonitorReport, MonitorState, Policy, SignedCheckpoint, TileStore, Trust,
    handover_path, monitor,
};
use vouchsafe_types::{Digest, Secret};

use crate::support::{Dice, MemoryTiles, ORIGIN, Rows, leaf, publish, signer, trust};

fn log(rows: &Rows) -> MemoryTiles {
    let store = MemoryTiles::default();
    publish(rows, &store, &signer(), ORIGIN).unwrap();
    store
}

fn look(store: &MemoryTiles, last: Option<&MonitorState>) -> MonitorReport {
    monitor(store, &trust(&signer()), last).unwrap()
}

fn findings(store: &MemoryTiles, last: Option<&MonitorState>) -> Vec<Finding> {
    let report = look(store, last);
    assert_eq!(report.is_sound(), report.report().findings().is_empty());
    assert_eq!(report.state().is_some(), report.is_sound());
    report.report().findings().to_vec()
}

/// Promise: WB-1.4-immutable
#[test]
fn a_growing_log_is_sound_at_each_look_and_only_what_is_new_is_read() {
    let (store, mut last) = (MemoryTiles::default(), None::<MonitorState>);
    let mut before = 0;
    let mut older: Option<Checkpoint> = None;
    for size in [0, 1, 1, 255, 256, 257, 511, 700, 70_000, 70_001] {
        publish(&Rows::numbered(size), &store, &signer(), ORIGIN).unwrap();
        let report = look(&store, last.as_ref());
        assert!(report.is_sound(), "{:?}", report.report().findings());
        assert_eq!(report.report().leaves(), size - before);
        let head = report.signed().unwrap().checkpoint().clone();
        if let Some(older) = older {
            let proof = report.consistency_proof().unwrap();
            assert_eq!(verify_consistency(older.size(), size, older.root(), head.root(), proof), Ok(()));
        }
        let state = report.state().unwrap();
        assert_eq!(MonitorState::parse(&state.to_string()), Ok(state.clone()));
        (last, before, older) = (Some(state), size, Some(head));
    }
}

/// Promise: WB-1.4-immutable
#[test]
fn a_fork_and_a_rollback_signed_by_the_log_itself_are_found() {
    let rows = Rows::numbered(600);
    let last = look(&log(&rows), None).state().unwrap();
    assert!(findings(&log(&Rows::numbered(599)), Some(&last)).contains(&Finding::RolledBack));
    assert!(findings(&log(&Rows::default()), Some(&last)).contains(&Finding::RolledBack));
    for (at, size) in [(0, 600), (599, 600), (0, 900), (300, 900), (599, 601)] {
        let mut fork = Rows::numbered(size);
        fork.0[at] = leaf(9_999).to_bytes().to_vec();
        let found = findings(&log(&fork), Some(&last));
        assert!(found.contains(&Finding::Forked) || size > 600, "{at} {size} {found:?}");
        assert!(!found.is_empty() && findings(&log(&fork), None).is_empty());
        let rejected = Finding::NotContinued(600, LedgerError::ProofRejected);
        assert!(found.contains(&rejected), "{at} {size} {found:?}");
    }
}

#[test]
fn any_new_entry_that_is_changed_is_found() {
    let last = look(&log(&Rows::numbered(300)), None).state().unwrap();
    let sound = log(&Rows::numbered(900)).snapshot();
    let mut dice = Dice(0x5eed);
    let bundles = ["tile/entries/001", "tile/entries/002", "tile/entries/003.p/132"];
    for _ in 0..300 {
        let mut files = sound.clone();
        let bundle = files.get_mut(bundles[dice.below(bundles.len())]).unwrap();
        let at = dice.below(bundle.len());
        bundle[at] ^= 1 << dice.below(8);
        assert!(!findings(&MemoryTiles::restored(files), Some(&last)).is_empty());
    }
    for bundle in bundles {
        let mut files = sound.clone();
        files.remove(bundle);
        let found = findings(&MemoryTiles::restored(files), Some(&last));
        assert!(matches!(found[..], [Finding::NotContinued(_, LedgerError::TileMissing)]), "{found:?}");
    }
}

#[test]
fn a_leaf_of_no_kind_is_found_when_it_is_new() {
    let mut rows = Rows::numbered(300);
    rows.0[299] = b"no leaf".to_vec();
    assert_eq!(findings(&log(&rows), None), [Finding::LeafMalformed(299)]);
    let store = log(&rows);
    let note = store.lock.note().unwrap();
    let last = MonitorState::parse(str::from_utf8(&note).unwrap()).unwrap();
    rows.0.push(leaf(1).to_bytes().to_vec());
    publish(&rows, &store, &signer(), ORIGIN).unwrap();
    assert_eq!(findings(&store, Some(&last)), []);
}

#[test]
fn a_state_of_another_log_and_a_missing_checkpoint_are_found() {
    let store = log(&Rows::numbered(3));
    let stranger = LogSigner::from_seed(ORIGIN, &Secret::init_with(|seed| seed.fill(1))).unwrap();
    let other = MemoryTiles::default();
    publish(&Rows::numbered(3), &other, &stranger, ORIGIN).unwrap();
    let state = MonitorState::parse(str::from_utf8(&other.lock.note().unwrap()).unwrap()).unwrap();
    let refused = [Finding::StateRefused(LedgerError::SignatureMissing)];
    assert_eq!(findings(&store, Some(&state)), refused);
    assert_eq!(MonitorState::parse("no note"), Err(LedgerError::NoteMalformed));
    assert_eq!(findings(&MemoryTiles::default(), None), [Finding::CheckpointMissing]);
    let (signer, root) = (signer(), Digest::from_bytes([7; 32]));
    let remembered = Checkpoint::new(ORIGIN, 2, root).unwrap();
    let report = monitor(&store, &trust(&signer).remembering(&remembered), None).unwrap();
    assert_eq!(report.report().findings(), [Finding::NotContinued(2, LedgerError::ProofRejected)]);
}

#[test]
fn the_quorum_is_demanded_and_who_cosigned_is_told() {
    let (store, signer) = (log(&Rows::numbered(300)), signer());
    let witness = Cosigner::from_seed("w.example/1", &Secret::init_with(|seed| seed.fill(9))).unwrap();
    let policy = format!("witness w {}\nquorum w\n", witness.key());
    let policy = Policy::parse(policy.as_bytes()).unwrap();
    let demanding = trust(&signer).demanding(&policy);
    let report = monitor(&store, &demanding, None).unwrap();
    let missing = [Finding::CheckpointRefused(LedgerError::QuorumMissing)];
    assert_eq!((report.report().findings(), report.signed(), report.state()), (&missing[..], None, None));
    let note = String::from_utf8(store.snapshot()[CHECKPOINT_PATH].clone()).unwrap();
    let signed = SignedCheckpoint::open(&note, signer.verifier(), ORIGIN).unwrap();
    let line = witness.cosign(&signed.checkpoint().to_string(), 77).unwrap();
    store.write(CHECKPOINT_PATH, format!("{note}{line}").as_bytes()).unwrap();
    let report = monitor(&store, &demanding, None).unwrap();
    assert!(report.is_sound());
    assert_eq!(report.cosignatures().iter().map(|one| one.time()).collect::<Vec<_>>(), [77]);
}

/// Promise: WB-1.4-immutable
#[test]
fn a_handover_is_followed_from_the_first_key_and_a_false_one_is_found() {
    let (old, new) =
        (signer(), LogSigner::from_seed(ORIGIN, &Secret::init_with(|seed| seed.fill(5))).unwrap());
    let store = log(&Rows::numbered(300));
    let last = look(&store, None).state().unwrap();
    let statement = HandoverStatement::new(
        ORIGIN,
        old.verifier().clone(),
        new.verifier().clone(),
        HandoverReason::Scheduled,
    )
    .unwrap();
    let said = Leaf { kind: EntryKind::LogKeyRotated, commitment: statement.commitment(), ..leaf(0) };
    let mut rows = Rows::numbered(300);
    rows.0.push(said.to_bytes().to_vec());
    vouchsafe_ledger::publish(&rows, &store, &store.lock, &[&new, &old], ORIGIN).unwrap();
    let handover = Handover::prove(&store, 300, said, statement, None).unwrap();
    rows.0.extend(Rows::numbered(40).0);
    vouchsafe_ledger::publish(&rows, &store, &store.lock, &[&new], ORIGIN).unwrap();

    let refused = [Finding::CheckpointRefused(LedgerError::SignatureMissing)];
    assert_eq!(findings(&store, Some(&last)), refused, "the handover is not published yet");
    store.write(&handover_path(0), handover.to_string().as_bytes()).unwrap();
    let report = look(&store, Some(&last));
    assert!(report.is_sound(), "{:?}", report.report().findings());
    assert_eq!((report.key(), report.report().leaves()), (new.verifier(), 41));
    let next = report.state().unwrap();
    assert!(look(&store, Some(&next)).is_sound());
    let by_new = monitor(&store, &Trust::new(new.verifier(), ORIGIN), None).unwrap();
    assert!(by_new.is_sound(), "who trusts the new key needs no handover");

    // A log of the new key that does not hold the history in which the key was handed over.
    let elsewhere = MemoryTiles::default();
    publish(&Rows::numbered(400), &elsewhere, &new, ORIGIN).unwrap();
    elsewhere.write(&handover_path(0), handover.to_string().as_bytes()).unwrap();
    assert_eq!(findings(&elsewhere, None), [Finding::NotContinued(301, LedgerError::ProofRejected)]);
    let changed = handover.to_string().replacen("index 300", "index 299", 1);
    store.write(&handover_path(0), changed.as_bytes()).unwrap();
    let found = findings(&store, Some(&next));
    assert!(found.contains(&Finding::HandoverRefused(LedgerError::ProofRejected)), "{found:?}");
    store.write(&handover_path(0), b"nothing").unwrap();
    assert!(findings(&store, None).contains(&Finding::HandoverRefused(LedgerError::HandoverMalformed)));
}
