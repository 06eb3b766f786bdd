//! Documents made from the policy that runs, and the comparison of a given notice with it.
//!
//! [`notice`], [`biometric_policy`], [`impact_assessment`] and [`breach_notice`] write Markdown: the same policy and
//! edition give the same text, and a notice so written has no findings but notes.
//!
//! [`lint`] reads a notice sentence by sentence. What it finds in the two notices that the shipped packs are from:
//!
#![doc = include_str!("../docs/lint-findings.md")]

mod bipa;
mod edition;
mod finding;
mod lint;
mod markdown;
mod notice;
mod rules;
mod schedule;
mod sentence;
mod templates;

pub use bipa::biometric_policy;
pub use edition::{DocumentError, Edition};
pub use finding::{Finding, Severity, findings_table};
pub use lint::{Configuration, lint};
pub use notice::notice;
pub use rules::{Check, LINT_RULES, LintRule};
pub use templates::{breach_notice, impact_assessment};
