//! Writes sample logs for verifiers that share no code with this crate, and judges the same cases as they;
//! `tests/interop/run.sh` runs them.

use std::path::{Path, PathBuf};
use std::{env, fs};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;
use vouchsafe_ledger::merkle::{leaf_hash, verify_consistency, verify_inclusion};
use vouchsafe_ledger::{
    CHECKPOINT_PATH, Cosigner, LedgerError, LogSigner, SignedCheckpoint, TileStore, Trust, VerifierKey,
    WitnessKey, prove_consistency, prove_inclusion, verify_receipt, verify_tiles,
};
use vouchsafe_types::{Digest, Secret};

use crate::support::{MemoryTiles, ORIGIN, Rows, leaf, publish, signer, trust};

/// The example size of C2SP tlog-tiles: full and partial tiles on three levels.
const LEAVES: u64 = 70_000;
/// A log so small that every hash of it can be changed in turn.
const FEW_LEAVES: u64 = 600;
/// A leaf in the middle, and the last, whose proof fits this one size only.
const PROVEN: [u64; 2] = [54_321, 69_999];
/// When the checkpoint was cosigned, in seconds since 1970.
const COSIGNED: u64 = 1_795_000_000;
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
    let signed = publish(&rows, &store, signer, ORIGIN).unwrap();
    let cosigner =
        Cosigner::from_seed("witness.example/w1", &Secret::init_with(|seed| seed.fill(9))).unwrap();
    let line = cosigner.cosign(&signed.checkpoint().to_string(), COSIGNED).unwrap();
    let cosigned = signed.with_signature_lines(&line, &[cosigner.key().clone()]).unwrap();
    write(folder, "cosigned.checkpoint", cosigned.note());
    write(folder, "witness-key", cosigner.key().to_string());
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

#[test]
fn judge_the_cases_that_independent_verifiers_judge() {
    let Some(path) = env::var_os("VOUCHSAFE_INTEROP_CASES").map(PathBuf::from) else {
        eprintln!("SKIPPED: VOUCHSAFE_INTEROP_CASES is unset; tests/interop/run.sh sets it");
        return;
    };
    let cases = fs::read_to_string(&path).unwrap();
    let verdicts = cases.lines().map(|line| {
        let case = Case(serde_json::from_str(line).unwrap());
        let verdict =
            case.judge().map_or_else(|reason| format!("refused {reason}"), |()| "accepted".to_owned());
        format!("{} {verdict}\n", case.0["id"])
    });
    let verdicts = verdicts.collect::<String>();
    fs::write(path.with_extension("verdicts"), verdicts).unwrap();
}

/// One line of what `tests/interop/matrix.py` asks.
struct Case(Value);

impl Case {
    fn judge(&self) -> Result<(), String> {
        let key = self.0.get("key").map(|key| VerifierKey::parse(key.as_str().unwrap())).transpose();
        let key = key.map_err(|error| error.to_string())?;
        let judged = match (self.0["op"].as_str().unwrap(), key) {
            ("checkpoint", Some(key)) => {
                SignedCheckpoint::open(&self.text("note")?, &key, self.origin()).map(|_| ())
            }
            ("cosignature", Some(key)) => {
                let witness = WitnessKey::parse(self.0["witness_key"].as_str().unwrap());
                let witness = [witness.map_err(|error| error.to_string())?];
                let signed = SignedCheckpoint::open(&self.text("note")?, &key, self.origin());
                match signed.and_then(|signed| signed.cosignatures(&witness)) {
                    Ok(found) if found.is_empty() => return Err("nobody cosigned".to_owned()),
                    cosigned => cosigned.map(drop),
                }
            }
            ("receipt", Some(key)) => {
                verify_receipt(&self.text("receipt")?, &self.bytes("leaf"), &key, self.origin()).map(|_| ())
            }
            ("inclusion", _) => {
                let (leaf, root) = (leaf_hash(&self.bytes("leaf")), self.digest("root")?);
                verify_inclusion(&leaf, self.number("index"), self.number("size"), &self.proof()?, &root)
            }
            ("consistency", _) => {
                let (old, new) = (self.digest("old_root")?, self.digest("root")?);
                let sizes = (self.number("old_size"), self.number("size"));
                verify_consistency(sizes.0, sizes.1, &old, &new, &self.proof()?)
            }
            ("log", Some(key)) => {
                let report = verify_tiles(&ChangedFiles(&self.0), &Trust::new(&key, self.origin())).unwrap();
                return if report.is_sound() { Ok(()) } else { Err(report.findings()[0].to_string()) };
            }
            (op, _) => panic!("{op} is no question"),
        };
        judged.map_err(|error| error.to_string())
    }

    fn origin(&self) -> &str {
        self.0["origin"].as_str().unwrap()
    }

    fn number(&self, name: &str) -> u64 {
        self.0[name].as_u64().unwrap()
    }

    fn bytes(&self, name: &str) -> Vec<u8> {
        decode(&self.0[name])
    }

    fn text(&self, name: &str) -> Result<String, String> {
        String::from_utf8(self.bytes(name)).map_err(|_| "not a text".to_owned())
    }

    fn digest(&self, name: &str) -> Result<Digest, String> {
        digest(&self.0[name])
    }

    fn proof(&self) -> Result<Vec<Digest>, String> {
        self.0["proof"].as_array().unwrap().iter().map(digest).collect()
    }
}

fn digest(value: &Value) -> Result<Digest, String> {
    decode(value).try_into().map(Digest::from_bytes).map_err(|_| "hash has another length".to_owned())
}

fn decode(value: &Value) -> Vec<u8> {
    BASE64_STANDARD.decode(value.as_str().unwrap()).unwrap()
}

/// The files of a log, some of them changed or missing.
struct ChangedFiles<'a>(&'a Value);

impl TileStore for ChangedFiles<'_> {
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, LedgerError> {
        match self.0["changes"].get(path) {
            Some(Value::Null) => Ok(None),
            Some(changed) => Ok(Some(decode(changed))),
            None => Ok(fs::read(Path::new(self.0["log"].as_str().unwrap()).join(path)).ok()),
        }
    }

    fn write(&self, _: &str, _: &[u8]) -> Result<(), LedgerError> {
        panic!("a verifier writes nothing");
    }
}
