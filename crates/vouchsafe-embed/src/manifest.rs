use serde::Deserialize;
use vouchsafe_types::Digest;

use crate::{EmbedError, ModelRole};

/// One model as the manifest names it, parsed.
pub(crate) struct Entry {
    pub(crate) role: ModelRole,
    pub(crate) file: String,
    pub(crate) digest: Digest,
}

/// Reads the models of a manifest of version 1; keys for people (licence, recipe, error rates) are skipped.
pub(crate) fn parse(text: &str) -> Result<Vec<Entry>, EmbedError> {
    let manifest: Manifest = toml::from_str(text).map_err(|_| EmbedError::ModelManifest)?;
    if manifest.manifest != 1 {
        return Err(EmbedError::ModelManifest);
    }
    manifest.model.into_iter().map(|model| entry(model).ok_or(EmbedError::ModelManifest)).collect()
}

fn entry(model: Model) -> Option<Entry> {
    let role = ModelRole::from_name(&model.role)?;
    let digest = Digest::parse(&model.sha256).ok()?;
    (model.input == role.input_shape() && is_plain(&model.file)).then_some(Entry {
        role,
        file: model.file,
        digest,
    })
}

/// A file name without any way out of the directory.
fn is_plain(name: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
    !name.is_empty() && !name.starts_with('.') && name.bytes().all(allowed)
}

#[derive(Deserialize)]
struct Manifest {
    manifest: u32,
    model: Vec<Model>,
}

#[derive(Deserialize)]
struct Model {
    role: String,
    file: String,
    sha256: String,
    input: [usize; 4],
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(role: &str, file: &str, sha: &str, input: &str) -> String {
        format!(
            "manifest = 1\n[[model]]\nrole = \"{role}\"\nfile = \"{file}\"\nsha256 = \"{sha}\"\ninput = {input}\n"
        )
    }

    #[test]
    fn what_is_not_exact_is_refused() {
        let sha = "0".repeat(64);
        let good = text("eye", "eye.onnx", &sha, "[1, 1, 24, 24]");
        assert_eq!(parse(&good).map(|entries| entries.len()), Ok(1));
        for bad in [
            String::new(),
            "manifest = 1".into(),
            good.replace("manifest = 1", "manifest = 2"),
            text("nose", "eye.onnx", &sha, "[1, 1, 24, 24]"),
            text("eye", "../eye.onnx", &sha, "[1, 1, 24, 24]"),
            text("eye", "/etc/passwd", &sha, "[1, 1, 24, 24]"),
            text("eye", "", &sha, "[1, 1, 24, 24]"),
            text("eye", "eye.onnx", &sha.replace('0', "G"), "[1, 1, 24, 24]"),
            text("eye", "eye.onnx", &sha, "[1, 1, 24, 25]"),
            text("eye", "eye.onnx", &sha, "[1, 1, 24]"),
        ] {
            assert_eq!(parse(&bad).err(), Some(EmbedError::ModelManifest), "{bad}");
        }
    }
}
