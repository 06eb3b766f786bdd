//! The face path on one photograph of 626 x 1200 pixels: from bytes to embedding.
#![expect(clippy::unwrap_used, reason = "a bench that cannot run says so")]

use std::hint::black_box;
use std::io::Cursor;
use std::time::Duration;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use vouchsafe::consent::danger::evaluation_permit;
use vouchsafe::consent::{Evaluation, Permit};
use vouchsafe::embed::{CapturePolicy, CaptureSession, FaceEmbedding, FaceEngine, LiveFace};
use vouchsafe::liveness::PassiveJudge;
use vouchsafe::{Image, Limits, Modality, ModelSet, Refusal, Timestamp};

const PHOTOGRAPH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/data/obama2.jpg");
const NOW: Timestamp = Timestamp::UNIX_EPOCH;

struct Scene {
    engine: FaceEngine,
    judge: PassiveJudge,
    permit: Permit<Evaluation>,
}

impl Scene {
    fn capture(&self, picture: Image) -> vouchsafe::Outcome<LiveFace<Evaluation>> {
        let session = CaptureSession::open(&self.engine, &self.permit, CapturePolicy::default(), NOW);
        session.unwrap().submit(picture, &self.judge).unwrap()
    }

    fn live(&self, picture: Image) -> LiveFace<Evaluation> {
        self.capture(picture).or_refuse().unwrap()
    }

    fn embed(&self, face: LiveFace<Evaluation>) -> FaceEmbedding<Evaluation> {
        self.engine.embed(&self.permit, face, NOW).unwrap()
    }
}

fn decode(bytes: &[u8]) -> Image {
    Image::decode(bytes, &Limits::default()).unwrap()
}

/// A grey JPEG as large as the photograph.
fn nobody(like: &Image) -> Vec<u8> {
    let side = |length: usize| u32::try_from(length).unwrap();
    let grey = image::RgbImage::from_pixel(side(like.width()), side(like.height()), image::Rgb([128; 3]));
    let mut bytes = Cursor::new(Vec::new());
    grey.write_to(&mut bytes, image::ImageFormat::Jpeg).unwrap();
    bytes.into_inner()
}

fn face(criterion: &mut Criterion) {
    let photograph = std::fs::read(PHOTOGRAPH).unwrap();
    let models = ModelSet::bundled().unwrap();
    let scene = Scene {
        engine: FaceEngine::load(&models).unwrap(),
        judge: PassiveJudge::default(),
        permit: evaluation_permit(Modality::Face).unwrap(),
    };
    let nobody = nobody(&decode(&photograph));
    assert_eq!(
        scene.capture(decode(&nobody)).or_refuse().err().unwrap().as_slice().first(),
        Some(&Refusal::NoFace)
    );

    let mut group = criterion.benchmark_group("face");
    group.sample_size(10).warm_up_time(Duration::from_secs(1));
    group.bench_function("load models", |bencher| {
        bencher.iter(|| FaceEngine::load(black_box(&models)).unwrap());
    });
    group.bench_function("decode JPEG", |bencher| bencher.iter(|| decode(black_box(&photograph))));
    group.bench_function("detect without a face", |bencher| {
        bencher.iter_batched(|| decode(&nobody), |picture| scene.capture(picture), BatchSize::PerIteration);
    });
    // Detect, landmarks, quality, judge, align.
    group.bench_function("capture", |bencher| {
        bencher.iter_batched(|| decode(&photograph), |picture| scene.live(picture), BatchSize::PerIteration);
    });
    group.bench_function("embed", |bencher| {
        let face = || scene.live(decode(&photograph));
        bencher.iter_batched(face, |face| scene.embed(face), BatchSize::PerIteration);
    });
    group.bench_function("photograph to embedding", |bencher| {
        bencher.iter(|| scene.embed(scene.live(decode(black_box(&photograph)))));
    });
    group.finish();
}

criterion_group!(benches, face);
criterion_main!(benches);
