//! A state store and a fence journal that fail before or after their act.
use std::sync::Arc;

use vouchsafe_envelope::StateStoreError;
use vouchsafe_envelope::port::{FenceRecords, FenceStore, ShardName, StateGuard, StateStore, StateVersion};
use vouchsafe_types::OrganisationId;

/// When a call fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "there is no third")]
pub enum Moment {
    /// The act does not take place.
    Before,
    /// The act takes place and its answer is lost.
    After,
}

/// Is asked at every call whether it fails.
pub type Turn = Arc<dyn Fn() -> Option<Moment> + Send + Sync>;

/// A state store whose calls fail when their turn comes.
pub struct FaultyStates {
    inner: Arc<dyn StateStore>,
    turn: Turn,
}

/// A fence journal whose calls fail when their turn comes.
pub struct FaultyFences {
    inner: Arc<dyn FenceStore>,
    turn: Turn,
}

impl FaultyStates {
    /// Wraps a store.
    pub fn new(inner: Arc<dyn StateStore>, turn: Turn) -> Self {
        Self { inner, turn }
    }
}

impl FaultyFences {
    /// Wraps a journal.
    pub fn new(inner: Arc<dyn FenceStore>, turn: Turn) -> Self {
        Self { inner, turn }
    }
}

fn pass<T>(turn: &Turn, act: impl FnOnce() -> Result<T, StateStoreError>) -> Result<T, StateStoreError> {
    match turn() {
        None => act(),
        Some(Moment::Before) => Err(StateStoreError::Unavailable),
        Some(Moment::After) => act().and(Err(StateStoreError::Unavailable)),
    }
}

macro_rules! faulty {
    ($($name:ident($($argument:ident: $type:ty),*) -> $answer:ty;)*) => {$(
        fn $name(&self, organisation: &OrganisationId $(, $argument: $type)*) -> Result<$answer, StateStoreError> {
            pass(&self.turn, || self.inner.$name(organisation $(, $argument)*))
        }
    )*};
}

impl StateStore for FaultyStates {
    faulty! {
        read() -> Option<Vec<u8>>;
        read_all() -> Vec<Vec<u8>>;
        version() -> Option<StateVersion>;
        write(version: StateVersion, blob: &[u8]) -> ();
        overwrite(version: StateVersion, blob: &[u8]) -> ();
        shards() -> Vec<ShardName>;
        read_shard(name: &ShardName) -> Option<Vec<u8>>;
        write_shard(name: &ShardName, blob: &[u8]) -> ();
        ensure_shards(names: &[ShardName]) -> ();
        retain_shards(keep: &[ShardName]) -> ();
        lock_shared() -> Box<dyn StateGuard>;
        lock_exclusive() -> Box<dyn StateGuard>;
        lease(version: StateVersion) -> Box<dyn StateGuard>;
        leased_before(version: StateVersion) -> usize;
    }
}

impl FenceStore for FaultyFences {
    faulty! {
        read(from: u64) -> FenceRecords;
        append(record: &[u8]) -> u64;
        set_aside() -> ();
    }
}

impl std::fmt::Debug for FaultyStates {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FaultyStates").finish_non_exhaustive()
    }
}

impl std::fmt::Debug for FaultyFences {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FaultyFences").finish_non_exhaustive()
    }
}
