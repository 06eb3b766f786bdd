use std::fmt;

use zeroize::Zeroize;

/// Components of a face embedding and of its protected form.
pub(crate) const DIMENSION: usize = 512;

/// How far the Euclidean length of a vector may be from 1.
const NORM_TOLERANCE: f64 = 1e-3;

/// A 512-d vector on the heap: wiped on drop, never cloned, printed or serialised.
pub(crate) struct Vector(Box<[f32; DIMENSION]>);

impl Vector {
    /// Lets the closure write the components straight into their final place.
    pub(crate) fn init_with(write: impl FnOnce(&mut [f32; DIMENSION])) -> Self {
        let mut vector = Self(Box::new([0.0; DIMENSION]));
        write(&mut vector.0);
        vector
    }

    pub(crate) fn expose_vector(&self) -> &[f32; DIMENSION] {
        &self.0
    }

    pub(crate) fn is_finite(&self) -> bool {
        self.0.iter().all(|value| value.is_finite())
    }

    /// Whether the vector is finite and its length is 1 within a thousandth.
    pub(crate) fn is_unit(&self) -> bool {
        self.is_finite() && (self.dot(self).sqrt() - 1.0).abs() <= NORM_TOLERANCE
    }

    /// The inner product, accumulated in f64.
    pub(crate) fn dot(&self, other: &Self) -> f64 {
        self.0.iter().zip(other.0.iter()).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum()
    }

    /// The cosine of two unit vectors, corrected for what rounding left of their lengths.
    pub(crate) fn cosine(&self, other: &Self) -> f64 {
        self.dot(other) / (self.dot(self) * other.dot(other)).sqrt()
    }
}

impl Drop for Vector {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for Vector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vector").finish_non_exhaustive()
    }
}
