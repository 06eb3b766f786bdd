//! The recipe over the real models, against scores of an independent implementation (Python, other engine,
//! other decoder and resampler).

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use vouchsafe_consent::{Evaluation, Permit, danger::evaluation_permit};
use vouchsafe_embed::{
    CapturePolicy, CaptureSession, EmbedError, FaceEngine, Image, Limits, ModelRole, ModelSet, danger,
};
use vouchsafe_types::{Modality, Outcome, Reasons, Refusal};

use crate::fake::{Accepts, at, picture};

fn engine() -> (FaceEngine, Permit<Evaluation>) {
    let engine = FaceEngine::load(&ModelSet::bundled().unwrap()).unwrap();
    (engine, evaluation_permit(Modality::Face).unwrap())
}

#[test]
fn the_bundled_models_load_and_find_nobody_in_squares() {
    let (engine, permit) = engine();
    let models = ModelSet::bundled().unwrap();
    assert_eq!(engine.model_digest(), models.digest_of(ModelRole::Feature));
    assert!(danger::evaluate(&engine, &permit, &picture(80, 160)).unwrap().is_none());
    assert_eq!(danger::embed_crop(&engine, &permit, &[0; 7]).unwrap_err(), EmbedError::CropSize);
}

/// The shipped directory and the bundled bytes are the same models.
#[test]
fn the_directory_of_models_opens() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/face");
    if !directory.exists() {
        eprintln!("skipped: models/face is not beside the crate");
        return;
    }
    let (open, bundled) = (ModelSet::open(directory).unwrap(), ModelSet::bundled().unwrap());
    assert!(ModelRole::ALL.into_iter().all(|role| open.digest_of(role) == bundled.digest_of(role)));
}

/// What is measured: 12 people, 88 pictures, every pair. The tolerance covers decoder and resampler.
#[test]
fn scores_agree_with_the_independent_implementation() {
    let shared = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let (pictures, golden) = (shared.join("data/face/verify"), shared.join("golden/face_pairs.csv"));
    let Ok(golden) = std::fs::read_to_string(golden) else {
        eprintln!("skipped: the evaluation pictures are not beside the workspace");
        return;
    };
    let (engine, permit) = engine();
    let mut embeddings: HashMap<&str, Vec<f32>> = HashMap::new();
    let (mut worst, mut sum, mut count) = (0f32, 0f32, 0u16);
    for line in golden.lines().skip(1) {
        let [a, b, _, cosine] = line.split(',').collect::<Vec<_>>().try_into().unwrap();
        for name in [a, b] {
            embeddings.entry(name).or_insert_with(|| embed(&engine, &permit, pictures.join(name)));
        }
        let own: f32 = embeddings[a].iter().zip(&embeddings[b]).map(|(x, y)| x * y).sum();
        let difference = (own - cosine.parse::<f32>().unwrap()).abs();
        (worst, sum, count) = (worst.max(difference), sum + difference, count + 1);
    }
    let mean = sum / f32::from(count);
    assert!(count > 3_000 && worst <= 0.05 && mean <= 0.01, "pairs {count}, worst {worst}, mean {mean}");
}

/// What the defaults of [`CapturePolicy`] claim: of 88 pictures only the one with two faces is refused.
#[test]
fn the_quality_gate_refuses_no_usable_picture() {
    let pictures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/face/verify");
    let mut files = Vec::new();
    collect(&pictures, &mut files);
    if files.is_empty() {
        eprintln!("skipped: the evaluation pictures are not beside the workspace");
        return;
    }
    let (engine, permit) = engine();
    let refusal = |path: &PathBuf| {
        let session = CaptureSession::open(&engine, &permit, CapturePolicy::default(), at(0)).unwrap();
        match session.submit(decode(path), &Accepts).unwrap() {
            Outcome::Done(_) => None,
            Outcome::Refused(reasons) => Some(reasons),
        }
    };
    let refusals: Vec<Reasons> = files.iter().filter_map(refusal).collect();
    assert_eq!(files.len(), 88);
    assert_eq!(refusals, [Reasons::one(Refusal::SeveralFaces)]);
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() { collect(&path, files) } else { files.push(path) }
    }
}

fn decode(path: &Path) -> Image {
    Image::decode(&std::fs::read(path).unwrap(), &Limits::default()).unwrap()
}

fn embed(engine: &FaceEngine, permit: &Permit<Evaluation>, path: PathBuf) -> Vec<f32> {
    let image = decode(&path);
    let evaluated = danger::evaluate(engine, permit, &image).unwrap().unwrap();
    evaluated.embedding().expose_embedding().to_vec()
}
