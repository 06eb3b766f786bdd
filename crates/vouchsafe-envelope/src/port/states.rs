use vouchsafe_types::OrganisationId;

use crate::StateStoreError;

/// Orders the states of one organisation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(clippy::exhaustive_structs, reason = "the order of the two parts is its meaning")]
pub struct StateVersion {
    /// Which state key seals it; grows with every erasure and rotation.
    pub generation: u64,
    /// Grows with every durable change.
    pub revision: u64,
}

/// Names one shard of a large state: 16 random bytes, never used twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ShardName([u8; 16]);

impl ShardName {
    /// A name from its bytes.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

/// Holds a lock or a lease on one organisation's state until it is dropped.
pub trait StateGuard: Send + Sync {}

/// Keeps one sealed state per organisation: a head, and shards where it is large.
///
/// It is trusted for availability only: every blob is encrypted, authenticated and bound to its place.
/// A state never goes into a backup history (see the crate documentation).
pub trait StateStore: Send + Sync {
    /// The current head; `None` when there is none.
    ///
    /// # Errors
    /// [`StateStoreError`] when the store does not answer or its bytes are damaged.
    fn read(&self, organisation: &OrganisationId) -> Result<Option<Vec<u8>>, StateStoreError>;

    /// Every head that is stored in any place, the newest first; for a recovery, when the newest does not open.
    ///
    /// # Errors
    /// As [`Self::read`], when no place answers.
    fn read_all(&self, organisation: &OrganisationId) -> Result<Vec<Vec<u8>>, StateStoreError> {
        Ok(self.read(organisation)?.into_iter().collect())
    }

    /// The version with which the current head was written. Cheap: readers ask about once a second.
    ///
    /// # Errors
    /// As [`Self::read`].
    fn version(&self, organisation: &OrganisationId) -> Result<Option<StateVersion>, StateStoreError>;

    /// Replaces the head, atomically; `Ok` means that it survives a power cut, everywhere it is kept.
    ///
    /// # Errors
    /// [`StateStoreError::OlderGeneration`] when a later version is stored; otherwise as the store states. After
    /// an error either the old or the new head is there, whole.
    fn write(
        &self,
        organisation: &OrganisationId,
        version: StateVersion,
        blob: &[u8],
    ) -> Result<(), StateStoreError>;

    /// As [`Self::write`], whatever is stored: for repairs from another place.
    ///
    /// # Errors
    /// As the store states.
    fn overwrite(
        &self,
        organisation: &OrganisationId,
        version: StateVersion,
        blob: &[u8],
    ) -> Result<(), StateStoreError>;

    /// The names of the stored shards, in any order.
    ///
    /// # Errors
    /// As the store states.
    fn shards(&self, organisation: &OrganisationId) -> Result<Vec<ShardName>, StateStoreError>;

    /// A shard that a head names; `None` when it is missing.
    ///
    /// # Errors
    /// As [`Self::read`].
    fn read_shard(
        &self,
        organisation: &OrganisationId,
        name: &ShardName,
    ) -> Result<Option<Vec<u8>>, StateStoreError>;

    /// Writes a shard under a fresh name; `Ok` means that it survives a power cut, everywhere it is kept.
    ///
    /// # Errors
    /// As the store states.
    fn write_shard(
        &self,
        organisation: &OrganisationId,
        name: &ShardName,
        blob: &[u8],
    ) -> Result<(), StateStoreError>;

    /// Makes sure that these shards lie in every place before a head that names them is written.
    ///
    /// # Errors
    /// [`StateStoreError::Corrupt`] when one is in no place; otherwise as the store states.
    fn ensure_shards(
        &self,
        organisation: &OrganisationId,
        names: &[ShardName],
    ) -> Result<(), StateStoreError> {
        if names.is_empty() {
            return Ok(());
        }
        let stored = self.shards(organisation)?;
        if names.iter().all(|name| stored.contains(name)) { Ok(()) } else { Err(StateStoreError::Corrupt) }
    }

    /// Removes every shard but these.
    ///
    /// # Errors
    /// As the store states; what is left over is ciphertext under keys that are gone.
    fn retain_shards(&self, organisation: &OrganisationId, keep: &[ShardName])
    -> Result<(), StateStoreError>;

    /// Waits, for a bounded time, until no exclusive lock is held.
    ///
    /// # Errors
    /// [`StateStoreError::Unavailable`] when the wait is over.
    fn lock_shared(&self, organisation: &OrganisationId) -> Result<Box<dyn StateGuard>, StateStoreError>;

    /// Waits, for a bounded time, until no other lock is held. Waiting readers do not starve it.
    ///
    /// # Errors
    /// [`StateStoreError::Unavailable`] when the wait is over.
    fn lock_exclusive(&self, organisation: &OrganisationId) -> Result<Box<dyn StateGuard>, StateStoreError>;

    /// Says that this process holds the state of this version unsealed, until the lease is dropped or the process
    /// ends, however it ends.
    ///
    /// # Errors
    /// As the store states; without a lease nothing may be unsealed.
    fn lease(
        &self,
        organisation: &OrganisationId,
        version: StateVersion,
    ) -> Result<Box<dyn StateGuard>, StateStoreError>;

    /// How many live leases, of any process, there are on states before this version.
    ///
    /// # Errors
    /// As the store states.
    fn leased_before(
        &self,
        organisation: &OrganisationId,
        version: StateVersion,
    ) -> Result<usize, StateStoreError>;
}
