use std::fmt;

use crate::{Bootstrap, CertifiableFmr, Eer, EvalError, FnmrAtFmr, Interval, Study};

/// The figures of one study, and what they are worth.
#[derive(Debug, Clone, Copy, PartialEq)]
#[must_use]
pub struct Report {
    eer: Eer,
    eer_interval: Interval,
    at_hundredth: FnmrAtFmr,
    at_thousandth: FnmrAtFmr,
    genuine: usize,
    impostor: usize,
    certifiable: CertifiableFmr,
}

impl Report {
    pub(crate) fn new(study: &Study, bootstrap: Bootstrap) -> Result<Self, EvalError> {
        let scores = study.scores();
        Ok(Self {
            eer: scores.eer(),
            eer_interval: study.eer_interval(bootstrap)?,
            at_hundredth: scores.fnmr_at_fmr(1e-2)?,
            at_thousandth: scores.fnmr_at_fmr(1e-3)?,
            genuine: scores.genuine().len(),
            impostor: scores.impostor().len(),
            certifiable: CertifiableFmr::new(study.people() as u64, 0.95)?,
        })
    }

    /// The equal error rate.
    pub const fn eer(&self) -> Eer {
        self.eer
    }

    /// Its interval, by drawing people.
    pub const fn eer_interval(&self) -> Interval {
        self.eer_interval
    }

    /// The operating point at a false match rate of 1e-2.
    pub const fn fnmr_at_fmr_hundredth(&self) -> FnmrAtFmr {
        self.at_hundredth
    }

    /// The operating point at a false match rate of 1e-3.
    pub const fn fnmr_at_fmr_thousandth(&self) -> FnmrAtFmr {
        self.at_thousandth
    }

    /// How many genuine comparisons.
    pub const fn genuine(&self) -> usize {
        self.genuine
    }

    /// How many impostor comparisons.
    pub const fn impostor(&self) -> usize {
        self.impostor
    }

    /// What so many people can certify.
    pub const fn certifiable(&self) -> CertifiableFmr {
        self.certifiable
    }

    /// One line for scripts: `eer=… fnmr_at_fmr_1e-2=… fnmr_at_fmr_1e-3=… genuine=… impostor=… people=…`.
    pub fn summary_line(&self) -> String {
        format!(
            "eer={:.5} fnmr_at_fmr_1e-2={:.5} fnmr_at_fmr_1e-3={:.5} genuine={} impostor={} people={}",
            self.eer.rate(),
            self.at_hundredth.fnmr(),
            self.at_thousandth.fnmr(),
            self.genuine,
            self.impostor,
            self.certifiable.people()
        )
    }
}

impl fmt::Display for Report {
    /// Several lines for people: rates, interval, operating points, what is certifiable.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (low, high) = (100.0 * self.eer_interval.lower(), 100.0 * self.eer_interval.upper());
        let (genuine, impostor, people) = (self.genuine, self.impostor, self.certifiable.people());
        writeln!(f, "{genuine} genuine and {impostor} impostor comparisons of {people} people")?;
        writeln!(f, "EER {:.2} % (drawing people: {low:.2} to {high:.2} %)", 100.0 * self.eer.rate())?;
        for point in [self.at_hundredth, self.at_thousandth] {
            let verdict = if self.certifiable.certifies(point.target()) {
                ""
            } else {
                ", not certifiable with this data"
            };
            writeln!(f, "FNMR {:.2} % at FMR {:.0e}{verdict}", 100.0 * point.fnmr(), point.target())?;
        }
        write!(f, "{}", self.certifiable)
    }
}
