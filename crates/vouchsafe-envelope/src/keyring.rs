use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use vouchsafe_types::{Entropy, LeafIndex, OrganisationId, Ticks, wipe_stack};

use crate::port::{FenceStore, KeyService, NoAudit, OpenAudit, StateStore};
use crate::{EnvelopeError, LeafStatus, OrganisationState};

mod allocate;
mod cache;
mod destroy;
mod gate;
mod honey;
mod load;
mod metrics;
mod provision;
mod rotate;
mod slot;
mod sweep;
mod write;

use allocate::Region;
use cache::Cache;
pub use cache::{CachePolicy, MAX_TTL};
pub use destroy::PunctureReport;
pub use gate::{FenceLoss, LogIdentity, Replay};
pub use metrics::CacheMetrics;
pub use rotate::KeyReport;
pub use sweep::Sweeper;

/// What a key ring works with.
#[derive(Clone)]
#[non_exhaustive]
pub struct KeyPorts {
    /// Who wraps and destroys state keys.
    pub service: Arc<dyn KeyService>,
    /// Where sealed states lie, in two places or more.
    pub states: Arc<dyn StateStore>,
    /// Where the fence journals lie, outside of what a restore replaces.
    pub fences: Arc<dyn FenceStore>,
    /// Where randomness comes from.
    pub entropy: Arc<dyn Entropy>,
    /// What the age of an unsealed state is measured with.
    pub ticks: Arc<dyn Ticks>,
    /// Who is told of openings and alarms; nobody by default.
    pub audit: Arc<dyn OpenAudit>,
}

impl KeyPorts {
    /// These ports, with nobody told of openings.
    pub fn new(
        service: Arc<dyn KeyService>,
        states: Arc<dyn StateStore>,
        fences: Arc<dyn FenceStore>,
        entropy: Arc<dyn Entropy>,
        ticks: Arc<dyn Ticks>,
    ) -> Self {
        Self { service, states, fences, entropy, ticks, audit: Arc::new(NoAudit) }
    }

    /// With this audit port.
    #[must_use]
    pub fn with_audit(mut self, audit: Arc<dyn OpenAudit>) -> Self {
        self.audit = audit;
        self
    }
}

impl std::fmt::Debug for KeyPorts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeyPorts").finish_non_exhaustive()
    }
}

/// Every organisation's keys, over a key service, a state store and a fence journal.
///
/// An unsealed state is kept for at most 300 s after its unwrap began ([`CachePolicy`]); leaf keys are derived for
/// each call and never kept. Readers share a state; a destruction punctures it in place, so that no reader of this
/// process derives a condemned key once [`Self::destroy`] has fenced it. Other processes notice within
/// [`CachePolicy::recheck`], and a destruction is not done before they have.
///
/// Start a [`Sweeper`], or call [`Self::sweep`] now and then: without it an idle process keeps expired states,
/// which it serves to nobody.
pub struct KeyRing {
    ports: KeyPorts,
    cache: Cache,
    /// Reserved and not yet given out. Several blocks of a class can be open: reservations race harmlessly.
    blocks: Mutex<HashMap<Region, Vec<Range<u64>>>>,
}

impl KeyRing {
    /// A key ring over its ports, with the default cache.
    pub fn new(ports: KeyPorts) -> Self {
        Self::with_cache(ports, CachePolicy::default())
    }

    /// A key ring with this cache.
    pub fn with_cache(ports: KeyPorts, policy: CachePolicy) -> Self {
        Self { ports, cache: Cache::new(policy), blocks: Mutex::default() }
    }

    /// Lends the current state to a closure.
    ///
    /// Keep the closure short: a destruction in this process waits for it. Calling the key ring for the same
    /// organisation from inside can deadlock.
    ///
    /// # Errors
    /// [`EnvelopeError::NotProvisioned`], [`EnvelopeError::StateLost`], [`EnvelopeError::KeyMissing`],
    /// [`EnvelopeError::StateRolledBack`], [`EnvelopeError::FencesLost`], [`EnvelopeError::Resurrected`],
    /// [`EnvelopeError::KeyServiceRolledBack`], [`EnvelopeError::NotAuthentic`], or what a port answers.
    pub fn with_state<R>(
        &self,
        organisation: &OrganisationId,
        read: impl FnOnce(&OrganisationState) -> R,
    ) -> Result<R, EnvelopeError> {
        let result = self.lend(organisation, read);
        wipe_stack();
        result
    }

    /// What became of a leaf.
    ///
    /// # Errors
    /// As [`Self::with_state`].
    pub fn status(
        &self,
        organisation: &OrganisationId,
        index: LeafIndex,
    ) -> Result<LeafStatus, EnvelopeError> {
        self.with_state(organisation, |state| state.status(index))
    }

    /// Whether a leaf was destroyed.
    ///
    /// # Errors
    /// [`EnvelopeError::NeverAllocated`] for an index that was never given out; otherwise as
    /// [`Self::with_state`].
    pub fn is_destroyed(
        &self,
        organisation: &OrganisationId,
        index: LeafIndex,
    ) -> Result<bool, EnvelopeError> {
        match self.status(organisation, index)? {
            LeafStatus::Destroyed => Ok(true),
            LeafStatus::Live => Ok(false),
            LeafStatus::NeverAllocated => Err(EnvelopeError::NeverAllocated),
        }
    }

    /// Counts of what the cache did. They name no organisation.
    pub fn cache_metrics(&self) -> CacheMetrics {
        self.cache.metrics.snapshot(self.cache.live())
    }
}

impl std::fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeyRing").finish_non_exhaustive()
    }
}

/// A lock whose holder cannot leave its value half-changed.
fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
