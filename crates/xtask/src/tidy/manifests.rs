//! The digests of the model files.

use std::fs;

use ring::digest::{SHA256, digest};
use toml::{Table, Value};

use crate::{Result, workspace::Workspace};

/// Checks every `models/*/manifest.toml` against the files beside it.
pub(super) fn problems(workspace: &Workspace) -> Result<Vec<String>> {
    let mut problems = Vec::new();
    for entry in fs::read_dir(workspace.join("models"))? {
        let folder = format!("models/{}", entry?.file_name().to_string_lossy());
        let manifest: Table = workspace.read(&format!("{folder}/manifest.toml"))?.parse()?;
        let listed = listed(&manifest);
        for (file, stated) in &listed {
            let found = fs::read(workspace.join(&format!("{folder}/{file}"))).map(|bytes| hex(&bytes));
            if found.as_ref().ok() != Some(stated) {
                problems.push(format!("{folder}/{file}: is not the file whose digest the manifest states"));
            }
        }
        problems.extend(unlisted(workspace, &folder, &listed)?);
    }
    Ok(problems)
}

/// File names and digests of a manifest's models.
fn listed(manifest: &Table) -> Vec<(String, String)> {
    let models = manifest.get("model").and_then(Value::as_array).into_iter().flatten();
    let text =
        |model: &Value, key: &str| model.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    models.map(|model| (text(model, "file"), text(model, "sha256"))).collect()
}

/// Weights that no manifest names.
fn unlisted(workspace: &Workspace, folder: &str, listed: &[(String, String)]) -> Result<Vec<String>> {
    let files = workspace.files()?;
    let weights = files.iter().filter(|file| file.ends_with(".onnx"));
    Ok(weights
        .filter_map(|file| file.strip_prefix(&format!("{folder}/")))
        .filter(|file| !listed.iter().any(|(known, _)| known == file))
        .map(|file| format!("{folder}/{file}: is not in the manifest"))
        .collect())
}

fn hex(bytes: &[u8]) -> String {
    digest(&SHA256, bytes).as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}
