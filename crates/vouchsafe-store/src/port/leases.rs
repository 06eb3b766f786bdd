use vouchsafe_types::{OrganisationId, RecordId, Timestamp};

use crate::{LeaseRow, StoreError};

/// Which process does what every process would begin by itself: leadership by lease, with a fencing token.
///
/// The lease lies in the database that it protects. Whoever asks [`renew_lease`](Self::renew_lease) within each
/// transaction that does the work is fenced: a transaction of a former holder, however late it comes, finds that its
/// token is not the newest, and gives itself up.
///
/// # Clocks
/// Writers of an organisation take turns, so that of two who ask, one is first; whose token is valid is decided by that
/// order and by no clock. The instants are those of the callers' clocks. A process whose clock is ahead takes over by as
/// much earlier, and one whose clock is behind by as much later; neither makes two tokens valid.
///
/// # Errors
/// As for [`Transaction`](crate::Transaction).
#[expect(clippy::missing_errors_doc, reason = "said once for all methods above")]
pub trait LeaseRows {
    /// Takes a lease that is free, that ended by `now`, or that the same holder has already, which is then prolonged;
    /// with a token that is greater by one whenever it changes hands. One that ends more than five minutes after
    /// `until` was written by a clock that is ahead, or for much longer, and is taken as well: its holder is fenced.
    ///
    /// Returns: the lease as it then stands; it was granted if the holder is the one who asked.
    fn take_lease(
        &mut self,
        organisation: &OrganisationId,
        work: u8,
        holder: RecordId,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<LeaseRow, StoreError>;
    /// Prolongs a lease, also one that ended, as long as nobody took it since.
    ///
    /// Returns: whether the token is the newest, and not given back. If not, the transaction must not commit.
    fn renew_lease(
        &mut self,
        organisation: &OrganisationId,
        work: u8,
        token: u64,
        until: Timestamp,
    ) -> Result<bool, StoreError>;
    /// Gives a lease back.
    ///
    /// Returns: whether the token was still the newest.
    fn release_lease(
        &mut self,
        organisation: &OrganisationId,
        work: u8,
        token: u64,
    ) -> Result<bool, StoreError>;
    /// How a lease stands; `None` if nobody ever took it.
    fn lease(&mut self, organisation: &OrganisationId, work: u8) -> Result<Option<LeaseRow>, StoreError>;
}
