//! A backup in an empty database of a server.
use std::time::Instant;

use vouchsafe_types::{OrganisationId, Timestamp};

use super::driver;
use super::engine::PostgresEngine;
use super::link::{Link, Server};
use super::outcome::Ended;
use super::{PostgresConfig, PostgresStore, schema};
use crate::backup::Target;
use crate::sql::{self, Engine};
use crate::{Backup, BackupError, StoreError};

impl PostgresStore {
    /// Restores a backup, of either engine, into an empty database that [`Self::migrate`] prepared, and leaves each
    /// organisation to its recovery.
    ///
    /// The configuration is that of the role that owns the tables. All of the backup is verified before the first row
    /// is written. Until the last one is, the schema is marked half restored, and [`Self::open`] refuses it.
    ///
    /// # Errors
    /// [`BackupError::Occupied`] if the database has rows; as [`Backup::verify`]; [`BackupError::Store`] as
    /// [`Self::migrate`], with [`StoreError::Denied`] for another role than the owner.
    pub fn restore(config: &PostgresConfig, backup: &Backup, at: Timestamp) -> Result<(), BackupError> {
        driver::ensure_outside()?;
        let server = Server::of(config)?;
        let link = server.connect_within(Instant::now() + config.bounds.wait)?;
        let restoring = Restoring { server, link };
        restoring.wait(schema::check_as_owner(&restoring.link.client))?;
        if restoring.has_rows()? {
            return Err(BackupError::Occupied);
        }
        backup.verify()?;
        restoring.wait(schema::mark(&restoring.link.client, schema::Mark::Restoring))?;
        backup.fill(&restoring, at)?;
        Ok(restoring.wait(schema::mark(&restoring.link.client, schema::Mark::Whole))?)
    }
}

struct Restoring {
    server: Server,
    link: Link,
}

impl Restoring {
    fn wait<T>(&self, future: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
        self.link.driver.wait(self.server.bounds.answer() * 4, future)
    }

    /// Every row belongs to an organisation, and the list of those is there to be read.
    fn has_rows(&self) -> Result<bool, StoreError> {
        self.wait(self.link.begin_read("*"))?;
        let organisations = sql::organisations(&self.engine())?;
        self.link.roll_back();
        Ok(!organisations.is_empty())
    }

    fn engine(&self) -> PostgresEngine<'_> {
        PostgresEngine::new(&self.link, self.server.bounds.answer(), None)
    }
}

impl Target for Restoring {
    fn batch(
        &self,
        organisation: &OrganisationId,
        act: &mut dyn FnMut(&dyn Engine) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.wait(self.link.begin_write(organisation, self.server.bounds.wait))?;
        let engine = self.engine();
        if let Err(error) = act(&engine) {
            self.link.roll_back();
            return Err(error);
        }
        match self.server.commit(&self.link) {
            Ended::Committed => Ok(()),
            Ended::Refused(why) => Err(why),
            Ended::Lost => Err(StoreError::Io),
        }
    }
}
