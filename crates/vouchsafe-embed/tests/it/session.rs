//! The capture session over graphs that answer what the test wants.

use vouchsafe_consent::Consented;
use vouchsafe_embed::{
    Assurance, CapturePolicy, CaptureSession, EmbedError, FaceEngine, Image, Judge, LiveFace,
};
use vouchsafe_types::{Modality, Outcome, Purpose, Refusal, Role, Scope};

use crate::fake::{Accepts, Breaks, ONE, Refuses, at, engine, permit, picture};

fn capture(
    engine: &FaceEngine,
    image: Image,
    judge: &dyn Judge,
) -> Result<Outcome<LiveFace<Consented>>, EmbedError> {
    let permit = permit(1, Scope::FACE_VERIFICATION);
    CaptureSession::open(engine, &permit, CapturePolicy::default(), at(11))?.submit(image, judge)
}

fn refusals(faces: &[[f32; 4]], image: Image, judge: &dyn Judge) -> Vec<Refusal> {
    let outcome = capture(&engine(faces, vec![1.0; 512]), image, judge).unwrap();
    outcome.or_refuse().map_or_else(|reasons| reasons.as_slice().to_vec(), |_| vec![])
}

#[test]
fn a_good_capture_becomes_an_embedding_of_length_one() {
    let engine = engine(&ONE, (0..512).map(|i| i as f32).collect());
    let face = capture(&engine, picture(80, 160), &Accepts).unwrap().or_refuse().unwrap();
    assert_eq!(face.assurance(), Assurance::Challenged);
    let permit = permit(1, Scope::FACE_VERIFICATION);
    let embedding = engine.embed(&permit, face, at(12)).unwrap();
    let length: f32 = embedding.expose_embedding().iter().map(|v| v * v).sum();
    assert!((length - 1.0).abs() < 1e-6);
    assert_eq!(embedding.binding(), permit.binding());
    assert_eq!(embedding.assurance(), Assurance::Challenged);
    assert_eq!(embedding.model(), engine.model_digest());
    assert_eq!(format!("{embedding:?} {engine:?}").matches("..").count(), 2);
}

#[test]
fn what_is_wrong_with_a_capture_is_said() {
    let good = || picture(80, 160);
    assert_eq!(refusals(&ONE, good(), &Accepts), []);
    assert_eq!(refusals(&[], good(), &Accepts), [Refusal::NoFace]);
    let two = [[0.0, 0.2, 0.4, 0.6], [0.6, 0.2, 1.0, 0.6]];
    assert_eq!(refusals(&two, good(), &Accepts), [Refusal::SeveralFaces]);
    let bystander = [ONE[0], [0.0, 0.0, 0.1, 0.1]];
    assert_eq!(refusals(&bystander, good(), &Accepts), []);
    assert_eq!(refusals(&ONE, picture(0, 20), &Accepts), [Refusal::TooDark]);
    assert_eq!(refusals(&ONE, picture(235, 255), &Accepts), [Refusal::TooBright]);
    assert_eq!(refusals(&ONE, picture(120, 120), &Accepts), [Refusal::TooBlurred]);
    // A face that is enlarged is blurred, too.
    assert!(refusals(&[[0.4, 0.4, 0.5, 0.5]], good(), &Accepts).contains(&Refusal::FaceTooSmall));
    assert_eq!(refusals(&ONE, good(), &Refuses), [Refusal::PresentationAttackSuspected]);
}

/// A judge that fails is no verdict, and the session gives no face.
#[test]
fn a_broken_judge_is_an_error() {
    let error = capture(&engine(&ONE, vec![1.0; 512]), picture(80, 160), &Breaks).unwrap_err();
    assert_eq!(error, EmbedError::JudgeUnavailable);
    assert!(error.is_retryable());
}

/// Promise: WB-11-consent-first
#[test]
fn a_stale_permit_or_one_for_something_else_opens_nothing() {
    let engine = engine(&ONE, vec![1.0; 512]);
    let live = permit(1, Scope::FACE_VERIFICATION);
    let open =
        |permit, second| CaptureSession::open(&engine, permit, CapturePolicy::default(), at(second)).err();
    assert_eq!(open(&live, 11), None);
    assert_eq!(open(&live, 10 + 300), Some(EmbedError::PermitStale));
    let voice = Scope::new(Some(Modality::Voice), Role::EndUser, Purpose::Verification).unwrap();
    assert_eq!(open(&permit(1, voice), 11), Some(EmbedError::NotForFace));
}

/// Promise: WB-11-consent-first
#[test]
fn a_face_is_embedded_only_under_the_permit_it_was_captured_under() {
    let engine = engine(&ONE, vec![1.0; 512]);
    let face = || capture(&engine, picture(80, 160), &Accepts).unwrap().or_refuse().unwrap();
    let own = permit(1, Scope::FACE_VERIFICATION);
    assert_eq!(engine.embed(&own, face(), at(310)).unwrap_err(), EmbedError::PermitStale);
    for other in [permit(2, Scope::FACE_VERIFICATION), permit(1, Scope::ADMIN_FACE_VERIFICATION)] {
        assert_eq!(engine.embed(&other, face(), at(12)).unwrap_err(), EmbedError::BindingMismatch);
    }
}

#[test]
fn an_unusable_model_output_is_an_error() {
    let permit = permit(1, Scope::FACE_VERIFICATION);
    let mut infinite = vec![1.0; 512];
    infinite[3] = f32::INFINITY;
    for output in [vec![0.0; 512], vec![f32::NAN; 512], infinite, vec![1.0; 511], vec![]] {
        let engine = engine(&ONE, output);
        let face = capture(&engine, picture(80, 160), &Accepts).unwrap().or_refuse().unwrap();
        let error = engine.embed(&permit, face, at(12)).unwrap_err();
        assert_eq!(error.to_string(), "the feature model gave an unusable output");
        assert!(!error.is_retryable());
    }
}

#[test]
fn boxes_that_are_not_numbers_are_no_faces() {
    for face in [[f32::NAN; 4], [0.5, 0.5, 0.4, 0.4], [f32::NEG_INFINITY, 0.0, f32::INFINITY, 1.0]] {
        assert_eq!(refusals(&[face], picture(80, 160), &Accepts), [Refusal::NoFace]);
    }
}

#[test]
fn the_engine_is_shared_between_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<FaceEngine>();
}

#[cfg(feature = "test-util")]
#[test]
fn a_supplied_embedding_is_normalised() {
    use vouchsafe_embed::danger::supplied_embedding;
    use vouchsafe_types::Digest;
    let permit = permit(1, Scope::FACE_VERIFICATION);
    let embedding = supplied_embedding(&permit, &[2.0; 512], Digest::from_bytes([1; 32])).unwrap();
    assert!(embedding.expose_embedding().iter().all(|v| (v - 512f32.sqrt().recip()).abs() < 1e-7));
    assert!(supplied_embedding(&permit, &[0.0; 512], Digest::from_bytes([1; 32])).is_err());
}
