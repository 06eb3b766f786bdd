//! Writes sample logs for verifiers that share no code with this crate; `tests/interop/run.sh` runs them.

use std::path::{Path, PathBuf};
use std::{env, fs};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use vouchsafe_ledger::{
    CHECKPOINT_PATH, LogSigner, TileStore, prove_consistency, prove_inclusion, verify_receipt,
};

use crate::support::{MemoryTiles, ORIGIN, Rows, leaf, publish, signer, trust};

/// The example size of C2SP tlog-tiles: full and partial tiles on three levels.
const LEAVES: u64 = 70_000;
/// A log so small that every hash of it can be changed in turn.
const FEW_LEAVES: u64 = 600;
/// A leaf in the middle, and the last, whose proof fits this one size only.
const PROVEN: [u64; 2] = [54_321, 69_999];
/// Sizes at which a checkpoint was published before.
const OLDER: [u64; 2] = [43_210, 69_999];

#[test]
fn write_sample_logs_for_independent_verifiers() {
    let Some(folder) = env::var_os("VOUCHSAFE_INTEROP_DIR").map(PathBuf::from) else {
        eprintln!("SKIPPED: VOUCHSAFE_INTEROP_DIR is unset; tests/interop/run.sh sets it");
        return;
    };
    let signer = signer();
    write_log(&folder.join("large"), LEAVES, &OLDER, &PROVEN, &signer);
    write_log(&folder.join("small"), FEW_LEAVES, &[], &[300], &signer);
}

/// The log, what a verifier must know beforehand, receipts, and the growth from each older size.
fn write_log(folder: &Path, size: u64, older: &[u64], proven: &[u64], signer: &LogSigner) {
    let store = MemoryTiles::default();
    let rows = Rows::numbered(size);
    for &old in older {
        publish(&rows.first(usize::try_from(old).unwrap()), &store, signer, ORIGIN).unwrap();
        write(folder, &format!("growth/{old}.checkpoint"), store.read(CHECKPOINT_PATH).unwrap().unwrap());
    }
    publish(&rows, &store, signer, ORIGIN).unwrap();
    for &old in older {
        let proof = prove_consistency(&store, old, size, &trust(signer)).unwrap();
        let lines = proof.iter().map(|hash| BASE64_STANDARD.encode(hash.as_bytes()) + "\n");
        write(folder, &format!("growth/{old}.proof"), lines.collect::<String>());
    }
    for &index in proven {
        let receipt = prove_inclusion(&store, index, &trust(signer)).unwrap().to_string();
        let leaf = leaf(index).to_bytes();
        verify_receipt(&receipt, &leaf, signer.verifier(), ORIGIN).unwrap();
        write(folder, &format!("receipts/{index}.tlog-proof"), receipt);
        write(folder, &format!("receipts/{index}.leaf"), leaf);
    }
    for (path, bytes) in store.snapshot() {
        write(folder, &format!("log/{path}"), bytes);
    }
    write(folder, "verifier-key", signer.verifier().to_string());
    write(folder, "origin", ORIGIN);
}

fn write(folder: &Path, path: &str, bytes: impl AsRef<[u8]>) {
    let path = folder.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}
