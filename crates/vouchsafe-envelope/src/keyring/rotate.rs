//! Rotation of state keys and data keys. Readers go on; each step is one durable write.
use vouchsafe_types::OrganisationId;

use super::{KeyRing, PunctureReport};
use crate::EnvelopeError;
use crate::port::{ErasureStrength, KeyHandle};

/// Which keys an organisation has now. Nothing in it opens anything.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyReport {
    /// The generation of the state key that seals the state.
    pub generation: u64,
    /// The state's revision.
    pub revision: u64,
    /// The generations of every state key at the service, ascending; more than one means unfinished work.
    pub held: Vec<u64>,
    /// The data keys: version and fingerprint, ascending; the last one seals.
    pub data_keys: Vec<(u32, [u8; 16])>,
    /// Nodes of the key tree's cover.
    pub nodes: usize,
    /// Shards beside the head.
    pub shards: usize,
    /// Leaves condemned and not yet destroyed.
    pub pending: usize,
    /// Leaves that the journal knows as destroyed.
    pub destroyed: usize,
    /// Honey records.
    pub honey: usize,
    /// Whether the operating system keeps the unsealed keys in memory and out of core dumps.
    pub locked: bool,
    /// How strong a destruction at the service is.
    pub strength: ErasureStrength,
}

impl KeyRing {
    /// Which keys the organisation has.
    ///
    /// # Errors
    /// As [`Self::with_state`].
    pub fn report_keys(&self, organisation: &OrganisationId) -> Result<KeyReport, EnvelopeError> {
        let mut held: Vec<u64> = self.held(organisation)?.iter().map(KeyHandle::generation).collect();
        held.sort_unstable();
        let strength = self.ports.service.strength();
        self.change(organisation, |slot| {
            slot.look(|live| {
                let state = &live.state;
                let print = |version: &u32| state.fingerprint(*version).map(|print| (*version, print));
                Ok(KeyReport {
                    generation: state.generation(),
                    revision: state.revision(),
                    held,
                    data_keys: state.key_versions().iter().filter_map(print).collect(),
                    nodes: state.node_count(),
                    shards: state.shard_count(),
                    pending: live.journal.pending.len(),
                    destroyed: live.journal.destroyed.len(),
                    honey: state.honey_count(),
                    locked: state.is_locked(),
                    strength,
                })
            })
        })
    }

    /// Seals the state under a fresh state key and destroys every other.
    ///
    /// # Errors
    /// As [`Self::destroy`].
    pub fn rotate_state_key(&self, organisation: &OrganisationId) -> Result<PunctureReport, EnvelopeError> {
        let report = self.change(organisation, |slot| {
            let held = self.held(organisation)?;
            self.roll(organisation, slot, &held, 0)
        })?;
        self.await_leases(organisation)?;
        Ok(report)
    }

    /// Adds a data key; records are sealed under it from now on and the older ones still open. Gives its version.
    ///
    /// # Errors
    /// [`EnvelopeError::Exhausted`] while 16 data keys are kept; otherwise as [`Self::with_state`].
    pub fn add_data_key(&self, organisation: &OrganisationId) -> Result<u32, EnvelopeError> {
        let version = self.change(organisation, |slot| {
            let version = slot.edit(|live| live.state.add_data_key(&*self.ports.entropy))?;
            self.commit(organisation, slot)?;
            Ok(version)
        })?;
        Ok(version)
    }

    /// Forgets every data key but the newest, for good: the state key is rotated with it. Call it when no record is
    /// left under an older one. Backups with records under the older keys become unreadable.
    ///
    /// # Errors
    /// As [`Self::destroy`].
    pub fn retire_data_keys(&self, organisation: &OrganisationId) -> Result<PunctureReport, EnvelopeError> {
        let report = self.change(organisation, |slot| {
            slot.edit(|live| live.state.retire_data_keys())?;
            let held = self.held(organisation)?;
            self.roll(organisation, slot, &held, 0)
        })?;
        self.await_leases(organisation)?;
        Ok(report)
    }
}
