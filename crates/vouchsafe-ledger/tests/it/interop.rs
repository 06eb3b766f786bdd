//! Writes a sample log for verifiers that share no code with this crate; `tests/interop/run.sh` runs them.

use std::path::PathBuf;
use std::{env, fs};

use vouchsafe_ledger::{prove_inclusion, verify_receipt};

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
    publish(&Rows::numbered(LEAVES), &store, &signer, ORIGIN).unwrap();
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
    fs::write(folder.join("origin"), ORIGIN).unwrap();
}
