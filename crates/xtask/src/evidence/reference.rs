use std::{fs, path::Path};

use super::python::{Environment, run};
use crate::{Result, process::Said, workspace::Workspace};

/// The Python environment; `.ci/run` uses the same.
const ENVIRONMENT: Environment = Environment {
    folder: "ci-venv",
    probe: "import onnxruntime, numpy, cv2",
    packages: &["onnxruntime", "numpy", "opencv-python-headless"],
};

/// Has the pipeline write its aligned crops and their embeddings, has the reference embed the same crops, and
/// compares. Crops are compared in the order of their file names.
pub(super) fn measure(workspace: &Workspace) -> Result<Said> {
    let folder = workspace.target().join("evidence/crops");
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    let crops = folder.to_string_lossy();
    let evaluate = ["run", "--locked", "-p", "vouchsafe-cli", "--", "eval", "face"];
    let ours = ["../shared/data/face/verify", "--crops-out", &crops];
    run(workspace, "cargo", &[&evaluate[..], &ours].concat())?;

    let python = ENVIRONMENT.python(workspace)?;
    let theirs = folder.join("reference.f32");
    let reference = ["../shared/tools/face_reference.py", "models/face", "--crops", &crops];
    let mut said = run(workspace, &python, &[&reference[..], &[&theirs.to_string_lossy()]].concat())?;

    let (compared, worst) = difference(&folder.join("embeddings.f32"), &theirs)?;
    said.stdout.push_str(&format!("\ncrops_compared={compared} crops_max={worst:e}\n"));
    Ok(said)
}

/// How many embeddings two files hold, and the greatest difference between their values.
fn difference(ours: &Path, theirs: &Path) -> Result<(usize, f32)> {
    let (ours, theirs) = (values(ours)?, values(theirs)?);
    if ours.len() != theirs.len() || ours.is_empty() {
        return Err(format!("{} values here, {} in the reference", ours.len(), theirs.len()).into());
    }
    let differences = ours.iter().zip(&theirs).map(|(a, b)| (a - b).abs());
    // A NaN on either side is no agreement.
    let worst =
        differences.fold(0.0, |worst: f32, next| if next.is_nan() { f32::INFINITY } else { worst.max(next) });
    Ok((ours.len() / 512, worst))
}

fn values(file: &Path) -> Result<Vec<f32>> {
    let bytes = fs::read(file).map_err(|error| format!("{}: {error}", file.display()))?;
    Ok(bytes.as_chunks::<4>().0.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect())
}
