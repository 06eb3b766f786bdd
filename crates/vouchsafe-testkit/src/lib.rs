//! Conformance suites, scanners and fault injection for the vouchsafe crates
#![forbid(unsafe_code)]

pub mod cold;
pub mod crash;
pub mod draws;
pub mod scan;
pub mod scene;
