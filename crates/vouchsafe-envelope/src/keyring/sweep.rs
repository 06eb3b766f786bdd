//! What happens without a caller: expired states are wiped, those in use are unwrapped ahead of time.
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use vouchsafe_types::{OrganisationId, wipe_stack};

use super::KeyRing;
use super::metrics::count;
use super::slot::Slot;
use crate::EnvelopeError;

/// How often the sweeper looks.
const EVERY: Duration = Duration::from_millis(250);

impl KeyRing {
    /// Wipes what is expired or superseded, and unwraps again what is in use and about to expire.
    pub fn sweep(&self) {
        let now = self.ports.ticks.elapsed();
        let mut due = Vec::new();
        for (organisation, slot) in self.cache.slots() {
            if slot.clear_if_idle(|live| !self.is_fresh(live, now)) {
                count(&self.cache.metrics.expired);
                continue;
            }
            let superseded = slot.read().is_some()
                && slot.is_due(now, self.cache.policy.recheck)
                && self
                    .ports
                    .states
                    .version(&organisation)
                    .map_or(true, |stored| slot.clear_if_idle(|live| stored != Some(live.stored)));
            if superseded {
                slot.clear_if_idle(|_| true);
                count(&self.cache.metrics.superseded);
            } else if self.wants_refresh(&slot, now) {
                due.push((organisation, slot));
            }
        }
        self.refresh_all(&due);
    }

    /// In the last part of its life, and used in that part.
    fn wants_refresh(&self, slot: &Slot, now: Duration) -> bool {
        let policy = &self.cache.policy;
        let from = policy.effective_ttl().saturating_sub(policy.refresh_ahead);
        let unwrapped = slot.read().as_ref().map(|live| live.unwrapped);
        unwrapped.is_some_and(|unwrapped| {
            let begins = unwrapped.saturating_add(from);
            now >= begins
                && u128::from(slot.used()) >= begins.as_millis()
                && policy.refresh_ahead > Duration::ZERO
        })
    }

    fn refresh_all(&self, due: &[(OrganisationId, Arc<Slot>)]) {
        let each = due.len().div_ceil(self.cache.policy.fan_out.max(1)).max(1);
        thread::scope(|scope| {
            for part in due.chunks(each) {
                scope.spawn(move || {
                    part.iter().for_each(|(id, slot)| self.refresh(id, slot));
                    wipe_stack();
                });
            }
        });
    }

    /// Wipes the state of one organisation now; its next use unwraps it again, whatever was rechecked lately.
    pub fn wipe_one(&self, organisation: &OrganisationId) {
        let slot = self.cache.slot(organisation);
        let _work = super::locked(&slot.work);
        slot.clear();
    }

    /// Wipes every state now; the next use unwraps it again.
    pub fn wipe(&self) {
        for (_, slot) in self.cache.slots() {
            let _work = super::locked(&slot.work);
            slot.clear();
        }
    }
}

/// A thread that sweeps a key ring four times a second until it, or the key ring, is dropped.
#[derive(Debug)]
#[must_use = "the sweeper ends when it is dropped"]
pub struct Sweeper {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Sweeper {
    /// Starts the thread.
    ///
    /// # Errors
    /// [`EnvelopeError::NoResources`] when the system starts no thread.
    pub fn start(ring: &Arc<KeyRing>) -> Result<Self, EnvelopeError> {
        let (stop, ring) = (Arc::new(AtomicBool::new(false)), Arc::downgrade(ring));
        let stopped = Arc::clone(&stop);
        let thread = thread::Builder::new()
            .name("vouchsafe-sweep".to_owned())
            .spawn(move || run(&ring, &stopped))
            .map_err(|_| EnvelopeError::NoResources)?;
        Ok(Self { stop, thread: Some(thread) })
    }
}

fn run(ring: &Weak<KeyRing>, stopped: &AtomicBool) {
    while !stopped.load(Ordering::Relaxed) {
        let Some(ring) = ring.upgrade() else { return };
        ring.sweep();
        drop(ring);
        thread::park_timeout(EVERY);
    }
}

impl Drop for Sweeper {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // The last owner of the ring may be the thread itself; it then ends by itself.
            if thread.thread().id() != thread::current().id() {
                let _ = thread.join();
            }
        }
    }
}
