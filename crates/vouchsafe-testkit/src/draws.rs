//! Reproducible numbers for drills. Never for keys.

/// SplitMix64 (Steele, Lea, Flood: *Fast splittable pseudorandom number generators*, OOPSLA 2014, figure 15).
#[derive(Debug, Clone)]
pub struct Draws(u64);

impl Draws {
    /// The stream of a seed.
    pub const fn seeded(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 bits.
    pub const fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    /// A number of `0..bound`; 0 when the bound is 0. The bias of the remainder is below 2⁻³² for bounds below 2³².
    pub const fn below(&mut self, bound: u64) -> u64 {
        match self.next_u64().checked_rem(bound) {
            Some(drawn) => drawn,
            None => 0,
        }
    }

    /// One of the items; `None` when there is none.
    pub fn pick<'a, T>(&mut self, items: &'a [T]) -> Option<&'a T> {
        let drawn = self.below(items.len() as u64);
        usize::try_from(drawn).ok().and_then(|drawn| items.get(drawn))
    }

    /// Whether an event of this chance, in percent, happens.
    pub const fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// A vector of 512 components in `[-1, 1)`, of any length above 0.
    ///
    /// Cosines of two such vectors lie around 0 with a deviation of 1/√512 = 0.044.
    pub fn vector(&mut self) -> [f32; 512] {
        std::array::from_fn(|_| {
            let sixteen = u16::try_from(self.next_u64() >> 48).unwrap_or_default();
            f32::from(sixteen) / 32768.0 - 1.0
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first outputs for seed 1234567, as published with the Java and C implementations.
    #[test]
    fn the_stream_is_that_of_the_paper() {
        let mut draws = Draws::seeded(1_234_567);
        let first: Vec<u64> = (0..3).map(|_| draws.next_u64()).collect();
        assert_eq!(first, [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]);
    }

    #[test]
    fn vectors_are_alike_only_to_themselves() {
        let [a, b] = [1, 2].map(|seed| Draws::seeded(seed).vector());
        let dot = |x: &[f32], y: &[f32]| x.iter().zip(y).map(|(x, y)| f64::from(x * y)).sum::<f64>();
        let cosine = dot(&a, &b) / (dot(&a, &a) * dot(&b, &b)).sqrt();
        assert!(cosine.abs() < 0.3, "{cosine}");
        assert_eq!(a, Draws::seeded(1).vector());
    }
}
