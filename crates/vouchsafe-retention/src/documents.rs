//! Documents made from the policy that runs, and the comparison of a given notice with it.
//!
//! [`lint`] reads a notice sentence by sentence. What it finds in the two notices that the shipped packs are from:
//!
#![doc = include_str!("../docs/lint-findings.md")]

mod finding;
mod lint;
mod markdown;
mod notice;
mod rules;
mod sentence;
mod templates;

pub use finding::{Finding, Severity, findings_table};
pub use lint::{Configuration, lint};
pub use notice::notice;
pub use rules::{Check, LINT_RULES, LintRule};
pub use templates::{biometric_policy, breach_notice, impact_assessment};
