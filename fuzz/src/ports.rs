use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use ring::digest::{SHA256, digest};
use vouchsafe_envelope::port::{
    Capabilities, Destroys, DestructionEvidence, ErasureStrength, FenceRecords, FenceStore, KeyHandle,
    KeyService, ShardName, StateGuard, StateStore, StateVersion,
};
use vouchsafe_envelope::{KeyServiceError, StateStoreError};
use vouchsafe_types::{Entropy, EntropyUnavailable, OrganisationId, Secret};

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Randomness without chance: every byte is the same, so that a seed opens in every run.
#[derive(Debug, Clone, Copy)]
pub struct Fixed(pub u8);

impl Entropy for Fixed {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), EntropyUnavailable> {
        buffer.fill(self.0);
        Ok(())
    }
}

/// Randomness without chance that never gives the same bytes twice, as names of shards need it.
#[derive(Debug, Default)]
pub struct Steps(AtomicU64);

impl Entropy for Steps {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), EntropyUnavailable> {
        for part in buffer.chunks_mut(32) {
            let step = self.0.fetch_add(1, Ordering::Relaxed).to_be_bytes();
            part.iter_mut().zip(digest(&SHA256, &step).as_ref()).for_each(|(to, from)| *to = *from);
        }
        Ok(())
    }
}

/// A key service that protects nothing: what it wraps is the key itself.
#[derive(Debug, Default)]
pub struct OpenService(Mutex<Vec<KeyHandle>>);

impl OpenService {
    /// A service that holds this key.
    pub fn holding(handle: KeyHandle) -> Self {
        Self(Mutex::new(vec![handle]))
    }
}

impl KeyService for OpenService {
    fn create(&self, handle: &KeyHandle) -> Result<(), KeyServiceError> {
        let mut handles = locked(&self.0);
        if !handles.contains(handle) {
            handles.push(handle.clone());
        }
        Ok(())
    }

    fn wrap(&self, _: &KeyHandle, secret: &Secret<32>, _: &[u8]) -> Result<Vec<u8>, KeyServiceError> {
        Ok(secret.expose_secret().to_vec())
    }

    fn unwrap(&self, _: &KeyHandle, wrapped: &[u8], _: &[u8]) -> Result<Secret<32>, KeyServiceError> {
        Secret::copy_from_slice(wrapped).ok_or(KeyServiceError::NotAuthentic)
    }

    fn destroy(&self, handle: &KeyHandle) -> Result<DestructionEvidence, KeyServiceError> {
        locked(&self.0).retain(|held| held != handle);
        Ok(DestructionEvidence::new(handle.clone(), ErasureStrength::None))
    }

    fn list(&self, _: &OrganisationId) -> Result<Vec<KeyHandle>, KeyServiceError> {
        let mut handles = locked(&self.0).clone();
        handles.sort_unstable();
        Ok(handles)
    }

    fn strength(&self) -> ErasureStrength {
        ErasureStrength::None
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities { destroys: Destroys::Any, rewraps: false, attests: false, remote: false }
    }
}

/// One state in memory; nobody else uses it, so its locks and leases hold nothing.
#[derive(Debug, Default)]
pub struct OneState {
    head: Mutex<Option<(StateVersion, Vec<u8>)>>,
    shards: Mutex<BTreeMap<ShardName, Vec<u8>>>,
}

impl OneState {
    /// A store with this head and these shards.
    pub fn holding(
        head: Option<(StateVersion, Vec<u8>)>,
        shards: impl IntoIterator<Item = (ShardName, Vec<u8>)>,
    ) -> Self {
        Self { head: Mutex::new(head), shards: Mutex::new(shards.into_iter().collect()) }
    }

    /// The stored head.
    pub fn head(&self) -> Option<Vec<u8>> {
        locked(&self.head).as_ref().map(|(_, head)| head.clone())
    }
}

struct Unlocked;

impl StateGuard for Unlocked {}

impl StateStore for OneState {
    fn read(&self, _: &OrganisationId) -> Result<Option<Vec<u8>>, StateStoreError> {
        Ok(self.head())
    }

    fn version(&self, _: &OrganisationId) -> Result<Option<StateVersion>, StateStoreError> {
        Ok(locked(&self.head).as_ref().map(|(version, _)| *version))
    }

    fn write(
        &self,
        organisation: &OrganisationId,
        version: StateVersion,
        blob: &[u8],
    ) -> Result<(), StateStoreError> {
        if self.version(organisation)?.is_some_and(|stored| stored > version) {
            return Err(StateStoreError::OlderGeneration);
        }
        self.overwrite(organisation, version, blob)
    }

    fn overwrite(
        &self,
        _: &OrganisationId,
        version: StateVersion,
        blob: &[u8],
    ) -> Result<(), StateStoreError> {
        *locked(&self.head) = Some((version, blob.to_vec()));
        Ok(())
    }

    fn shards(&self, _: &OrganisationId) -> Result<Vec<ShardName>, StateStoreError> {
        Ok(locked(&self.shards).keys().copied().collect())
    }

    fn read_shard(&self, _: &OrganisationId, name: &ShardName) -> Result<Option<Vec<u8>>, StateStoreError> {
        Ok(locked(&self.shards).get(name).cloned())
    }

    fn write_shard(&self, _: &OrganisationId, name: &ShardName, blob: &[u8]) -> Result<(), StateStoreError> {
        locked(&self.shards).insert(*name, blob.to_vec());
        Ok(())
    }

    fn retain_shards(&self, _: &OrganisationId, keep: &[ShardName]) -> Result<(), StateStoreError> {
        locked(&self.shards).retain(|name, _| keep.contains(name));
        Ok(())
    }

    fn lock_shared(&self, _: &OrganisationId) -> Result<Box<dyn StateGuard>, StateStoreError> {
        Ok(Box::new(Unlocked))
    }

    fn lock_exclusive(&self, _: &OrganisationId) -> Result<Box<dyn StateGuard>, StateStoreError> {
        Ok(Box::new(Unlocked))
    }

    fn lease(&self, _: &OrganisationId, _: StateVersion) -> Result<Box<dyn StateGuard>, StateStoreError> {
        Ok(Box::new(Unlocked))
    }

    fn leased_before(&self, _: &OrganisationId, _: StateVersion) -> Result<usize, StateStoreError> {
        Ok(0)
    }
}

/// One fence journal in memory.
#[derive(Debug, Default)]
pub struct Shelf(Mutex<Vec<Vec<u8>>>);

impl Shelf {
    /// A journal with these records.
    pub fn holding(records: Vec<Vec<u8>>) -> Self {
        Self(Mutex::new(records))
    }
}

impl FenceStore for Shelf {
    fn read(&self, _: &OrganisationId, from: u64) -> Result<FenceRecords, StateStoreError> {
        let all = locked(&self.0);
        let from = usize::try_from(from).map_err(|_| StateStoreError::Corrupt)?;
        let records = all.get(from..).ok_or(StateStoreError::Corrupt)?.to_vec();
        Ok(FenceRecords { records, end: all.len() as u64, damaged: false })
    }

    fn append(&self, _: &OrganisationId, record: &[u8]) -> Result<u64, StateStoreError> {
        let mut all = locked(&self.0);
        all.push(record.to_vec());
        Ok(all.len() as u64)
    }

    fn set_aside(&self, _: &OrganisationId) -> Result<(), StateStoreError> {
        locked(&self.0).clear();
        Ok(())
    }
}
