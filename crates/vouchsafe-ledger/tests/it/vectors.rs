//! The vectors of transparency-dev/merkle for inclusion and consistency, in trees and in subtrees: every case by its
//! own name.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use vouchsafe_ledger::merkle::{
    verify_consistency, verify_inclusion, verify_subtree_consistency, verify_subtree_inclusion,
};
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

/// The same among the cases of subtrees.
const SUBTREE_EXEMPT: [(&str, &str); 3] = [
    (
        "subtreeconsistency/additional/sizes-are-equal-one-and-proof-is-empty",
        "both roots are 12 bytes of text, and the case wants them accepted because they are equal",
    ),
    (
        "subtreeconsistency/additional/subtree-is-empty-sizes-are-equal-one-subtree-root-valid-tree-root-random-proof-is-empty",
        "the root of the tree is 12 bytes of text, and the case wants it ignored",
    ),
    (
        "subtreeconsistency/additional/subtree-is-empty-sizes-are-equal-zero-subtree-root-valid-tree-root-random-proof-is-empty",
        "the root of the tree is 12 bytes of text, and the case wants it ignored",
    ),
];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/vectors/merkle/testdata")
}

/// Promise: WB-1.4-immutable
#[test]
fn every_case_of_transparency_dev_by_name() {
    check("inclusion_consistency", &["inclusion", "consistency"], &EXEMPT, 196);
}

#[test]
fn every_case_of_subtrees_by_name() {
    check("subtree", &["subtreeinclusion", "subtreeconsistency"], &SUBTREE_EXEMPT, 322);
}

fn check(title: &str, kinds: &[&str], exempted: &[(&str, &str)], expected: usize) {
    if !folder().is_dir() {
        eprintln!(
            "SKIPPED: the transparency-dev vectors are not beside the workspace (../shared/vectors/merkle)"
        );
        return;
    }
    let (mut accepted, mut refused, mut exempt, mut failed) = (0, 0, 0, Vec::new());
    for kind in kinds {
        for path in json_files(&folder().join(kind)) {
            let name = path.strip_prefix(folder()).unwrap().with_extension("").to_string_lossy().into_owned();
            let case: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
            let holds = accepts(kind, &case).is_some();
            if let Some((_, reason)) = exempted.iter().find(|(exempt, _)| *exempt == name) {
                eprintln!("exempt: {name}: {reason}");
                exempt += 1;
            } else if holds == case["wantErr"].as_bool().unwrap() {
                failed.push(name);
            } else if holds {
                accepted += 1;
            } else {
                refused += 1;
            }
        }
    }
    assert_eq!(failed, Vec::<String>::new());
    let cases = accepted + refused + exempt;
    println!("{title}={cases} {title}_accepted={accepted} {title}_refused={refused} {title}_exempt={exempt}");
    assert_eq!((cases, exempt), (expected, exempted.len()));
    assert!(accepted > 10 && refused > 10);
}

/// `None` for a case that is refused, be it because a hash does not have 32 bytes.
fn accepts(kind: &str, case: &Value) -> Option<()> {
    let proof = case["proof"].as_array().map_or(&[][..], Vec::as_slice);
    let proof = proof.iter().map(digest).collect::<Option<Vec<_>>>()?;
    let number = |field: &str| case[field].as_u64().unwrap();
    let hash = |field: &str| digest(&case[field]);
    let verdict = match kind {
        "inclusion" => {
            let (leaf, root) = (hash("leafHash")?, hash("root")?);
            verify_inclusion(&leaf, number("leafIdx"), number("treeSize"), &proof, &root)
        }
        "consistency" => {
            let (old, new) = (hash("root1")?, hash("root2")?);
            verify_consistency(number("size1"), number("size2"), &old, &new, &proof)
        }
        "subtreeinclusion" => {
            let (leaf, root) = (hash("leafHash")?, hash("root")?);
            let (start, end) = (number("start"), number("end"));
            verify_subtree_inclusion(&leaf, number("leafIdx"), start, end, &proof, &root)
        }
        "subtreeconsistency" => {
            let (subtree, root) = (hash("root1")?, hash("root2")?);
            let (start, end) = (number("start"), number("end"));
            verify_subtree_consistency(start, end, number("size"), &subtree, &root, &proof)
        }
        other => panic!("{other} is no kind of vectors"),
    };
    verdict.ok()
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
