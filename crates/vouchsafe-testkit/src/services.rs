//! Real services, started for one test and gone with it.
//!
//! Where a service is not installed its tests are skipped, with one line that says so. With
//! `VOUCHSAFE_REQUIRE_SERVICES` in the environment they fail instead.
use std::io::Write;

pub mod gate;
pub mod objects;
pub mod openbao;
pub mod softhsm;
pub mod swtpm;
pub mod tls;

/// Says that a service is missing.
///
/// # Panics
/// Where `VOUCHSAFE_REQUIRE_SERVICES` is set, because nothing may be skipped there.
pub fn skip(test: &str, service: &str) {
    let required = std::env::var_os("VOUCHSAFE_REQUIRE_SERVICES").is_some();
    assert!(!required, "{service} is not installed, and VOUCHSAFE_REQUIRE_SERVICES is set");
    // Not by a macro: what those print of a test that passes is never seen.
    let _ = writeln!(std::io::stderr(), "SKIPPED {test}: {service} is not installed");
}
