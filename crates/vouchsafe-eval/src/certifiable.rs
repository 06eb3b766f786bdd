use std::fmt;

use crate::EvalError;

/// What a number of people can certify about a false match rate when *no* false match is seen among them.
///
/// With P people there are P (P − 1) / 2 pairs, but they are not independent: a face that many resemble enters
/// P − 1 of them. Three bounds, from what holds to what is hoped:
/// - **disjoint**: P / 2 pairs that share nobody are independent trials for certain;
/// - **people**: one trial a person, the one this crate certifies by;
/// - **pairs**: every pair as a trial; a limit that no amount of pictures improves on, never a claim.
///
/// Each is the exact form of the rule of 3 (ISO/IEC 19795-1, on test size): no error among n independent
/// trials bounds the rate at 1 − (1 − c)^(1/n), about 3 / n at c = 95 %. Twelve people: 22 %.
#[derive(Debug, Clone, Copy, PartialEq)]
#[must_use]
pub struct CertifiableFmr {
    people: u64,
    confidence: f64,
}

impl CertifiableFmr {
    /// For this many people, at this confidence.
    ///
    /// # Errors
    /// [`EvalError::Range`] for fewer than two people or a confidence outside the open range 0 to 1.
    pub fn new(people: u64, confidence: f64) -> Result<Self, EvalError> {
        let fits = (2..=u64::from(u32::MAX)).contains(&people) && confidence > 0.0 && confidence < 1.0;
        if fits { Ok(Self { people, confidence }) } else { Err(EvalError::Range) }
    }

    /// The number of people.
    pub const fn people(self) -> u64 {
        self.people
    }

    /// The number of pairs of different people.
    pub const fn pairs(self) -> u64 {
        self.people * (self.people - 1) / 2
    }

    /// The upper bound from pairs that share nobody.
    pub fn disjoint_bound(self) -> f64 {
        self.bound(self.people / 2)
    }

    /// The upper bound from one trial a person.
    pub fn people_bound(self) -> f64 {
        self.bound(self.people)
    }

    /// The upper bound if every pair were independent.
    pub fn pairs_bound(self) -> f64 {
        self.bound(self.pairs())
    }

    /// Whether a target can be certified, by people.
    pub fn certifies(self, target_fmr: f64) -> bool {
        self.people_bound() <= target_fmr
    }

    fn bound(self, trials: u64) -> f64 {
        -((1.0 - self.confidence).ln() / trials as f64).exp_m1()
    }
}

impl fmt::Display for CertifiableFmr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (people, bound, percent) = (self.people, self.people_bound(), 100.0 * self.confidence);
        write!(f, "{people} people without a false match: FMR at most {bound:.1e} at {percent} % confidence")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twelve_people_bound_very_little() {
        let twelve = CertifiableFmr::new(12, 0.95).unwrap();
        assert_eq!(twelve.pairs(), 66);
        let bounds = [twelve.disjoint_bound(), twelve.people_bound(), twelve.pairs_bound()];
        assert_eq!(bounds.map(|b| (1e4 * b).round() / 1e4), [0.393, 0.2209, 0.0444]);
        assert!(!twelve.certifies(1e-2));
        assert_eq!(
            twelve.to_string(),
            "12 people without a false match: FMR at most 2.2e-1 at 95 % confidence"
        );
    }

    #[test]
    fn a_thousandth_takes_three_thousand_people() {
        let certifies = |people| CertifiableFmr::new(people, 0.95).unwrap().certifies(1e-3);
        assert!(!certifies(1888), "the shipped threshold's people");
        assert!(!certifies(2994));
        assert!(certifies(2995));
    }

    #[test]
    fn nobody_certifies_nothing() {
        for (people, confidence) in [(0, 0.95), (1, 0.95), (12, 0.0), (12, 1.0), (12, f64::NAN)] {
            assert_eq!(CertifiableFmr::new(people, confidence), Err(EvalError::Range));
        }
    }
}
