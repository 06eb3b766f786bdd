//! Documents made from the policy that runs, and the comparison of a given notice with it.
//!
//! [`lint`] reads a notice sentence by sentence. What it finds in the two notices that the shipped packs are from:
//!
#![doc = include_str!("../docs/lint-findings.md")]

mod finding;
mod lint;
mod rules;
mod sentence;

pub use finding::{Finding, Severity, findings_table};
pub use lint::{Configuration, lint};
pub use rules::{Check, LINT_RULES, LintRule};
