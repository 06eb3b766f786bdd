use vouchsafe_ledger::merkle::verify_consistency;
use vouchsafe_ledger::{LedgerError, LogSigner, Receipt, prove_consistency, prove_inclusion, verify_receipt};
use vouchsafe_types::Secret;

use crate::support::{MemoryTiles, ORIGIN, Rows, leaf, publish, signer, trust};

fn log(size: u64) -> MemoryTiles {
    let store = MemoryTiles::default();
    publish(&Rows::numbered(size), &store, &signer(), ORIGIN).unwrap();
    store
}

#[test]
fn every_leaf_has_a_receipt_that_verifies_offline() {
    let signer = signer();
    for size in [1, 2, 255, 256, 257, 600] {
        let store = log(size);
        for index in 0..size {
            let text = prove_inclusion(&store, index, &trust(&signer)).unwrap().to_string();
            let bytes = leaf(index).to_bytes();
            let head = verify_receipt(&text, &bytes, signer.verifier(), ORIGIN).unwrap();
            assert_eq!(head.size(), size);
            let other = leaf(index + 1).to_bytes();
            let refused = verify_receipt(&text, &other, signer.verifier(), ORIGIN);
            assert_eq!(refused, Err(LedgerError::ProofRejected));
        }
        assert_eq!(prove_inclusion(&store, size, &trust(&signer)), Err(LedgerError::OutOfRange));
    }
}

#[test]
fn a_receipt_is_of_one_log_and_one_key() {
    let (signer, store) = (signer(), log(9));
    let text = prove_inclusion(&store, 4, &trust(&signer)).unwrap().to_string();
    let bytes = leaf(4).to_bytes();
    let stranger = LogSigner::from_seed(ORIGIN, &Secret::init_with(|seed| seed.fill(1))).unwrap();
    let by_stranger = verify_receipt(&text, &bytes, stranger.verifier(), ORIGIN);
    assert_eq!(by_stranger, Err(LedgerError::SignatureMissing));
    let elsewhere = verify_receipt(&text, &bytes, signer.verifier(), "log.example/b");
    assert_eq!(elsewhere, Err(LedgerError::OriginMismatch));
}

#[test]
fn any_changed_byte_of_a_receipt_is_refused_and_it_has_one_spelling() {
    let (signer, store) = (signer(), log(300));
    let receipt = prove_inclusion(&store, 123, &trust(&signer)).unwrap();
    let text = receipt.to_string();
    assert_eq!(Receipt::parse(&text).as_ref(), Ok(&receipt));
    let bytes = leaf(123).to_bytes();
    for at in 0..text.len() {
        for bit in 0..8 {
            let mut changed = text.clone().into_bytes();
            changed[at] ^= 1 << bit;
            if let Ok(changed) = String::from_utf8(changed) {
                let verdict = verify_receipt(&changed, &bytes, signer.verifier(), ORIGIN);
                assert!(verdict.is_err(), "byte {at}, bit {bit}");
            }
        }
    }
}

#[test]
fn malformed_receipts_are_refused() {
    let (signer, store) = (signer(), log(300));
    let text = prove_inclusion(&store, 0, &trust(&signer)).unwrap().to_string();
    let hash = text.lines().nth(2).unwrap();
    let bad = [
        String::new(),
        text.replace("@v1", "@v2"),
        text.replace("index 0", "index 00"),
        text.replace("index 0", "index  0"),
        text.replace("index 0\n", ""),
        text.replace("index 0\n", "index 0\nextra AA==\n"),
        text.replace("index 0\n", "extra AA\nindex 0\n"),
        text.replace("index 0\n", "extra AA==\nextra AA==\nindex 0\n"),
        text.replace(hash, &hash[1..]),
        text.replace(hash, &format!("{hash} ")),
        text.replace(hash, &vec![hash; 65].join("\n")),
        text.replacen("\n\n", "\n", 1).replacen("\n\n", "\n", 1),
        text.replace('\n', "\r\n"),
    ];
    for receipt in bad {
        assert_eq!(Receipt::parse(&receipt), Err(LedgerError::ReceiptMalformed), "{receipt}");
    }
}

#[test]
fn extra_data_is_carried_and_not_believed() {
    let (signer, store) = (signer(), log(3));
    let receipt = prove_inclusion(&store, 1, &trust(&signer)).unwrap().with_extra(b"context");
    let text = receipt.to_string();
    assert!(text.starts_with("c2sp.org/tlog-proof@v1\nextra Y29udGV4dA==\nindex 1\n"));
    assert_eq!(Receipt::parse(&text).unwrap().extra(), Some(&b"context"[..]));
    let other = text.replace("Y29udGV4dA==", "AA==");
    assert!(verify_receipt(&other, &leaf(1).to_bytes(), signer.verifier(), ORIGIN).is_ok());
}

#[test]
fn consistency_is_proven_between_any_two_sizes() {
    let (signer, store) = (signer(), log(600));
    let rows = Rows::numbered(600);
    let roots = [0, 1, 255, 256, 257, 511, 512, 600].map(|size| {
        let store = MemoryTiles::default();
        let signed = publish(&rows.first(size), &store, &signer, ORIGIN).unwrap();
        (size as u64, *signed.checkpoint().root())
    });
    for (i, (new, new_root)) in roots.iter().enumerate() {
        for (old, old_root) in &roots[..=i] {
            let proof = prove_consistency(&store, *old, *new, &trust(&signer)).unwrap();
            assert_eq!(verify_consistency(*old, *new, old_root, new_root, &proof), Ok(()));
        }
    }
    assert_eq!(prove_consistency(&store, 1, 601, &trust(&signer)), Err(LedgerError::OutOfRange));
    assert_eq!(prove_consistency(&store, 2, 1, &trust(&signer)), Err(LedgerError::OutOfRange));
}

#[test]
fn no_receipt_is_made_from_a_corrupt_or_missing_tile() {
    let (signer, store) = (signer(), log(600));
    store.files.lock().unwrap().get_mut("tile/0/001").unwrap()[40] ^= 1;
    let prove = |index| prove_inclusion(&store, index, &trust(&signer));
    assert_eq!(prove(300), Err(LedgerError::TileCorrupt));
    assert!(prove(3).is_ok(), "its proof takes the second tile's root from level 1");
    store.files.lock().unwrap().remove("tile/0/001");
    assert_eq!(prove(300), Err(LedgerError::TileMissing));
    store.files.lock().unwrap().insert("tile/0/001".to_owned(), vec![0; 31]);
    assert_eq!(prove(300), Err(LedgerError::TileCorrupt));
    let empty = MemoryTiles::default();
    assert_eq!(prove_inclusion(&empty, 0, &trust(&signer)), Err(LedgerError::CheckpointMissing));
}
