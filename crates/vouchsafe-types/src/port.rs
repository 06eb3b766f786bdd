use std::sync::Mutex;
use std::time::Duration;

use jiff::{Span, Timestamp};
use thiserror::Error;

/// Where time comes from. Mechanisms take instants as arguments; only the facade holds a clock.
pub trait Clock: Send + Sync {
    /// The current instant.
    fn now(&self) -> Timestamp;
}

/// How much time has passed since some fixed instant. It never goes backwards, and it counts sleep.
///
/// Caches measure their entries' age with it, because a wall clock can be set.
pub trait Ticks: Send + Sync {
    /// The time passed.
    fn elapsed(&self) -> Duration;
}

/// Where randomness comes from.
pub trait Entropy: Send + Sync {
    /// Fills the buffer with bytes fit for keys.
    ///
    /// # Errors
    /// [`EntropyUnavailable`] when the source cannot answer; nothing may go on without it.
    fn fill(&self, buffer: &mut [u8]) -> Result<(), EntropyUnavailable>;
}

/// The source of randomness did not answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the source of randomness is unavailable")]
pub struct EntropyUnavailable;

/// A clock that stands still until it is moved, for tests, drills and simulations.
#[derive(Debug)]
pub struct VirtualClock(Mutex<Timestamp>);

impl VirtualClock {
    /// A clock that shows this instant.
    pub const fn starting_at(now: Timestamp) -> Self {
        Self(Mutex::new(now))
    }

    /// Moves the clock to this instant, forwards or backwards.
    pub fn set(&self, now: Timestamp) {
        *self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) = now;
    }

    /// Moves the clock forwards by a span of calendar years and days, counted in UTC.
    ///
    /// # Errors
    /// The calendar's own error, when the result leaves its range.
    pub fn advance(&self, span: Span) -> Result<(), jiff::Error> {
        let moved = self.now().to_zoned_datetime(jiff::tz::TimeZone::UTC).checked_add(span)?;
        self.set(moved.timestamp());
        Ok(())
    }
}

/// Ticks that stand still until they are moved.
#[derive(Debug, Default)]
pub struct VirtualTicks(Mutex<Duration>);

impl VirtualTicks {
    /// Moves on by this much.
    pub fn advance(&self, by: Duration) {
        let mut elapsed = self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        *elapsed = elapsed.saturating_add(by);
    }

    /// Moves to this value, forwards or, as no honest source does, backwards.
    pub fn set(&self, to: Duration) {
        *self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) = to;
    }
}

impl Ticks for VirtualTicks {
    fn elapsed(&self) -> Duration {
        *self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl Clock for VirtualClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}
