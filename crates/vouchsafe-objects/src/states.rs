use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use ring::digest::{SHA256, digest};
use vouchsafe_envelope::StateStoreError;
use vouchsafe_envelope::port::{ErasureStrength, ShardName, StateGuard, StateStore, StateVersion};
use vouchsafe_types::OrganisationId;

use crate::bucket::Read;
use crate::{Bucket, Condition, ETag, ObjectsError, Put};

/// Sealed states as objects: a further place of `ReplicatedStates`, and never the only one.
///
/// ```text
/// <organisation>/state          = "vouchsafe state\x03" || generation (8) || revision (8) || SHA-256 of all else (32) || blob
/// <organisation>/shards/<hex>   = blob
/// ```
///
/// A head replaces another by compare-and-swap, so that a write that is late never sets back a later one. Object
/// storage has no lock and no lease that ends with a process: those that this place is asked for are refused with
/// [`StateStoreError::NoLocks`]. A replicated state passes that over while another of its places gives them, and fails
/// when none does. The place that gives them must be one that every process which changes states shares; two
/// machines that each lock a folder of their own do not exclude each other.
///
/// A bucket that keeps old versions keeps every former state, and a former state opens what was erased since
/// wherever its key can be brought back. Such a bucket is refused unless the key service's erasure does not depend
/// on what is kept elsewhere ([`ErasureStrength::ServiceAttested`], [`ErasureStrength::ServiceExcludedFromBackup`]):
/// a key file does. Replication, snapshots and object locks of a provider keep former objects as well, and
/// cannot be asked for over this protocol: the operator turns them off.
#[derive(Debug)]
pub struct BucketStates {
    bucket: Bucket,
    /// The versions of heads by their contents' names.
    seen: Mutex<HashMap<OrganisationId, (ETag, StateVersion)>>,
}

impl BucketStates {
    /// The states below this prefix, sealed by a key service of this strength. The server is tried first:
    /// [`Bucket::require_conditions`].
    ///
    /// # Errors
    /// [`ObjectsError::ConditionIgnored`]; [`ObjectsError::Versioned`]; otherwise as [`Bucket::check`].
    pub fn open(bucket: Bucket, strength: ErasureStrength) -> Result<Self, ObjectsError> {
        bucket.require_conditions()?;
        let independent =
            matches!(strength, ErasureStrength::ServiceAttested | ErasureStrength::ServiceExcludedFromBackup);
        if !independent && !bucket.versioning()?.forgets() {
            return Err(ObjectsError::Versioned);
        }
        Ok(Self { bucket, seen: Mutex::default() })
    }

    fn head(&self, organisation: &OrganisationId) -> Result<Option<(StateVersion, Vec<u8>)>, ObjectsError> {
        let Some(object) = self.bucket.get(&state_key(organisation))? else { return Ok(None) };
        let (version, blob) = parse(&object.bytes).ok_or(ObjectsError::Answer)?;
        let blob = blob.to_vec();
        self.remember(organisation, object.etag, version);
        Ok(Some((version, blob)))
    }

    fn head_version(&self, organisation: &OrganisationId) -> Result<Option<StateVersion>, ObjectsError> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner).get(organisation).cloned();
        let Some((etag, version)) = seen else {
            return Ok(self.head(organisation)?.map(|(version, _)| version));
        };
        match self.bucket.get_other(&state_key(organisation), &etag)? {
            Read::Missing => Ok(None),
            Read::Same => Ok(Some(version)),
            Read::Other(object) => {
                let (version, _) = parse(&object.bytes).ok_or(ObjectsError::Answer)?;
                self.remember(organisation, object.etag, version);
                Ok(Some(version))
            }
        }
    }

    fn remember(&self, organisation: &OrganisationId, etag: ETag, version: StateVersion) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.insert(organisation.clone(), (etag, version));
    }

    fn put(
        &self,
        organisation: &OrganisationId,
        version: StateVersion,
        blob: &[u8],
        accept: impl Fn(Option<&[u8]>) -> Result<(), ObjectsError>,
    ) -> Result<(), StateStoreError> {
        let written = self.bucket.replace(&state_key(organisation), &encode(version, blob), accept);
        let etag = written.map_err(ObjectsError::as_states)?;
        self.remember(organisation, etag, version);
        Ok(())
    }

    fn put_shard(&self, key: &str, blob: &[u8]) -> Result<(), ObjectsError> {
        if let Put::Done(_) = self.bucket.settle(key, blob, &Condition::IfAbsent)? {
            return Ok(());
        }
        // Names are never used twice: it is this one, from before, or somebody tampers.
        let same = self.bucket.get(key)?.is_some_and(|stored| stored.bytes == blob);
        if same { Ok(()) } else { Err(ObjectsError::Contradiction) }
    }

    fn shard_keys(
        &self,
        organisation: &OrganisationId,
    ) -> Result<Vec<(String, Option<ShardName>)>, ObjectsError> {
        let keys = self.bucket.list(&format!("{organisation}/shards"))?;
        Ok(keys.into_iter().map(|key| (key.clone(), shard_of(&key))).collect())
    }
}

impl StateStore for BucketStates {
    fn read(&self, organisation: &OrganisationId) -> Result<Option<Vec<u8>>, StateStoreError> {
        let head = self.head(organisation).map_err(ObjectsError::as_states)?;
        Ok(head.map(|(_, blob)| blob))
    }

    fn version(&self, organisation: &OrganisationId) -> Result<Option<StateVersion>, StateStoreError> {
        self.head_version(organisation).map_err(ObjectsError::as_states)
    }

    fn write(
        &self,
        organisation: &OrganisationId,
        version: StateVersion,
        blob: &[u8],
    ) -> Result<(), StateStoreError> {
        self.put(organisation, version, blob, |stored| match stored.map(parse) {
            None => Ok(()),
            Some(None) => Err(ObjectsError::Answer),
            Some(Some((stored, _))) if stored > version => Err(ObjectsError::Moved),
            Some(Some(_)) => Ok(()),
        })
    }

    fn overwrite(
        &self,
        organisation: &OrganisationId,
        version: StateVersion,
        blob: &[u8],
    ) -> Result<(), StateStoreError> {
        self.put(organisation, version, blob, |_| Ok(()))
    }

    fn shards(&self, organisation: &OrganisationId) -> Result<Vec<ShardName>, StateStoreError> {
        let keys = self.shard_keys(organisation).map_err(ObjectsError::as_states)?;
        Ok(keys.into_iter().filter_map(|(_, name)| name).collect())
    }

    fn read_shard(
        &self,
        organisation: &OrganisationId,
        name: &ShardName,
    ) -> Result<Option<Vec<u8>>, StateStoreError> {
        let stored = self.bucket.get(&shard_key(organisation, name)).map_err(ObjectsError::as_states)?;
        Ok(stored.map(|object| object.bytes))
    }

    fn write_shard(
        &self,
        organisation: &OrganisationId,
        name: &ShardName,
        blob: &[u8],
    ) -> Result<(), StateStoreError> {
        self.put_shard(&shard_key(organisation, name), blob).map_err(ObjectsError::as_states)
    }

    fn retain_shards(
        &self,
        organisation: &OrganisationId,
        keep: &[ShardName],
    ) -> Result<(), StateStoreError> {
        let keys = self.shard_keys(organisation).map_err(ObjectsError::as_states)?;
        let mut others = keys.iter().filter(|(_, name)| !name.is_some_and(|name| keep.contains(&name)));
        others.try_for_each(|(key, _)| self.bucket.delete(key)).map_err(ObjectsError::as_states)
    }

    fn lock_shared(&self, _: &OrganisationId) -> Result<Box<dyn StateGuard>, StateStoreError> {
        Err(StateStoreError::NoLocks)
    }

    fn lock_exclusive(&self, _: &OrganisationId) -> Result<Box<dyn StateGuard>, StateStoreError> {
        Err(StateStoreError::NoLocks)
    }

    fn lease(&self, _: &OrganisationId, _: StateVersion) -> Result<Box<dyn StateGuard>, StateStoreError> {
        Err(StateStoreError::NoLocks)
    }

    /// Nobody holds one here, because none is given.
    fn leased_before(&self, _: &OrganisationId, _: StateVersion) -> Result<usize, StateStoreError> {
        Ok(0)
    }
}

fn state_key(organisation: &OrganisationId) -> String {
    format!("{organisation}/state")
}

fn shard_key(organisation: &OrganisationId, name: &ShardName) -> String {
    let hex: String = name.as_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{organisation}/shards/{hex}")
}

fn shard_of(key: &str) -> Option<ShardName> {
    let (_, hex) = key.rsplit_once('/')?;
    let lower = hex.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'a'..=b'f'));
    let number = u128::from_str_radix(hex, 16).ok().filter(|_| lower && hex.len() == 32)?;
    Some(ShardName::from_bytes(number.to_be_bytes()))
}

pub(crate) fn encode(version: StateVersion, blob: &[u8]) -> Vec<u8> {
    let StateVersion { generation, revision } = version;
    let head = [MAGIC.as_slice(), &generation.to_be_bytes(), &revision.to_be_bytes()].concat();
    [&head, sum(&head, blob).as_slice(), blob].concat()
}

pub(crate) fn parse(bytes: &[u8]) -> Option<(StateVersion, &[u8])> {
    let (head, rest) = bytes.split_at_checked(HEAD_LEN)?;
    let (stored_sum, blob) = rest.split_first_chunk::<32>()?;
    let (generation, revision) = head.strip_prefix(MAGIC.as_slice())?.split_first_chunk()?;
    let version = StateVersion {
        generation: u64::from_be_bytes(*generation),
        revision: u64::from_be_bytes(revision.try_into().ok()?),
    };
    (sum(head, blob) == stored_sum).then_some((version, blob))
}

fn sum(head: &[u8], blob: &[u8]) -> Vec<u8> {
    digest(&SHA256, &[head, blob].concat()).as_ref().to_vec()
}

const MAGIC: &[u8; 16] = b"vouchsafe state\x03";
const HEAD_LEN: usize = MAGIC.len() + 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_has_one_form() {
        let version = StateVersion { generation: 3, revision: 9 };
        let bytes = encode(version, b"blob");
        assert_eq!(parse(&bytes), Some((version, &b"blob"[..])));
        for at in 0..bytes.len() {
            assert_eq!(parse(&bytes[..at]), None, "cut at {at}");
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            assert_eq!(parse(&changed), None, "changed at {at}");
        }
    }

    #[test]
    fn a_shard_has_one_name() {
        let name = ShardName::from_bytes([0xab; 16]);
        let organisation = OrganisationId::parse("acme").unwrap();
        let key = shard_key(&organisation, &name);
        assert_eq!(shard_of(&key), Some(name));
        assert_eq!(shard_of(&key.to_uppercase()), None);
        assert_eq!(shard_of(&key.replacen("ab", "+b", 1)), None);
        assert_eq!(shard_of(&key[..key.len() - 2]), None);
    }
}
