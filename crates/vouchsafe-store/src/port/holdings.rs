use vouchsafe_types::{DataClass, LeafIndex, OrganisationId, Scope, SubjectPseudonym, Timestamp};

use crate::{Holding, StoreError, TallyRow};

/// The holdings: what is held, about whom, and when the retention executor looks at it.
///
/// # Errors
/// As for [`Transaction`](crate::Transaction).
#[expect(clippy::missing_errors_doc, reason = "said once for all methods above")]
pub trait HoldingRows {
    /// Adds a holding.
    fn insert_holding(&mut self, organisation: &OrganisationId, holding: &Holding) -> Result<(), StoreError>;
    /// The newest holding of biometric data of a person for a scope, whatever its state.
    fn biometric_holding(
        &mut self,
        organisation: &OrganisationId,
        subject: SubjectPseudonym,
        scope: Scope,
    ) -> Result<Option<Holding>, StoreError>;
    /// The live holding of a class of data of fixed age that was created in `from..to`: of several the one with the
    /// least leaf, which every process knows that knows any of them.
    fn daily_holding(
        &mut self,
        organisation: &OrganisationId,
        class: DataClass,
        subject: SubjectPseudonym,
        day: (Timestamp, Timestamp),
    ) -> Result<Option<Holding>, StoreError>;
    /// A holding by its leaf.
    fn holding(
        &mut self,
        organisation: &OrganisationId,
        leaf: LeafIndex,
    ) -> Result<Option<Holding>, StoreError>;
    /// Up to `limit` holdings after a leaf, in the order of leaves.
    fn holdings(
        &mut self,
        organisation: &OrganisationId,
        after: Option<LeafIndex>,
        limit: u32,
    ) -> Result<Vec<Holding>, StoreError>;
    /// The condemned holdings, in the order of leaves.
    fn condemned(&mut self, organisation: &OrganisationId) -> Result<Vec<Holding>, StoreError>;
    /// Fences a live holding; [`StoreError::Conflict`] if it is not live.
    fn condemn(
        &mut self,
        organisation: &OrganisationId,
        leaf: LeafIndex,
        cause: &str,
        at: Timestamp,
    ) -> Result<(), StoreError>;
    /// Marks a condemned holding destroyed and deletes its sealed bytes; [`StoreError::Conflict`] if it is not
    /// condemned.
    fn mark_destroyed(
        &mut self,
        organisation: &OrganisationId,
        leaf: LeafIndex,
        at: Timestamp,
        entry: u64,
    ) -> Result<(), StoreError>;

    /// All holdings of a person, whatever their state, in the order of leaves.
    fn holdings_of(
        &mut self,
        organisation: &OrganisationId,
        subject: SubjectPseudonym,
    ) -> Result<Vec<Holding>, StoreError>;
    /// Up to `limit` live holdings to be looked at by `before`, that instant included, in the order of that instant
    /// and leaf, after the pair given.
    fn holdings_due(
        &mut self,
        organisation: &OrganisationId,
        before: Timestamp,
        after: Option<(Timestamp, LeafIndex)>,
        limit: u32,
    ) -> Result<Vec<Holding>, StoreError>;
    /// Sets when a live holding has to be looked at; [`StoreError::Conflict`] if it is not live.
    fn set_review(
        &mut self,
        organisation: &OrganisationId,
        leaf: LeafIndex,
        review_at: Option<Timestamp>,
    ) -> Result<(), StoreError>;
    /// How many holdings [`Self::holdings_due`] would give without a limit; takes as long as they are many.
    fn late_count(&mut self, organisation: &OrganisationId, before: Timestamp) -> Result<u64, StoreError>;
    /// The earliest instant at which a live holding has to be looked at.
    fn oldest_review(&mut self, organisation: &OrganisationId) -> Result<Option<Timestamp>, StoreError>;
    /// How many holdings are live; takes the same time whatever their number.
    fn live_count(&mut self, organisation: &OrganisationId) -> Result<u64, StoreError>;
    /// How many holdings of each class are live, in the order of class codes; a class that never had one is left out.
    fn tallies(&mut self, organisation: &OrganisationId) -> Result<Vec<TallyRow>, StoreError>;
}
