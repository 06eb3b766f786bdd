use crate::EvalError;

/// Genuine and impostor similarity scores, at least one of each, all finite.
#[derive(Debug, Clone, PartialEq)]
pub struct Scores {
    // INVARIANT (sorted): ascending and finite, from `new`.
    genuine: Vec<f64>,
    impostor: Vec<f64>,
}

impl Scores {
    /// Takes the scores in any order.
    ///
    /// # Errors
    /// [`EvalError::NoGenuine`], [`EvalError::NoImpostor`] or [`EvalError::NotFinite`].
    pub fn new(mut genuine: Vec<f64>, mut impostor: Vec<f64>) -> Result<Self, EvalError> {
        if genuine.iter().chain(&impostor).any(|score| !score.is_finite()) {
            return Err(EvalError::NotFinite);
        }
        match (genuine.is_empty(), impostor.is_empty()) {
            (true, _) => Err(EvalError::NoGenuine),
            (_, true) => Err(EvalError::NoImpostor),
            _ => {
                genuine.sort_by(f64::total_cmp);
                impostor.sort_by(f64::total_cmp);
                Ok(Self { genuine, impostor })
            }
        }
    }

    /// Scores of people compared with themselves, ascending.
    pub fn genuine(&self) -> &[f64] {
        &self.genuine
    }

    /// Scores of people compared with others, ascending.
    pub fn impostor(&self) -> &[f64] {
        &self.impostor
    }

    /// The false match rate at a threshold, 0 to 1.
    pub fn fmr(&self, threshold: f64) -> f64 {
        share(self.impostor.len() - below(&self.impostor, threshold), self.impostor.len())
    }

    /// The false non-match rate at a threshold, 0 to 1.
    pub fn fnmr(&self, threshold: f64) -> f64 {
        share(below(&self.genuine, threshold), self.genuine.len())
    }

    /// The equal error rate; among equal differences the smallest mean, among those the lowest threshold.
    pub fn eer(&self) -> Eer {
        let points = self.genuine.iter().chain(&self.impostor).map(|&threshold| {
            let (fmr, fnmr) = (self.fmr(threshold), self.fnmr(threshold));
            ((fmr - fnmr).abs(), f64::midpoint(fmr, fnmr), threshold)
        });
        let order = |a: &(f64, f64, f64), b: &(f64, f64, f64)| {
            a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)).then(a.2.total_cmp(&b.2))
        };
        // INVARIANT (sorted): there is a score.
        let (_, rate, threshold) = points.min_by(order).unwrap_or((0.0, 0.0, 0.0));
        Eer { rate, threshold }
    }

    /// The false non-match rate where at most the share `target` of the impostors matches.
    ///
    /// # Errors
    /// [`EvalError::Range`] for a target outside the open range 0 to 1.
    pub fn fnmr_at_fmr(&self, target: f64) -> Result<FnmrAtFmr, EvalError> {
        if !(target > 0.0 && target < 1.0) {
            return Err(EvalError::Range);
        }
        let rank = ceil_to_rank(self.impostor.len() as f64 * (1.0 - target), self.impostor.len());
        let last_refused = self.impostor.get(rank - 1).copied().ok_or(EvalError::NoImpostor)?;
        let threshold = last_refused.next_up();
        Ok(FnmrAtFmr { target, threshold, fmr: self.fmr(threshold), fnmr: self.fnmr(threshold) })
    }

    /// The points of the detection error trade-off: one for each distinct score, ascending, and the end where
    /// nobody matches.
    pub fn det(&self) -> Vec<DetPoint> {
        let mut thresholds: Vec<f64> = self.genuine.iter().chain(&self.impostor).copied().collect();
        thresholds.sort_by(f64::total_cmp);
        thresholds.dedup();
        thresholds.extend(thresholds.last().copied().map(f64::next_up));
        let point = |threshold| DetPoint { threshold, fmr: self.fmr(threshold), fnmr: self.fnmr(threshold) };
        thresholds.into_iter().map(point).collect()
    }
}

/// An equal error rate.
#[derive(Debug, Clone, Copy, PartialEq)]
#[must_use]
pub struct Eer {
    rate: f64,
    threshold: f64,
}

impl Eer {
    /// The rate, 0 to 1.
    pub const fn rate(self) -> f64 {
        self.rate
    }

    /// The score at which it is reached.
    pub const fn threshold(self) -> f64 {
        self.threshold
    }
}

/// An operating point chosen by its false match rate.
#[derive(Debug, Clone, Copy, PartialEq)]
#[must_use]
pub struct FnmrAtFmr {
    target: f64,
    threshold: f64,
    fmr: f64,
    fnmr: f64,
}

impl FnmrAtFmr {
    /// The false match rate aimed at.
    pub const fn target(self) -> f64 {
        self.target
    }

    /// The lowest threshold that the scores justify.
    pub const fn threshold(self) -> f64 {
        self.threshold
    }

    /// The false match rate observed, at most the target.
    pub const fn fmr(self) -> f64 {
        self.fmr
    }

    /// The false non-match rate observed.
    pub const fn fnmr(self) -> f64 {
        self.fnmr
    }
}

/// A point of the detection error trade-off curve (ISO/IEC 19795-1).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DetPoint {
    threshold: f64,
    fmr: f64,
    fnmr: f64,
}

impl DetPoint {
    /// The threshold.
    pub const fn threshold(self) -> f64 {
        self.threshold
    }

    /// The false match rate there.
    pub const fn fmr(self) -> f64 {
        self.fmr
    }

    /// The false non-match rate there.
    pub const fn fnmr(self) -> f64 {
        self.fnmr
    }
}

fn below(sorted: &[f64], threshold: f64) -> usize {
    sorted.partition_point(|&score| score < threshold)
}

fn share(part: usize, whole: usize) -> f64 {
    part as f64 / whole as f64
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to 1 ..= count")]
const fn ceil_to_rank(value: f64, count: usize) -> usize {
    let rank = value.ceil() as usize;
    if rank < 1 {
        1
    } else if rank > count {
        count
    } else {
        rank
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn scores(genuine: &[f64], impostor: &[f64]) -> Scores {
        Scores::new(genuine.to_vec(), impostor.to_vec()).unwrap()
    }

    #[test]
    fn rates_by_hand() {
        let s = scores(&[0.9, 0.8, 0.4, 0.7], &[0.1, 0.5, 0.2, 0.3, 0.45]);
        assert_eq!((s.fmr(0.45), s.fnmr(0.45)), (0.4, 0.25));
        assert_eq!((s.fmr(0.5), s.fnmr(0.5)), (0.2, 0.25), "at the threshold is a match");
        assert_eq!((s.eer().rate(), s.eer().threshold()), (0.225, 0.5));
        let point = s.fnmr_at_fmr(0.2).unwrap();
        assert_eq!((point.fmr(), point.fnmr()), (0.2, 0.25));
        let strict = s.fnmr_at_fmr(1e-3).unwrap();
        assert_eq!((strict.fmr(), strict.fnmr()), (0.0, 0.25), "too few impostors: above all of them");
    }

    #[test]
    fn the_extremes() {
        let apart = scores(&[0.8, 0.9], &[0.1, 0.2]);
        assert_eq!(apart.eer().rate(), 0.0);
        let swapped = scores(&[0.1, 0.2], &[0.8, 0.9]);
        assert_eq!(swapped.eer().rate(), 1.0);
        let same = scores(&[0.5], &[0.5]);
        assert_eq!(same.eer().rate(), 0.5);
    }

    #[test]
    fn a_curve_runs_from_everybody_matches_to_nobody_does() {
        let curve = scores(&[0.5, 0.7], &[0.2, 0.5]).det();
        let rates: Vec<_> = curve.iter().map(|point| (point.fmr(), point.fnmr())).collect();
        assert_eq!(rates, [(1.0, 0.0), (0.5, 0.0), (0.0, 0.5), (0.0, 1.0)]);
    }

    #[test]
    fn what_cannot_be_rated_is_refused() {
        assert_eq!(Scores::new(vec![], vec![0.0]), Err(EvalError::NoGenuine));
        assert_eq!(Scores::new(vec![0.0], vec![]), Err(EvalError::NoImpostor));
        assert_eq!(Scores::new(vec![f64::NAN], vec![0.0]), Err(EvalError::NotFinite));
        for target in [0.0, 1.0, -0.1, f64::NAN] {
            assert_eq!(scores(&[0.5], &[0.1]).fnmr_at_fmr(target), Err(EvalError::Range));
        }
    }

    proptest! {
        #[test]
        fn the_curve_is_monotone_and_rates_match_a_count(
            genuine in proptest::collection::vec(0u8..50, 1..40),
            impostor in proptest::collection::vec(0u8..50, 1..40),
            target in 0.001f64..0.999,
        ) {
            let wide = |v: &[u8]| v.iter().map(|&s| f64::from(s)).collect::<Vec<_>>();
            let s = Scores::new(wide(&genuine), wide(&impostor)).unwrap();
            for pair in s.det().windows(2) {
                prop_assert!(pair[0].fmr() >= pair[1].fmr() && pair[0].fnmr() <= pair[1].fnmr());
            }
            let point = s.fnmr_at_fmr(target).unwrap();
            prop_assert!(point.fmr() <= target + 1e-12);
            let refused = genuine.iter().filter(|&&g| f64::from(g) < point.threshold()).count();
            prop_assert_eq!(point.fnmr(), refused as f64 / genuine.len() as f64);
        }
    }
}
