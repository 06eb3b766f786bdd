//! From consent to a decision, with embeddings from numbers instead of faces.

use vouchsafe_consent::{
    AttestedBy, ConsentLine, Consented, ExpressionKind, Gate, Marks, NoticeDraft, Permit, Standing,
};
use vouchsafe_embed::danger::supplied_embedding;
use vouchsafe_template::{
    Decision, ProtectedProbe, ProtectedReference, TemplateError, TemplateKey, Threshold, compare, protect,
};
use vouchsafe_types::{Digest, OrganisationId, Refusal, Scope, Secret, SubjectPseudonym, Timestamp};

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

fn permit() -> Permit<Consented> {
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
    Gate::default().permit(&standing, NOW).or_refuse().unwrap()
}

fn key(byte: u8) -> TemplateKey {
    TemplateKey::new(Secret::init_with(|key| key.fill(byte)))
}

/// A face: 512 numbers around 0 that only this seed gives, with a little noise of this capture.
#[expect(clippy::cast_possible_truncation, reason = "512 places")]
fn face(seed: u32, capture: u32) -> [f32; 512] {
    let hash = |x: u32| {
        let x = (x ^ x >> 16).wrapping_mul(0x45d9_f3b5);
        let x = (x ^ x >> 16).wrapping_mul(0x45d9_f3b5);
        (x ^ x >> 16) as f32 / u32::MAX as f32 - 0.5
    };
    std::array::from_fn(|i| {
        hash(1000 * seed + i as u32) + 0.3 * hash(0x8000_0000 + 1000 * capture + i as u32)
    })
}

fn probe(key: &TemplateKey, values: &[f32; 512]) -> ProtectedProbe {
    probe_of_model(key, values, Threshold::SHIPPED_FACE_MODEL)
}

fn probe_of_model(key: &TemplateKey, values: &[f32; 512], model: Digest) -> ProtectedProbe {
    protect(key, supplied_embedding(&permit(), values, model).unwrap())
}

fn verify(reference: &ProtectedReference, probe: ProtectedProbe) -> Result<Decision, TemplateError> {
    compare(reference, probe, &Threshold::reported_default(Threshold::SHIPPED_FACE_MODEL)?, NOW)
}

fn enrolled() -> ProtectedReference {
    let stored = probe(&key(1), &face(7, 1)).into_reference().to_bytes();
    ProtectedReference::parse(stored.expose_secret()).unwrap()
}

/// Promise: WB-1.2-512d
#[test]
fn the_same_person_is_accepted_with_the_evidence_of_the_permit() {
    let reference = enrolled();
    for capture in 1..20 {
        let accepted = verify(&reference, probe(&key(1), &face(7, capture))).unwrap().or_refuse().unwrap();
        assert_eq!(accepted.binding(), permit().binding());
        assert_eq!(accepted.at(), NOW);
    }
}

#[test]
fn strangers_and_other_keys_are_rejected() {
    let reference = enrolled();
    for seed in 8..60 {
        let refused = verify(&reference, probe(&key(1), &face(seed, 2))).unwrap().or_refuse().unwrap_err();
        assert_eq!(refused.as_slice(), [Refusal::NoMatch], "stranger {seed}");
    }
    for byte in 2..60 {
        let refused = verify(&reference, probe(&key(byte), &face(7, 1))).unwrap().or_refuse().unwrap_err();
        assert_eq!(refused.as_slice(), [Refusal::NoMatch], "key {byte}: a renewed template is another");
    }
}

#[test]
fn another_model_is_no_verdict() {
    let strange = probe_of_model(&key(1), &face(7, 1), Digest::from_bytes([9; 32]));
    assert_eq!(verify(&enrolled(), strange).err(), Some(TemplateError::ModelMismatch));
}

#[test]
fn two_protections_of_one_capture_are_equal_and_a_renewed_one_is_not() {
    let bytes = |byte| probe(&key(byte), &face(7, 1)).into_reference().to_bytes();
    assert_eq!(bytes(1).expose_secret(), bytes(1).expose_secret());
    assert_ne!(bytes(1).expose_secret(), bytes(2).expose_secret());
}
