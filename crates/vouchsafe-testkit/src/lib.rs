//! Conformance suites, scanners and fault injection for the vouchsafe crates
#![forbid(unsafe_code)]

pub mod scan;
