use std::fmt;

use vouchsafe_consent::Binding;
use vouchsafe_embed::Assurance;
use vouchsafe_types::{Reasons, Refusal, Timestamp, wipe_stack};

use crate::{Part, ProtectedProbe, ProtectedReference, TemplateError, Threshold};

/// Compares a probe with the reference of the person it claims to be (1:1, ISO/IEC 2382-37 *biometric
/// verification*) and consumes it.
///
/// Both must be protected under one key: under another the probe is a stranger's. That the reference belongs to
/// the claimed person follows from the key and the sealed record it was opened from, not from this call.
///
/// Returns:
/// - [`Decision::Accepted`] when the probe is at least as similar as the threshold demands,
/// - [`Decision::Rejected`] with [`Refusal::NoMatch`] when it is not,
/// - [`Decision::Undecided`] when the probe is not a unit vector, so that there is nothing to compare.
///
/// # Errors
/// [`TemplateError::ModelMismatch`] or [`TemplateError::ModalityMismatch`] for templates or a threshold that do
/// not belong together, [`TemplateError::Malformed`] for a reference that is not a unit vector.
pub fn compare(
    reference: &ProtectedReference,
    probe: ProtectedProbe,
    threshold: &Threshold,
    now: Timestamp,
) -> Result<Decision, TemplateError> {
    if reference.model != probe.model || threshold.model() != probe.model {
        return Err(TemplateError::ModelMismatch);
    }
    if reference.modality != probe.modality {
        return Err(TemplateError::ModalityMismatch);
    }
    if !reference.vector.is_unit() {
        return Err(TemplateError::Malformed(Part::Norm));
    }
    if !probe.vector.is_unit() {
        return Ok(Decision::Undecided(Reasons::one(Refusal::Undecided)));
    }
    let matches = is_match(reference, &probe, threshold);
    wipe_stack();
    Ok(if matches {
        Decision::Accepted(Accepted { binding: probe.binding, assurance: probe.assurance, at: now })
    } else {
        Decision::Rejected(Reasons::one(Refusal::NoMatch))
    })
}

/// The score lives and dies here.
#[inline(never)]
fn is_match(reference: &ProtectedReference, probe: &ProtectedProbe, threshold: &Threshold) -> bool {
    reference.vector.cosine(&probe.vector) >= threshold.cosine
}

/// The verdict of a verification. An error is no verdict; callers treat it as no.
#[derive(Debug)]
#[must_use]
#[expect(clippy::exhaustive_enums, reason = "callers match every verdict on purpose")]
pub enum Decision {
    /// The person is who they claim to be.
    Accepted(Accepted),
    /// They are not, and why.
    Rejected(Reasons),
    /// It cannot be told, and why; callers treat it as no.
    Undecided(Reasons),
}

impl Decision {
    /// Whether the person was accepted.
    pub const fn is_accepted(&self) -> bool {
        matches!(self, Self::Accepted(_))
    }

    /// Turns everything but acceptance into an error, for callers that have no other way to go on.
    ///
    /// # Errors
    /// The [`Reasons`] of the rejection or of the missing decision.
    pub fn or_refuse(self) -> Result<Accepted, Reasons> {
        match self {
            Self::Accepted(accepted) => Ok(accepted),
            Self::Rejected(reasons) | Self::Undecided(reasons) => Err(reasons),
        }
    }
}

/// Evidence that one person was verified for one scope at one instant.
///
/// Only [`compare()`] makes it; it holds no score and cannot be cloned or serialised, so it serves once.
///
/// ```compile_fail,E0451
/// use vouchsafe_template::Accepted;
/// fn forge(real: Accepted, binding: vouchsafe_consent::Binding) -> Accepted {
///     Accepted { binding, ..real }
/// }
/// ```
///
/// ```compile_fail,E0599
/// fn twice(accepted: vouchsafe_template::Accepted) {
///     let _ = accepted.clone();
/// }
/// ```
#[must_use]
pub struct Accepted {
    // INVARIANT (evidence from a comparison): built in `compare` only.
    binding: Binding,
    assurance: Assurance,
    at: Timestamp,
}

impl Accepted {
    /// Whom and what the probe's permit belongs to.
    pub const fn binding(&self) -> &Binding {
        &self.binding
    }

    /// How strong the capture of the probe was.
    pub const fn assurance(&self) -> Assurance {
        self.assurance
    }

    /// When the comparison took place.
    pub const fn at(&self) -> Timestamp {
        self.at
    }
}

impl fmt::Debug for Accepted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Accepted").finish_non_exhaustive()
    }
}

#[cfg(test)]
#[path = "compare/tests.rs"]
mod tests;
