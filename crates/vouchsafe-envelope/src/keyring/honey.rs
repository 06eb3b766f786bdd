//! Honey records: nothing legitimate opens them, so that whoever does raises an alarm.
use vouchsafe_types::{LeafIndex, OrganisationId};

use super::KeyRing;
use crate::EnvelopeError;
use crate::fence::Record;

impl KeyRing {
    /// Marks leaves as those of honey records: opening one raises
    /// [`Alarm::HoneyTouched`](crate::port::Alarm::HoneyTouched). Which leaves they are stands in the sealed state
    /// alone; a thief of the database cannot tell them from others.
    ///
    /// # Errors
    /// [`EnvelopeError::NeverAllocated`] for a leaf that is not live, [`EnvelopeError::Exhausted`] above 4,096;
    /// nothing is marked then. Otherwise as [`Self::with_state`].
    pub fn mark_honey(
        &self,
        organisation: &OrganisationId,
        leaves: &[LeafIndex],
    ) -> Result<(), EnvelopeError> {
        self.change(organisation, |slot| {
            slot.edit(|live| leaves.iter().try_for_each(|leaf| live.state.add_honey(*leaf)))?;
            self.commit(organisation, slot)?;
            self.journal(organisation, slot, Record::Noted)
        })
    }
}
