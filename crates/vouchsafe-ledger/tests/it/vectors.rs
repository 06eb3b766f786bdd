//! The inclusion and consistency vectors of transparency-dev/merkle, every case by its own name.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use vouchsafe_ledger::merkle::{verify_consistency, verify_inclusion};
use vouchsafe_types::Digest;

/// Cases that cannot be put to a verifier whose hashes have 32 bytes by type.
const EXEMPT: [(&str, &str); 2] = [
    (
        "consistency/additional/sizes-are-equal-one-and-proof-is-empty",
        "both roots are 12 bytes of text, and the case wants them accepted because they are equal",
    ),
    (
        "inclusion/single-entry/empty-root-and-leaf",
        "root and leaf hash have no bytes at all, so there is nothing to compare",
    ),
];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/vectors/merkle/testdata")
}

#[test]
fn every_case_of_transparency_dev_by_name() {
    if !folder().is_dir() {
        eprintln!(
            "SKIPPED: the transparency-dev vectors are not beside the workspace (../shared/vectors/merkle)"
        );
        return;
    }
    let (mut cases, mut exempt, mut failed) = (0, Vec::new(), Vec::new());
    for kind in ["inclusion", "consistency"] {
        for path in json_files(&folder().join(kind)) {
            let name = path.strip_prefix(folder()).unwrap().with_extension("").to_string_lossy().into_owned();
            let case: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
            cases += 1;
            if EXEMPT.iter().any(|(exempt, _)| *exempt == name) {
                exempt.push(name);
            } else if accepts(kind, &case).is_some() == case["wantErr"].as_bool().unwrap() {
                failed.push(name);
            }
        }
    }
    assert_eq!(failed, Vec::<String>::new());
    assert_eq!(exempt.len(), EXEMPT.len());
    assert_eq!(cases, 196);
}

/// `None` for a case that is refused, be it because a hash does not have 32 bytes.
fn accepts(kind: &str, case: &Value) -> Option<()> {
    let proof = case["proof"].as_array().map_or(&[][..], Vec::as_slice);
    let proof = proof.iter().map(digest).collect::<Option<Vec<_>>>()?;
    let number = |field: &str| case[field].as_u64().unwrap();
    if kind == "inclusion" {
        let (leaf, root) = (digest(&case["leafHash"])?, digest(&case["root"])?);
        verify_inclusion(&leaf, number("leafIdx"), number("treeSize"), &proof, &root).ok()
    } else {
        let (old, new) = (digest(&case["root1"])?, digest(&case["root2"])?);
        verify_consistency(number("size1"), number("size2"), &old, &new, &proof).ok()
    }
}

fn digest(value: &Value) -> Option<Digest> {
    use base64::Engine;
    let bytes = base64::engine::general_purpose::STANDARD.decode(value.as_str()?).ok()?;
    bytes.try_into().ok().map(Digest::from_bytes)
}

fn json_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(json_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "json") {
            files.push(path);
        }
    }
    files.sort();
    files
}
