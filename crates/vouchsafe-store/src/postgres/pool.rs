//! A bounded number of connections, lent to one transaction at a time.
use std::fmt;
use std::sync::{Condvar, Mutex, MutexGuard};
use std::time::Instant;

use super::link::Link;
use crate::StoreError;

pub(super) struct Pool {
    most: usize,
    state: Mutex<State>,
    returned: Condvar,
}

#[derive(Default)]
struct State {
    idle: Vec<Link>,
    taken: usize,
}

/// A place in the pool, and the connection in it; it goes back when it is dropped.
pub(super) struct Lease<'a> {
    pool: &'a Pool,
    /// Taken out while its state is in doubt: a connection that is not put back is closed.
    pub(super) link: Option<Link>,
}

impl Pool {
    pub(super) fn of(most: usize) -> Self {
        Self { most, state: Mutex::default(), returned: Condvar::new() }
    }

    /// Waits for a place until an instant; [`StoreError::Locked`] then.
    pub(super) fn take(&self, until: Instant) -> Result<Lease<'_>, StoreError> {
        let mut state = self.state();
        while state.taken >= self.most {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(StoreError::Locked);
            }
            state =
                self.returned.wait_timeout(state, left).unwrap_or_else(|poisoned| poisoned.into_inner()).0;
        }
        state.taken += 1;
        let mut link = state.idle.pop();
        // The server may have ended those that waited here.
        while link.as_ref().is_some_and(|link| !link.is_open()) {
            link = state.idle.pop();
        }
        Ok(Lease { pool: self, link })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        let mut state = self.pool.state();
        state.taken -= 1;
        state.idle.extend(self.link.take().filter(Link::is_open));
        drop(state);
        self.pool.returned.notify_one();
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").field("most", &self.most).finish_non_exhaustive()
    }
}
