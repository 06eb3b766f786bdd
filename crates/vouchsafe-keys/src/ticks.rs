use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use vouchsafe_types::Ticks;

/// The time since the host started, sleep included, where the system counts it (Linux); elsewhere without sleep.
#[derive(Debug, Clone, Copy, Default)]
pub struct BootTicks;

impl Ticks for BootTicks {
    fn elapsed(&self) -> Duration {
        #[cfg(target_os = "linux")]
        let clock = ClockId::Boottime;
        #[cfg(not(target_os = "linux"))]
        let clock = ClockId::Monotonic;
        // The kernel gives no negative time here.
        Duration::try_from(clock_gettime(clock)).unwrap_or(Duration::MAX)
    }
}
