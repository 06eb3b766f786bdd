use vouchsafe_types::{Digest, LeafIndex, OrganisationId, RecordId, Scope, SubjectPseudonym, Timestamp};

use crate::backup::Copying;
use crate::{ConsentRow, KeyUsage, MarkRow, NoticeRow, PayloadRow, RecordRow, ServedRow, StoreError};

mod documents;
mod holdings;
mod leases;
mod lives;
mod retention;

pub use documents::DocumentRows;
pub use holdings::HoldingRows;
pub use leases::LeaseRows;
pub use lives::LifeRows;
pub use retention::RetentionRows;

/// A database that runs writing closures one after the other and acknowledges by commit.
///
/// Use it through [`read`] and [`write`](write()).
pub trait Store: Send + Sync {
    /// Runs the closure in a transaction of one organisation that may write, and returns when that is committed durably.
    ///
    /// Closures of several callers may share the commit. A closure sees what those before it did; if the commit fails,
    /// none of it is stored and each of the callers gets the error. It must not write through the store itself.
    ///
    /// # Errors
    /// What the closure returned, or why the transaction could not begin or commit; nothing of it is stored, but see
    /// [`StoreError`] on a disk that fails.
    fn write_with(&self, organisation: &OrganisationId, act: Act<'_>) -> Result<(), StoreError>;

    /// Runs the closure on one consistent snapshot of what is committed of one organisation.
    ///
    /// # Errors
    /// What the closure returned, or why the snapshot could not be read; [`StoreError::ReadOnly`] for a write.
    fn read_with(&self, organisation: &OrganisationId, act: Act<'_>) -> Result<(), StoreError>;

    /// All organisations, in the order of their ids.
    ///
    /// # Errors
    /// Why they could not be read.
    fn organisations(&self) -> Result<Vec<OrganisationId>, StoreError>;

    /// Runs the closure on one consistent snapshot of the rows of all organisations, for a backup.
    ///
    /// # Errors
    /// As [`Self::read_with`].
    fn copy_with(&self, act: Copy<'_>) -> Result<(), StoreError>;

    /// Removes the remnants of deleted and replaced bytes that the engine still keeps (the write-ahead log of SQLite).
    ///
    /// # Errors
    /// [`StoreError::Locked`] while somebody still reads them.
    fn remove_remnants(&self) -> Result<(), StoreError>;
}

pub(crate) type Copy<'a> = &'a mut dyn FnMut(&Copying<'_>) -> Result<(), StoreError>;
pub(crate) type Act<'a> = &'a mut dyn FnMut(&mut dyn Transaction) -> Result<(), StoreError>;

/// Runs a closure in a writing transaction of one organisation and returns its value.
///
/// # Errors
/// The closure's own error, or the store's.
pub fn write<T, E: From<StoreError>>(
    store: &dyn Store,
    organisation: &OrganisationId,
    act: impl FnOnce(&mut dyn Transaction) -> Result<T, E>,
) -> Result<T, E> {
    run(act, |inner| store.write_with(organisation, inner))
}

/// Runs a closure on a snapshot of one organisation and returns its value.
///
/// # Errors
/// The closure's own error, or the store's.
pub fn read<T, E: From<StoreError>>(
    store: &dyn Store,
    organisation: &OrganisationId,
    act: impl FnOnce(&mut dyn Transaction) -> Result<T, E>,
) -> Result<T, E> {
    run(act, |inner| store.read_with(organisation, inner))
}

fn run<T, E: From<StoreError>>(
    act: impl FnOnce(&mut dyn Transaction) -> Result<T, E>,
    transact: impl FnOnce(Act<'_>) -> Result<(), StoreError>,
) -> Result<T, E> {
    let (mut act, mut result) = (Some(act), None);
    let ended = transact(&mut |transaction| {
        let Some(act) = act.take() else { return Err(StoreError::Aborted) };
        let value = act(transaction);
        let verdict = if value.is_ok() { Ok(()) } else { Err(StoreError::Aborted) };
        result = Some(value);
        verdict
    });
    match (ended, result) {
        (Ok(()), Some(value)) => value,
        (Err(StoreError::Aborted), Some(Err(error))) => Err(error),
        (Err(error), _) => Err(error.into()),
        (Ok(()), None) => Err(StoreError::Aborted.into()),
    }
}

/// The rows, within one transaction. The organisation comes first in every key.
///
/// What it inherits can be called on a `dyn Transaction` without importing the traits.
///
/// # Errors
/// Every method returns [`StoreError`]; after one, the transaction is given up.
#[expect(clippy::missing_errors_doc, reason = "said once for all methods above")]
pub trait Transaction: HoldingRows + LifeRows + DocumentRows + LeaseRows + RetentionRows {
    /// Whether the organisation exists.
    fn organisation_exists(&mut self, organisation: &OrganisationId) -> Result<bool, StoreError>;
    /// Adds an organisation.
    fn insert_organisation(&mut self, organisation: &OrganisationId, at: Timestamp)
    -> Result<(), StoreError>;

    /// Adds a notice; [`StoreError::Conflict`] if its bytes are there already.
    fn insert_notice(&mut self, organisation: &OrganisationId, notice: &NoticeRow) -> Result<(), StoreError>;
    /// The notice in force at an instant, by its id and locale: of those effective by then, the one that took
    /// effect last: on its date, or when it was published, whichever was later.
    fn notice_in_force(
        &mut self,
        organisation: &OrganisationId,
        id: &str,
        locale: &str,
        now: Timestamp,
    ) -> Result<Option<NoticeRow>, StoreError>;
    /// The notices of the same id, in any locale, that were published after this one or take effect after it, and
    /// are effective at an instant, in the order of publication; none if there is no such notice.
    fn notices_since(
        &mut self,
        organisation: &OrganisationId,
        digest: Digest,
        now: Timestamp,
    ) -> Result<Vec<NoticeRow>, StoreError>;
    /// All notices, in the order of publication.
    fn notices(&mut self, organisation: &OrganisationId) -> Result<Vec<NoticeRow>, StoreError>;
    /// A notice by the digest of its bytes.
    fn notice(
        &mut self,
        organisation: &OrganisationId,
        digest: Digest,
    ) -> Result<Option<NoticeRow>, StoreError>;

    /// The newest act of consent.
    fn consent(
        &mut self,
        organisation: &OrganisationId,
        subject: SubjectPseudonym,
        scope: Scope,
    ) -> Result<Option<ConsentRow>, StoreError>;
    /// Adds an act of consent; [`StoreError::Conflict`] unless its sequence is the newest one plus 1, or 1 for the
    /// first.
    fn append_consent(
        &mut self,
        organisation: &OrganisationId,
        subject: SubjectPseudonym,
        scope: Scope,
        row: &ConsentRow,
    ) -> Result<(), StoreError>;
    /// All acts of consent, in order. Of a line that schema 2 wrote, the earlier ones are not there.
    fn consent_acts(
        &mut self,
        organisation: &OrganisationId,
        subject: SubjectPseudonym,
        scope: Scope,
    ) -> Result<Vec<ConsentRow>, StoreError>;
    /// Up to `limit` newest acts that are given or renewed and end at `before` or earlier, in the order of their
    /// ends.
    fn open_consents_due(
        &mut self,
        organisation: &OrganisationId,
        before: Timestamp,
        limit: u32,
    ) -> Result<Vec<(SubjectPseudonym, Scope, ConsentRow)>, StoreError>;

    /// Records that a notice was served; [`StoreError::Conflict`] if the ticket exists, or the notice does not.
    fn insert_served(&mut self, organisation: &OrganisationId, served: &ServedRow) -> Result<(), StoreError>;
    /// What was served under a ticket.
    fn served(
        &mut self,
        organisation: &OrganisationId,
        ticket: [u8; 16],
    ) -> Result<Option<ServedRow>, StoreError>;
    /// What was served to a person, in the order of showing and ticket.
    fn served_to(
        &mut self,
        organisation: &OrganisationId,
        subject: SubjectPseudonym,
    ) -> Result<Vec<ServedRow>, StoreError>;
    /// Joins a ticket to the act that uses it up; [`StoreError::Conflict`] if there is none or it is used already.
    fn use_served(
        &mut self,
        organisation: &OrganisationId,
        ticket: [u8; 16],
        sequence: u64,
    ) -> Result<(), StoreError>;

    /// The marks of a person, in the order of their codes.
    fn marks(
        &mut self,
        organisation: &OrganisationId,
        subject: SubjectPseudonym,
    ) -> Result<Vec<MarkRow>, StoreError>;
    /// Sets a mark; one that is there already stays as it is.
    ///
    /// Returns: whether it is new.
    fn put_mark(
        &mut self,
        organisation: &OrganisationId,
        subject: SubjectPseudonym,
        mark: &MarkRow,
    ) -> Result<bool, StoreError>;
    /// Removes a mark.
    ///
    /// Returns: whether it was there.
    fn remove_mark(
        &mut self,
        organisation: &OrganisationId,
        subject: SubjectPseudonym,
        mark: u8,
    ) -> Result<bool, StoreError>;

    /// Adds a sealed template.
    fn insert_record(&mut self, organisation: &OrganisationId, record: &RecordRow) -> Result<(), StoreError>;
    /// The sealed template under a leaf.
    fn record(
        &mut self,
        organisation: &OrganisationId,
        leaf: LeafIndex,
    ) -> Result<Option<RecordRow>, StoreError>;
    /// A sealed template by its id.
    fn record_by_id(
        &mut self,
        organisation: &OrganisationId,
        id: RecordId,
    ) -> Result<Option<RecordRow>, StoreError>;

    /// How many entries the organisation's log has.
    fn entry_count(&mut self, organisation: &OrganisationId) -> Result<u64, StoreError>;
    /// Appends an entry and returns its number, from 0 without a gap.
    fn append_entry(&mut self, organisation: &OrganisationId, bytes: &[u8]) -> Result<u64, StoreError>;
    /// Up to `limit` entries from a number on.
    fn entries(
        &mut self,
        organisation: &OrganisationId,
        from: u64,
        limit: u32,
    ) -> Result<Vec<Vec<u8>>, StoreError>;
    /// Adds the payload of an entry about the organisation itself, in clear.
    fn insert_public_payload(
        &mut self,
        organisation: &OrganisationId,
        entry: u64,
        bytes: &[u8],
    ) -> Result<(), StoreError>;
    /// The payload of an entry about the organisation itself.
    fn public_payload(
        &mut self,
        organisation: &OrganisationId,
        entry: u64,
    ) -> Result<Option<Vec<u8>>, StoreError>;
    /// Adds the sealed payload of an entry.
    fn insert_payload(
        &mut self,
        organisation: &OrganisationId,
        entry: u64,
        payload: &PayloadRow,
    ) -> Result<(), StoreError>;
    /// The sealed payload of an entry, unless it was destroyed.
    fn payload(
        &mut self,
        organisation: &OrganisationId,
        entry: u64,
    ) -> Result<Option<PayloadRow>, StoreError>;

    /// Up to `limit` sealed payloads, each after the number of its entry, in the order of entries.
    fn payloads(
        &mut self,
        organisation: &OrganisationId,
        after: Option<u64>,
        limit: u32,
    ) -> Result<Vec<(u64, PayloadRow)>, StoreError>;

    /// The numbers of the entries whose payloads lie under a leaf, ascending.
    fn payload_entries(
        &mut self,
        organisation: &OrganisationId,
        leaf: LeafIndex,
    ) -> Result<Vec<u64>, StoreError>;

    /// What each data key still seals, in the order of versions; a version that seals nothing is left out.
    ///
    /// The bytes of condemned holdings count until they are deleted.
    fn key_usage(&mut self, organisation: &OrganisationId) -> Result<Vec<KeyUsage>, StoreError>;
    /// Up to `limit` sealed templates under a data key below `older_than`, the oldest key first.
    fn records_under(
        &mut self,
        organisation: &OrganisationId,
        older_than: u32,
        limit: u32,
    ) -> Result<Vec<RecordRow>, StoreError>;
    /// Up to `limit` sealed payloads under a data key below `older_than`, each after the number of its entry, the
    /// oldest key first.
    fn payloads_under(
        &mut self,
        organisation: &OrganisationId,
        older_than: u32,
        limit: u32,
    ) -> Result<Vec<(u64, PayloadRow)>, StoreError>;
    /// Replaces the bytes of a sealed template and the data key they are under; [`StoreError::Conflict`] unless
    /// the stored key is still `from`.
    fn reseal_record(
        &mut self,
        organisation: &OrganisationId,
        leaf: LeafIndex,
        from: u32,
        sealed: &[u8],
        to: u32,
    ) -> Result<(), StoreError>;
    /// Replaces the bytes of a sealed payload and the data key they are under; [`StoreError::Conflict`] unless
    /// the stored key is still `from`.
    fn reseal_payload(
        &mut self,
        organisation: &OrganisationId,
        entry: u64,
        from: u32,
        sealed: &[u8],
        to: u32,
    ) -> Result<(), StoreError>;
}
