use super::*;
use proptest::prelude::*;
use vouchsafe_types::Secret;

fn key(bytes: [u8; 32]) -> TemplateKey {
    TemplateKey::new(Secret::init_with(|own| *own = bytes))
}

/// A unit vector whose components come from a seeded generator (xorshift64*).
#[expect(clippy::cast_possible_truncation, reason = "test data in binary32")]
fn unit(seed: u64) -> Vector {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let raw: Vec<f64> = (0..DIMENSION)
        .map(|_| {
            state ^= state >> 12;
            state ^= state << 25;
            state ^= state >> 27;
            (state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11) as f64 / (1u64 << 52) as f64 - 1.0
        })
        .collect();
    let norm = raw.iter().map(|v| v * v).sum::<f64>().sqrt();
    Vector::init_with(|out| out.iter_mut().zip(&raw).for_each(|(o, v)| *o = (v / norm) as f32))
}

fn key_of(number: u64) -> TemplateKey {
    key(std::array::from_fn(|i| number.to_le_bytes()[i % 8]))
}

/// The transform undone step by step: what a thief of the key can do.
fn invert(key: &TemplateKey, output: &Vector) -> Vec<f64> {
    let prf = hmac::Key::new(hmac::HMAC_SHA256, key.expose_key());
    let mut x: Vec<f64> = output.expose_vector().iter().map(|&v| f64::from(v)).collect();
    for round in ROUNDS.into_iter().rev() {
        mix(&mut x);
        flip(&mut x, &mut Stream::new(&prf, round, Draw::Signs));
        let mut stream = Stream::new(&prf, round, Draw::Permutation);
        let swaps: Vec<_> = (1..DIMENSION).rev().map(|place| (place, stream.below(place + 1))).collect();
        swaps.into_iter().rev().for_each(|(a, b)| x.swap(a, b));
    }
    x
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn inner_products_are_preserved(k in any::<[u8; 32]>(), a in any::<u64>(), b in any::<u64>()) {
        let (key, a, b) = (key(k), unit(a), unit(b));
        let (pa, pb) = (transform(&key, a.expose_vector()), transform(&key, b.expose_vector()));
        prop_assert!((pa.dot(&pb) - a.dot(&b)).abs() < 1e-5);
        prop_assert!((pa.dot(&pa) - a.dot(&a)).abs() < 1e-5);
        prop_assert!(pa.is_unit());
    }

    /// The docs say that the key inverts the transform; this is the attack.
    #[test]
    fn with_the_key_the_embedding_is_recovered(k in any::<[u8; 32]>(), seed in any::<u64>()) {
        let (key, x) = (key(k), unit(seed));
        let recovered = invert(&key, &transform(&key, x.expose_vector()));
        for (&was, is) in x.expose_vector().iter().zip(recovered) {
            prop_assert!((f64::from(was) - is).abs() < 1e-6);
        }
    }
}

/// The transform is orthogonal as a matrix: its 512 columns have length 1 and right angles.
#[test]
fn the_matrix_is_orthogonal() {
    let key = key_of(3);
    let column = |i: usize| transform(&key, Vector::init_with(|axis| axis[i] = 1.0).expose_vector());
    let columns: Vec<_> = (0..DIMENSION).map(column).collect();
    for (i, a) in columns.iter().enumerate() {
        for (j, b) in columns.iter().enumerate().skip(i) {
            let expected = if i == j { 1.0 } else { 0.0 };
            assert!((a.dot(b) - expected).abs() < 1e-6, "columns {i}, {j}");
        }
    }
}

/// Renewability and unlinkability (ISO/IEC 24745): one vector under 2,000 pairs of keys looks like two
/// strangers' vectors: mean 0, standard deviation 512^(-1/2), nothing near the threshold.
#[test]
fn other_keys_give_unrelated_templates() {
    let x = unit(11);
    let cosines: Vec<f64> = (0..2000)
        .map(|i| {
            let (a, b) = (key_of(2 * i + 1), key_of(2 * i + 2));
            transform(&a, x.expose_vector()).cosine(&transform(&b, x.expose_vector()))
        })
        .collect();
    let n = cosines.len() as f64;
    let mean = cosines.iter().sum::<f64>() / n;
    let deviation = (cosines.iter().map(|c| (c - mean).powi(2)).sum::<f64>() / n).sqrt();
    let expected = 1.0 / (DIMENSION as f64).sqrt();
    assert!(mean.abs() < 5.0 * expected / n.sqrt(), "mean {mean}");
    assert!((deviation / expected - 1.0).abs() < 0.08, "deviation {deviation}");
    assert!(cosines.iter().all(|c| c.abs() < 0.25), "six standard deviations are 0.27");
}

/// An axis is spread over all components: none stays large, none stays zero everywhere.
#[test]
fn every_component_is_mixed() {
    for axis in [0, 1, 255, 511] {
        let out = transform(&key_of(5), Vector::init_with(|v| v[axis] = 1.0).expose_vector());
        let largest = out.expose_vector().iter().fold(0f32, |m, v| m.max(v.abs()));
        let small = out.expose_vector().iter().filter(|v| v.abs() < 1e-4).count();
        assert!(largest < 0.3, "axis {axis}: {largest}");
        assert!(small < 64, "axis {axis}: {small}");
    }
}

#[test]
fn one_key_gives_one_template() {
    let x = unit(1);
    let (a, b) = (transform(&key_of(9), x.expose_vector()), transform(&key_of(9), x.expose_vector()));
    assert_eq!(a.expose_vector(), b.expose_vector());
}

/// Every number below the bound is drawn, each about as often.
#[test]
fn draws_are_unbiased() {
    let prf = hmac::Key::new(hmac::HMAC_SHA256, &[1; 32]);
    let mut stream = Stream::new(&prf, 1, Draw::Permutation);
    for bound in [2, 3, 7, 100] {
        let mut seen = vec![0u32; bound];
        (0..2000 * bound).for_each(|_| seen[stream.below(bound)] += 1);
        assert!(seen.iter().all(|&n| (1700..2300).contains(&n)), "{bound}: {seen:?}");
    }
}
