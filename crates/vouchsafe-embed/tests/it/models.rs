//! Reading a directory of models.

use std::fs;
use std::path::Path;

use ring::digest::{SHA256, digest};
use vouchsafe_embed::{EmbedError, ModelRole, ModelSet};

/// A directory whose files are what its manifest says.
fn directory() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let mut manifest = String::from("manifest = 1\n");
    for role in ModelRole::ALL {
        let bytes = format!("stand-in for {role}");
        fs::write(directory.path().join(format!("{role}.onnx")), &bytes).unwrap();
        let hash: String =
            digest(&SHA256, bytes.as_bytes()).as_ref().iter().map(|b| format!("{b:02x}")).collect();
        let shape = role.input_shape();
        manifest += &format!(
            "[[model]]\nrole = \"{role}\"\nfile = \"{role}.onnx\"\nsha256 = \"{hash}\"\ninput = {shape:?}\n"
        );
    }
    fs::write(directory.path().join("manifest.toml"), manifest).unwrap();
    directory
}

fn open(path: &Path) -> Option<EmbedError> {
    ModelSet::open(path).err()
}

#[test]
fn a_whole_directory_opens() {
    let directory = directory();
    let models = ModelSet::open(directory.path()).unwrap();
    assert_eq!(models.bytes_of(ModelRole::Eye), b"stand-in for eye");
    assert_ne!(models.digest_of(ModelRole::Eye), models.digest_of(ModelRole::Detect));
}

#[test]
fn a_changed_model_is_named() {
    let directory = directory();
    fs::write(directory.path().join("eye.onnx"), "stand-in for eyf").unwrap();
    let error = open(directory.path()).unwrap();
    assert_eq!(error, EmbedError::ModelCorrupt { model: ModelRole::Eye });
    assert_eq!(error.to_string(), "the eye model does not match its digest");
}

#[test]
fn what_is_missing_is_named() {
    let directory = directory();
    fs::remove_file(directory.path().join("eye.onnx")).unwrap();
    assert_eq!(open(directory.path()), Some(EmbedError::ModelUnreadable { model: ModelRole::Eye }));
    fs::remove_file(directory.path().join("manifest.toml")).unwrap();
    assert_eq!(open(directory.path()), Some(EmbedError::ManifestUnreadable));
}

#[test]
fn a_manifest_that_misses_or_repeats_a_model_is_malformed() {
    let directory = directory();
    let path = directory.path().join("manifest.toml");
    let whole = fs::read_to_string(&path).unwrap();
    let last = whole.rfind("[[model]]").unwrap();
    for manifest in [whole[..last].to_owned(), format!("{whole}{}", &whole[last..]), "\u{0}".into()] {
        fs::write(&path, manifest).unwrap();
        assert_eq!(open(directory.path()), Some(EmbedError::ModelManifest));
    }
}

#[cfg(feature = "engine-tract")]
#[test]
fn what_is_no_graph_is_named() {
    let models = ModelSet::open(directory().path()).unwrap();
    let error = vouchsafe_embed::FaceEngine::load(&models).unwrap_err();
    assert!(matches!(error, EmbedError::ModelGraph { .. }), "{error}");
}
