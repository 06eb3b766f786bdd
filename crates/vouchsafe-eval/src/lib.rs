//! Error rates of biometric comparison with sample sizes and intervals.
//!
//! Pure functions on similarity scores; higher is more alike. Terms and rates are those of ISO/IEC 19795-1
//! (biometric performance testing):
//! - **FMR**, the false match rate: the share of impostor comparisons with a score *at or above* the threshold.
//! - **FNMR**, the false non-match rate: the share of genuine comparisons with a score *below* the threshold.
//! - **EER**, the equal error rate: the mean of both where they differ least, among thresholds that are scores.
//! - **FNMR at FMR q**: with n impostor scores in ascending order, everything above the score number
//!   ⌈n (1 − q)⌉ matches, so that at most the share q of the impostors does.
//!
//! # People, not pairs
//!
//! Comparisons that share a person are not independent. Twelve people give thousands of pairs and bound very
//! little: [`CertifiableFmr`] says how much. Intervals of the EER therefore draw people, not pairs.
#![forbid(unsafe_code)]

mod binomial;
mod bootstrap;
mod certifiable;
mod error;
mod report;
mod scores;
mod study;

pub use binomial::{Interval, clopper_pearson};
pub use bootstrap::Bootstrap;
pub use certifiable::CertifiableFmr;
pub use error::EvalError;
pub use report::Report;
pub use scores::{DetPoint, Eer, FnmrAtFmr, Scores};
pub use study::Study;
