//! Graphs that answer what a test wants, permits, and a picture without anybody on it.

use image::codecs::png::PngEncoder;
use image::{ExtendedColorType, ImageEncoder};
use vouchsafe_consent::{
    AttestedBy, ConsentLine, Consented, ExpressionKind, Gate, Marks, NoticeDraft, Permit, Standing,
};
use vouchsafe_embed::{
    Assurance, EmbedError, FaceEngine, FaceScene, Graphs, Image, Inference, Judge, Judgement, Limits, Outputs,
};
use vouchsafe_types::{Digest, OrganisationId, Reasons, Refusal, Scope, SubjectPseudonym, Timestamp};

/// A graph that gives the same outputs for every input.
pub(crate) struct Fixed(pub(crate) Vec<Vec<f32>>);

impl Inference for Fixed {
    fn run(&self, _: &[f32]) -> Result<Outputs, EmbedError> {
        Ok(Outputs::new(self.0.iter().map(|output| output.clone().into()).collect()))
    }
}

/// A detector that finds these boxes: corners in widths and heights of the picture.
pub(crate) fn detector(faces: &[[f32; 4]]) -> Fixed {
    let (mut scores, mut boxes) = (vec![0.0; 4420 * 2], vec![0.0; 4420 * 4]);
    for (i, face) in faces.iter().enumerate() {
        scores[i * 2 + 1] = 0.99;
        boxes[i * 4..i * 4 + 4].copy_from_slice(face);
    }
    Fixed(vec![scores, boxes])
}

/// A frontal face that fills the landmark crop.
pub(crate) fn frontal() -> Fixed {
    let mut points = [[0.5f32, 0.5]; 68];
    points[36..42].fill([0.33, 0.4]);
    points[42..48].fill([0.67, 0.4]);
    (points[30], points[48], points[54]) = ([0.5, 0.58], [0.36, 0.78], [0.64, 0.78]);
    Fixed(vec![points.concat()])
}

pub(crate) fn engine(faces: &[[f32; 4]], feature: Vec<f32>) -> FaceEngine {
    let graphs = Graphs {
        detect: Box::new(detector(faces)),
        eye: Box::new(Fixed(vec![vec![0.0, 1.0]])),
        feature: Box::new(Fixed(vec![feature])),
        landmark: Box::new(frontal()),
        liveness: Box::new(Fixed(vec![vec![3.0, 0.0, 0.0]])),
    };
    FaceEngine::from_graphs(graphs, Digest::from_bytes([7; 32]))
}

/// One face in the middle.
pub(crate) const ONE: [[f32; 4]; 1] = [[0.25, 0.25, 0.75, 0.75]];

/// A 320x320 picture of squares between two grey levels.
pub(crate) fn picture(low: u8, high: u8) -> Image {
    let level = |i: usize| if (i % 320 / 12 + i / 320 / 12).is_multiple_of(2) { low } else { high };
    let grey: Vec<u8> = (0..320 * 320).map(level).collect();
    let mut file = Vec::new();
    PngEncoder::new(&mut file).write_image(&grey, 320, 320, ExtendedColorType::L8).unwrap();
    Image::decode(&file, &Limits::default()).unwrap()
}

pub(crate) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

/// A permit issued at second 10, alive for five minutes.
pub(crate) fn permit(subject: u8, scope: Scope) -> Permit<Consented> {
    let organisation = OrganisationId::parse("acme").unwrap();
    let shown = "We store a template of your face. We use it to tell that it is you. \
        We keep it for three years. You agree by ticking the box.";
    let notice = NoticeDraft::new("face", "1", "en", shown.as_bytes())
        .covers(scope)
        .collected("We store a template of your face.")
        .purpose("We use it to tell that it is you.")
        .term("We keep it for three years.", "P3Y")
        .release("You agree by ticking the box.", [ExpressionKind::Checkbox])
        .schedule(b"three years")
        .material(AttestedBy::PrivacyOfficer)
        .finish()
        .unwrap();
    let line = ConsentLine::absent(organisation, SubjectPseudonym::from_bytes([subject; 32]), scope);
    let line = line.give(&notice, at(10)).unwrap();
    let standing = Standing { line: &line, given: Some(&notice), since: &[], marks: Marks::default() };
    Gate::default().permit(&standing, at(10)).or_refuse().unwrap()
}

/// Accepts whatever it sees, after looking at it as a judge does.
pub(crate) struct Accepts;

impl Judge for Accepts {
    fn judge(&self, scene: &FaceScene<'_>) -> Result<Judgement, EmbedError> {
        let crop = scene.crop(2.7, 128);
        assert_eq!(crop.expose_pixels().len(), 3 * 128 * 128);
        assert!(crop.expose_pixels().iter().all(|value| (0.0..=255.0).contains(value)));
        assert_eq!(scene.liveness(crop.expose_pixels())?.expose_output(0).len(), 3);
        assert_eq!(scene.expose_landmarks().len(), 68);
        Ok(Judgement::Live(Assurance::Challenged))
    }
}

pub(crate) struct Refuses;

impl Judge for Refuses {
    fn judge(&self, _: &FaceScene<'_>) -> Result<Judgement, EmbedError> {
        Ok(Judgement::Refused(Reasons::one(Refusal::PresentationAttackSuspected)))
    }
}

pub(crate) struct Breaks;

impl Judge for Breaks {
    fn judge(&self, _: &FaceScene<'_>) -> Result<Judgement, EmbedError> {
        Err(EmbedError::JudgeUnavailable)
    }
}
