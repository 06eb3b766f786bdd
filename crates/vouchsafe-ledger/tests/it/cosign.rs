//! Cosigning: a witness that follows C2SP tlog-witness, in memory, and all the ways in which one fails.

use std::sync::Mutex;

use vouchsafe_ledger::merkle::verify_consistency;
use vouchsafe_ledger::witness::{AddCheckpoint, add_checkpoint_body};
use vouchsafe_ledger::{
    CHECKPOINT_PATH, Checkpoint, CosignOutcome, CosignedSizes, Cosigner, Finding, LedgerError, Policy,
    SignedCheckpoint, Trust, Witness, WitnessError, WitnessKey, cosign, prove_inclusion, verify_log,
    verify_tiles,
};
use vouchsafe_types::{Digest, Secret};

use crate::support::{MemoryLock, MemoryTiles, ORIGIN, Rows, leaf, publish, signer, trust};

/// A witness that reads requests from their bytes, as one behind HTTP does.
struct Honest {
    cosigner: Cosigner,
    last: Mutex<Option<Checkpoint>>,
    asked: Mutex<Vec<u64>>,
}

impl Honest {
    fn new(number: u8) -> Self {
        let seed = Secret::init_with(|seed| seed.fill(number));
        let cosigner = Cosigner::from_seed(&format!("w.example/{number}"), &seed).unwrap();
        Self { cosigner, last: Mutex::default(), asked: Mutex::default() }
    }

    fn answer(&self, body: &str) -> Result<String, WitnessError> {
        let request = AddCheckpoint::parse(body).map_err(|_| WitnessError::Refused)?;
        self.asked.lock().unwrap().push(request.old_size());
        let signed = SignedCheckpoint::open(request.note(), signer().verifier(), ORIGIN)
            .map_err(|_| WitnessError::Refused)?;
        let (head, mut last) = (signed.checkpoint(), self.last.lock().unwrap());
        let empty = Checkpoint::new(ORIGIN, 0, vouchsafe_ledger::merkle::tree_hash(&[])).unwrap();
        let before = last.clone().unwrap_or(empty);
        let same_size_other_root = before.size() == head.size() && before.root() != head.root();
        if request.old_size() != before.size() || same_size_other_root {
            return Err(WitnessError::from_status(409, &format!("{}\n", before.size())));
        }
        verify_consistency(before.size(), head.size(), before.root(), head.root(), request.proof())
            .map_err(|_| WitnessError::from_status(422, ""))?;
        *last = Some(head.clone());
        Ok(self.cosigner.cosign(&head.to_string(), 1_700_000_000).unwrap())
    }
}

impl Witness for Honest {
    fn key(&self) -> &WitnessKey {
        self.cosigner.key()
    }

    fn add_checkpoint(&self, old: u64, proof: &[Digest], note: &str) -> Result<String, WitnessError> {
        self.answer(&add_checkpoint_body(old, proof, note).map_err(|_| WitnessError::Refused)?)
    }
}

/// A witness that always gives the same.
struct Fixed(WitnessKey, Result<String, WitnessError>);

impl Witness for Fixed {
    fn key(&self) -> &WitnessKey {
        &self.0
    }

    fn add_checkpoint(&self, _: u64, _: &[Digest], _: &str) -> Result<String, WitnessError> {
        self.1.clone()
    }
}

fn log(leaves: u64) -> MemoryTiles {
    let store = MemoryTiles::default();
    publish(&Rows::numbered(leaves), &store, &signer(), ORIGIN).unwrap();
    store
}

fn run(
    store: &MemoryTiles,
    witnesses: &[&dyn Witness],
    sizes: &mut CosignedSizes,
) -> Result<Vec<CosignOutcome>, LedgerError> {
    let report = cosign(store, &store.lock, &trust(&signer()), witnesses, sizes)?;
    assert_eq!(store.snapshot()[CHECKPOINT_PATH], report.signed().note().as_bytes());
    assert_eq!(store.lock.note().unwrap(), report.signed().note().as_bytes());
    Ok(report.outcomes().iter().map(|(_, outcome)| *outcome).collect())
}

fn policy(quorum: &str, witnesses: &[&Honest]) -> Policy {
    let lines: String = witnesses
        .iter()
        .enumerate()
        .map(|(n, witness)| format!("witness w{n} {}\n", witness.key()))
        .collect();
    Policy::parse(format!("{lines}{quorum}\n").as_bytes()).unwrap()
}

const AT: u64 = 1_700_000_000;

/// Promise: WB-1.4-immutable
#[test]
fn a_growing_log_is_cosigned_and_whoever_demands_it_sees_it() {
    let (w1, w2, store) = (Honest::new(1), Honest::new(2), MemoryTiles::default());
    let (signer, mut sizes) = (signer(), CosignedSizes::default());
    let policy = policy("group g all w0 w1\nquorum g", &[&w1, &w2]);
    let demanding = trust(&signer).demanding(&policy);
    for size in [0, 1, 255, 256, 257, 700] {
        let rows = Rows::numbered(size);
        publish(&rows, &store, &signer, ORIGIN).unwrap();
        let missing = [Finding::CheckpointRefused(LedgerError::QuorumMissing)];
        assert_eq!(verify_tiles(&store, &demanding).unwrap().findings(), missing);
        assert_eq!(run(&store, &[&w1], &mut sizes), Ok(vec![CosignOutcome::Cosigned(AT)]));
        assert_eq!(verify_log(&rows, &store, &demanding).unwrap().findings(), missing);
        let both = run(&store, &[&w1, &w2], &mut sizes).unwrap();
        assert_eq!(both, [CosignOutcome::Already(AT), CosignOutcome::Cosigned(AT)]);
        assert!(verify_log(&rows, &store, &demanding).unwrap().is_sound());
        assert!(verify_tiles(&store, &demanding).unwrap().is_sound());
        assert_eq!((sizes.of(w1.key()), sizes.of(w2.key())), (size, size));
        let before = store.snapshot();
        assert_eq!(run(&store, &[&w1, &w2], &mut sizes).unwrap(), [CosignOutcome::Already(AT); 2]);
        assert_eq!(store.snapshot(), before);
    }
    assert_eq!(*w1.asked.lock().unwrap(), [0, 0, 1, 255, 256, 257], "no request is asked twice");
    let receipt = prove_inclusion(&store, 300, &demanding).unwrap();
    assert_eq!(receipt.verify_with(&leaf(300).to_bytes(), &demanding).unwrap().size(), 700);
    let bare = prove_inclusion(&log(700), 300, &trust(&signer)).unwrap();
    let refused = bare.verify_with(&leaf(300).to_bytes(), &demanding);
    assert_eq!(refused, Err(LedgerError::QuorumMissing));
    assert!(bare.verify(&leaf(300).to_bytes(), signer.verifier(), ORIGIN).is_ok());
}

#[test]
fn a_lost_size_is_learnt_from_the_witness() {
    let (witness, store) = (Honest::new(1), MemoryTiles::default());
    for size in [300, 301, 600] {
        publish(&Rows::numbered(size), &store, &signer(), ORIGIN).unwrap();
        let outcome = run(&store, &[&witness], &mut CosignedSizes::default()).unwrap();
        assert_eq!(outcome, [CosignOutcome::Cosigned(AT)]);
    }
    assert_eq!(*witness.asked.lock().unwrap(), [0, 0, 300, 0, 301]);
}

/// Promise: WB-1.4-immutable
#[test]
fn a_fork_and_a_rollback_are_told_by_the_witness() {
    let witness = Honest::new(1);
    run(&log(600), &[&witness], &mut CosignedSizes::default()).unwrap();
    let mut fork = Rows::numbered(600);
    fork.0[5] = leaf(9_999).to_bytes().to_vec();
    let check = |rows: &Rows, expected| {
        let store = MemoryTiles::default();
        publish(rows, &store, &signer(), ORIGIN).unwrap();
        let trusted = signer();
        let report =
            cosign(&store, &store.lock, &trust(&trusted), &[&witness], &mut CosignedSizes::default())
                .unwrap();
        assert_eq!(report.outcomes()[0].1, expected);
        assert!(report.shows_a_fork_or_rollback(), "{expected:?}");
    };
    check(&fork, CosignOutcome::Contradicted(600));
    check(&Rows::numbered(599), CosignOutcome::Ahead(600));
    fork.0.extend(Rows::numbered(10).0);
    check(&fork, CosignOutcome::Contradicted(600));
}

#[test]
fn a_witness_that_fails_or_lies_is_reported_and_the_others_count() {
    let (good, key) = (Honest::new(1), Honest::new(2).cosigner.key().clone());
    let elsewhere = Honest::new(2).cosigner.cosign("another\n", AT).unwrap();
    let stranger = Honest::new(3).cosigner;
    let answers = [
        (Err(WitnessError::Unavailable), CosignOutcome::Failed(WitnessError::Unavailable)),
        (Err(WitnessError::UnknownLog), CosignOutcome::Failed(WitnessError::UnknownLog)),
        (Err(WitnessError::Refused), CosignOutcome::Failed(WitnessError::Refused)),
        (Err(WitnessError::Conflict(0)), CosignOutcome::Failed(WitnessError::Conflict(0))),
        (Err(WitnessError::Conflict(300)), CosignOutcome::Contradicted(300)),
        (Err(WitnessError::Conflict(301)), CosignOutcome::Ahead(301)),
        (Err(WitnessError::Conflict(7)), CosignOutcome::Failed(WitnessError::Conflict(7))),
        (Ok(String::new()), CosignOutcome::Failed(WitnessError::Malformed)),
        (Ok("<html>\n".to_owned()), CosignOutcome::Failed(WitnessError::Malformed)),
        (Ok(elsewhere), CosignOutcome::Failed(WitnessError::Malformed)),
        (Ok(stranger.cosign("x\n", AT).unwrap()), CosignOutcome::Failed(WitnessError::Malformed)),
    ];
    for (answer, expected) in answers {
        let (store, witness) = (log(300), Fixed(key.clone(), answer));
        good.last.lock().unwrap().take();
        let outcomes = run(&store, &[&witness, &good], &mut CosignedSizes::default()).unwrap();
        assert_eq!(outcomes, [expected, CosignOutcome::Cosigned(AT)]);
    }
}

#[test]
fn nothing_is_cosigned_unless_file_and_lock_hold_the_same_note() {
    let (witness, mut sizes) = (Honest::new(1), CosignedSizes::default());
    let empty = MemoryTiles::default();
    assert_eq!(run(&empty, &[&witness], &mut sizes), Err(LedgerError::CheckpointMissing));
    let other = log(301).lock.note();
    let apart = MemoryTiles {
        lock: MemoryLock::holding(other.as_deref()),
        ..MemoryTiles::restored(log(300).snapshot())
    };
    assert_eq!(run(&apart, &[&witness], &mut sizes), Err(LedgerError::CheckpointMoved));
    let corrupt = log(300);
    corrupt.files.lock().unwrap().get_mut("tile/0/000").unwrap()[0] ^= 1;
    *witness.last.lock().unwrap() = Some(Checkpoint::new(ORIGIN, 7, Digest::from_bytes([0; 32])).unwrap());
    assert_eq!(run(&corrupt, &[&witness], &mut sizes), Err(LedgerError::TileCorrupt));
}

#[test]
fn cosignatures_cut_short_behind_the_swap_are_published_by_the_next_publication() {
    let (witness, store) = (Honest::new(1), log(300));
    *store.writes_left.lock().unwrap() = Some(0);
    assert!(run(&store, &[&witness], &mut CosignedSizes::default()).unwrap_err().is_retryable());
    *store.writes_left.lock().unwrap() = None;
    let signed = publish(&Rows::numbered(300), &store, &signer(), ORIGIN).unwrap();
    assert_eq!(signed.cosignatures(&[witness.key().clone()]).unwrap().len(), 1);
    assert_eq!(store.snapshot()[CHECKPOINT_PATH], signed.note().as_bytes());
}

#[test]
fn a_publication_meanwhile_wins_and_the_cosignatures_are_dropped() {
    struct Slow<'a>(&'a MemoryTiles, Honest);
    impl Witness for Slow<'_> {
        fn key(&self) -> &WitnessKey {
            self.1.key()
        }
        fn add_checkpoint(&self, old: u64, proof: &[Digest], note: &str) -> Result<String, WitnessError> {
            publish(&Rows::numbered(400), self.0, &signer(), ORIGIN).unwrap();
            self.1.add_checkpoint(old, proof, note)
        }
    }
    let store = log(300);
    let slow = Slow(&store, Honest::new(1));
    let (signer, mut sizes) = (signer(), CosignedSizes::default());
    let trust = Trust::new(signer.verifier(), ORIGIN);
    let raced = cosign(&store, &store.lock, &trust, &[&slow], &mut sizes);
    assert_eq!(raced, Err(LedgerError::CheckpointMoved));
    assert_eq!(store.snapshot()[CHECKPOINT_PATH], store.lock.note().unwrap());
}

/// Promise: WB-1.4-immutable
#[test]
fn any_changed_bit_of_a_cosigned_checkpoint_is_refused_by_who_demands_the_witness() {
    let (witness, store, signer) = (Honest::new(1), log(300), signer());
    run(&store, &[&witness], &mut CosignedSizes::default()).unwrap();
    let policy = policy("quorum w0", &[&witness]);
    let demanding = trust(&signer).demanding(&policy);
    let note = store.lock.note().unwrap();
    assert!(demanding.open(&note).is_ok());
    for at in 0..note.len() {
        for bit in 0..8 {
            let mut changed = note.clone();
            changed[at] ^= 1 << bit;
            assert!(demanding.open(&changed).is_err(), "byte {at}, bit {bit}");
        }
    }
}
