use crate::EvalError;

/// A confidence interval of a rate, 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
#[must_use]
pub struct Interval {
    lower: f64,
    upper: f64,
}

impl Interval {
    pub(crate) const fn new(lower: f64, upper: f64) -> Self {
        Self { lower, upper }
    }

    /// The lower end.
    pub const fn lower(self) -> f64 {
        self.lower
    }

    /// The upper end.
    pub const fn upper(self) -> f64 {
        self.upper
    }
}

/// The two-sided interval of Clopper and Pearson (Biometrika 26, 1934) for `errors` among independent `trials`.
///
/// It is exact: its coverage is never below the confidence. It assumes independent trials; pairs that share a
/// person are not.
///
/// # Errors
/// [`EvalError::Range`] when there are no trials, more errors than trials, or the confidence is outside the open
/// range 0 to 1.
pub fn clopper_pearson(errors: u64, trials: u64, confidence: f64) -> Result<Interval, EvalError> {
    if trials == 0 || errors > trials || !(confidence > 0.0 && confidence < 1.0) {
        return Err(EvalError::Range);
    }
    let (k, n, tail) = (errors as f64, trials as f64, (1.0 - confidence) / 2.0);
    let lower = if errors == 0 { 0.0 } else { quantile(tail, k, n - k + 1.0) };
    let upper = if errors == trials { 1.0 } else { quantile(1.0 - tail, k + 1.0, n - k) };
    Ok(Interval { lower, upper })
}

/// The quantile of the beta distribution, by bisection of [`regularised_beta`].
pub(crate) fn quantile(probability: f64, a: f64, b: f64) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    loop {
        let middle = f64::midpoint(low, high);
        if middle <= low || middle >= high {
            return middle;
        }
        if regularised_beta(middle, a, b) < probability {
            low = middle;
        } else {
            high = middle;
        }
    }
}

/// The regularised incomplete beta function I_x(a, b) (NIST Digital Library of Mathematical Functions, 8.17).
pub(crate) fn regularised_beta(x: f64, a: f64, b: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    if x >= 1.0 {
        return 1.0;
    }
    let front = (ln_gamma(a + b) - ln_gamma(a) - ln_gamma(b) + a * x.ln() + b * (-x).ln_1p()).exp();
    // The fraction converges fast below the mean; above it the symmetry 8.17.4 is used.
    if x < (a + 1.0) / (a + b + 2.0) {
        front * fraction(x, a, b) / a
    } else {
        1.0 - front * fraction(1.0 - x, b, a) / b
    }
}

/// The continued fraction 8.17.22, evaluated by the modified Lentz method.
fn fraction(x: f64, a: f64, b: f64) -> f64 {
    let away = |value: f64| if value.abs() < TINY { TINY } else { value };
    let mut c = 1.0;
    let mut d = 1.0 / away(1.0 - (a + b) * x / (a + 1.0));
    let mut value = d;
    for m in 1..=MOST_TERMS {
        let m = f64::from(m);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        let mut change = 1.0;
        for term in [even, odd] {
            d = 1.0 / away(1.0 + term * d);
            c = away(1.0 + term / c);
            change = c * d;
            value *= change;
        }
        if (change - 1.0).abs() < f64::EPSILON {
            break;
        }
    }
    value
}

/// The logarithm of the gamma function for positive arguments: Lanczos, g = 7, nine terms.
fn ln_gamma(z: f64) -> f64 {
    let mut sum = LANCZOS_FIRST;
    for (term, n) in LANCZOS.iter().zip(1..) {
        sum += term / (z - 1.0 + f64::from(n));
    }
    let t = z + 6.5;
    0.5 * std::f64::consts::TAU.ln() + (z - 0.5) * t.ln() - t + sum.ln()
}

const TINY: f64 = 1e-300;
/// Enough for 10^9 trials; the number grows with their square root.
const MOST_TERMS: u32 = 200_000;
const LANCZOS_FIRST: f64 = 0.999_999_999_999_809_9;
const LANCZOS: [f64; 8] = [
    676.520_368_121_885_1,
    -1_259.139_216_722_402_8,
    771.323_428_777_653_1,
    -176.615_029_162_140_6,
    12.507_343_278_686_905,
    -0.138_571_095_265_720_12,
    9.984_369_578_019_572e-6,
    1.505_632_735_149_311_6e-7,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn near(a: f64, b: f64) {
        assert!((a - b).abs() < 1e-9, "{a} {b}");
    }

    /// Closed forms: I_x(1, b) = 1 - (1 - x)^b, I_x(a, 1) = x^a, and binomial sums.
    #[test]
    fn the_beta_function_has_its_closed_forms() {
        for x in [0.001, 0.1, 0.5, 0.9, 0.999] {
            near(regularised_beta(x, 1.0, 7.0), 1.0 - (1.0 - x).powi(7));
            near(regularised_beta(x, 5.0, 1.0), x.powi(5));
            // Three of four or more: 4 x^3 (1 - x) + x^4.
            near(regularised_beta(x, 3.0, 2.0), 4.0 * x.powi(3) * (1.0 - x) + x.powi(4));
        }
    }

    #[test]
    fn no_error_and_only_errors_have_closed_forms() {
        for n in [1u64, 10, 367, 3461, 1_000_000] {
            let root = 0.025f64.powf(1.0 / n as f64);
            let none = clopper_pearson(0, n, 0.95).unwrap();
            assert_eq!(none.lower(), 0.0);
            near(none.upper(), 1.0 - root);
            let all = clopper_pearson(n, n, 0.95).unwrap();
            near(all.lower(), root);
            assert_eq!(all.upper(), 1.0);
        }
    }

    /// The ends are where the binomial tails have half of the error each; summed here term by term.
    #[test]
    fn the_ends_cut_the_tails_of_the_binomial() {
        for (k, n) in [(1u64, 10u64), (5, 10), (3, 50), (49, 50), (17, 200)] {
            let interval = clopper_pearson(k, n, 0.95).unwrap();
            near(tail(n, interval.upper(), 0..=k), 0.025);
            near(tail(n, interval.lower(), k..=n), 0.025);
        }
    }

    fn tail(n: u64, p: f64, range: std::ops::RangeInclusive<u64>) -> f64 {
        let mut term = (1.0 - p).powf(n as f64);
        let mut sum = 0.0;
        for i in 0..=n {
            if range.contains(&i) {
                sum += term;
            }
            term *= (n - i) as f64 / (i + 1) as f64 * p / (1.0 - p);
        }
        sum
    }

    /// Published values (5 of 10, and 1 of 100), to the digits commonly printed.
    #[test]
    fn known_answers() {
        let five = clopper_pearson(5, 10, 0.95).unwrap();
        assert_eq!(format!("{:.4} {:.4}", five.lower(), five.upper()), "0.1871 0.8129");
        let one = clopper_pearson(1, 100, 0.95).unwrap();
        assert_eq!(format!("{:.5} {:.5}", one.lower(), one.upper()), "0.00025 0.05446");
    }

    #[test]
    fn what_is_no_sample_is_refused() {
        for (k, n, c) in [(0, 0, 0.95), (2, 1, 0.95), (0, 1, 0.0), (0, 1, 1.0), (0, 1, f64::NAN)] {
            assert_eq!(clopper_pearson(k, n, c), Err(EvalError::Range));
        }
    }
}
