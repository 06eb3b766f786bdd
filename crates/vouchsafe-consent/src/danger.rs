//! Doors that give up the consent gate, for benches and accuracy runs on data whose people consented elsewhere.
//!
//! What is lost: no person consented to this system. What is kept: embeddings made under an evaluation permit
//! have another type, which neither protection nor storage nor tokens accept.

use vouchsafe_types::{
    Modality, OrganisationId, Purpose, Role, Scope, SubjectPseudonym, Timestamp, TypeError,
};

use crate::permit::{Binding, Evaluation, Permit};

/// A permit that belongs to nobody and never goes stale.
///
/// # Errors
/// None today; the signature leaves room for modalities without a verification scope.
pub fn evaluation_permit(modality: Modality) -> Result<Permit<Evaluation>, TypeError> {
    let scope = Scope::new(Some(modality), Role::EndUser, Purpose::Verification)?;
    let nobody = SubjectPseudonym::from_bytes([0; 32]);
    Ok(Permit::new(Binding::new(OrganisationId::parse("evaluation")?, nobody, scope, 0), Timestamp::MAX))
}
