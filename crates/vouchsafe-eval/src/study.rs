use std::collections::BTreeMap;

use crate::{Bootstrap, EvalError, Interval, Report, Scores};

/// Scores together with who was compared with whom.
#[derive(Debug, Clone)]
pub struct Study {
    scores: Scores,
    comparisons: Vec<Pair>,
    people: usize,
}

/// One comparison between the people of these numbers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pair {
    pub(crate) a: usize,
    pub(crate) b: usize,
    pub(crate) score: f64,
}

impl Study {
    /// Takes comparisons: two labels of people and a score; equal labels are a genuine comparison.
    ///
    /// # Errors
    /// As [`Scores::new`].
    pub fn new<L: Ord>(comparisons: impl IntoIterator<Item = (L, L, f64)>) -> Result<Self, EvalError> {
        let mut numbers: BTreeMap<L, usize> = BTreeMap::new();
        let mut pairs = Vec::new();
        for (a, b, score) in comparisons {
            let mut number = |label| {
                let next = numbers.len();
                *numbers.entry(label).or_insert(next)
            };
            let (a, b) = (number(a), number(b));
            pairs.push(Pair { a, b, score });
        }
        let of = |genuine| pairs.iter().filter(move |p| (p.a == p.b) == genuine).map(|p| p.score).collect();
        let scores = Scores::new(of(true), of(false))?;
        pairs.sort_by(|p, q| p.score.total_cmp(&q.score));
        Ok(Self { scores, people: numbers.len(), comparisons: pairs })
    }

    /// The scores without their people.
    pub const fn scores(&self) -> &Scores {
        &self.scores
    }

    /// How many people were compared.
    pub const fn people(&self) -> usize {
        self.people
    }

    /// An interval of the equal error rate that draws people, not pairs.
    ///
    /// # Errors
    /// [`EvalError::Range`] when there are too few people to draw from.
    pub fn eer_interval(&self, bootstrap: Bootstrap) -> Result<Interval, EvalError> {
        bootstrap.eer_interval(&self.comparisons, self.people)
    }

    /// The report.
    ///
    /// # Errors
    /// [`EvalError::Range`] when there are too few people to draw from.
    pub fn report(&self, bootstrap: Bootstrap) -> Result<Report, EvalError> {
        Report::new(self, bootstrap)
    }
}
