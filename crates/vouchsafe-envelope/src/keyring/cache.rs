//! Which organisations are unsealed, and for how long.
use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use vouchsafe_types::OrganisationId;

use super::metrics::{Counters, count};
use super::slot::{Live, Slot};
use super::{KeyRing, locked};
use crate::{EnvelopeError, OrganisationState};

/// The longest that an unsealed state is served after its unwrap began, whatever the configuration: 300 s.
pub const MAX_TTL: Duration = Duration::from_secs(300);

/// How unsealed states are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "written with `..Default::default()`")]
pub struct CachePolicy {
    /// How long a state is served after its unwrap began; longer than [`MAX_TTL`] is taken as [`MAX_TTL`], and zero
    /// keeps nothing between calls.
    pub ttl: Duration,
    /// How long before that a state in use is unwrapped again in the background.
    pub refresh_ahead: Duration,
    /// How many are unwrapped in the background at once.
    pub fan_out: usize,
    /// How often a state in use is compared with the store: the bound within which another process's write is seen.
    pub recheck: Duration,
    /// How long a failed unwrap is answered again without asking.
    pub negative: Duration,
    /// How many states are unsealed at once; the least recently used goes first.
    pub capacity: usize,
    /// How long a destruction waits for other processes to let go of the former state.
    pub lease_wait: Duration,
}

impl Default for CachePolicy {
    fn default() -> Self {
        Self {
            ttl: MAX_TTL,
            refresh_ahead: Duration::from_secs(30),
            fan_out: 4,
            recheck: Duration::from_millis(500),
            negative: Duration::from_secs(1),
            capacity: 1024,
            lease_wait: Duration::from_secs(3),
        }
    }
}

impl CachePolicy {
    /// The time that a state is really served.
    pub fn effective_ttl(&self) -> Duration {
        self.ttl.min(MAX_TTL)
    }
}

const PARTS: usize = 16;
/// How often a caller looks again when what it loaded was wiped before it could be lent.
const TRIES: usize = 64;

type Part = Mutex<HashMap<OrganisationId, Arc<Slot>>>;

pub(super) struct Cache {
    pub(super) policy: CachePolicy,
    pub(super) metrics: Counters,
    parts: [Part; PARTS],
    hasher: RandomState,
}

impl Cache {
    pub(super) fn new(policy: CachePolicy) -> Self {
        Self { policy, metrics: Counters::default(), parts: Default::default(), hasher: RandomState::new() }
    }

    /// The organisation's slot, made if it is missing.
    pub(super) fn slot(&self, organisation: &OrganisationId) -> Arc<Slot> {
        let mut part = locked(self.part(organisation));
        if let Some(slot) = part.get(organisation) {
            return Arc::clone(slot);
        }
        Arc::clone(part.entry(organisation.clone()).or_default())
    }

    /// Every slot with its organisation.
    pub(super) fn slots(&self) -> Vec<(OrganisationId, Arc<Slot>)> {
        let list = |part: &Part| {
            locked(part).iter().map(|(id, slot)| (id.clone(), Arc::clone(slot))).collect::<Vec<_>>()
        };
        self.parts.iter().flat_map(list).collect()
    }

    /// How many states are unsealed.
    pub(super) fn live(&self) -> usize {
        self.slots().iter().filter(|(_, slot)| slot.read().is_some()).count()
    }

    /// Removes the least recently used slots until the capacity is kept, never the given one.
    pub(super) fn make_room(&self, keep: &OrganisationId) {
        let capacity = self.policy.capacity.max(1);
        if self.parts.iter().map(|part| locked(part).len()).sum::<usize>() <= capacity {
            return;
        }
        let mut slots = self.slots();
        slots.sort_by_cached_key(|(_, slot)| slot.used());
        let excess = slots.len().saturating_sub(capacity);
        for (organisation, slot) in slots.iter().filter(|(id, _)| id != keep).take(excess) {
            let Ok(_work) = slot.work.try_lock() else { continue };
            // Somebody who still holds it is served once more, from a slot that nobody else finds.
            locked(self.part(organisation)).remove(organisation);
            if slot.clear() {
                count(&self.metrics.evicted);
            }
        }
    }

    fn part(&self, organisation: &OrganisationId) -> &Part {
        let [first, ..] = &self.parts;
        let place = usize::try_from(self.hasher.hash_one(organisation) % PARTS as u64).unwrap_or(0);
        self.parts.get(place).unwrap_or(first)
    }
}

impl KeyRing {
    pub(super) fn lend<R>(
        &self,
        organisation: &OrganisationId,
        read: impl FnOnce(&OrganisationState) -> R,
    ) -> Result<R, EnvelopeError> {
        let slot = self.cache.slot(organisation);
        let mut loaded = false;
        for _ in 0..TRIES {
            {
                let lent = slot.read();
                // Asked inside the lock, so that waiting for it makes nothing younger.
                let now = self.ports.ticks.elapsed();
                // What was loaded for this call is lent once, even when the policy keeps nothing.
                let fresh = |live: &&Live| {
                    self.is_fresh(live, now) || (loaded && self.is_younger(live, now, MAX_TTL))
                };
                if let Some(live) = lent.as_ref().filter(fresh)
                    && self.is_current(organisation, &slot, live, now)?
                {
                    slot.touch(now);
                    if !loaded {
                        count(&self.cache.metrics.hits);
                    }
                    let result = read(&live.state);
                    drop(lent);
                    if self.cache.policy.effective_ttl().is_zero() {
                        slot.clear_if_idle(|_| true);
                    }
                    return Ok(result);
                }
            }
            self.fill(organisation, &slot)?;
            loaded = true;
        }
        Err(EnvelopeError::NoResources)
    }

    /// Whether a state may be served by its age. Ticks that went backwards are no reason to trust it longer.
    /// A forked child starts anew: its copies of the keys are zeros.
    pub(super) fn is_fresh(&self, live: &Live, now: Duration) -> bool {
        self.is_younger(live, now, self.cache.policy.effective_ttl())
    }

    fn is_younger(&self, live: &Live, now: Duration, limit: Duration) -> bool {
        let age = now.checked_sub(live.unwrapped).unwrap_or(Duration::MAX);
        age < limit && live.state.is_intact()
    }

    /// Whether the store still holds this version, asked once in a while. A store that does not answer is a no.
    fn is_current(
        &self,
        organisation: &OrganisationId,
        slot: &Slot,
        live: &Live,
        now: Duration,
    ) -> Result<bool, EnvelopeError> {
        if !slot.is_due(now, self.cache.policy.recheck) {
            return Ok(true);
        }
        let stored = self.ports.states.version(organisation).map_err(|error| {
            slot.mark_unchecked();
            EnvelopeError::StateStore(error)
        })?;
        // While this process writes, the store may be ahead of what is noted here.
        let current = stored == Some(live.stored) || slot.work.try_lock().is_err();
        if !current {
            slot.mark_unchecked();
        }
        Ok(current)
    }
}
