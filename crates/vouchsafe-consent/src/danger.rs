//! Doors that the consent gate cannot watch.
//!
//! [`evaluation_permit`] is for benches and accuracy runs on data whose people consented elsewhere. What is lost: no
//! person consented to this system. What is kept: embeddings made under an evaluation permit have another type,
//! which neither protection nor storage nor tokens accept.
//!
//! [`stored_line`] is for storage. What is lost: whoever calls it says what was consented, and the gate believes it.

use vouchsafe_types::{
    Modality, OrganisationId, Purpose, Role, Scope, SubjectPseudonym, Timestamp, TypeError,
};

use crate::permit::{Binding, Evaluation, Permit};
use crate::{ConsentLine, ConsentState};

/// A permit that belongs to nobody and never goes stale.
///
/// # Errors
/// None today; the signature leaves room for modalities without a verification scope.
pub fn evaluation_permit(modality: Modality) -> Result<Permit<Evaluation>, TypeError> {
    let scope = Scope::new(Some(modality), Role::EndUser, Purpose::Verification)?;
    let nobody = SubjectPseudonym::from_bytes([0; 32]);
    Ok(Permit::new(Binding::new(OrganisationId::parse("evaluation")?, nobody, scope, 0, Timestamp::MAX)))
}

/// A line of consent as a database holds it.
pub const fn stored_line(
    organisation: OrganisationId,
    subject: SubjectPseudonym,
    scope: Scope,
    sequence: u64,
    state: ConsentState,
) -> ConsentLine {
    ConsentLine::stored(organisation, subject, scope, sequence, state)
}
