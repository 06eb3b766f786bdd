use std::sync::{Arc, Mutex, PoisonError};

use vouchsafe_envelope::port::{
    Capabilities, DestructionEvidence, Destroys, ErasureStrength, KeyHandle, KeyService, StateGuard, StateStore,
};
use vouchsafe_envelope::{Context, KeyRing, KeyServiceError, RecordKey, StateStoreError, cobblestone};
use vouchsafe_types::{
    DataClass, Digest, Entropy, EntropyUnavailable, LeafIndex, OrganisationId, RecordId, Scope, Secret,
};

/// Randomness without chance: every byte is the same, so that a seed opens in every run.
#[derive(Debug, Clone, Copy)]
pub struct Fixed(pub u8);

impl Entropy for Fixed {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), EntropyUnavailable> {
        buffer.fill(self.0);
        Ok(())
    }
}

/// A key service that protects nothing: what it wraps is the key itself.
#[derive(Default)]
struct OpenService(Mutex<Vec<KeyHandle>>);

impl OpenService {
    fn handles<R>(&self, act: impl FnOnce(&mut Vec<KeyHandle>) -> R) -> R {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl KeyService for OpenService {
    fn create(&self, handle: &KeyHandle) -> Result<(), KeyServiceError> {
        self.handles(|handles| handles.push(handle.clone()));
        Ok(())
    }

    fn wrap(&self, _: &KeyHandle, secret: &Secret<32>, _: &[u8]) -> Result<Vec<u8>, KeyServiceError> {
        Ok(secret.expose_secret().to_vec())
    }

    fn unwrap(&self, _: &KeyHandle, wrapped: &[u8], _: &[u8]) -> Result<Secret<32>, KeyServiceError> {
        Secret::copy_from_slice(wrapped).ok_or(KeyServiceError::NotAuthentic)
    }

    fn destroy(&self, handle: &KeyHandle) -> Result<DestructionEvidence, KeyServiceError> {
        self.handles(|handles| handles.retain(|held| held != handle));
        Ok(DestructionEvidence::new(handle.clone(), ErasureStrength::None))
    }

    fn list(&self, _: &OrganisationId) -> Result<Vec<KeyHandle>, KeyServiceError> {
        Ok(self.handles(|handles| handles.clone()))
    }

    fn strength(&self) -> ErasureStrength {
        ErasureStrength::None
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities { destroys: Destroys::Any, rewraps: false, attests: false, remote: false }
    }
}

/// One blob in memory; nobody else uses it, so its locks hold nothing.
#[derive(Default)]
struct OneState(Mutex<Option<Vec<u8>>>);

struct Unlocked;

impl StateGuard for Unlocked {}

impl StateStore for OneState {
    fn read(&self, _: &OrganisationId) -> Result<Option<Vec<u8>>, StateStoreError> {
        Ok(self.0.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }

    fn write(&self, _: &OrganisationId, _: u64, blob: &[u8]) -> Result<(), StateStoreError> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(blob.to_vec());
        Ok(())
    }

    fn lock_shared(&self, _: &OrganisationId) -> Result<Box<dyn StateGuard>, StateStoreError> {
        Ok(Box::new(Unlocked))
    }

    fn lock_exclusive(&self, _: &OrganisationId) -> Result<Box<dyn StateGuard>, StateStoreError> {
        Ok(Box::new(Unlocked))
    }
}

/// The organisation of every target.
pub fn acme() -> OrganisationId {
    OrganisationId::parse("acme").expect("the id is well-formed")
}

/// The first index of biometric data.
pub fn leaf() -> LeafIndex {
    LeafIndex::new(u64::from(DataClass::Biometric.code()) << 40).expect("the index has 48 bits")
}

/// The context of every sealed record.
pub fn context() -> Context {
    Context {
        organisation: acme(),
        leaf: leaf(),
        class: DataClass::Biometric,
        scope: Some(Scope::FACE_VERIFICATION),
        record: RecordId::from_bytes([9; 16]),
        model: Some(Digest::from_bytes([0x11; 32])),
        dimension: Some(512),
        key_version: 1,
    }
}

/// A key ring over a stored blob, or over nothing.
pub fn state_ring(blob: Option<Vec<u8>>) -> KeyRing {
    let states = OneState(Mutex::new(blob));
    KeyRing::new(Arc::<OpenService>::default(), Arc::new(states), Arc::new(Fixed(2)))
}

/// The same record key in every run; nothing outside the crate can make one but a key ring.
pub fn record_key() -> RecordKey {
    let ring = state_ring(None);
    ring.provision(&acme()).expect("ports in memory do not fail");
    let given = ring.allocate(&acme(), DataClass::Biometric).expect("ports in memory do not fail");
    assert_eq!(given, leaf());
    let key = ring.with_state(&acme(), |state| state.record_key(given)).expect("the state opens");
    key.expect("the leaf is allocated")
}

/// Seals the plaintext of a state as the key ring would, so that its decoder is reached by bytes of any kind.
pub fn seal_state(generation: u64, plaintext: &[u8]) -> Vec<u8> {
    let key = Secret::init_with(|key| key.fill(3));
    let mut context = Vec::new();
    for part in [&b"vouchsafe state context v1"[..], b"acme", &generation.to_be_bytes()] {
        context.extend_from_slice(&u16::try_from(part.len()).expect("parts are short").to_be_bytes());
        context.extend_from_slice(part);
    }
    let message = cobblestone::seal(&key, &context, plaintext, &Fixed(2)).expect("the plaintext is short");
    let head = [&[1][..], &generation.to_be_bytes(), &32u16.to_be_bytes(), key.expose_secret()].concat();
    [head, message].concat()
}
