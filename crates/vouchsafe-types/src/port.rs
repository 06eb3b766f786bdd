use std::sync::Mutex;

use jiff::{Span, Timestamp};
use thiserror::Error;

/// Where time comes from. Mechanisms take instants as arguments; only the facade holds a clock.
pub trait Clock: Send + Sync {
    /// The current instant.
    fn now(&self) -> Timestamp;
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

impl Clock for VirtualClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}
