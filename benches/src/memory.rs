//! Ports in memory for one key ring, so that a bench measures the ring and no disk; they count what passes.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use vouchsafe_envelope::port::{
    Capabilities, Destroys, DestructionEvidence, ErasureStrength, FenceRecords, FenceStore, KeyHandle,
    KeyService, ShardName, StateGuard, StateStore, StateVersion,
};
use vouchsafe_envelope::{KeyPorts, KeyServiceError, StateStoreError};
use vouchsafe_keys::OsEntropy;
use vouchsafe_types::{Entropy, OrganisationId, Secret, Ticks};

/// A key service, a state store and a fence store for rings that follow one another.
#[derive(Debug, Default)]
pub struct Memory {
    /// Counts its unwraps.
    pub service: Arc<MemoryService>,
    /// Counts the bytes written to it.
    pub states: Arc<MemoryStates>,
    /// Holds journals.
    pub fences: Arc<MemoryFences>,
}

impl Memory {
    /// The ports of a ring over this memory.
    pub fn ports(&self, ticks: Arc<dyn Ticks>) -> KeyPorts {
        KeyPorts::new(
            Arc::<MemoryService>::clone(&self.service),
            Arc::<MemoryStates>::clone(&self.states),
            Arc::<MemoryFences>::clone(&self.fences),
            Arc::new(OsEntropy::new()),
            ticks,
        )
    }
}

/// State keys in a map. A wrap is one AES-256-GCM.
#[derive(Default)]
pub struct MemoryService {
    keys: Mutex<HashMap<KeyHandle, [u8; 32]>>,
    unwraps: AtomicU64,
}

impl MemoryService {
    /// How many unwraps were asked for.
    pub fn unwraps(&self) -> u64 {
        self.unwraps.load(Ordering::SeqCst)
    }

    fn key(&self, handle: &KeyHandle) -> Result<LessSafeKey, KeyServiceError> {
        let key = *locked(&self.keys).get(handle).ok_or(KeyServiceError::NoSuchKey)?;
        UnboundKey::new(&AES_256_GCM, &key).map(LessSafeKey::new).map_err(|_| KeyServiceError::Corrupt)
    }
}

impl KeyService for MemoryService {
    fn create(&self, handle: &KeyHandle) -> Result<(), KeyServiceError> {
        let mut key = [0; 32];
        OsEntropy::new().fill(&mut key).map_err(|_| KeyServiceError::Unavailable)?;
        locked(&self.keys).entry(handle.clone()).or_insert(key);
        Ok(())
    }

    fn wrap(
        &self,
        handle: &KeyHandle,
        secret: &Secret<32>,
        context: &[u8],
    ) -> Result<Vec<u8>, KeyServiceError> {
        let mut nonce = [0; NONCE_LEN];
        OsEntropy::new().fill(&mut nonce).map_err(|_| KeyServiceError::Unavailable)?;
        let mut out = secret.expose_secret().to_vec();
        let nonce_of = Nonce::assume_unique_for_key(nonce);
        self.key(handle)?
            .seal_in_place_append_tag(nonce_of, Aad::from(context), &mut out)
            .map_err(|_| KeyServiceError::Malformed)?;
        out.extend_from_slice(&nonce);
        Ok(out)
    }

    fn unwrap(
        &self,
        handle: &KeyHandle,
        wrapped: &[u8],
        context: &[u8],
    ) -> Result<Secret<32>, KeyServiceError> {
        self.unwraps.fetch_add(1, Ordering::SeqCst);
        let (sealed, nonce) = wrapped.split_last_chunk().ok_or(KeyServiceError::Malformed)?;
        let mut sealed = sealed.to_vec();
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let opened = self.key(handle)?;
        let opened = opened.open_in_place(nonce, Aad::from(context), &mut sealed);
        let opened = opened.map_err(|_| KeyServiceError::NotAuthentic)?;
        Secret::copy_from_slice(opened).ok_or(KeyServiceError::Malformed)
    }

    fn destroy(&self, handle: &KeyHandle) -> Result<DestructionEvidence, KeyServiceError> {
        locked(&self.keys).remove(handle);
        Ok(DestructionEvidence::new(handle.clone(), self.strength()))
    }

    fn list(&self, organisation: &OrganisationId) -> Result<Vec<KeyHandle>, KeyServiceError> {
        let keys = locked(&self.keys);
        Ok(keys.keys().filter(|key| key.organisation() == organisation).cloned().collect())
    }

    fn strength(&self) -> ErasureStrength {
        ErasureStrength::HostOnly
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities { destroys: Destroys::Any, rewraps: false, attests: false, remote: false }
    }
}

impl std::fmt::Debug for MemoryService {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MemoryService").finish_non_exhaustive()
    }
}

/// Heads and shards in a map. One ring uses it at a time, so that its locks and leases are none.
#[derive(Debug, Default)]
pub struct MemoryStates {
    stored: Mutex<HashMap<OrganisationId, Stored>>,
    head_bytes: AtomicU64,
    shard_bytes: AtomicU64,
}

#[derive(Debug, Default)]
struct Stored {
    head: Option<(StateVersion, Vec<u8>)>,
    shards: HashMap<ShardName, Vec<u8>>,
}

/// Bytes of a state's parts.
#[derive(Debug, Clone, Copy, Default)]
pub struct Bytes {
    /// The head.
    pub head: u64,
    /// All shards together.
    pub shards: u64,
}

struct NoGuard;

impl StateGuard for NoGuard {}

impl MemoryStates {
    /// What was written since the store was made.
    pub fn written(&self) -> Bytes {
        let read = |counter: &AtomicU64| counter.load(Ordering::SeqCst);
        Bytes { head: read(&self.head_bytes), shards: read(&self.shard_bytes) }
    }

    /// What is stored of an organisation now.
    pub fn size(&self, organisation: &OrganisationId) -> Bytes {
        self.with(organisation, |stored| Bytes {
            head: stored.head.as_ref().map_or(0, |(_, head)| head.len() as u64),
            shards: stored.shards.values().map(|shard| shard.len() as u64).sum(),
        })
    }

    fn with<R>(&self, organisation: &OrganisationId, act: impl FnOnce(&mut Stored) -> R) -> R {
        act(locked(&self.stored).entry(organisation.clone()).or_default())
    }
}

impl StateStore for MemoryStates {
    fn read(&self, organisation: &OrganisationId) -> Result<Option<Vec<u8>>, StateStoreError> {
        Ok(self.with(organisation, |stored| stored.head.as_ref().map(|(_, head)| head.clone())))
    }

    fn version(&self, organisation: &OrganisationId) -> Result<Option<StateVersion>, StateStoreError> {
        Ok(self.with(organisation, |stored| stored.head.as_ref().map(|(version, _)| *version)))
    }

    fn write(
        &self,
        organisation: &OrganisationId,
        version: StateVersion,
        blob: &[u8],
    ) -> Result<(), StateStoreError> {
        self.overwrite(organisation, version, blob)
    }

    fn overwrite(
        &self,
        organisation: &OrganisationId,
        version: StateVersion,
        blob: &[u8],
    ) -> Result<(), StateStoreError> {
        self.head_bytes.fetch_add(blob.len() as u64, Ordering::SeqCst);
        self.with(organisation, |stored| stored.head = Some((version, blob.to_vec())));
        Ok(())
    }

    fn shards(&self, organisation: &OrganisationId) -> Result<Vec<ShardName>, StateStoreError> {
        Ok(self.with(organisation, |stored| stored.shards.keys().copied().collect()))
    }

    fn read_shard(
        &self,
        organisation: &OrganisationId,
        name: &ShardName,
    ) -> Result<Option<Vec<u8>>, StateStoreError> {
        Ok(self.with(organisation, |stored| stored.shards.get(name).cloned()))
    }

    fn write_shard(
        &self,
        organisation: &OrganisationId,
        name: &ShardName,
        blob: &[u8],
    ) -> Result<(), StateStoreError> {
        self.shard_bytes.fetch_add(blob.len() as u64, Ordering::SeqCst);
        self.with(organisation, |stored| stored.shards.insert(*name, blob.to_vec()));
        Ok(())
    }

    fn retain_shards(
        &self,
        organisation: &OrganisationId,
        keep: &[ShardName],
    ) -> Result<(), StateStoreError> {
        self.with(organisation, |stored| stored.shards.retain(|name, _| keep.contains(name)));
        Ok(())
    }

    fn lock_shared(&self, _: &OrganisationId) -> Result<Box<dyn StateGuard>, StateStoreError> {
        Ok(Box::new(NoGuard))
    }

    fn lock_exclusive(&self, _: &OrganisationId) -> Result<Box<dyn StateGuard>, StateStoreError> {
        Ok(Box::new(NoGuard))
    }

    fn lease(&self, _: &OrganisationId, _: StateVersion) -> Result<Box<dyn StateGuard>, StateStoreError> {
        Ok(Box::new(NoGuard))
    }

    fn leased_before(&self, _: &OrganisationId, _: StateVersion) -> Result<usize, StateStoreError> {
        Ok(0)
    }
}

/// Journals in a map; a place is the number of records before it.
#[derive(Debug, Default)]
pub struct MemoryFences(Mutex<HashMap<OrganisationId, Vec<Vec<u8>>>>);

impl FenceStore for MemoryFences {
    fn read(&self, organisation: &OrganisationId, from: u64) -> Result<FenceRecords, StateStoreError> {
        let journals = locked(&self.0);
        let all = journals.get(organisation).map(Vec::as_slice).unwrap_or_default();
        let from = usize::try_from(from).map_err(|_| StateStoreError::Corrupt)?;
        let records = all.get(from..).ok_or(StateStoreError::Corrupt)?.to_vec();
        Ok(FenceRecords { records, end: all.len() as u64, damaged: false })
    }

    fn append(&self, organisation: &OrganisationId, record: &[u8]) -> Result<u64, StateStoreError> {
        let mut journals = locked(&self.0);
        let all = journals.entry(organisation.clone()).or_default();
        all.push(record.to_vec());
        Ok(all.len() as u64)
    }

    fn set_aside(&self, organisation: &OrganisationId) -> Result<(), StateStoreError> {
        locked(&self.0).remove(organisation);
        Ok(())
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
