use crate::study::Pair;
use crate::{EvalError, Interval};

/// A bootstrap over people: each replicate draws as many people as there are, with replacement, and weighs a
/// comparison by how often its people were drawn.
///
/// The interval holds the middle share of the replicates' equal error rates (percentile method, Efron 1979; the
/// draw by person follows ISO/IEC 19795-1 on dependent attempts). It is deterministic: equal seeds give equal
/// intervals. With few people, or where no error was seen, it is too narrow: read it beside
/// [`CertifiableFmr`](crate::CertifiableFmr).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bootstrap {
    replicates: u32,
    confidence: f64,
    seed: u64,
}

impl Bootstrap {
    /// This many replicates (100 to 100,000), at this confidence (0 to 1), from this seed (any but 0).
    ///
    /// # Errors
    /// [`EvalError::Range`].
    pub fn new(replicates: u32, confidence: f64, seed: u64) -> Result<Self, EvalError> {
        let fits = (100..=100_000).contains(&replicates) && confidence > 0.0 && confidence < 1.0 && seed != 0;
        if fits { Ok(Self { replicates, confidence, seed }) } else { Err(EvalError::Range) }
    }

    /// `pairs` are sorted by score.
    pub(crate) fn eer_interval(self, pairs: &[Pair], people: usize) -> Result<Interval, EvalError> {
        let mut random = XorShift(self.seed);
        let mut drawn = vec![0u32; people];
        let mut rates: Vec<f64> = Vec::new();
        for _ in 0..self.replicates {
            drawn.fill(0);
            for _ in 0..people {
                if let Some(times) = drawn.get_mut(random.below(people)) {
                    *times += 1;
                }
            }
            // A draw without impostors or without genuine comparisons has no rate.
            rates.extend(weighted_eer(pairs, &drawn));
        }
        rates.sort_by(f64::total_cmp);
        let tail = (1.0 - self.confidence) / 2.0;
        match (at_share(&rates, tail), at_share(&rates, 1.0 - tail)) {
            (Some(lower), Some(upper)) => Ok(Interval::new(lower, upper)),
            _ => Err(EvalError::Range),
        }
    }
}

impl Default for Bootstrap {
    /// 1,000 replicates at 95 percent.
    fn default() -> Self {
        Self { replicates: 1000, confidence: 0.95, seed: 0x5eed }
    }
}

/// The EER with weights, as [`Scores::eer`](crate::Scores::eer) defines it; one pass over pairs sorted by score.
fn weighted_eer(pairs: &[Pair], drawn: &[u32]) -> Option<f64> {
    let weight = |pair: &Pair| {
        let times = |person: usize| f64::from(drawn.get(person).copied().unwrap_or_default());
        if pair.a == pair.b { (times(pair.a), 0.0) } else { (0.0, times(pair.a) * times(pair.b)) }
    };
    let totals = pairs.iter().map(weight).fold((0.0, 0.0), |sum, w| (sum.0 + w.0, sum.1 + w.1));
    if totals.0 == 0.0 || totals.1 == 0.0 {
        return None;
    }
    let (mut genuine_below, mut impostor_below) = (0.0, 0.0);
    let mut best = (f64::INFINITY, f64::INFINITY);
    for equal in pairs.chunk_by(|p, q| p.score == q.score) {
        let here = equal.iter().map(weight).fold((0.0, 0.0), |sum, w| (sum.0 + w.0, sum.1 + w.1));
        if here != (0.0, 0.0) {
            let (fnmr, fmr) = (genuine_below / totals.0, 1.0 - impostor_below / totals.1);
            let point: (f64, f64) = ((fmr - fnmr).abs(), f64::midpoint(fmr, fnmr));
            if point.0.total_cmp(&best.0).then(point.1.total_cmp(&best.1)).is_lt() {
                best = point;
            }
        }
        genuine_below += here.0;
        impostor_below += here.1;
    }
    Some(best.1)
}

fn at_share(sorted: &[f64], share: f64) -> Option<f64> {
    let place = share * (sorted.len().checked_sub(1)? as f64);
    sorted.get(round(place)).copied()
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 100,000")]
const fn round(place: f64) -> usize {
    place.round() as usize
}

/// Marsaglia's xorshift64 (Journal of Statistical Software 8, 2003), shifts 13, 7, 17. No secret depends on it.
struct XorShift(u64);

impl XorShift {
    const fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// A number below `bound`, by the high bits of a product; the bias is below bound / 2^64.
    #[expect(clippy::cast_possible_truncation, reason = "the product's high half is below the bound")]
    const fn below(&mut self, bound: usize) -> usize {
        ((self.next() as u128 * bound as u128) >> 64) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Study;

    /// Ten people, two of them hard to tell apart.
    fn study() -> Study {
        let mut random = XorShift(7);
        let mut noise = move || random.below(1000) as f64 / 4000.0;
        let mut comparisons = Vec::new();
        for a in 0..10 {
            for b in 0..=a {
                let alike = if a == b {
                    0.7
                } else if (a, b) == (9, 8) {
                    0.8
                } else {
                    0.1
                };
                (0..4).for_each(|_| comparisons.push((a, b, alike + noise())));
            }
        }
        Study::new(comparisons).unwrap()
    }

    #[test]
    fn with_equal_weights_it_is_the_plain_rate() {
        let study = study();
        let mut pairs: Vec<Pair> = Vec::new();
        pairs.extend(study.scores().genuine().iter().map(|&score| Pair { a: 0, b: 0, score }));
        pairs.extend(study.scores().impostor().iter().map(|&score| Pair { a: 1, b: 0, score }));
        pairs.sort_by(|p, q| p.score.total_cmp(&q.score));
        let weighted = weighted_eer(&pairs, &[1, 1]).unwrap();
        assert!((weighted - study.scores().eer().rate()).abs() < 1e-12);
    }

    #[test]
    fn the_interval_holds_the_rate_and_repeats() {
        let study = study();
        let interval = study.eer_interval(Bootstrap::default()).unwrap();
        let rate = study.scores().eer().rate();
        assert!(rate > 0.0 && interval.lower() <= rate && rate <= interval.upper(), "{interval:?} {rate}");
        assert!(interval.lower() < interval.upper());
        assert_eq!(study.eer_interval(Bootstrap::default()), Ok(interval), "one seed, one interval");
    }

    #[test]
    fn draws_cover_everybody() {
        let mut random = XorShift(1);
        let mut seen = [0; 12];
        (0..12_000).for_each(|_| seen[random.below(12)] += 1);
        assert!(seen.iter().all(|n| (850..1150).contains(n)), "{seen:?}");
    }

    #[test]
    fn settings_have_ranges() {
        for (replicates, confidence, seed) in
            [(99, 0.95, 1), (100_001, 0.95, 1), (100, 1.0, 1), (100, 0.95, 0)]
        {
            assert_eq!(Bootstrap::new(replicates, confidence, seed), Err(EvalError::Range));
        }
    }
}
