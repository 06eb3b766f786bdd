use vouchsafe_types::{OrganisationId, Scope, SubjectPseudonym, Timestamp};

use crate::{EventRow, ResidenceRow, StoreError, SubjectRow};

/// What starts, lengthens and ends the periods of a person.
///
/// # Errors
/// As for [`Transaction`](crate::Transaction).
#[expect(clippy::missing_errors_doc, reason = "said once for all methods above")]
pub trait LifeRows {
    /// A person, and what they did last.
    fn subject(
        &mut self,
        organisation: &OrganisationId,
        subject: SubjectPseudonym,
    ) -> Result<Option<SubjectRow>, StoreError>;
    /// When the person last acted, if ever.
    fn last_interaction(
        &mut self,
        organisation: &OrganisationId,
        subject: SubjectPseudonym,
    ) -> Result<Option<Timestamp>, StoreError>;
    /// Records that the person acted now, and how; an earlier instant than the stored one changes nothing.
    fn touch_subject(
        &mut self,
        organisation: &OrganisationId,
        subject: SubjectPseudonym,
        at: Timestamp,
        act: u8,
    ) -> Result<(), StoreError>;

    /// Records what happened to a person; of two instants of the same trigger and scope the earlier one stays.
    ///
    /// Returns: whether it is new, or earlier than what was recorded.
    fn put_event(
        &mut self,
        organisation: &OrganisationId,
        subject: SubjectPseudonym,
        event: &EventRow,
    ) -> Result<bool, StoreError>;
    /// What happened to a person: what concerns them as a whole first, then in the order of scopes and triggers.
    fn events(
        &mut self,
        organisation: &OrganisationId,
        subject: SubjectPseudonym,
    ) -> Result<Vec<EventRow>, StoreError>;
    /// Forgets that something happened, because a new life begins.
    ///
    /// Returns: whether it was recorded.
    fn clear_event(
        &mut self,
        organisation: &OrganisationId,
        subject: SubjectPseudonym,
        scope: Option<Scope>,
        trigger: u8,
    ) -> Result<bool, StoreError>;

    /// Adds a place where the person lives or lived; of two instants for one place the earlier one stays.
    ///
    /// Returns: whether it is new, or earlier than what was recorded.
    fn put_residence(
        &mut self,
        organisation: &OrganisationId,
        subject: SubjectPseudonym,
        residence: &ResidenceRow,
    ) -> Result<bool, StoreError>;
    /// Where the person lives and lived, in the order of the codes of the places.
    fn residences(
        &mut self,
        organisation: &OrganisationId,
        subject: SubjectPseudonym,
    ) -> Result<Vec<ResidenceRow>, StoreError>;

    /// How many people have their newest act of consent at which status, by scope; groups of nobody are left out.
    ///
    /// Reads every line of consent.
    fn people_by_consent(
        &mut self,
        organisation: &OrganisationId,
    ) -> Result<Vec<(Scope, u8, u64)>, StoreError>;

    /// Deletes what is recorded of a person's consent, marks, events and places, once nothing of them is held but
    /// destruction evidence: a live or condemned holding of another class stops it.
    ///
    /// Returns: whether anything was deleted.
    fn forget_subject(
        &mut self,
        organisation: &OrganisationId,
        subject: SubjectPseudonym,
    ) -> Result<bool, StoreError>;
    /// Deletes the rows of a person's holdings that were destroyed before an instant, and the person's own row once
    /// nothing refers to it any more.
    ///
    /// Returns: how many holdings.
    fn purge_destroyed(
        &mut self,
        organisation: &OrganisationId,
        subject: SubjectPseudonym,
        before: Timestamp,
    ) -> Result<u64, StoreError>;
    /// Deletes up to `limit` rows of destruction evidence that was itself destroyed before an instant, the oldest
    /// first, and the person's own row once nothing refers to it any more.
    ///
    /// Returns: how many; takes as long as they are many.
    fn purge_evidence(
        &mut self,
        organisation: &OrganisationId,
        before: Timestamp,
        limit: u32,
    ) -> Result<u64, StoreError>;
}
