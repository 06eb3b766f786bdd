//! Handing the key of a log over, for a schedule and after a theft.

use vouchsafe_ledger::{
    Cosigner, EntryKind, Handover, HandoverReason, HandoverStatement, KeyChain, Leaf, LedgerError, LogSigner,
    Policy, SignedCheckpoint, TileStore, Trust, handover_path, prove_inclusion, read_handovers, verify_tiles,
};
use vouchsafe_types::Secret;

use crate::support::{MemoryTiles, ORIGIN, Rows, leaf};

fn log_key(fill: u8) -> LogSigner {
    LogSigner::from_seed(ORIGIN, &Secret::init_with(|seed| seed.fill(fill))).unwrap()
}

fn witness() -> Cosigner {
    Cosigner::from_seed("w.example/1", &Secret::init_with(|seed| seed.fill(99))).unwrap()
}

fn policy() -> Policy {
    Policy::parse(format!("witness w {}\nquorum w\n", witness().key()).as_bytes()).unwrap()
}

fn says(statement: &HandoverStatement) -> Leaf {
    Leaf { kind: EntryKind::LogKeyRotated, commitment: statement.commitment(), ..leaf(0) }
}

fn statement(old: &LogSigner, new: &LogSigner, reason: HandoverReason) -> HandoverStatement {
    HandoverStatement::new(ORIGIN, old.verifier().clone(), new.verifier().clone(), reason).unwrap()
}

/// A log that grows and changes hands.
struct Growing {
    rows: Rows,
    store: MemoryTiles,
}

impl Growing {
    fn new() -> Self {
        Self { rows: Rows::numbered(300), store: MemoryTiles::default() }
    }

    fn publish(&self, signers: &[&LogSigner]) -> SignedCheckpoint {
        vouchsafe_ledger::publish(&self.rows, &self.store, &self.store.lock, signers, ORIGIN).unwrap()
    }

    fn grow(&mut self, signers: &[&LogSigner]) -> SignedCheckpoint {
        self.rows.0.extend((0..50).map(|i| leaf(5_000 + i).to_bytes().to_vec()));
        self.publish(signers)
    }

    fn cosign(&self) {
        let note = String::from_utf8(self.store.lock.note().unwrap()).unwrap();
        let body = note.rsplit_once("\n\n").unwrap().0.to_owned() + "\n";
        let note = note + &witness().cosign(&body, 7).unwrap();
        *self.store.lock.held.lock().unwrap() = Some(note.clone().into_bytes());
        self.store.write("checkpoint", note.as_bytes()).unwrap();
    }

    /// Appends the leaf and publishes it under these signers.
    fn say(&mut self, leaf: &Leaf, signers: &[&LogSigner]) -> u64 {
        self.rows.0.push(leaf.to_bytes().to_vec());
        self.publish(signers).checkpoint().size() - 1
    }
}

fn hand_over(log: &mut Growing, old: &LogSigner, new: &LogSigner, reason: HandoverReason) -> Handover {
    let statement = statement(old, new, reason);
    let index = log.say(&says(&statement), &[new, old]);
    log.cosign();
    Handover::prove(&log.store, index, says(&statement), statement, Some(&policy())).unwrap()
}

/// Promise: WB-1.4-immutable
#[test]
fn whoever_trusts_the_first_key_follows_to_the_current_one() {
    let (a, b, c) = (log_key(1), log_key(2), log_key(3));
    let mut log = Growing::new();
    log.publish(&[&a]);
    let old_receipt = prove_inclusion(&log.store, 7, &Trust::new(a.verifier(), ORIGIN)).unwrap();
    let first = hand_over(&mut log, &a, &b, HandoverReason::Scheduled);
    log.store.write(&handover_path(0), first.to_string().as_bytes()).unwrap();
    let under_a = log.rows.0.len() as u64;
    log.grow(&[&b]);
    let second = hand_over(&mut log, &b, &c, HandoverReason::Compromised);
    log.store.write(&handover_path(1), second.to_string().as_bytes()).unwrap();
    log.grow(&[&c]);
    log.cosign();

    let handovers = read_handovers(&log.store).unwrap();
    assert_eq!(handovers, [first, second]);
    let chain = KeyChain::follow(a.verifier().clone(), ORIGIN, &handovers, Some(&policy())).unwrap();
    assert_eq!(chain.current(), c.verifier());
    assert_eq!(chain.handed_over().next().unwrap().size(), under_a);
    assert!(verify_tiles(&log.store, &Trust::chained(&chain)).unwrap().is_sound());
    let policy = policy();
    assert!(verify_tiles(&log.store, &Trust::chained(&chain).demanding(&policy)).unwrap().is_sound());
    let head = old_receipt.verify_with(&leaf(7).to_bytes(), &Trust::chained(&chain)).unwrap();
    assert_eq!(head.size(), 300);
    let later = KeyChain::follow(b.verifier().clone(), ORIGIN, &handovers[1..], Some(&policy)).unwrap();
    assert_eq!(later.current(), c.verifier());
}

/// Promise: WB-1.4-immutable
#[test]
fn an_old_key_is_believed_up_to_its_handover_and_a_stolen_one_only_with_witnesses() {
    let (a, b) = (log_key(1), log_key(2));
    for reason in HandoverReason::ALL {
        let mut log = Growing::new();
        let early = log.publish(&[&a]);
        let handover = hand_over(&mut log, &a, &b, reason);
        let chain = KeyChain::follow(a.verifier().clone(), ORIGIN, &[handover], Some(&policy())).unwrap();
        let bare = Trust::chained(&chain).open(early.note().as_bytes());
        let policy = policy();
        match reason {
            HandoverReason::Scheduled => assert_eq!(bare.as_ref(), Ok(&early)),
            _ => assert_eq!(bare, Err(LedgerError::QuorumMissing)),
        }
        let line = witness().cosign(&early.checkpoint().to_string(), 3).unwrap();
        let witnessed = early.with_signature_lines(&line, policy.witnesses()).unwrap();
        let demanding = Trust::chained(&chain).demanding(&policy);
        assert_eq!(demanding.open(witnessed.note().as_bytes()), Ok(witnessed));
        let beyond = Growing { rows: Rows::numbered(400), store: MemoryTiles::default() }.publish(&[&a]);
        let refused = Trust::chained(&chain).open(beyond.note().as_bytes());
        assert_eq!(refused, Err(LedgerError::KeyRetired));
        let stranger = Growing::new().publish(&[&log_key(9)]);
        let refused = Trust::chained(&chain).open(stranger.note().as_bytes());
        assert_eq!(refused, Err(LedgerError::SignatureMissing));
    }
}

#[test]
fn a_compromised_key_hands_over_before_witnesses_only() {
    let (a, b) = (log_key(1), log_key(2));
    let mut log = Growing::new();
    log.publish(&[&a]);
    let said = statement(&a, &b, HandoverReason::Compromised);
    let index = log.say(&says(&said), &[&b, &a]);
    let prove = |log: &Growing, policy: Option<&Policy>| {
        Handover::prove(&log.store, index, says(&said), said.clone(), policy)
    };
    let none = Policy::parse(b"quorum none\n").unwrap();
    for policy in [None, Some(&none), Some(&policy())] {
        assert_eq!(prove(&log, policy), Err(LedgerError::QuorumMissing));
    }
    log.cosign();
    assert_eq!(prove(&log, None), Err(LedgerError::QuorumMissing));
    let handover = prove(&log, Some(&policy())).unwrap();
    assert_eq!(handover.verify(a.verifier(), ORIGIN, Some(&none)), Err(LedgerError::QuorumMissing));
    assert!(handover.verify(a.verifier(), ORIGIN, Some(&policy())).is_ok());
}

#[test]
fn a_handover_needs_both_keys_and_the_leaf_that_says_it() {
    let (a, b) = (log_key(1), log_key(2));
    let said = statement(&a, &b, HandoverReason::Scheduled);
    let check = |leaf: Leaf, said: &HandoverStatement, signers: &[&LogSigner], expected| {
        let mut log = Growing::new();
        log.publish(&[&a]);
        let index = log.say(&leaf, signers);
        let handover = Handover::prove(&log.store, index, leaf, said.clone(), None);
        assert_eq!(handover.err(), expected);
    };
    check(says(&said), &said, &[&b, &a], None);
    check(says(&said), &said, &[&a], Some(LedgerError::SignatureMissing));
    let other_kind = Leaf { kind: EntryKind::KeysRotated, ..says(&said) };
    check(other_kind, &said, &[&b, &a], Some(LedgerError::HandoverRejected));
    let other_said = statement(&a, &b, HandoverReason::Compromised);
    check(says(&other_said), &said, &[&b, &a], Some(LedgerError::HandoverRejected));
    let swapped = statement(&b, &a, HandoverReason::Scheduled);
    check(says(&said), &swapped, &[&b, &a], Some(LedgerError::HandoverRejected));

    let mut log = Growing::new();
    log.publish(&[&a]);
    let handover = hand_over(&mut log, &a, &b, HandoverReason::Scheduled);
    let verify = |key: &LogSigner, origin| handover.verify(key.verifier(), origin, None).err();
    assert_eq!(verify(&a, ORIGIN), None);
    assert_eq!(verify(&b, ORIGIN), Some(LedgerError::HandoverRejected));
    assert_eq!(verify(&a, "log.example/b"), Some(LedgerError::OriginMismatch));
    // The other key alone: whoever stole the old one does not have it.
    let thief = log_key(66);
    let by_thief = statement(&a, &thief, HandoverReason::Scheduled);
    check(says(&by_thief), &by_thief, &[&b, &a], Some(LedgerError::SignatureMissing));
}

#[test]
fn a_chain_has_one_order_and_no_key_comes_back() {
    let (a, b, c) = (log_key(1), log_key(2), log_key(3));
    let mut log = Growing::new();
    log.publish(&[&a]);
    let first = hand_over(&mut log, &a, &b, HandoverReason::Scheduled);
    let second = hand_over(&mut log, &b, &c, HandoverReason::Scheduled);
    let back = hand_over(&mut log, &c, &a, HandoverReason::Scheduled);
    let follow = |handovers: &[&Handover]| {
        let handovers = handovers.iter().map(|handover| (*handover).clone()).collect::<Vec<_>>();
        KeyChain::follow(a.verifier().clone(), ORIGIN, &handovers, None)
    };
    assert_eq!(follow(&[]).unwrap(), KeyChain::new(a.verifier().clone(), ORIGIN));
    assert_eq!(follow(&[&first, &second]).unwrap().current(), c.verifier());
    for wrong in [&[&second, &first][..], &[&first, &first], &[&second], &[&first, &second, &back]] {
        assert_eq!(follow(wrong), Err(LedgerError::HandoverRejected));
    }
}

#[test]
fn any_changed_byte_of_a_handover_is_refused_and_it_has_one_spelling() {
    let (a, b) = (log_key(1), log_key(2));
    let mut log = Growing::new();
    log.publish(&[&a]);
    let handover = hand_over(&mut log, &a, &b, HandoverReason::Scheduled);
    let text = handover.to_string();
    assert_eq!(Handover::parse(&text).as_ref(), Ok(&handover));
    let policy = policy();
    for at in 0..text.len() {
        let mut changed = text.clone().into_bytes();
        changed[at] ^= 1;
        let Ok(changed) = String::from_utf8(changed) else { continue };
        let Ok(parsed) = Handover::parse(&changed) else { continue };
        assert_eq!(parsed.to_string(), changed);
        assert!(parsed.verify(a.verifier(), ORIGIN, Some(&policy)).is_err(), "byte {at}");
    }
    let bad = [
        String::new(),
        text.replace("log-handover@v1", "log-handover@v2"),
        text.replacen("\n\n", "\n", 1),
        text.replacen('\n', "\n\n", 1),
        text.replacen("extra ", "exter ", 1),
        text.replace('\n', "\r\n"),
        format!("{text}{}", " ".repeat(Handover::MAX_LEN)),
    ];
    for text in bad {
        assert_eq!(Handover::parse(&text), Err(LedgerError::HandoverMalformed), "{text:.60}");
    }
    log.store.write(&handover_path(0), b"\xff").unwrap();
    assert_eq!(read_handovers(&log.store), Err(LedgerError::HandoverMalformed));
}
