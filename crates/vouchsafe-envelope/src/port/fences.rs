use vouchsafe_types::OrganisationId;

use crate::StateStoreError;

/// Part of a fence journal.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a plain answer")]
pub struct FenceRecords {
    /// The records, in the order in which they were appended.
    pub records: Vec<Vec<u8>>,
    /// Where the next reading begins.
    pub end: u64,
    /// Whether something that is no record follows, and is not merely cut short by a crash.
    pub damaged: bool,
}

/// Keeps the fence journal of each organisation: what was condemned, what is destroyed, how far indices went.
///
/// It lies outside of what a restore of the database, of the states or of the key service replaces: another disk,
/// another machine. Records are authenticated by the envelope and hold no key and no personal data.
pub trait FenceStore: Send + Sync {
    /// The records from a place that an earlier answer gave as its end; 0 is the beginning.
    ///
    /// A record that a crash cut short at the end of the journal was never acknowledged, and is left out.
    ///
    /// # Errors
    /// [`StateStoreError::Corrupt`] when the journal ends before that place.
    fn read(&self, organisation: &OrganisationId, from: u64) -> Result<FenceRecords, StateStoreError>;

    /// Appends a record and gives the new end; `Ok` means that it survives a power cut. The caller holds the organisation's exclusive
    /// lock. Whatever a crash left behind the last whole record is overwritten.
    ///
    /// # Errors
    /// [`StateStoreError`]; the record is then whole or not there.
    fn append(&self, organisation: &OrganisationId, record: &[u8]) -> Result<u64, StateStoreError>;

    /// Keeps the journal under another name, for those who look into its loss, and begins an empty one.
    ///
    /// # Errors
    /// As the store states.
    fn set_aside(&self, organisation: &OrganisationId) -> Result<(), StateStoreError>;
}
