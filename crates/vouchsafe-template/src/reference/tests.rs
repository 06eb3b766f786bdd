use super::*;
use crate::TemplateKey;
use vouchsafe_types::Secret;

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|i| u8::from_str_radix(&hex[i..i + 2], 16).unwrap()).collect()
}

/// Name, key, embedding, reference.
fn vectors() -> impl Iterator<Item = (&'static str, TemplateKey, Vector, Vec<u8>)> {
    include_str!("../../tests/vectors/scheme1/references.txt").lines().map(|line| {
        let fields: Vec<_> = line.split(' ').collect();
        let key = TemplateKey::new(Secret::copy_from_slice(&bytes(fields[1])).unwrap());
        (fields[0], key, parse_vector(&bytes(fields[2])).unwrap(), bytes(fields[3]))
    })
}

fn good() -> Vec<u8> {
    vectors().next().unwrap().3
}

fn refused(bytes: &[u8], part: Part) {
    assert_eq!(ProtectedReference::parse(bytes).err(), Some(TemplateError::Malformed(part)), "{part}");
}

/// Promise: WB-1.2-512d
#[test]
fn references_of_the_independent_implementation_are_reproduced() {
    let mut cases = 0;
    for (name, key, embedding, expected) in vectors() {
        let theirs = ProtectedReference::parse(&expected).unwrap();
        let vector = scheme::transform(&key, embedding.expose_vector());
        for (ours, theirs) in vector.expose_vector().iter().zip(theirs.vector.expose_vector()) {
            assert!((ours - theirs).abs() <= f32::EPSILON / 8.0, "{name}: {ours} {theirs}");
        }
        let ours = ProtectedReference { vector, model: theirs.model, modality: Modality::Face }.to_bytes();
        assert_eq!(ours.expose_secret()[..HEADER], expected[..HEADER], "{name}");
        assert_eq!(theirs.to_bytes().expose_secret(), expected, "{name}: one encoding");
        cases += 1;
    }
    assert_eq!(cases, 5);
}

#[test]
fn a_reference_has_512_components_and_2085_bytes() {
    assert_eq!(ProtectedReference::ENCODED_LEN, 2085);
    assert_eq!(good().len(), 2085);
}

#[test]
fn every_length_but_one_is_refused() {
    let good = good();
    for len in 0..good.len() {
        refused(&good[..len], Part::Length);
    }
    refused(&[good.as_slice(), &[0]].concat(), Part::Length);
}

#[test]
fn every_other_header_is_refused() {
    for (offset, part) in [
        (0, Part::Version),
        (1, Part::Scheme),
        (2, Part::Modality),
        (3, Part::Dimension),
        (4, Part::Dimension),
    ] {
        for flip in 1..=255u8 {
            let mut bytes = good();
            bytes[offset] ^= flip;
            refused(&bytes, part);
        }
    }
}

#[test]
fn what_is_no_number_or_no_unit_vector_is_refused() {
    for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        for component in [0, 255, 511] {
            let mut bytes = good();
            let offset = HEADER + 4 * component;
            bytes[offset..offset + 4].copy_from_slice(&value.to_le_bytes());
            refused(&bytes, Part::Value);
        }
    }
    let scaled = |factor: f32| {
        let mut bytes = good();
        for four in bytes[HEADER..].chunks_exact_mut(4) {
            let value = f32::from_le_bytes(four.try_into().unwrap());
            four.copy_from_slice(&(factor * value).to_le_bytes());
        }
        bytes
    };
    for factor in [0.0, 0.5, 0.998, 1.002, 2.0, 1e30] {
        refused(&scaled(factor), Part::Norm);
    }
    assert!(ProtectedReference::parse(&scaled(1.0005)).is_ok());
}

#[test]
fn nothing_secret_is_printed() {
    let reference = ProtectedReference::parse(&good()).unwrap();
    assert_eq!(
        format!("{reference:?} {:?}", reference.to_bytes()),
        "ProtectedReference { .. } SecretBytes { .. }"
    );
}
