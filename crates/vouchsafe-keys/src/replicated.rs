use std::sync::Arc;

use vouchsafe_envelope::StateStoreError;
use vouchsafe_envelope::port::{ShardName, StateGuard, StateStore, StateVersion};
use vouchsafe_types::OrganisationId;

/// One sealed state in several places: a write is durable in all of them before it counts, a read takes the newest.
///
/// Locks and leases are those of the first place. A place that is missing, damaged or behind makes no difference to
/// readers; [`Self::check`] tells, and [`Self::replicate`] mends it. While a place does not answer, nothing new can
/// be written: no index is reserved, and a destruction stays pending.
pub struct ReplicatedStates {
    places: Vec<Arc<dyn StateStore>>,
}

/// What lies in one place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "an operator acts on each")]
pub enum Replica {
    /// The newest state, whole.
    Newest(StateVersion),
    /// An older state, or one whose shards are not all there.
    Behind(StateVersion),
    /// Nothing.
    Missing,
    /// Damaged, or it does not answer.
    Unreadable(StateStoreError),
}

/// What one place has of a state.
#[derive(Clone, PartialEq, Eq)]
struct Whole {
    version: StateVersion,
    head: Vec<u8>,
    shards: Vec<ShardName>,
}

impl ReplicatedStates {
    /// A state in these places, the first of which holds the locks.
    ///
    /// # Errors
    /// [`StateStoreError::Unavailable`] for no place at all.
    pub fn new(places: Vec<Arc<dyn StateStore>>) -> Result<Self, StateStoreError> {
        if places.is_empty() { Err(StateStoreError::Unavailable) } else { Ok(Self { places }) }
    }

    /// What lies in each place, in their order.
    ///
    /// # Errors
    /// [`StateStoreError::Unavailable`] when the lock cannot be had.
    pub fn check(&self, organisation: &OrganisationId) -> Result<Vec<Replica>, StateStoreError> {
        let _guard = self.lock_shared(organisation)?;
        Ok(self.compare(organisation))
    }

    /// Copies the newest state to every place that does not have it; gives how many were mended.
    ///
    /// # Errors
    /// As the places state. [`StateStoreError::Corrupt`] when no place has a whole state.
    pub fn replicate(&self, organisation: &OrganisationId) -> Result<usize, StateStoreError> {
        let _guard = self.lock_exclusive(organisation)?;
        let replicas = self.compare(organisation);
        let newest = |replica: &Replica| match replica {
            Replica::Newest(version) => Some(*version),
            _ => None,
        };
        let source = replicas
            .iter()
            .zip(&self.places)
            .find_map(|(replica, place)| newest(replica).map(|version| (version, place)));
        let Some((version, source)) = source else {
            let none = replicas.iter().all(|replica| *replica == Replica::Missing);
            return if none { Ok(0) } else { Err(StateStoreError::Corrupt) };
        };
        let head = source.read(organisation)?.ok_or(StateStoreError::Corrupt)?;
        let mut mended = 0;
        for (replica, place) in replicas.iter().zip(&self.places) {
            if newest(replica).is_none() {
                for shard in source.shards(organisation)? {
                    let bytes = source.read_shard(organisation, &shard)?.ok_or(StateStoreError::Corrupt)?;
                    place.write_shard(organisation, &shard, &bytes)?;
                }
                place.overwrite(organisation, version, &head)?;
                mended += 1;
            }
        }
        Ok(mended)
    }

    fn compare(&self, organisation: &OrganisationId) -> Vec<Replica> {
        let read: Vec<_> = self.places.iter().map(|place| self.inspect(organisation, &**place)).collect();
        let whole = read.iter().filter_map(|found| found.as_ref().ok()?.as_ref());
        // Of two with the same head, the one with more shards is whole.
        let newest = whole.max_by_key(|whole| (whole.version, whole.shards.len())).cloned();
        read.into_iter()
            .map(|found| match found {
                Err(error) => Replica::Unreadable(error),
                Ok(None) => Replica::Missing,
                Ok(Some(own)) if Some(&own) == newest.as_ref() => Replica::Newest(own.version),
                Ok(Some(own)) => Replica::Behind(own.version),
            })
            .collect()
    }

    fn inspect(
        &self,
        organisation: &OrganisationId,
        place: &dyn StateStore,
    ) -> Result<Option<Whole>, StateStoreError> {
        let Some(head) = place.read(organisation)? else { return Ok(None) };
        let version = place.version(organisation)?.ok_or(StateStoreError::Corrupt)?;
        let mut shards = place.shards(organisation)?;
        shards.sort_unstable();
        for shard in &shards {
            place.read_shard(organisation, shard)?;
        }
        Ok(Some(Whole { version, head, shards }))
    }

    fn first(&self) -> Result<&dyn StateStore, StateStoreError> {
        self.places.first().map(|place| &**place).ok_or(StateStoreError::Unavailable)
    }

    /// The first answer that is a value; otherwise the first error, or nothing.
    fn first_value<T>(
        &self,
        ask: impl Fn(&dyn StateStore) -> Result<Option<T>, StateStoreError>,
    ) -> Result<Option<T>, StateStoreError> {
        let mut failed = None;
        for place in &self.places {
            match ask(&**place) {
                Ok(Some(value)) => return Ok(Some(value)),
                Ok(None) => {}
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        failed.map_or(Ok(None), Err)
    }
}

impl std::fmt::Debug for ReplicatedStates {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ReplicatedStates").field("places", &self.places.len()).finish_non_exhaustive()
    }
}

impl StateStore for ReplicatedStates {
    fn read(&self, organisation: &OrganisationId) -> Result<Option<Vec<u8>>, StateStoreError> {
        let newest = self.version(organisation)?;
        self.first_value(|place| {
            let stored = place.version(organisation)?;
            if stored.is_some() && stored == newest { place.read(organisation) } else { Ok(None) }
        })
    }

    fn read_all(&self, organisation: &OrganisationId) -> Result<Vec<Vec<u8>>, StateStoreError> {
        let mut heads = Vec::new();
        for place in &self.places {
            if let (Ok(Some(version)), Ok(Some(head))) =
                (place.version(organisation), place.read(organisation))
            {
                heads.push((version, head));
            }
        }
        heads.sort_unstable_by_key(|(version, _)| std::cmp::Reverse(*version));
        Ok(heads.into_iter().map(|(_, head)| head).collect())
    }

    fn version(&self, organisation: &OrganisationId) -> Result<Option<StateVersion>, StateStoreError> {
        let mut newest = None;
        let mut failed = None;
        for place in &self.places {
            match place.version(organisation) {
                Ok(version) => newest = newest.max(version),
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        match (newest, failed) {
            (None, Some(error)) => Err(error),
            (newest, _) => Ok(newest),
        }
    }

    fn write(
        &self,
        organisation: &OrganisationId,
        version: StateVersion,
        blob: &[u8],
    ) -> Result<(), StateStoreError> {
        self.places.iter().try_for_each(|place| place.write(organisation, version, blob))
    }

    fn overwrite(
        &self,
        organisation: &OrganisationId,
        version: StateVersion,
        blob: &[u8],
    ) -> Result<(), StateStoreError> {
        self.places.iter().try_for_each(|place| place.overwrite(organisation, version, blob))
    }

    fn shards(&self, organisation: &OrganisationId) -> Result<Vec<ShardName>, StateStoreError> {
        self.first()?.shards(organisation)
    }

    fn read_shard(
        &self,
        organisation: &OrganisationId,
        name: &ShardName,
    ) -> Result<Option<Vec<u8>>, StateStoreError> {
        self.first_value(|place| place.read_shard(organisation, name))
    }

    fn write_shard(
        &self,
        organisation: &OrganisationId,
        name: &ShardName,
        blob: &[u8],
    ) -> Result<(), StateStoreError> {
        self.places.iter().try_for_each(|place| place.write_shard(organisation, name, blob))
    }

    fn retain_shards(
        &self,
        organisation: &OrganisationId,
        keep: &[ShardName],
    ) -> Result<(), StateStoreError> {
        self.places.iter().try_for_each(|place| place.retain_shards(organisation, keep))
    }

    fn lock_shared(&self, organisation: &OrganisationId) -> Result<Box<dyn StateGuard>, StateStoreError> {
        self.first()?.lock_shared(organisation)
    }

    fn lock_exclusive(&self, organisation: &OrganisationId) -> Result<Box<dyn StateGuard>, StateStoreError> {
        self.first()?.lock_exclusive(organisation)
    }

    fn lease(
        &self,
        organisation: &OrganisationId,
        version: StateVersion,
    ) -> Result<Box<dyn StateGuard>, StateStoreError> {
        self.first()?.lease(organisation, version)
    }

    fn leased_before(
        &self,
        organisation: &OrganisationId,
        version: StateVersion,
    ) -> Result<usize, StateStoreError> {
        self.first()?.leased_before(organisation, version)
    }
}
