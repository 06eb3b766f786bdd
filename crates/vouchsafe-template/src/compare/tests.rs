use super::*;
use crate::vector::Vector;
use vouchsafe_consent::{AttestedBy, ConsentLine, ExpressionKind, Gate, Marks, NoticeDraft, Standing};
use vouchsafe_types::{Digest, Modality, OrganisationId, Scope, SubjectPseudonym};

const NOW: Timestamp = Timestamp::UNIX_EPOCH;
const MODEL: Digest = Threshold::SHIPPED_FACE_MODEL;

fn binding() -> Binding {
    let shown = "We store a template of your face. We use it to tell that it is you. \
        We keep it for three years. You agree by ticking the box.";
    let notice = NoticeDraft::new("face", "1", "en", shown.as_bytes())
        .covers(Scope::FACE_VERIFICATION)
        .collected("We store a template of your face.")
        .purpose("We use it to tell that it is you.")
        .term("We keep it for three years.", "P3Y")
        .release("You agree by ticking the box.", [ExpressionKind::Checkbox])
        .schedule(b"three years")
        .material(AttestedBy::PrivacyOfficer)
        .finish()
        .unwrap();
    let subject = SubjectPseudonym::from_bytes([1; 32]);
    let line = ConsentLine::absent(OrganisationId::parse("acme").unwrap(), subject, Scope::FACE_VERIFICATION);
    let line = line.give(&notice, NOW).unwrap();
    let standing = Standing { line: &line, given: Some(&notice), since: &[], marks: Marks::default() };
    let permit = Gate::default().permit(&standing, NOW);
    permit.or_refuse().unwrap().binding().clone()
}

/// A unit vector at this cosine to the first axis.
fn at_cosine(cosine: f32) -> Vector {
    Vector::init_with(|v| {
        v[0] = cosine;
        v[1] = (1.0 - cosine * cosine).sqrt();
    })
}

fn probe(vector: Vector) -> ProtectedProbe {
    let assurance = Assurance::Challenged;
    ProtectedProbe { vector, model: MODEL, modality: Modality::Face, binding: binding(), assurance }
}

fn reference() -> ProtectedReference {
    probe(at_cosine(1.0)).into_reference()
}

fn threshold() -> Threshold {
    Threshold::reported_default(MODEL).unwrap()
}

fn verify(probe: ProtectedProbe) -> Result<Decision, TemplateError> {
    compare(&reference(), probe, &threshold(), NOW)
}

#[test]
fn at_the_threshold_and_above_is_accepted_with_the_probes_evidence() {
    for cosine in [0.4101, 0.5, 1.0] {
        let accepted = verify(probe(at_cosine(cosine))).unwrap().or_refuse().unwrap();
        assert_eq!(*accepted.binding(), binding());
        assert_eq!((accepted.assurance(), accepted.at()), (Assurance::Challenged, NOW));
        assert_eq!(format!("{accepted:?}"), "Accepted { .. }", "no score");
    }
}

#[test]
fn below_the_threshold_is_a_verdict_and_no_error() {
    for cosine in [0.4099, 0.0, -1.0] {
        match verify(probe(at_cosine(cosine))).unwrap() {
            Decision::Rejected(reasons) => assert_eq!(reasons.as_slice(), [Refusal::NoMatch]),
            other => panic!("{cosine}: {other:?}"),
        }
    }
}

#[test]
fn a_probe_without_direction_is_undecided() {
    for value in [0.0, f32::NAN, f32::INFINITY, 5.0] {
        let odd = probe(Vector::init_with(|v| v[0] = value));
        let decision = verify(odd).unwrap();
        assert!(matches!(&decision, Decision::Undecided(_)), "{value}");
        assert!(!decision.is_accepted());
    }
}

#[test]
fn a_reference_without_direction_is_malformed() {
    let odd = probe(Vector::init_with(|v| v[0] = 5.0)).into_reference();
    let outcome = compare(&odd, probe(at_cosine(1.0)), &threshold(), NOW);
    assert_eq!(outcome.err(), Some(TemplateError::Malformed(Part::Norm)));
}

#[test]
fn models_and_modalities_never_mix() {
    let other = Digest::from_bytes([7; 32]);
    let strange = || ProtectedProbe { model: other, ..probe(at_cosine(1.0)) };
    assert_eq!(verify(strange()).err(), Some(TemplateError::ModelMismatch));
    let outcome = compare(&strange().into_reference(), strange(), &threshold(), NOW);
    assert_eq!(outcome.err(), Some(TemplateError::ModelMismatch), "the threshold is for another model");
    let voice = ProtectedProbe { modality: Modality::Voice, ..probe(at_cosine(1.0)) };
    assert_eq!(verify(voice).err(), Some(TemplateError::ModalityMismatch));
}
