use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use vouchsafe_types::{DataClass, Entropy, LeafIndex, OrganisationId, wipe_stack};

use crate::port::{KeyHandle, KeyService, StateStore};
use crate::state::sealed::{self, Blob};
use crate::{EnvelopeError, LeafStatus, OrganisationState};

mod destroy;

pub use destroy::PunctureReport;

/// Where indices are counted.
type Region = (OrganisationId, DataClass);

/// How many indices one durable write reserves.
const BLOCK: u64 = 64;

/// Every organisation's keys, over a key service and a state store.
///
/// Each call opens the sealed state and wipes it again; nothing but reserved indices stays in memory. Readers
/// hold the shared lock while they use the state and a destruction holds the exclusive one, so when
/// [`Self::destroy`] returns, no reader in any process that shares the store still holds the old state.
/// The price: readers wait the milliseconds that a destruction takes, and every read pays for one unwrap.
pub struct KeyRing {
    service: Arc<dyn KeyService>,
    states: Arc<dyn StateStore>,
    entropy: Arc<dyn Entropy>,
    /// Reserved and not yet given out. Several blocks of a class can be open: reservations race harmlessly.
    blocks: Mutex<HashMap<Region, Vec<Range<u64>>>>,
    /// The latest generation and revision of each state that this process has seen.
    seen: Mutex<HashMap<OrganisationId, (u64, u64)>>,
}

impl KeyRing {
    /// A key ring over its ports.
    pub fn new(service: Arc<dyn KeyService>, states: Arc<dyn StateStore>, entropy: Arc<dyn Entropy>) -> Self {
        Self { service, states, entropy, blocks: Mutex::default(), seen: Mutex::default() }
    }

    /// Makes the first state and state key of an organisation. Later calls change nothing, except that they
    /// finish an interrupted provisioning or destruction.
    ///
    /// # Errors
    /// [`EnvelopeError::StateLost`] where keys exist and the state is gone: a new state would hide the loss.
    pub fn provision(&self, organisation: &OrganisationId) -> Result<(), EnvelopeError> {
        let _guard = self.states.lock_exclusive(organisation).map_err(EnvelopeError::StateStore)?;
        let held = self.held(organisation)?;
        let blob = self.states.read(organisation).map_err(EnvelopeError::StateStore)?;
        match blob.as_deref().map(Blob::parse).transpose()? {
            Some(Blob::State { .. }) => return self.settle(organisation, &held),
            // The state of generation 1 was never written, so its key has sealed nothing.
            Some(Blob::Provisioning) if held.iter().all(|key| key.generation() == 1) => {}
            None if held.is_empty() => {
                let mark = sealed::provisioning_mark();
                self.states.write(organisation, 0, &mark).map_err(EnvelopeError::StateStore)?;
            }
            _ => return Err(EnvelopeError::StateLost),
        }
        let state = OrganisationState::generate(&*self.entropy)?;
        self.service.create(&handle(organisation, &state)).map_err(EnvelopeError::KeyService)?;
        self.commit(organisation, &state).map(drop)
    }

    /// Lends the current state to a closure, under the shared lock.
    ///
    /// Keep the closure short: derive keys, do not wait. Calling the key ring from inside can deadlock until
    /// the lock's wait is over.
    ///
    /// # Errors
    /// [`EnvelopeError::NotProvisioned`], [`EnvelopeError::StateLost`], [`EnvelopeError::KeyMissing`],
    /// [`EnvelopeError::StateRolledBack`], [`EnvelopeError::NotAuthentic`], or what a port answers.
    pub fn with_state<R>(
        &self,
        organisation: &OrganisationId,
        read: impl FnOnce(&OrganisationState) -> R,
    ) -> Result<R, EnvelopeError> {
        let _guard = self.states.lock_shared(organisation).map_err(EnvelopeError::StateStore)?;
        let (state, _) = self.load(organisation)?;
        let result = read(&state);
        drop(state);
        wipe_stack();
        Ok(result)
    }

    /// Gives out the next index of a data class, never given out before.
    ///
    /// Indices are reserved in durable blocks of 64; a crash leaves holes, never a reuse.
    ///
    /// # Errors
    /// [`EnvelopeError::Exhausted`] after 2⁴⁰ indices of a class; otherwise as [`Self::with_state`].
    pub fn allocate(
        &self,
        organisation: &OrganisationId,
        class: DataClass,
    ) -> Result<LeafIndex, EnvelopeError> {
        let place = (organisation.clone(), class);
        if let Some(index) = self.take(&place) {
            return index;
        }
        let mut block = self.reserve(organisation, class)?;
        let first = block.next().ok_or(EnvelopeError::Exhausted)?;
        self.blocks.lock().unwrap_or_else(PoisonError::into_inner).entry(place).or_default().push(block);
        LeafIndex::new(first).map_err(|_| EnvelopeError::Exhausted)
    }

    /// Forgets the indices that this process reserved and did not give out; they become holes.
    pub fn forget_reserved(&self, organisation: &OrganisationId) {
        let mut blocks = self.blocks.lock().unwrap_or_else(PoisonError::into_inner);
        blocks.retain(|(owner, _), _| owner != organisation);
    }

    /// What became of a leaf.
    ///
    /// # Errors
    /// As [`Self::with_state`].
    pub fn status(
        &self,
        organisation: &OrganisationId,
        index: LeafIndex,
    ) -> Result<LeafStatus, EnvelopeError> {
        self.with_state(organisation, |state| state.status(index))
    }

    /// Whether a leaf was destroyed.
    ///
    /// # Errors
    /// [`EnvelopeError::NeverAllocated`] for an index that was never given out; otherwise as
    /// [`Self::with_state`].
    pub fn is_destroyed(
        &self,
        organisation: &OrganisationId,
        index: LeafIndex,
    ) -> Result<bool, EnvelopeError> {
        match self.status(organisation, index)? {
            LeafStatus::Destroyed => Ok(true),
            LeafStatus::Live => Ok(false),
            LeafStatus::NeverAllocated => Err(EnvelopeError::NeverAllocated),
        }
    }

    fn take(&self, place: &Region) -> Option<Result<LeafIndex, EnvelopeError>> {
        let mut blocks = self.blocks.lock().unwrap_or_else(PoisonError::into_inner);
        let open = blocks.get_mut(place)?;
        let index = open.iter_mut().find_map(Iterator::next);
        open.retain(|block| !block.is_empty());
        index.map(|index| LeafIndex::new(index).map_err(|_| EnvelopeError::Exhausted))
    }

    fn reserve(&self, organisation: &OrganisationId, class: DataClass) -> Result<Range<u64>, EnvelopeError> {
        let _guard = self.states.lock_exclusive(organisation).map_err(EnvelopeError::StateStore)?;
        let (mut state, _) = self.load(organisation)?;
        let block = state.reserve(class, BLOCK)?;
        self.commit(organisation, &state)?;
        Ok(block)
    }

    /// Opens the stored state; the caller holds a lock. Gives the blob beside it.
    fn load(&self, organisation: &OrganisationId) -> Result<(OrganisationState, Vec<u8>), EnvelopeError> {
        let blob = self.states.read(organisation).map_err(EnvelopeError::StateStore)?;
        let Some(blob) = blob else {
            let lost = !self.held(organisation)?.is_empty();
            return Err(if lost { EnvelopeError::StateLost } else { EnvelopeError::NotProvisioned });
        };
        let Blob::State { generation, wrapped, message } = Blob::parse(&blob)? else {
            return Err(EnvelopeError::NotProvisioned);
        };
        let state = sealed::open(organisation, &*self.service, generation, wrapped, message)?;
        self.see(organisation, &state)?;
        Ok((state, blob))
    }

    /// Writes a state under the state key of its generation and gives the blob; the caller holds the exclusive lock.
    fn commit(
        &self,
        organisation: &OrganisationId,
        state: &OrganisationState,
    ) -> Result<Vec<u8>, EnvelopeError> {
        let blob = sealed::seal(state, organisation, &*self.service, &*self.entropy)?;
        let written = self.states.write(organisation, state.generation(), &blob);
        written.map_err(EnvelopeError::StateStore)?;
        self.see(organisation, state)?;
        Ok(blob)
    }

    /// Refuses a state older than one already seen. It cannot know what another process saw.
    fn see(&self, organisation: &OrganisationId, state: &OrganisationState) -> Result<(), EnvelopeError> {
        let now = (state.generation(), state.revision());
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        match seen.get(organisation) {
            Some(latest) if *latest > now => Err(EnvelopeError::StateRolledBack),
            Some(latest) if *latest == now => Ok(()),
            _ => {
                seen.insert(organisation.clone(), now);
                Ok(())
            }
        }
    }
}

impl std::fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeyRing").finish_non_exhaustive()
    }
}

fn handle(organisation: &OrganisationId, state: &OrganisationState) -> KeyHandle {
    KeyHandle::new(organisation.clone(), state.generation())
}
