use std::sync::Arc;

use vouchsafe_envelope::port::{KeyHandle, ShardName, StateVersion};
use vouchsafe_envelope::{Context, KeyPorts, KeyRing, RecordKey, cobblestone, test_util};
use vouchsafe_types::{DataClass, Digest, LeafIndex, OrganisationId, RecordId, Scope, Secret, VirtualTicks};

use crate::{Fixed, OneState, OpenService, Shelf, Steps};

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

/// The same record key in every run.
pub fn record_key() -> RecordKey {
    test_util::record_key(Secret::init_with(|key| key.fill(8)))
}

/// A key ring over ports in memory, and the ports.
pub struct World {
    /// The key ring.
    pub ring: KeyRing,
    /// Where its state lies.
    pub states: Arc<OneState>,
}

impl World {
    /// Over a stored head, or none; the service holds the key of its generation.
    pub fn of(head: Option<(StateVersion, Vec<u8>)>) -> Self {
        Self::with(head, [], Vec::new())
    }

    /// Also with shards and a fence journal.
    pub fn with(
        head: Option<(StateVersion, Vec<u8>)>,
        shards: impl IntoIterator<Item = (ShardName, Vec<u8>)>,
        journal: Vec<Vec<u8>>,
    ) -> Self {
        let service = match &head {
            Some((version, _)) => OpenService::holding(KeyHandle::new(acme(), version.generation)),
            None => OpenService::default(),
        };
        let states = Arc::new(OneState::holding(head, shards));
        let ring = KeyRing::new(KeyPorts::new(
            Arc::new(service),
            Arc::<OneState>::clone(&states),
            Arc::new(Shelf::holding(journal)),
            Arc::new(Steps::default()),
            Arc::new(VirtualTicks::default()),
        ));
        Self { ring, states }
    }

    /// The plaintext of the stored head, if it is one.
    pub fn stored(&self) -> Option<Vec<u8>> {
        open_state(&self.states.head()?)
    }
}

/// Seals the plaintext of a state as the key ring would, so that its decoder is reached by bytes of any kind.
pub fn seal_state(generation: u64, plaintext: &[u8]) -> Vec<u8> {
    let key = Secret::init_with(|key| key.fill(3));
    let context = parts(&[b"vouchsafe state context v1", b"acme", &generation.to_be_bytes()]);
    let message = cobblestone::seal(&key, &context, plaintext, &Fixed(2)).expect("the plaintext is short");
    let head = [&[1][..], &generation.to_be_bytes(), &32u16.to_be_bytes(), key.expose_secret()].concat();
    [head, message].concat()
}

/// The plaintext of a sealed state.
fn open_state(blob: &[u8]) -> Option<Vec<u8>> {
    let (generation, rest) = blob.strip_prefix(&[1])?.split_first_chunk::<8>()?;
    let (key, message) = rest.strip_prefix(&32u16.to_be_bytes())?.split_first_chunk::<32>()?;
    let context = parts(&[b"vouchsafe state context v1", b"acme", generation]);
    let plain = cobblestone::open(&Secret::init_with(|own| *own = *key), &context, message).ok()?;
    Some(plain.expose_secret().to_vec())
}

/// Each part behind its length, as contexts are.
pub fn parts(parts: &[&[u8]]) -> Vec<u8> {
    let mut out = Vec::new();
    for part in parts {
        out.extend_from_slice(&u16::try_from(part.len()).expect("parts are short").to_be_bytes());
        out.extend_from_slice(part);
    }
    out
}
