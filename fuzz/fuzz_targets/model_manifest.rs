//! The manifest of a folder of models: files are read from the folder only, and loaded as their digests say.
#![no_main]

use std::fs;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use ring::digest::{SHA256, digest};
use tempfile::TempDir;
use vouchsafe_embed::{ModelRole, ModelSet};

/// Files named like the shipped ones; each holds its role's name.
static FOLDER: LazyLock<TempDir> = LazyLock::new(|| {
    let folder = TempDir::new().expect("a temporary folder");
    for role in ModelRole::ALL {
        let path = folder.path().join(format!("{role}.onnx"));
        fs::write(path, role.name()).expect("room on the disk");
    }
    folder
});

fuzz_target!(|bytes: &[u8]| {
    let manifest = FOLDER.path().join("manifest.toml");
    // A new file each time: some file systems flush one that is cut and rewritten.
    let _ = fs::remove_file(&manifest);
    fs::write(&manifest, bytes).expect("room on the disk");
    if let Ok(models) = ModelSet::open(FOLDER.path()) {
        for role in ModelRole::ALL {
            let found = digest(&SHA256, models.bytes_of(role));
            assert_eq!(models.digest_of(role).as_bytes().as_slice(), found.as_ref());
        }
    }
});
