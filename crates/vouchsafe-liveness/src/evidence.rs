use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::PassivePolicy;

/// What the passive rule weighs; wiped on drop, not printable.
#[derive(Zeroize, ZeroizeOnDrop)]
pub(crate) struct Evidence {
    /// The model's probability of 'live' on the wide crop, `[0, 1]`.
    pub(crate) wide: f32,
    /// The same on the close, smoothed crop.
    pub(crate) close: f32,
    /// The fine detail of the wide crop, in grey levels, `0..`.
    pub(crate) detail: f32,
}

/// Which way the evidence points.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Finding {
    Attack,
    Live,
    Undecided,
}

impl Evidence {
    /// Applies the rule: both opinions agree, on a picture of the kind that the opinion was measured on.
    pub(crate) fn weigh(&self, policy: &PassivePolicy) -> Finding {
        let live = |score: f32| score >= policy.live_from;
        let attack = |score: f32| score < policy.attack_below;
        // INVARIANT (never from the domain alone): every limit on detail only withholds a finding.
        if attack(self.wide) && attack(self.close) && self.detail <= policy.most_detail {
            Finding::Attack
        } else if live(self.wide) && live(self.close) && self.detail >= policy.least_detail {
            Finding::Live
        } else {
            Finding::Undecided
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(wide: f32, close: f32, detail: f32, expected: Finding) {
        let found = Evidence { wide, close, detail }.weigh(&PassivePolicy::default());
        assert_eq!(found, expected, "wide {wide} close {close} detail {detail}");
    }

    #[test]
    fn the_opinions_must_agree() {
        check(0.99, 0.99, 1.0, Finding::Live);
        check(0.5, 0.5, 1.0, Finding::Live);
        check(0.01, 0.01, 1.0, Finding::Attack);
        check(0.01, 0.99, 1.0, Finding::Undecided);
        check(0.99, 0.01, 1.0, Finding::Undecided);
        check(0.45, 0.45, 1.0, Finding::Undecided);
        check(0.99, 0.45, 1.0, Finding::Undecided);
    }

    #[test]
    fn a_picture_outside_the_domain_is_undecided() {
        check(0.99, 0.99, 0.34, Finding::Undecided);
        check(0.01, 0.01, 1.6, Finding::Undecided);
        // Much detail never hurts a live face, little detail never helps an attack.
        check(0.99, 0.99, 9.0, Finding::Live);
        check(0.01, 0.01, 0.1, Finding::Attack);
    }

    #[test]
    fn what_is_no_number_is_undecided() {
        for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            check(0.99, 0.99, if bad == f32::INFINITY { f32::NAN } else { bad }, Finding::Undecided);
            check(f32::NAN, bad, 1.0, Finding::Undecided);
        }
        let policy = PassivePolicy {
            live_from: f32::NAN,
            attack_below: f32::NAN,
            least_detail: f32::NAN,
            most_detail: f32::NAN,
        };
        assert_eq!(Evidence { wide: 0.9, close: 0.9, detail: 1.0 }.weigh(&policy), Finding::Undecided);
        assert_eq!(Evidence { wide: 0.1, close: 0.1, detail: 1.0 }.weigh(&policy), Finding::Undecided);
    }

    #[test]
    fn no_detail_turns_a_refusing_score_into_live() {
        for detail in 0..200u8 {
            for other in 0..=10u8 {
                let (detail, other) = (f32::from(detail) / 20.0, f32::from(other) / 10.0);
                for (wide, close) in [(0.49, other), (other, 0.49)] {
                    let found = Evidence { wide, close, detail }.weigh(&PassivePolicy::default());
                    assert_ne!(found, Finding::Live);
                }
            }
        }
    }
}
