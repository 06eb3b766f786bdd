#![doc = include_str!("../MODEL.md")]
#![forbid(unsafe_code)]

/// The manifest of the five models, TOML: digests, licence, shapes, recipe, reported error rates.
pub const MANIFEST: &str = include_str!("../manifest.toml");

/// The licence of the five ONNX files. It is not this crate's own code's licence.
pub const LICENCE: &str = include_str!("../LICENSE-MODELS");

/// The bytes of a model by its file name in the manifest; `None` for any other name.
///
/// ```
/// assert!(vouchsafe_models_face::file("fr_feature.onnx").is_some());
/// assert!(vouchsafe_models_face::file("../fr_feature.onnx").is_none());
/// ```
pub fn file(name: &str) -> Option<&'static [u8]> {
    match name {
        "fr_detect.onnx" => Some(include_bytes!("../fr_detect.onnx")),
        "fr_eye.onnx" => Some(include_bytes!("../fr_eye.onnx")),
        "fr_feature.onnx" => Some(include_bytes!("../fr_feature.onnx")),
        "fr_landmark.onnx" => Some(include_bytes!("../fr_landmark.onnx")),
        "fr_liveness.onnx" => Some(include_bytes!("../fr_liveness.onnx")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_file_of_the_manifest_is_here() {
        let named =
            super::MANIFEST.lines().filter_map(|line| line.strip_prefix("file = \"")?.strip_suffix('"'));
        let found: Vec<_> = named.map(|name| super::file(name).map(<[u8]>::len)).collect();
        assert_eq!(found.len(), 5);
        assert!(found.iter().all(|length| length.is_some_and(|bytes| bytes > 100_000)));
    }
}
