use std::collections::BTreeSet;
use std::sync::Arc;

use vouchsafe_envelope::StateStoreError;
use vouchsafe_envelope::port::{ShardName, StateGuard, StateStore, StateVersion};
use vouchsafe_types::OrganisationId;

/// One sealed state in several places: a write is durable in all of them before it counts, a read takes the newest.
///
/// A place that is missing, damaged or behind makes no difference to readers; [`Self::check`] tells, and
/// [`Self::replicate`] mends it. While a place does not answer, nothing new can be written: no index is reserved,
/// and a destruction stays pending. Locks and leases are taken in every place that is there. Every
/// process names the places in the same order: another order excludes as well, and can make both wait until they
/// give up.
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

/// One guard for each place.
struct Guards {
    _all: Vec<Box<dyn StateGuard>>,
}

impl StateGuard for Guards {}

/// What one place has of a state.
#[derive(Clone, PartialEq, Eq)]
struct Whole {
    version: StateVersion,
    head: Vec<u8>,
    shards: BTreeSet<ShardName>,
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
        let newest = |replica: &Replica| matches!(replica, Replica::Newest(_));
        let Some((version, head)) = self.heads(organisation)?.into_iter().next() else { return Ok(0) };
        let shards = self.shards(organisation)?;
        let mut mended = 0;
        for (_, place) in replicas.iter().zip(&self.places).filter(|(replica, _)| !newest(replica)) {
            let stored = place.shards(organisation)?;
            for shard in shards.iter().filter(|shard| !stored.contains(shard)) {
                let bytes = self.read_shard(organisation, shard)?.ok_or(StateStoreError::Corrupt)?;
                place.write_shard(organisation, shard, &bytes)?;
            }
            place.overwrite(organisation, version, &head)?;
            mended += 1;
        }
        Ok(mended)
    }

    fn compare(&self, organisation: &OrganisationId) -> Vec<Replica> {
        let read: Vec<_> = self.places.iter().map(|place| self.inspect(organisation, &**place)).collect();
        let whole = || read.iter().filter_map(|found| found.as_ref().ok()?.as_ref());
        let newest = whole().map(|whole| whole.version).max();
        // What any place has of the newest state belongs to it.
        let shards: BTreeSet<ShardName> = whole()
            .filter(|whole| Some(whole.version) == newest)
            .flat_map(|whole| whole.shards.iter().copied())
            .collect();
        let head = whole().find(|whole| Some(whole.version) == newest).map(|whole| whole.head.clone());
        read.into_iter()
            .map(|found| match found {
                Err(error) => Replica::Unreadable(error),
                Ok(None) => Replica::Missing,
                Ok(Some(own)) if Some(&own.head) == head.as_ref() && own.shards == shards => {
                    Replica::Newest(own.version)
                }
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
        let shards: BTreeSet<ShardName> = place.shards(organisation)?.into_iter().collect();
        for shard in &shards {
            place.read_shard(organisation, shard)?;
        }
        Ok(Some(Whole { version, head, shards }))
    }

    /// Every head that reads, the newest first. A damaged newest one leaves the next; the fence journal tells whether
    /// that is too old.
    fn heads(&self, organisation: &OrganisationId) -> Result<Vec<(StateVersion, Vec<u8>)>, StateStoreError> {
        let (mut heads, mut failed) = (Vec::new(), None);
        for place in &self.places {
            match place.version(organisation).and_then(|version| Ok((version, place.read(organisation)?))) {
                Ok((Some(version), Some(head))) => heads.push((version, head)),
                Ok(_) => {}
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        heads.sort_by_key(|(version, _)| std::cmp::Reverse(*version));
        match failed.filter(|_| heads.is_empty()) {
            Some(error) => Err(error),
            None => Ok(heads),
        }
    }

    /// A guard in every place that gives one, and in one at least.
    fn guard_any(
        &self,
        guard: impl Fn(&dyn StateStore) -> Result<Box<dyn StateGuard>, StateStoreError>,
    ) -> Result<Box<dyn StateGuard>, StateStoreError> {
        let (mut all, mut failed) = (Vec::new(), StateStoreError::Unavailable);
        for place in &self.places {
            match guard(&**place) {
                Ok(one) => all.push(one),
                // Somebody else holds it: that is an answer.
                Err(StateStoreError::Unavailable) => return Err(StateStoreError::Unavailable),
                Err(error) => failed = error,
            }
        }
        if all.is_empty() { Err(failed) } else { Ok(Box::new(Guards { _all: all })) }
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
        Ok(self.heads(organisation)?.into_iter().next().map(|(_, head)| head))
    }

    fn read_all(&self, organisation: &OrganisationId) -> Result<Vec<Vec<u8>>, StateStoreError> {
        Ok(self.heads(organisation)?.into_iter().map(|(_, head)| head).collect())
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
        let lists =
            self.places.iter().map(|place| place.shards(organisation)).collect::<Result<Vec<_>, _>>()?;
        let mut all: Vec<ShardName> = lists.into_iter().flatten().collect();
        all.sort_unstable();
        all.dedup();
        Ok(all)
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

    fn ensure_shards(
        &self,
        organisation: &OrganisationId,
        names: &[ShardName],
    ) -> Result<(), StateStoreError> {
        if names.is_empty() {
            return Ok(());
        }
        for place in &self.places {
            let stored = place.shards(organisation)?;
            for name in names.iter().filter(|name| !stored.contains(name)) {
                let shard = self.read_shard(organisation, name)?.ok_or(StateStoreError::Corrupt)?;
                place.write_shard(organisation, name, &shard)?;
            }
        }
        Ok(())
    }

    fn retain_shards(
        &self,
        organisation: &OrganisationId,
        keep: &[ShardName],
    ) -> Result<(), StateStoreError> {
        self.places.iter().try_for_each(|place| place.retain_shards(organisation, keep))
    }

    fn lock_shared(&self, organisation: &OrganisationId) -> Result<Box<dyn StateGuard>, StateStoreError> {
        self.guard_any(|place| place.lock_shared(organisation))
    }

    fn lock_exclusive(&self, organisation: &OrganisationId) -> Result<Box<dyn StateGuard>, StateStoreError> {
        self.guard_any(|place| place.lock_exclusive(organisation))
    }

    fn lease(
        &self,
        organisation: &OrganisationId,
        version: StateVersion,
    ) -> Result<Box<dyn StateGuard>, StateStoreError> {
        self.guard_any(|place| place.lease(organisation, version))
    }

    fn leased_before(
        &self,
        organisation: &OrganisationId,
        version: StateVersion,
    ) -> Result<usize, StateStoreError> {
        let mut leases = self.places.iter().map(|place| place.leased_before(organisation, version));
        leases.try_fold(0, |most, leases| Ok(most.max(leases?)))
    }
}
