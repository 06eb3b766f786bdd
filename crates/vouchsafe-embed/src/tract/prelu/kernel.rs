//! The inner loop of `PRelu` over one plane.

/// Replaces every value that is not above 0 by its product with the slope.
pub(super) fn prelu(values: &mut [f32], slope: f32) {
    #[cfg(target_arch = "x86_64")]
    if std::is_x86_feature_detected!("avx2") {
        // SAFETY: the processor has AVX2, as the line above found out.
        #[expect(unsafe_code, reason = "a function for AVX2 can be called only where AVX2 exists")]
        unsafe {
            avx2(values, slope);
        }
        return;
    }
    portable(values, slope);
}

fn portable(values: &mut [f32], slope: f32) {
    for value in values {
        let product = *value * slope;
        *value = if *value > 0.0 { *value } else { product };
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
#[expect(unsafe_code, reason = "vectors are loaded and stored through pointers")]
fn avx2(values: &mut [f32], slope: f32) {
    use std::arch::x86_64::{
        _CMP_GT_OQ, _mm256_blendv_ps, _mm256_cmp_ps, _mm256_loadu_ps, _mm256_mul_ps, _mm256_set1_ps,
        _mm256_setzero_ps, _mm256_storeu_ps,
    };
    let (slopes, zero) = (_mm256_set1_ps(slope), _mm256_setzero_ps());
    let (chunks, rest) = values.as_chunks_mut::<8>();
    for chunk in chunks {
        let at = chunk.as_mut_ptr();
        // SAFETY: `at` points to eight f32, and an unaligned load needs no alignment.
        let value = unsafe { _mm256_loadu_ps(at) };
        let above = _mm256_cmp_ps::<_CMP_GT_OQ>(value, zero);
        let result = _mm256_blendv_ps(_mm256_mul_ps(value, slopes), value, above);
        // SAFETY: `at` points to eight f32 that are borrowed exclusively.
        unsafe { _mm256_storeu_ps(at, result) };
    }
    portable(rest, slope);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Deterministic bit patterns: ordinary numbers, both zeros, infinities, subnormals, not-a-number.
    fn patterns(length: usize) -> Vec<f32> {
        let special =
            [0.0, -0.0, f32::INFINITY, f32::NEG_INFINITY, f32::NAN, 1e-42, -1e-42, f32::MIN, f32::MAX];
        let mut state = 0x2545_f491_u32;
        let mut random = move || {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            f32::from_bits(state)
        };
        (0..length).map(|i| special.get(i % 23).copied().unwrap_or_else(&mut random)).collect()
    }

    #[test]
    fn every_path_gives_the_same_bits() {
        for length in [0, 1, 7, 8, 9, 31, 64, 1023] {
            for slope in [0.25, -0.5, 0.0, 1.0, 1e-30, f32::INFINITY] {
                let (mut fast, mut plain) = (patterns(length), patterns(length));
                prelu(&mut fast, slope);
                portable(&mut plain, slope);
                for (fast, plain) in fast.iter().zip(&plain) {
                    assert_eq!(fast.to_bits(), plain.to_bits(), "slope {slope}, length {length}");
                }
            }
        }
    }

    #[test]
    fn known_values() {
        let mut values = [2.0, -2.0, 0.0, -0.5];
        prelu(&mut values, 0.25);
        assert_eq!(values, [2.0, -0.5, 0.0, -0.125]);
    }
}
