//! Writes a sample log for verifiers that share no code with this crate; `tests/interop/run.sh` runs them.

use std::path::PathBuf;
use std::{env, fs};

use vouchsafe_ledger::{CHECKPOINT_PATH, Cosigner, TileStore, prove_inclusion, verify_receipt};
use vouchsafe_types::Secret;

use crate::support::{MemoryTiles, ORIGIN, Rows, leaf, publish, signer, trust};

/// The example size of C2SP tlog-tiles: full and partial tiles on three levels.
const LEAVES: u64 = 70_000;
const PROVEN: u64 = 54_321;

#[test]
fn write_a_sample_log_for_independent_verifiers() {
    let Some(folder) = env::var_os("VOUCHSAFE_INTEROP_DIR").map(PathBuf::from) else {
        eprintln!("SKIPPED: VOUCHSAFE_INTEROP_DIR is unset; tests/interop/run.sh sets it");
        return;
    };
    let (signer, store) = (signer(), MemoryTiles::default());
    let signed = publish(&Rows::numbered(LEAVES), &store, &signer, ORIGIN).unwrap();
    let witness = Cosigner::from_seed("w.example/1", &Secret::init_with(|seed| seed.fill(41))).unwrap();
    let line = witness.cosign(&signed.checkpoint().to_string(), 1_700_000_000).unwrap();
    let signed = signed.with_signature_lines(&line, &[witness.key().clone()]).unwrap();
    store.write(CHECKPOINT_PATH, signed.note().as_bytes()).unwrap();
    for (path, bytes) in store.snapshot() {
        let path = folder.join("log").join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    let receipt = prove_inclusion(&store, PROVEN, &trust(&signer)).unwrap().to_string();
    let leaf = leaf(PROVEN).to_bytes();
    verify_receipt(&receipt, &leaf, signer.verifier(), ORIGIN).unwrap();
    fs::write(folder.join("receipt.tlog-proof"), receipt).unwrap();
    fs::write(folder.join("leaf"), leaf).unwrap();
    fs::write(folder.join("verifier-key"), signer.verifier().to_string()).unwrap();
    fs::write(folder.join("witness-key"), witness.key().to_string()).unwrap();
    fs::write(folder.join("origin"), ORIGIN).unwrap();
}
