//! Rotation of state keys and data keys. Readers go on; each step is one durable write.
use vouchsafe_types::OrganisationId;

use super::{KeyRing, PunctureReport};
use crate::EnvelopeError;
use crate::fence::Record;
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

    /// Makes sure that there is a data key after this version; records are sealed under the newest from now on and
    /// the older ones still open. Gives the newest version. Two callers with one intent get one key.
    ///
    /// # Errors
    /// [`EnvelopeError::Exhausted`] while 16 data keys are kept; otherwise as [`Self::with_state`].
    pub fn add_data_key(&self, organisation: &OrganisationId, after: u32) -> Result<u32, EnvelopeError> {
        self.change(organisation, |slot| {
            let newest = slot.look(|live| Ok(live.state.newest_data_key()))?;
            if newest > after {
                return Ok(newest);
            }
            let version = slot.edit(|live| live.state.add_data_key(&*self.ports.entropy))?;
            self.commit(organisation, slot)?;
            self.journal(organisation, slot, Record::Noted)?;
            slot.edit(|live| {
                live.state.seal_under_newest();
                Ok(version)
            })
        })
    }

    /// Makes the seed that the log's key moves to, durably; a rotation that was cut goes on with its own.
    ///
    /// # Errors
    /// As [`Self::with_state`].
    pub fn begin_log_seed(&self, organisation: &OrganisationId) -> Result<(), EnvelopeError> {
        self.change(organisation, |slot| {
            if slot.edit(|live| live.state.begin_log_seed(&*self.ports.entropy))? {
                self.commit(organisation, slot)?;
                self.journal(organisation, slot, Record::Noted)?;
            }
            Ok(())
        })
    }

    /// Moves to the next log seed, durably, and forgets the former one; nothing happens without a next one.
    ///
    /// # Errors
    /// As [`Self::with_state`].
    pub fn finish_log_seed(&self, organisation: &OrganisationId) -> Result<(), EnvelopeError> {
        self.change(organisation, |slot| {
            if slot.edit(|live| live.state.finish_log_seed())? {
                self.commit(organisation, slot)?;
                self.journal(organisation, slot, Record::Noted)?;
            }
            Ok(())
        })
    }

    /// Forgets every data key before this version, for good: the state key is rotated with it. Call it when no record
    /// is left under an older one. Backups with records under the older keys become unreadable.
    ///
    /// # Errors
    /// As [`Self::destroy`]. After [`EnvelopeError::ErasureIncomplete`] without a generation the keys are forgotten
    /// here, and other processes hold them for 300 s at most.
    pub fn retire_data_keys(
        &self,
        organisation: &OrganisationId,
        below: u32,
    ) -> Result<PunctureReport, EnvelopeError> {
        let report = self.change(organisation, |slot| {
            slot.edit(|live| live.state.retire_data_keys(below))?;
            let held = self.held(organisation)?;
            self.roll(organisation, slot, &held, 0)
        })?;
        self.await_leases(organisation)?;
        Ok(report)
    }
}
