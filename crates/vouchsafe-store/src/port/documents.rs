use vouchsafe_types::{OrganisationId, RecordId, SubjectPseudonym, Timestamp};

use crate::{DocumentRow, StoreError};

/// The sealed documents about people: facts, rights requests, disclosures, deletion orders.
///
/// # Errors
/// As for [`Transaction`](crate::Transaction).
#[expect(clippy::missing_errors_doc, reason = "said once for all methods above")]
pub trait DocumentRows {
    /// Adds a document; [`StoreError::Conflict`] if its id is there already, or its holding or log entry is not.
    fn insert_document(
        &mut self,
        organisation: &OrganisationId,
        document: &DocumentRow,
    ) -> Result<(), StoreError>;
    /// A document by its id, whatever the state of its holding.
    fn document(
        &mut self,
        organisation: &OrganisationId,
        id: RecordId,
    ) -> Result<Option<DocumentRow>, StoreError>;
    /// The documents of a kind under a person's live holdings, in the order of leaves and log entries.
    fn documents(
        &mut self,
        organisation: &OrganisationId,
        subject: SubjectPseudonym,
        kind: u8,
    ) -> Result<Vec<DocumentRow>, StoreError>;
    /// Up to `limit` open documents of a kind, under live holdings, that fall due by `before`, that instant
    /// included, in the order of that instant and id.
    fn documents_due(
        &mut self,
        organisation: &OrganisationId,
        kind: u8,
        before: Timestamp,
        limit: u32,
    ) -> Result<Vec<DocumentRow>, StoreError>;
    /// Replaces the document of the same id; [`StoreError::Conflict`] if there is none.
    fn replace_document(
        &mut self,
        organisation: &OrganisationId,
        document: &DocumentRow,
    ) -> Result<(), StoreError>;
    /// Deletes a document.
    ///
    /// Returns: whether it was there.
    fn remove_document(&mut self, organisation: &OrganisationId, id: RecordId) -> Result<bool, StoreError>;
    /// Up to `limit` documents under a data key below `older_than`, the oldest key first.
    fn documents_under(
        &mut self,
        organisation: &OrganisationId,
        older_than: u32,
        limit: u32,
    ) -> Result<Vec<DocumentRow>, StoreError>;
    /// Replaces the bytes of a document and the data key they are under; [`StoreError::Conflict`] unless the stored
    /// key is still `from`.
    fn reseal_document(
        &mut self,
        organisation: &OrganisationId,
        id: RecordId,
        from: u32,
        sealed: &[u8],
        to: u32,
    ) -> Result<(), StoreError>;
}
