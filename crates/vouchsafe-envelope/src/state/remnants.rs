//! After the last drop, no key is left in this process's writable memory: stack, heap and all.
use std::fs::{self, File};
use std::os::unix::fs::FileExt;

use vouchsafe_types::{OrganisationId, RecordId, Secret};

use super::tests::Random;
use super::*;
use crate::port::{
    Capabilities, Destroys, DestructionEvidence, ErasureStrength, KeyHandle, KeyService, NoAudit,
};
use crate::{Context, KeyServiceError, cobblestone, record};

/// One state key, used as a key service would.
struct OneKey(Secret<32>);

impl KeyService for OneKey {
    fn create(&self, _: &KeyHandle) -> Result<(), KeyServiceError> {
        Ok(())
    }
    fn wrap(&self, _: &KeyHandle, secret: &Secret<32>, context: &[u8]) -> Result<Vec<u8>, KeyServiceError> {
        cobblestone::seal(&self.0, context, secret.expose_secret(), &Random)
            .map_err(|_| KeyServiceError::Unavailable)
    }
    fn unwrap(&self, _: &KeyHandle, wrapped: &[u8], context: &[u8]) -> Result<Secret<32>, KeyServiceError> {
        let opened =
            cobblestone::open(&self.0, context, wrapped).map_err(|_| KeyServiceError::NotAuthentic)?;
        Secret::copy_from_slice(opened.expose_secret()).ok_or(KeyServiceError::Malformed)
    }
    fn destroy(&self, handle: &KeyHandle) -> Result<DestructionEvidence, KeyServiceError> {
        Ok(DestructionEvidence::new(handle.clone(), ErasureStrength::None))
    }
    fn list(&self, _: &OrganisationId) -> Result<Vec<KeyHandle>, KeyServiceError> {
        Ok(Vec::new())
    }
    fn strength(&self) -> ErasureStrength {
        ErasureStrength::None
    }
    fn capabilities(&self) -> Capabilities {
        Capabilities { destroys: Destroys::Any, rewraps: false, attests: false, remote: false }
    }
}

/// Halves of keys, as they are and as HMAC pads them, kept under a mask so that the list is not a find.
#[derive(Default)]
struct Needles(Vec<(&'static str, Vec<u8>)>);

const MASK: u8 = 0xa5;

impl Needles {
    fn add(&mut self, name: &'static str, key: &Secret<32>) {
        self.add_bytes(name, key.expose_secret());
    }

    fn add_bytes(&mut self, name: &'static str, key: &[u8; 32]) {
        for pad in [0, 0x36, 0x5c] {
            for half in key.chunks(16) {
                self.0.push((name, half.iter().map(|byte| byte ^ pad ^ MASK).collect()));
            }
        }
    }

    /// The names of the needles found, once per place.
    fn find(&self) -> Vec<&'static str> {
        let mut heads = vec![false; 1 << 16];
        self.0.iter().for_each(|(_, needle)| heads[head(needle[0] ^ MASK, needle[1] ^ MASK)] = true);
        let memory = File::open("/proc/self/mem").unwrap();
        let mut found = Vec::new();
        for (from, to) in writable_ranges() {
            let mut buffer = vec![0; 1 << 16];
            let mut at = from;
            while at < to {
                let len = buffer.len().min(usize::try_from(to - at).unwrap_or(usize::MAX));
                let Ok(read) = memory.read_at(&mut buffer[..len], at) else { break };
                for window in buffer[..read].windows(16) {
                    if heads[head(window[0], window[1])] {
                        let same = |needle: &[u8]| window.iter().zip(needle).all(|(a, b)| a ^ MASK == *b);
                        found.extend(self.0.iter().filter(|(_, needle)| same(needle)).map(|(name, _)| *name));
                    }
                }
                // Windows overlap, so that nothing hides on an edge.
                at += if read > 16 { read as u64 - 15 } else { to };
            }
            buffer.fill(0);
        }
        found
    }
}

fn head(first: u8, second: u8) -> usize {
    usize::from(first) << 8 | usize::from(second)
}

fn writable_ranges() -> Vec<(u64, u64)> {
    let maps = fs::read_to_string("/proc/self/maps").unwrap();
    let range = |line: &str| {
        let (range, rest) = line.split_once(' ')?;
        let (from, to) = range.split_once('-')?;
        let parse = |text| u64::from_str_radix(text, 16).ok();
        rest.starts_with("rw").then_some((parse(from)?, parse(to)?))
    };
    maps.lines().filter_map(range).collect()
}

#[inline(never)]
fn use_every_key(needles: &mut Needles) {
    let organisation = OrganisationId::parse("acme").unwrap();
    let service = OneKey(Secret::random(&Random).unwrap());
    needles.add("state key", &service.0);
    let blob = {
        let mut state = OrganisationState::generate(&Random, Arc::new(NoAudit)).unwrap();
        state.reserve(DataClass::Biometric, 64).unwrap();
        sealed::seal(&state, &organisation, &service, &Random).unwrap()
    };
    let sealed::Blob::State { generation, wrapped, message } = sealed::Blob::parse(&blob).unwrap() else {
        panic!("a state")
    };
    let mut state =
        sealed::open(&organisation, &service, (generation, wrapped, message), Arc::new(NoAudit)).unwrap();
    state.keys.iter().for_each(|key| needles.add_bytes("lasting key", key));
    state.tree.node_keys().for_each(|key| needles.add_bytes("tree node", key));
    let leaf = LeafIndex::new((1 << 40) + 5).unwrap();
    needles.add("leaf key", &state.tree.leaf(leaf).unwrap());
    needles.add("template key", state.template_secret(leaf).unwrap().as_secret());
    let key = state.record_key(leaf, 1).unwrap();
    needles.add("record key", key.as_secret());
    let context = Context {
        organisation: organisation.clone(),
        leaf,
        class: DataClass::Biometric,
        scope: None,
        record: RecordId::from_bytes([0; 16]),
        model: None,
        dimension: None,
        key_version: 1,
    };
    let plaintext: Secret<32> = Secret::random(&Random).unwrap();
    needles.add("plaintext", &plaintext);
    let sealed = record::seal(&key, &context, plaintext.expose_secret(), &Random).unwrap();
    record::open(&key, &context, &sealed).unwrap();
    let _ = state.pseudonym(b"alice");
    state.puncture(&[leaf]).unwrap();
    state.tree.node_keys().for_each(|key| needles.add_bytes("tree node", key));
    assert_eq!(state.add_data_key(&Random), Ok(2));
    state.keys.iter().for_each(|key| needles.add_bytes("lasting key", key));
    state.retire_data_keys(2).unwrap();
    sealed::seal(&state, &organisation, &service, &Random).unwrap();
}

/// Promise: WB-3-encryption
#[test]
fn no_key_outlives_its_use() {
    let mut needles = Needles::default();
    use_every_key(&mut needles);
    assert!(needles.0.len() > 50 * 6);
    assert_eq!(needles.find(), Vec::<&str>::new());
    let planted = Secret::<32>::random(&Random).unwrap();
    needles.add("planted", &planted);
    assert!(needles.find().contains(&"planted"), "the scan finds what is there");
}
