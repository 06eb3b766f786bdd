//! Signal measures on crops: `[3, side, side]`, planes blue, green, red, f32, `[0, 255]`.
//!
//! Immerkaer 1996 is J. Immerkær, "Fast Noise Variance Estimation", Computer Vision and Image Understanding 64(2).

use zeroize::Zeroizing;

/// Smooths each plane with a Gaussian of 1.2 pixels, cut off after 5; borders are mirrored about the edge pixel.
///
/// Of a crop that is not three square planes of `side`, only the whole planes are given back.
pub(crate) fn smooth(crop: &[f32], side: usize) -> Zeroizing<Vec<f32>> {
    let plane = (side * side).max(1);
    let mut out = Zeroizing::new(vec![0.0; crop.len() / plane * plane]);
    let mut turned = Zeroizing::new(vec![0.0; plane]);
    for (from, to) in crop.chunks_exact(plane).zip(out.chunks_exact_mut(plane)) {
        // Each pass smooths along rows and writes its result turned, so two passes cover both axes.
        smooth_rows_turned(from, &mut turned, side);
        smooth_rows_turned(&turned, to, side);
    }
    out
}

/// The fine detail of a crop in grey levels, `0..`: a robust estimate of the standard deviation of noise.
///
/// The Laplacian-difference mask of Immerkaer 1996, section 2, on luminance. DIFFERENCE: the median over the pixels
/// instead of the mean, divided by 0.6745 (the median of a standard normal's absolute value), so that edges and
/// texture weigh less. Not a number when the crop is not three square planes of at least 3 pixels.
pub(crate) fn detail(crop: &[f32], side: usize) -> f32 {
    let plane = side * side;
    let (Some(blue), Some(green), Some(red)) =
        (crop.get(..plane), crop.get(plane..2 * plane), crop.get(2 * plane..3 * plane))
    else {
        return f32::NAN;
    };
    let luminance: Zeroizing<Vec<f32>> = Zeroizing::new(
        blue.iter().zip(green).zip(red).map(|((b, g), r)| 0.114 * b + 0.587 * g + 0.299 * r).collect(),
    );
    let mut residual = residuals(&luminance, side);
    let middle = residual.len() / 2;
    if residual.is_empty() {
        return f32::NAN;
    }
    let (_, median, _) = residual.select_nth_unstable_by(middle, f32::total_cmp);
    *median / MASK_GAIN / MEDIAN_OF_NORMAL
}

/// The mask's response to white noise of standard deviation 1: the root of its squares' sum, 36.
const MASK_GAIN: f32 = 6.0;
/// The median of the absolute value of a standard normal variable.
const MEDIAN_OF_NORMAL: f32 = 0.6745;

/// Half a Gaussian of standard deviation 1.2: the weights of offsets 0 to 5; the whole sums to 1.
const KERNEL: [f32; 6] = [0.332_453, 0.234_927, 0.082_898, 0.014_607, 0.001_285, 0.000_056];

fn smooth_rows_turned(from: &[f32], to: &mut [f32], side: usize) {
    for (y, row) in from.chunks_exact(side.max(1)).enumerate() {
        for x in 0..side {
            if let Some(out) = to.get_mut(x * side + y) {
                *out = smoothed(row, x);
            }
        }
    }
}

fn smoothed(row: &[f32], x: usize) -> f32 {
    let at = |i: usize| row.get(i).copied().unwrap_or(0.0);
    let last = row.len().saturating_sub(1);
    let mut sum = 0.0;
    for (offset, weight) in KERNEL.iter().enumerate() {
        let left = x.abs_diff(offset).min(last);
        let right = if x + offset > last { (2 * last).saturating_sub(x + offset) } else { x + offset };
        sum += weight * if offset == 0 { at(x) } else { at(left) + at(right) };
    }
    sum
}

/// The absolute response of the mask `[1 -2 1; -2 4 -2; 1 -2 1]` at every inner pixel.
fn residuals(luminance: &[f32], side: usize) -> Zeroizing<Vec<f32>> {
    let second = |a: f32, b: f32, c: f32| a - 2.0 * b + c;
    let mut out = Zeroizing::new(Vec::with_capacity(luminance.len()));
    for y in 1..side.saturating_sub(1) {
        let row = |y: usize| luminance.get(y * side..(y + 1) * side).unwrap_or(&[]);
        let (above, here, below) = (row(y - 1).windows(3), row(y).windows(3), row(y + 1).windows(3));
        for ((a, h), b) in above.zip(here).zip(below) {
            if let (&[a0, a1, a2], &[h0, h1, h2], &[b0, b1, b2]) = (a, h, b) {
                out.push(second(second(a0, a1, a2), second(h0, h1, h2), second(b0, b1, b2)).abs());
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIDE: usize = 128;

    fn drawn(draw: impl Fn(usize, usize, usize) -> f32) -> Vec<f32> {
        (0..3 * SIDE * SIDE).map(|i| draw(i / (SIDE * SIDE), i % SIDE, i / SIDE % SIDE)).collect()
    }

    /// A soft portrait-like gradient.
    fn soft() -> Vec<f32> {
        drawn(|c, x, y| 90.0 + 20.0 * c as f32 + 40.0 * ((x as f32) / 20.0).sin() * ((y as f32) / 17.0).cos())
    }

    /// Deterministic noise, the same in the three planes; the sum of 12 uniform numbers has deviation 1.
    fn noisy(sigma: f32) -> Vec<f32> {
        let mut state = 1u64;
        let mut normal = || {
            let uniform = |state: &mut u64| {
                *state =
                    state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                (*state >> 40) as f32 / 16_777_216.0
            };
            (0..12).map(|_| uniform(&mut state)).sum::<f32>() - 6.0
        };
        let field: Vec<f32> = (0..SIDE * SIDE).map(|_| sigma * normal()).collect();
        soft().iter().enumerate().map(|(i, v)| v + field[i % (SIDE * SIDE)]).collect()
    }

    #[test]
    fn noise_is_measured_in_grey_levels() {
        assert!(detail(&soft(), SIDE) < 0.05);
        for sigma in [1.0, 2.0, 5.0] {
            let measured = detail(&noisy(sigma), SIDE);
            assert!((measured / sigma - 1.0).abs() < 0.05, "sigma {sigma} measured {measured}");
        }
    }

    #[test]
    fn smoothing_removes_noise_and_keeps_the_rest() {
        let crop = smooth(&noisy(5.0), SIDE);
        assert!(detail(&crop, SIDE) < 0.35);
        let worst = crop.iter().zip(soft()).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(worst < 8.0, "{worst}");
    }

    #[test]
    fn smoothing_keeps_a_flat_crop_and_spreads_a_point_evenly() {
        let flat = smooth(&drawn(|_, _, _| 200.0), SIDE);
        assert!(flat.iter().all(|v| (v - 200.0).abs() < 0.05));

        let point = smooth(&drawn(|c, x, y| if (c, x, y) == (1, 40, 60) { 1.0 } else { 0.0 }), SIDE);
        let at = |c: usize, x: usize, y: usize| point[c * SIDE * SIDE + y * SIDE + x];
        assert!((at(1, 40, 60) - KERNEL[0] * KERNEL[0]).abs() < 1e-6);
        assert!((at(1, 42, 60) - KERNEL[0] * KERNEL[2]).abs() < 1e-6);
        assert!((at(1, 40, 57) - KERNEL[0] * KERNEL[3]).abs() < 1e-6);
        assert_eq!((at(0, 40, 60), at(2, 40, 60)), (0.0, 0.0));
    }

    #[test]
    fn the_border_is_mirrored() {
        // A ramp mirrored about its first pixel: 2, 1, 0, 1, 2, ...
        let row: Vec<f32> = (0..16u8).map(f32::from).collect();
        let expected: f32 = (1..6).map(|i| 2.0 * KERNEL[i] * i as f32).sum();
        assert!((smoothed(&row, 0) - expected).abs() < 1e-5);
        assert!((smoothed(&row, 15) - (15.0 - expected)).abs() < 1e-3);
        assert!((smoothed(&row, 8) - 8.0).abs() < 1e-3);
    }

    #[test]
    fn the_kernel_is_a_gaussian_of_one_point_two() {
        let weights: Vec<f32> = (0..6u8).map(|i| (-f32::from(i).powi(2) / (2.0 * 1.44)).exp()).collect();
        let whole = weights[0] + 2.0 * weights[1..].iter().sum::<f32>();
        for (ours, theirs) in KERNEL.iter().zip(weights) {
            assert!((ours - theirs / whole).abs() < 1e-5, "{ours} {}", theirs / whole);
        }
    }

    #[test]
    fn a_crop_of_another_size_has_no_detail_and_breaks_nothing() {
        assert!(detail(&[], SIDE).is_nan());
        assert!(detail(&[1.0; 12], 2).is_nan());
        assert_eq!(smooth(&[1.0; 7], 2).len(), 4);
        assert_eq!(smooth(&[1.0; 7], 0).len(), 7);
    }
}
