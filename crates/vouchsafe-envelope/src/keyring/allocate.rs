//! Leaf indices: reserved in durable blocks, given out one by one, never twice.
use std::ops::Range;

use vouchsafe_types::{DataClass, LeafIndex, OrganisationId};

use super::{KeyRing, locked};
use crate::EnvelopeError;
use crate::fence::Record;

/// Where indices are counted.
pub(super) type Region = (OrganisationId, DataClass);

/// How many indices one durable write reserves.
const BLOCK: u64 = 64;

impl KeyRing {
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
        let mut block = self.reserve(organisation, class, BLOCK)?;
        let first = block.next().ok_or(EnvelopeError::Exhausted)?;
        locked(&self.blocks).entry(place).or_default().push(block);
        LeafIndex::new(first).map_err(|_| EnvelopeError::Exhausted)
    }

    /// Gives out many indices of a data class at once, ascending, with one durable write.
    ///
    /// # Errors
    /// As [`Self::allocate`].
    pub fn allocate_many(
        &self,
        organisation: &OrganisationId,
        class: DataClass,
        count: u64,
    ) -> Result<Vec<LeafIndex>, EnvelopeError> {
        let block = self.reserve(organisation, class, count)?;
        block.map(|index| LeafIndex::new(index).map_err(|_| EnvelopeError::Exhausted)).collect()
    }

    /// Forgets the indices that this process reserved and did not give out; they become holes.
    pub fn forget_reserved(&self, organisation: &OrganisationId) {
        locked(&self.blocks).retain(|(owner, _), _| owner != organisation);
    }

    fn take(&self, place: &Region) -> Option<Result<LeafIndex, EnvelopeError>> {
        let mut blocks = locked(&self.blocks);
        let open = blocks.get_mut(place)?;
        let index = open.iter_mut().find_map(Iterator::next);
        open.retain(|block| !block.is_empty());
        index.map(|index| LeafIndex::new(index).map_err(|_| EnvelopeError::Exhausted))
    }

    /// Reserves in the state first and notes it in the journal afterwards: given out is what both know.
    fn reserve(
        &self,
        organisation: &OrganisationId,
        class: DataClass,
        count: u64,
    ) -> Result<Range<u64>, EnvelopeError> {
        self.change(organisation, |slot| {
            let (block, next) = slot.edit(|live| {
                let block = live.state.reserve(class, count)?;
                Ok((block, live.state.counter(class)))
            })?;
            self.commit(organisation, slot)?;
            self.journal(organisation, slot, |version| Record::Counted(version, class.code(), next))?;
            Ok(block)
        })
    }
}
