//! What must not compile, each case with the error code that the compiler must give.
//!
//! Every file of `compile_fail/` has the control that compiles first and the offence in a block between
//! `// OFFENCE E0000` and `// END`. The control is compiled too, so a case cannot pass because of a mistake elsewhere.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test may stop where it stands")]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;
use std::{env, fs};

/// Promise: WB-11-consent-first
#[test]
fn no_capture_and_no_embedding_without_a_permit() {
    check(&["capture_without_permit", "embed_without_permit", "forge_permit", "permit_cloned"]);
}

/// Promise: WB-11-consent-first
#[test]
fn what_an_evaluation_permit_makes_is_not_stored() {
    check(&["evaluation_enrolled", "evaluation_protected"]);
}

/// Promise: WB-1.2-camera
#[test]
fn a_live_face_is_used_once() {
    check(&["live_face_twice", "frame_twice"]);
}

/// Promise: WB-1.2-camera
#[test]
fn frames_embeddings_and_keys_are_not_cloned_printed_or_serialised() {
    check(&[
        "frame_cloned",
        "frame_printed",
        "frame_serialised",
        "live_face_cloned",
        "embedding_cloned",
        "embedding_printed",
        "embedding_serialised",
        "key_cloned",
        "key_printed",
        "key_serialised",
    ]);
}

fn check(cases: &[&str]) {
    for case in cases {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/compile_fail/{case}.rs"));
        let text = fs::read_to_string(&source).unwrap();
        let (before, rest) = text.split_once("// OFFENCE ").expect(case);
        let (code, rest) = rest.split_once('\n').unwrap();
        let (_, after) = rest.split_once("// END").expect(case);
        let (compiles, errors) = compile(case, &format!("{before}{after}"));
        assert!(compiles, "the control of {case} does not compile:\n{errors}");
        let (compiles, errors) = compile(case, &text);
        assert!(!compiles, "{case} compiles");
        assert!(errors.contains(&format!("error[{code}]")), "{case} fails otherwise:\n{errors}");
    }
}

fn compile(case: &str, source: &str) -> (bool, String) {
    let deps = env::current_exe().unwrap().parent().unwrap().to_owned();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("case.rs");
    fs::write(&file, source).unwrap();
    let output = Command::new(env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()))
        .args(["--edition", "2024", "--crate-type", "lib", "--emit", "metadata", "-A", "warnings"])
        .arg("--crate-name")
        .arg(case)
        .arg("-L")
        .arg(format!("dependency={}", deps.display()))
        .arg("--extern")
        .arg(format!("vouchsafe={}", newest(&deps, "vouchsafe").display()))
        .arg("--extern")
        .arg(format!("serde={}", newest(&deps, "serde").display()))
        .arg("--out-dir")
        .arg(folder.path())
        .arg(&file)
        .output()
        .unwrap();
    (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
}

/// The library of this name that was built last.
fn newest(deps: &Path, name: &str) -> PathBuf {
    let built = |file: &PathBuf| {
        fs::metadata(file).and_then(|meta| meta.modified()).unwrap_or(SystemTime::UNIX_EPOCH)
    };
    let prefix = format!("lib{name}-");
    fs::read_dir(deps)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|file| {
            let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
            name.starts_with(&prefix) && name.ends_with(".rlib")
        })
        .max_by_key(built)
        .unwrap()
}
