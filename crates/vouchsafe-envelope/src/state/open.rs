//! Sealing and opening records; every attempt to open is told to the audit port before the plaintext is given.
use vouchsafe_types::{Entropy, SecretBytes};

use super::OrganisationState;
use crate::port::{Alarm, Opened, OpenedOutcome};
use crate::{Context, EnvelopeError, record};

impl OrganisationState {
    /// Seals a plaintext under its leaf and the data key that its context names, see [`record`].
    ///
    /// # Errors
    /// [`EnvelopeError::Destroyed`] or [`EnvelopeError::NeverAllocated`] for the leaf, [`EnvelopeError::KeyRetired`]
    /// for the data key, [`EnvelopeError::TooLarge`], [`EnvelopeError::EntropyUnavailable`].
    pub fn seal(
        &self,
        context: &Context,
        plaintext: &[u8],
        entropy: &dyn Entropy,
    ) -> Result<Vec<u8>, EnvelopeError> {
        record::seal(&self.record_key(context.leaf, context.key_version)?, context, plaintext, entropy)
    }

    /// Opens a sealed record and tells the audit port.
    ///
    /// # Errors
    /// [`EnvelopeError::Destroyed`] or [`EnvelopeError::NeverAllocated`] for the leaf, [`EnvelopeError::KeyRetired`]
    /// for the data key; otherwise as [`record::open`].
    pub fn open(&self, context: &Context, sealed: &[u8]) -> Result<SecretBytes, EnvelopeError> {
        let opened = self
            .record_key(context.leaf, context.key_version)
            .and_then(|key| record::open(&key, context, sealed));
        let outcome = match &opened {
            Ok(_) => OpenedOutcome::Opened,
            Err(EnvelopeError::Destroyed | EnvelopeError::NeverAllocated | EnvelopeError::KeyRetired) => {
                OpenedOutcome::NoKey
            }
            Err(_) => OpenedOutcome::Refused,
        };
        let Context { organisation, leaf, class, .. } = context;
        self.audit.opened(&Opened { organisation, leaf: *leaf, class: *class, outcome });
        if self.is_honey(*leaf) {
            self.audit.alarm(organisation, Alarm::HoneyTouched { leaf: *leaf });
        }
        opened
    }

    /// Seals a record again under another data key. The audit port is told; honey does not ring, because a
    /// rotation touches every record.
    ///
    /// # Errors
    /// As [`Self::open`] and [`Self::seal`].
    pub fn reseal(
        &self,
        context: &Context,
        sealed: &[u8],
        key_version: u32,
        entropy: &dyn Entropy,
    ) -> Result<Vec<u8>, EnvelopeError> {
        let plain = record::open(&self.record_key(context.leaf, context.key_version)?, context, sealed)?;
        let Context { organisation, leaf, class, .. } = context;
        let outcome = OpenedOutcome::Resealed;
        self.audit.opened(&Opened { organisation, leaf: *leaf, class: *class, outcome });
        self.seal(&Context { key_version, ..context.clone() }, plain.expose_secret(), entropy)
    }
}
