//! One organisation's place in the cache.
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard, TryLockError};
use std::time::Duration;

use crate::fence::Journal;
use crate::port::{StateGuard, StateVersion};
use crate::{EnvelopeError, OrganisationState};

/// An unsealed state with what belongs to it.
pub(super) struct Live {
    pub(super) state: OrganisationState,
    pub(super) journal: Journal,
    /// When its unwrap began.
    pub(super) unwrapped: Duration,
    /// The version that the store holds, as far as this process knows.
    pub(super) stored: StateVersion,
    /// Tells other processes that this one holds it.
    pub(super) lease: Box<dyn StateGuard>,
}

/// A failure that is answered again for a moment.
pub(super) struct Failure {
    pub(super) until: Duration,
    pub(super) error: EnvelopeError,
}

/// Whoever loads or writes holds it; readers do not.
#[derive(Default)]
pub(super) struct Work {
    pub(super) failure: Option<Failure>,
}

#[derive(Default)]
pub(super) struct Slot {
    live: RwLock<Option<Live>>,
    pub(super) work: Mutex<Work>,
    /// Whether the key service's keys were compared with the journal in this process.
    pub(super) gated: AtomicBool,
    /// Whether this process has finished what an interruption may have left.
    pub(super) settled: AtomicBool,
    /// When it was last used and last compared with the store, in ticks of milliseconds.
    used: AtomicU64,
    checked: AtomicU64,
}

impl Slot {
    pub(super) fn read(&self) -> RwLockReadGuard<'_, Option<Live>> {
        self.live.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn write(&self) -> RwLockWriteGuard<'_, Option<Live>> {
        self.live.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wipes the state, after its readers are done; says whether there was one.
    pub(super) fn clear(&self) -> bool {
        self.write().take().is_some()
    }

    /// Wipes the state if it is stale and nobody loads or writes it.
    pub(super) fn clear_if_idle(&self, stale: impl Fn(&Live) -> bool) -> bool {
        let _work = match self.work.try_lock() {
            Ok(work) => work,
            Err(TryLockError::Poisoned(work)) => work.into_inner(),
            Err(TryLockError::WouldBlock) => return false,
        };
        // Nobody waits here for a reader, and no reader for this.
        let mut live = match self.live.try_write() {
            Ok(live) => live,
            Err(TryLockError::Poisoned(live)) => live.into_inner(),
            Err(TryLockError::WouldBlock) => return false,
        };
        let stale = live.as_ref().is_some_and(stale);
        if stale {
            *live = None;
        }
        stale
    }

    /// Changes the state in place, with no reader inside.
    pub(super) fn edit<R>(
        &self,
        change: impl FnOnce(&mut Live) -> Result<R, EnvelopeError>,
    ) -> Result<R, EnvelopeError> {
        change(self.write().as_mut().ok_or(EnvelopeError::NoResources)?)
    }

    /// Looks at the state beside other readers.
    pub(super) fn look<R>(
        &self,
        look: impl FnOnce(&Live) -> Result<R, EnvelopeError>,
    ) -> Result<R, EnvelopeError> {
        look(self.read().as_ref().ok_or(EnvelopeError::NoResources)?)
    }

    pub(super) fn touch(&self, now: Duration) {
        self.used.store(millis(now), Ordering::Relaxed);
    }

    pub(super) fn used(&self) -> u64 {
        self.used.load(Ordering::Relaxed)
    }

    /// Whether the last comparison with the store is this old; the one who is told so makes the next.
    pub(super) fn is_due(&self, now: Duration, every: Duration) -> bool {
        let (last, now) = (self.checked.load(Ordering::Relaxed), millis(now));
        let due = now < last || now - last >= millis(every);
        due && self.checked.compare_exchange(last, now, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }

    /// Makes the next reader compare with the store.
    pub(super) fn mark_unchecked(&self) {
        self.checked.store(u64::MAX, Ordering::Relaxed);
    }

    pub(super) fn mark_checked(&self, now: Duration) {
        self.checked.store(millis(now), Ordering::Relaxed);
    }
}

fn millis(ticks: Duration) -> u64 {
    u64::try_from(ticks.as_millis()).unwrap_or(u64::MAX)
}
