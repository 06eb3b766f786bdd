//! Key services that tests start for themselves, on ports and folders of their own.
use std::io::Write;

pub mod swtpm;

/// Says in one line that a service is missing and its tests are skipped.
///
/// # Panics
/// Where `VOUCHSAFE_REQUIRE_SERVICES` is set, because nothing may be skipped there.
pub fn skip(service: &str) {
    let required = std::env::var_os("VOUCHSAFE_REQUIRE_SERVICES").is_some();
    assert!(!required, "{service} is missing, and VOUCHSAFE_REQUIRE_SERVICES is set");
    // Past the capture of the test harness: a skipped test passes, and its output would not be shown.
    let _ = writeln!(std::io::stderr(), "SKIPPED: {service} is missing; its tests did not run");
}
