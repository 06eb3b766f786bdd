use std::fmt;
use std::marker::PhantomData;

use vouchsafe_consent::{Basis, Binding};
use vouchsafe_types::Digest;
use zeroize::Zeroize;

use crate::Assurance;

/// A face as 512 numbers of length 1, with whom and what it belongs to. Wiped on drop.
///
/// Raw embeddings can be inverted to a lookalike, so this is neither stored nor printed nor cloned:
///
/// ```compile_fail
/// use vouchsafe_embed::FaceEmbedding;
/// fn copy(e: FaceEmbedding<vouchsafe_consent::Consented>) -> FaceEmbedding<vouchsafe_consent::Consented> {
///     e.clone()
/// }
/// ```
/// ```compile_fail
/// fn show(e: vouchsafe_embed::FaceEmbedding<vouchsafe_consent::Consented>) {
///     println!("{e}");
/// }
/// ```
/// ```compile_fail
/// fn store<T: serde::Serialize>(_: T) {}
/// fn leak(e: vouchsafe_embed::FaceEmbedding<vouchsafe_consent::Consented>) {
///     store(e);
/// }
/// ```
#[must_use]
pub struct FaceEmbedding<B: Basis> {
    // INVARIANT (unit length): finite numbers whose squares add to 1 within rounding.
    values: Box<[f32; 512]>,
    binding: Binding,
    assurance: Assurance,
    model: Digest,
    basis: PhantomData<B>,
}

impl<B: Basis> FaceEmbedding<B> {
    /// How many numbers.
    pub const DIM: usize = 512;

    /// Normalises; `None` when the values are not 512 finite numbers or their length is 0.
    pub(crate) fn normalised(
        raw: &[f32],
        binding: Binding,
        assurance: Assurance,
        model: Digest,
    ) -> Option<Self> {
        let norm = raw.iter().map(|&v| f64::from(v) * f64::from(v)).sum::<f64>().sqrt();
        if raw.len() != Self::DIM || !norm.is_finite() || norm < 1e-6 {
            return None;
        }
        let mut own = Self { values: Box::new([0.0; 512]), binding, assurance, model, basis: PhantomData };
        for (value, raw) in own.values.iter_mut().zip(raw) {
            *value = narrow(f64::from(*raw) / norm);
        }
        Some(own)
    }

    /// Whom and what it belongs to.
    pub const fn binding(&self) -> &Binding {
        &self.binding
    }

    /// How much the capture vouches for.
    pub const fn assurance(&self) -> Assurance {
        self.assurance
    }

    /// SHA-256 of the model that made it; embeddings of different models do not compare.
    pub const fn model(&self) -> Digest {
        self.model
    }

    /// The 512 numbers, each -1..=1. Grep for this name to find every reader.
    pub fn expose_embedding(&self) -> &[f32; 512] {
        &self.values
    }
}

#[expect(clippy::cast_possible_truncation, reason = "rounding to f32 is meant")]
const fn narrow(value: f64) -> f32 {
    value as f32
}

impl<B: Basis> Drop for FaceEmbedding<B> {
    fn drop(&mut self) {
        self.values.zeroize();
    }
}

impl<B: Basis> fmt::Debug for FaceEmbedding<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FaceEmbedding").finish_non_exhaustive()
    }
}
