use std::fmt;

use vouchsafe_types::{Digest, Modality, SecretBytes};

use crate::vector::{DIMENSION, Vector};
use crate::{Part, TemplateError, scheme};

/// A protected biometric reference (ISO/IEC 2382-37): what enrolment stores, sealed, for one person and scope.
///
/// # Format, version 1
///
/// 2,085 bytes, no other length; integers and floats are little-endian.
///
/// | offset | bytes | field |
/// |---|---|---|
/// | 0 | 1 | version, 1 |
/// | 1 | 1 | protection scheme, 1 ([`scheme`]) |
/// | 2 | 1 | modality, 1 = face |
/// | 3 | 2 | dimension, 512 |
/// | 5 | 32 | SHA-256 of the model that made the embedding |
/// | 37 | 2,048 | 512 IEEE 754 binary32 components; finite, length 1 within a thousandth |
#[must_use]
pub struct ProtectedReference {
    pub(crate) vector: Vector,
    pub(crate) model: Digest,
    pub(crate) modality: Modality,
}

impl ProtectedReference {
    /// The number of bytes of a reference.
    pub const ENCODED_LEN: usize = HEADER + 4 * DIMENSION;

    /// SHA-256 of the model that made the embedding.
    pub const fn model(&self) -> Digest {
        self.model
    }

    /// What was measured.
    pub const fn modality(&self) -> Modality {
        self.modality
    }

    /// Encodes the reference; the bytes are secret and go into the envelope.
    pub fn to_bytes(&self) -> SecretBytes {
        // The capacity is exact: growing would leave unwiped copies behind.
        let mut bytes = Vec::with_capacity(Self::ENCODED_LEN);
        bytes.extend_from_slice(&[VERSION, scheme::ID, FACE]);
        bytes.extend_from_slice(&DIMENSION_CODE.to_le_bytes());
        bytes.extend_from_slice(self.model.as_bytes());
        for value in self.vector.expose_vector() {
            bytes.extend_from_slice(&value.to_le_bytes());
        }
        SecretBytes::new(bytes)
    }

    /// Reads a reference back. The caller wipes the bytes.
    ///
    /// # Errors
    /// [`TemplateError::Malformed`] with the first [`Part`] that differs from the format above.
    pub fn parse(bytes: &[u8]) -> Result<Self, TemplateError> {
        let malformed = TemplateError::Malformed;
        let (&[version, scheme, modality, low, high], rest) =
            bytes.split_first_chunk().ok_or(malformed(Part::Length))?;
        let checks = [
            (version == VERSION, Part::Version),
            (scheme == scheme::ID, Part::Scheme),
            (modality == FACE, Part::Modality),
            (u16::from_le_bytes([low, high]) == DIMENSION_CODE, Part::Dimension),
            (bytes.len() == Self::ENCODED_LEN, Part::Length),
        ];
        if let Some((_, part)) = checks.into_iter().find(|(holds, _)| !holds) {
            return Err(malformed(part));
        }
        let (model, values) = rest.split_first_chunk::<32>().ok_or(malformed(Part::Length))?;
        let vector = parse_vector(values)?;
        Ok(Self { vector, model: Digest::from_bytes(*model), modality: Modality::Face })
    }
}

impl fmt::Debug for ProtectedReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProtectedReference").finish_non_exhaustive()
    }
}

fn parse_vector(bytes: &[u8]) -> Result<Vector, TemplateError> {
    let vector = Vector::init_with(|values| {
        for (value, four) in values.iter_mut().zip(bytes.chunks_exact(4)) {
            if let &[a, b, c, d] = four {
                *value = f32::from_le_bytes([a, b, c, d]);
            }
        }
    });
    if !vector.is_finite() {
        return Err(TemplateError::Malformed(Part::Value));
    }
    if !vector.is_unit() {
        return Err(TemplateError::Malformed(Part::Norm));
    }
    Ok(vector)
}

const VERSION: u8 = 1;
const FACE: u8 = 1;
const DIMENSION_CODE: u16 = 512;
const HEADER: usize = 3 + 2 + 32;

#[cfg(test)]
#[path = "reference/tests.rs"]
mod tests;
