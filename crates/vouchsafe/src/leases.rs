//! Leadership: of the processes that share a database, one at a time does what each of them would begin by itself.
//!
//! The lease is a row of the database with a token that grows whenever it changes hands, and each transaction of the
//! work asks first whether its token is still the newest. A process that was stopped in the middle and wakes after
//! another one took over changes nothing any more. What it does at the key service is bound to what is condemned
//! already, and anybody may do that twice.

use jiff::SignedDuration;
use vouchsafe_store::{LeaseRow, Transaction};
use vouchsafe_types::{RecordId, Timestamp};

use crate::act::Act;
use crate::destroy::{Destruction, ErasureIncomplete};
use crate::{Error, Organisation};

/// What one process at a time does; its number in the rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Work {
    /// Sweeps, approved plans, and the purge.
    Retention,
    /// Recording the ends of consents whose time is over.
    Expiry,
}

impl Work {
    const fn code(self) -> u8 {
        match self {
            Self::Retention => 1,
            Self::Expiry => 2,
        }
    }
}

/// A lease that was granted; given back when it is dropped. A process that dies leaves it to its end.
pub(crate) struct Leadership<'a> {
    organisation: &'a Organisation<'a>,
    work: Work,
    token: u64,
}

impl Organisation<'_> {
    /// Takes the lease; [`Error::Elsewhere`] while another process, or another call in this one, has it.
    pub(crate) fn lead(&self, work: Work) -> Result<Leadership<'_>, Error> {
        self.core.ensure_not_behind(&self.id)?;
        let mut holder = [0; 16];
        self.core.ports.entropy.fill(&mut holder)?;
        let holder = RecordId::from_bytes(holder);
        let lease = vouchsafe_store::write(&*self.core.ports.store, &self.id, |rows| {
            let now = self.core.now();
            Ok::<_, Error>(rows.take_lease(&self.id, work.code(), holder, now, self.until(now))?)
        })?;
        if lease.holder != holder {
            return Err(elsewhere(&lease));
        }
        Ok(Leadership { organisation: self, work, token: lease.token })
    }

    fn until(&self, now: Timestamp) -> Timestamp {
        let length = SignedDuration::try_from(self.core.ports.lease).unwrap_or(SignedDuration::MAX);
        now.checked_add(length).unwrap_or(Timestamp::MAX)
    }
}

impl Leadership<'_> {
    /// Prolongs the lease within an act that does the work; [`Error::Elsewhere`] if another process took it since.
    pub(crate) fn keep(&self, act: &mut Act<'_>) -> Result<(), Error> {
        self.keep_at(act.rows, act.now)
    }

    /// As [`Self::keep`], within a transaction of rows.
    pub(crate) fn keep_at(&self, rows: &mut dyn Transaction, now: Timestamp) -> Result<(), Error> {
        let Organisation { id, .. } = self.organisation;
        if rows.renew_lease(id, self.work.code(), self.token, self.organisation.until(now))? {
            return Ok(());
        }
        // One that was given back cannot be its own; without a row somebody edited the table.
        Err(rows.lease(id, self.work.code())?.map_or(Error::Elsewhere(now), |lease| elsewhere(&lease)))
    }
}

impl Drop for Leadership<'_> {
    fn drop(&mut self) {
        let Organisation { core, id, .. } = self.organisation;
        // What cannot be given back ends by itself.
        let _ = vouchsafe_store::write(&*core.ports.store, id, |rows| {
            rows.release_lease(id, self.work.code(), self.token).map_err(Error::from)
        });
    }
}

fn elsewhere(lease: &LeaseRow) -> Error {
    Error::Elsewhere(lease.until.unwrap_or(Timestamp::UNIX_EPOCH))
}

/// That another process does it is no failure of this one.
pub(crate) fn or_elsewhere(done: Result<Destruction, Error>) -> Result<Destruction, Error> {
    match done {
        Err(cause @ Error::Elsewhere(_)) => Ok(Destruction::Pending(ErasureIncomplete::uncounted(cause))),
        done => done,
    }
}
