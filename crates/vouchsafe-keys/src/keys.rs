//! A table of state keys as it is stored, version 1; numbers are big-endian.
//!
//! `"vouchsafe keys\0" || 0x01 || count (4) ||
//! (organisation length (1) || organisation || generation (8) || key (32))*`, ascending.
use std::collections::BTreeMap;

use vouchsafe_envelope::port::KeyHandle;
use vouchsafe_types::{OrganisationId, Secret};
use zeroize::Zeroizing;

use crate::binding;

const MAGIC: &[u8; 16] = b"vouchsafe keys\0\x01";

/// Every state key of one file.
#[derive(Default)]
pub(crate) struct Keys(BTreeMap<KeyHandle, Secret<32>>);

impl Keys {
    pub(crate) fn get(&self, handle: &KeyHandle) -> Option<&Secret<32>> {
        self.0.get(handle)
    }

    pub(crate) fn insert(&mut self, handle: KeyHandle, key: Secret<32>) {
        self.0.insert(handle, key);
    }

    pub(crate) fn remove(&mut self, handle: &KeyHandle) -> bool {
        self.0.remove(handle).is_some()
    }

    /// The handles of an organisation's keys, ascending by generation.
    pub(crate) fn of(&self, organisation: &OrganisationId) -> Vec<KeyHandle> {
        self.0.keys().filter(|handle| handle.organisation() == organisation).cloned().collect()
    }

    pub(crate) fn encode(&self) -> Zeroizing<Vec<u8>> {
        let entry_len = |handle: &KeyHandle| 1 + handle.organisation().as_str().len() + 8 + 32;
        let len = MAGIC.len() + 4 + self.0.keys().map(entry_len).sum::<usize>();
        // Reserved exactly, so that no smaller buffer is left behind by growth.
        let mut out = Zeroizing::new(Vec::with_capacity(len));
        out.extend_from_slice(MAGIC);
        out.extend_from_slice(&u32::try_from(self.0.len()).unwrap_or(u32::MAX).to_be_bytes());
        for (handle, key) in &self.0 {
            out.extend_from_slice(&binding::handle_bytes(handle));
            out.extend_from_slice(key.expose_secret());
        }
        out
    }

    /// `None` for bytes that [`Self::encode`] never gives.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let (count, mut rest) = bytes.strip_prefix(MAGIC)?.split_first_chunk::<4>()?;
        let mut keys = Self::default();
        for _ in 0..u32::from_be_bytes(*count) {
            let (handle, key, after) = decode_entry(rest)?;
            let ascending = keys.0.last_key_value().is_none_or(|(before, _)| *before < handle);
            if !ascending {
                return None;
            }
            keys.insert(handle, Secret::init_with(|own| own.copy_from_slice(key)));
            rest = after;
        }
        rest.is_empty().then_some(keys)
    }
}

fn decode_entry(bytes: &[u8]) -> Option<(KeyHandle, &[u8; 32], &[u8])> {
    let (len, rest) = bytes.split_first()?;
    let (organisation, rest) = rest.split_at_checked(usize::from(*len))?;
    let (generation, rest) = rest.split_first_chunk::<8>()?;
    let (key, rest) = rest.split_first_chunk::<32>()?;
    let organisation = OrganisationId::parse(std::str::from_utf8(organisation).ok()?).ok()?;
    Some((KeyHandle::new(organisation, u64::from_be_bytes(*generation)), key, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn handle(organisation: &str, generation: u64) -> KeyHandle {
        KeyHandle::new(OrganisationId::parse(organisation).unwrap(), generation)
    }

    #[test]
    fn the_contents_have_one_encoding() {
        let mut keys = Keys::default();
        for (organisation, generation) in [("b", 2), ("acme", 1), ("b", 1)] {
            keys.insert(handle(organisation, generation), Secret::init_with(|key| key.fill(7)));
        }
        let bytes = keys.encode();
        let read = Keys::decode(&bytes).unwrap();
        assert_eq!(*read.encode(), *bytes);
        assert!(read.0.keys().eq([&handle("acme", 1), &handle("b", 1), &handle("b", 2)]));
        assert_eq!(read.of(&OrganisationId::parse("b").unwrap()), [handle("b", 1), handle("b", 2)]);
        for cut in 0..bytes.len() {
            assert!(Keys::decode(&bytes[..cut]).is_none(), "{cut}");
        }
        assert!(Keys::decode(&[&bytes[..], &[0]].concat()).is_none());
        for (at, value) in [(15, 2), (19, 4), (20, 0), (21, b'A'), (21, b'c')] {
            let mut changed = bytes.to_vec();
            changed[at] = value;
            assert!(Keys::decode(&changed).is_none(), "{at} {value}");
        }
    }
}
