use jiff::SignedDuration;
use vouchsafe_types::Timestamp;

use crate::RetentionError;

/// Stops a sweep whose clock was set back, or jumped forward.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClockGuard {
    max_step_days: u32,
}

impl ClockGuard {
    /// Lets the clock run on by up to this many days of 24 hours since the newest known instant, clamped to 1 to 366.
    pub const fn new(max_step_days: u32) -> Self {
        let most = if max_step_days > MAX_STEP_DAYS { MAX_STEP_DAYS } else { max_step_days };
        Self { max_step_days: if most == 0 { 1 } else { most } }
    }

    /// The longest step that passes, in days, 1 to 366.
    pub const fn max_step_days(self) -> u32 {
        self.max_step_days
    }

    /// Compares the clock with the newest instant that anything in the store or the log bears; `None` where there is
    /// none yet.
    ///
    /// # Errors
    /// [`RetentionError::ClockSetBack`], [`RetentionError::ClockJumped`].
    pub fn check(self, newest: Option<Timestamp>, now: Timestamp) -> Result<(), RetentionError> {
        let Some(newest) = newest else { return Ok(()) };
        if now < newest {
            return Err(RetentionError::ClockSetBack { newest, now });
        }
        let step = SignedDuration::from_hours(24 * i64::from(self.max_step_days));
        if now.duration_since(newest) > step {
            return Err(RetentionError::ClockJumped { newest, now, max_step_days: self.max_step_days });
        }
        Ok(())
    }
}

impl Default for ClockGuard {
    /// 30 days.
    fn default() -> Self {
        Self::new(30)
    }
}

pub(crate) const MAX_STEP_DAYS: u32 = 366;
