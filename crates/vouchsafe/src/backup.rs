//! A backup of the rows, with the newest checkpoint of every log.

use std::path::Path;

use vouchsafe_envelope::EnvelopeError;
use vouchsafe_store::{Backup, BackupError};
use vouchsafe_types::OrganisationId;

use crate::logs::Log;
use crate::{Error, Vouchsafe};

impl Vouchsafe {
    /// Copies the rows of every organisation into a folder that is not there yet, while others are served.
    ///
    /// It holds no key, key state, fence journal or tile: what is destroyed later opens from no backup. The newest
    /// published checkpoint of each log goes with it; publish first for one that covers all. Restore it with
    /// [`SqliteStore::restore`](vouchsafe_store::SqliteStore::restore) or `PostgresStore::restore`, then run
    /// [`Organisation::recover`](crate::Organisation::recover). While the rows are read, SQLite keeps remnants, and
    /// destructions stay [`Destruction::Pending`](crate::Destruction::Pending).
    ///
    /// # Errors
    /// [`Error::Backup`]; [`Error::Envelope`] and [`Error::Ledger`] when a published log cannot be read.
    pub fn backup(&self, folder: &Path) -> Result<Backup, Error> {
        let mut refused = None;
        let taken = Backup::take(&*self.core.ports.store, folder, self.core.now(), &mut |id| {
            self.newest_note(id).map_err(|error| {
                refused = Some(error);
                BackupError::NotSigned
            })
        });
        taken.map_err(|error| refused.unwrap_or(Error::Backup(error)))
    }

    /// Every organisation in the database, in the order of their ids.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub fn organisations(&self) -> Result<Vec<OrganisationId>, Error> {
        Ok(self.core.ports.store.organisations()?)
    }

    /// The newest published note; none of an organisation whose keys are gone for good.
    fn newest_note(&self, id: &OrganisationId) -> Result<Option<String>, Error> {
        match Log::open(&self.core, id) {
            Err(Error::Envelope(EnvelopeError::NotProvisioned | EnvelopeError::StateLost)) => Ok(None),
            log => Ok(log?.published()?.map(|signed| signed.note().to_owned())),
        }
    }
}
