use std::sync::atomic::{AtomicU64, Ordering};

/// What the cache of a key ring did since it was made. No count names an organisation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CacheMetrics {
    /// Lent without a call of the key service.
    pub hits: u64,
    /// Unwrapped for a caller who waited.
    pub misses: u64,
    /// Unwrapped ahead of their expiry.
    pub refreshes: u64,
    /// Answered with a failure that is a moment old.
    pub negative: u64,
    /// Unwraps that failed.
    pub failures: u64,
    /// Wiped because they were 300 s old, or as old as the policy allows.
    pub expired: u64,
    /// Wiped because another process wrote a newer state.
    pub superseded: u64,
    /// Wiped to make room.
    pub evicted: u64,
    /// Unsealed now.
    pub live: u64,
}

#[derive(Default)]
pub(super) struct Counters {
    pub(super) hits: AtomicU64,
    pub(super) misses: AtomicU64,
    pub(super) refreshes: AtomicU64,
    pub(super) negative: AtomicU64,
    pub(super) failures: AtomicU64,
    pub(super) expired: AtomicU64,
    pub(super) superseded: AtomicU64,
    pub(super) evicted: AtomicU64,
}

pub(super) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

impl Counters {
    pub(super) fn snapshot(&self, live: usize) -> CacheMetrics {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        CacheMetrics {
            hits: read(&self.hits),
            misses: read(&self.misses),
            refreshes: read(&self.refreshes),
            negative: read(&self.negative),
            failures: read(&self.failures),
            expired: read(&self.expired),
            superseded: read(&self.superseded),
            evicted: read(&self.evicted),
            live: u64::try_from(live).unwrap_or(u64::MAX),
        }
    }
}
