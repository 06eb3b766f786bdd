//! Conformance suites, scanners and fault injection for the vouchsafe crates
#![forbid(unsafe_code)]

pub mod conformance;
pub mod faulty;
pub mod services;

#[cfg(feature = "drills")]
pub mod acknowledged;
#[cfg(feature = "drills")]
pub mod cold;
#[cfg(feature = "drills")]
pub mod crash;
#[cfg(feature = "drills")]
pub mod draws;
#[cfg(feature = "drills")]
pub mod place;
#[cfg(feature = "drills")]
pub mod scan;
#[cfg(feature = "drills")]
pub mod scene;
#[cfg(feature = "drills")]
pub mod traffic;
