//! Doors that the consent gate cannot watch.
//!
//! [`evaluation_permit`] is for benches and accuracy runs on data whose people consented elsewhere. What is lost: no
//! person consented to this system. What is kept: embeddings made under an evaluation permit have another type,
//! which neither protection nor storage nor tokens accept.
//!
//! [`stored_line`] and [`stored_served`] are for storage. What is lost: whoever calls them says what was consented and
//! what was shown, and the gate believes it.

use vouchsafe_types::{
    Digest, Modality, OrganisationId, Purpose, Role, Scope, SubjectPseudonym, TicketId, Timestamp, TypeError,
};

use crate::permit::{Binding, Evaluation, Permit};
use crate::{ConsentError, ConsentLine, LastAct, NoticeRef, Served};

/// A permit that belongs to nobody and never goes stale.
///
/// # Errors
/// None today; the signature leaves room for modalities without a verification scope.
pub fn evaluation_permit(modality: Modality) -> Result<Permit<Evaluation>, TypeError> {
    let scope = Scope::new(Some(modality), Role::EndUser, Purpose::Verification)?;
    let nobody = SubjectPseudonym::from_bytes([0; 32]);
    let (organisation, notice) = (OrganisationId::parse("evaluation")?, Digest::from_bytes([0; 32]));
    Ok(Permit::new(Binding::new(organisation, nobody, scope, 0, notice, Timestamp::MAX)))
}

/// A line of consent as a database holds it.
///
/// # Errors
/// [`ConsentError::Stored`] when a line has acts without a number or the reverse, or when a closed consent has an end.
pub fn stored_line(
    organisation: OrganisationId,
    subject: SubjectPseudonym,
    scope: Scope,
    sequence: u64,
    last: Option<LastAct>,
) -> Result<ConsentLine, ConsentError> {
    ConsentLine::stored(ConsentLine::absent(organisation, subject, scope), sequence, last)
}

/// A notice that was shown, as a database holds it.
pub const fn stored_served(
    ticket: TicketId,
    subject: SubjectPseudonym,
    scope: Scope,
    notice: NoticeRef,
    served_at: Timestamp,
) -> Served {
    Served::stored(ticket, subject, scope, notice, served_at)
}
