use std::thread;
use std::time::Instant;

use vouchsafe_types::{OrganisationId, Timestamp};

use crate::StoreError;
use crate::backup::Copying;
use crate::port::{Act, Copy, Store};
use crate::sql::{self, Engine as _, Rows};

#[cfg(any(test, feature = "test-util"))]
mod admin;
#[cfg(all(feature = "sqlite", any(test, feature = "test-util")))]
mod bulk;
mod config;
mod driver;
mod engine;
mod error;
mod link;
mod outcome;
mod pool;
mod report;
mod restore;
mod schema;
mod tls;
mod turns;

#[cfg(any(test, feature = "test-util"))]
pub(crate) use admin::Admin;
pub use config::PostgresConfig;
use engine::{PostgresEngine, Rewrite};
use link::{Begun, Link, Server};
use outcome::{Ended, PAUSES};
use pool::{Lease, Pool};
pub use report::ServerReport;
use turns::Turns;

/// The storage port on a PostgreSQL server, version 15 or newer.
///
/// # Transactions
/// A transaction that writes takes the advisory lock of its organisation with its first statement: the writers of an
/// organisation take turns, in this process and in all others, and each of them sees what those before it committed
/// (`READ COMMITTED`, a new snapshot for each statement after the lock). Writers of different organisations run side
/// by side. A transaction that reads has one snapshot (`REPEATABLE READ READ ONLY`). Nobody else writes the rows that
/// a transaction sees, so that no serialisation failure or deadlock can end it; if one is reported all the same, it is
/// [`StoreError::Locked`]. Connecting, beginning and waiting for the turn are tried again, with pauses that grow, for
/// the bounded wait. A closure runs once, whatever happens after its begin.
///
/// If the connection is lost before the commit was acknowledged, the store connects again and asks the server for the
/// fate of the transaction. It reports success or [`StoreError::Io`] (nothing stored); [`StoreError::CommitUnknown`] if
/// no server of the same timeline answers within the bounded wait, as after a failover, or if the server crashed in
/// between and says of the transaction's number that it was committed: after a crash it may be another one's.
///
/// A commit is acknowledged once it is as durable as the server's `synchronous_commit` says, and at least on its disk;
/// `remote_apply` or `on` with synchronous standbys is a decision of the operator.
///
/// # Isolation
/// Every table has row-level security, forced on its owner too: a transaction sees and writes the rows of its own
/// organisation, whatever its statements say. [`Self::open`] refuses a role for which that does not hold.
///
/// # Remnants
/// Deleted and replaced bytes stay in dead rows until vacuum, in the write-ahead log until it is recycled, on standbys,
/// and in archives and base backups for as long as those are kept. The role that serves can do nothing about it, so
/// [`remove_remnants`](Store::remove_remnants) does nothing. What stays is sealed under keys of the key tree: once the
/// key is destroyed, nobody can open it. Only that destruction counts here.
///
/// # Threads
/// Whoever calls drives its connection, and blocks; there is no thread beside. A call from inside an asynchronous runtime is refused with
/// [`StoreError::InsideRuntime`] (the probe lets the panic hook print a message); a thread of its blocking pool may
/// call. A closure that writes must not write through the store: it could wait for itself.
pub struct PostgresStore {
    server: Server,
    turns: Turns,
    writers: Pool,
    readers: Pool,
    rewrite: Option<Rewrite>,
}

impl PostgresStore {
    /// Connects to a database that [`Self::migrate`] prepared, and checks role, schema and clock. It never migrates.
    ///
    /// # Errors
    /// [`StoreError::InsideRuntime`]; [`StoreError::PlaintextRefused`], [`StoreError::UntrustedServer`],
    /// [`StoreError::Denied`], [`StoreError::Io`]; [`StoreError::RowSecurityOff`]; [`StoreError::OlderSchema`],
    /// [`StoreError::NewerSchema`], [`StoreError::SchemaDiffers`], [`StoreError::Damaged`] for a schema of another
    /// program; [`StoreError::ClockSkew`] against `now`.
    pub fn open(config: &PostgresConfig, now: Timestamp) -> Result<Self, StoreError> {
        driver::ensure_outside()?;
        let (server, asked) = (Server::of(config)?, Instant::now());
        let link = server.connect_within(Instant::now() + config.bounds.wait)?;
        let passed = i64::try_from(asked.elapsed().as_micros()).unwrap_or(i64::MAX);
        let now = now.as_microsecond().saturating_add(passed);
        if u128::from(link.clock.abs_diff(now)) > config.bounds.skew.as_micros() {
            return Err(StoreError::ClockSkew);
        }
        link.driver.wait(config.bounds.answer() * 4, schema::check(&link.client))?;
        let store = Self {
            server,
            turns: Turns::default(),
            writers: Pool::of(config.writers),
            readers: Pool::of(config.readers),
            rewrite: None,
        };
        store.readers.take(Instant::now())?.link = Some(link);
        Ok(store)
    }

    /// Creates the schema, or brings it forward, and grants the role that serves what it needs and no more.
    ///
    /// The configuration is that of the role that is to own the tables. It needs `CREATE` on the database; the role
    /// that serves exists already, is no superuser, and does not belong to the owner.
    ///
    /// # Errors
    /// As [`Self::open`]; [`StoreError::RowSecurityOff`] if the role that serves is the owner or could act as the
    /// owner.
    pub fn migrate(config: &PostgresConfig, service_role: &str) -> Result<(), StoreError> {
        driver::ensure_outside()?;
        let server = Server::of(config)?;
        let link = server.connect_within(Instant::now() + config.bounds.wait)?;
        link.driver.wait(config.bounds.answer() * 4, schema::migrate(&link.client, service_role))
    }

    /// Begins a transaction on a connection of the lease, which it opens if it has to, until an instant.
    fn begin<T>(
        &self,
        lease: &mut Lease<'_>,
        until: Instant,
        begin: impl AsyncFn(&Link) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut pause = PAUSES.0;
        loop {
            let link = match lease.link.take() {
                Some(link) => Ok(link),
                None => self.server.connect(),
            };
            let begun = link.and_then(|link| {
                let begun = link.driver.wait(self.server.bounds.answer(), begin(&link))?;
                Ok((link, begun))
            });
            match begun {
                Ok((link, begun)) => {
                    lease.link = Some(link);
                    return Ok(begun);
                }
                Err(error) if error::is_passing(error) && Instant::now() + pause < until => {
                    thread::sleep(pause);
                    pause = PAUSES.1.min(pause * 2);
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Commits what the closure did.
    fn commit(&self, lease: &mut Lease<'_>, link: Link, begun: &Begun) -> Result<(), StoreError> {
        match self.server.commit(&link) {
            Ended::Committed => {
                lease.link = Some(link);
                Ok(())
            }
            Ended::Refused(why) => {
                lease.link = Some(link);
                Err(why)
            }
            Ended::Lost => {
                let place = link.place.clone();
                drop(link);
                self.server.outcome(begun, &place)
            }
        }
    }

    fn read<T>(
        &self,
        organisation: &str,
        act: impl FnOnce(&PostgresEngine<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        driver::ensure_outside()?;
        let until = Instant::now() + self.server.bounds.wait;
        let mut lease = self.readers.take(until)?;
        self.begin(&mut lease, until, async |link| link.begin_read(organisation).await)?;
        // Whoever unwinds leaves no open transaction in the pool.
        let Some(link) = lease.link.take() else { return Err(StoreError::Aborted) };
        let engine = self.engine(&link);
        let done = act(&engine);
        let lost = engine.lost();
        lease.link = rolled_back(link, lost);
        match (done, lost) {
            (Ok(_), Some(error)) => Err(error),
            (done, _) => done,
        }
    }

    fn engine<'a>(&'a self, link: &'a Link) -> PostgresEngine<'a> {
        PostgresEngine::new(link, self.server.bounds.answer(), self.rewrite)
    }
}

impl Store for PostgresStore {
    fn write_with(&self, organisation: &OrganisationId, act: Act<'_>) -> Result<(), StoreError> {
        driver::ensure_outside()?;
        let until = Instant::now() + self.server.bounds.wait;
        let _turn = self.turns.take(organisation, until)?;
        let mut lease = self.writers.take(until)?;
        let begun = self.begin(&mut lease, until, async |link| {
            link.begin_write(organisation, until.saturating_duration_since(Instant::now())).await
        })?;
        let Some(link) = lease.link.take() else { return Err(StoreError::Aborted) };
        let engine = self.engine(&link);
        let verdict = act(&mut Rows::new(&engine, organisation));
        let lost = engine.lost();
        match lost.map_or(verdict, Err) {
            Ok(()) => self.commit(&mut lease, link, &begun),
            Err(error) => {
                lease.link = rolled_back(link, lost);
                // The closure's own word says more than that of the statement it met.
                Err(verdict.err().unwrap_or(error))
            }
        }
    }

    fn read_with(&self, organisation: &OrganisationId, act: Act<'_>) -> Result<(), StoreError> {
        self.read(organisation.as_str(), |engine| act(&mut Rows::new(engine, organisation)))
    }

    fn organisations(&self) -> Result<Vec<OrganisationId>, StoreError> {
        self.read("*", |engine| sql::organisations(engine))
    }

    fn copy_with(&self, act: Copy<'_>) -> Result<(), StoreError> {
        // Beside the pool of those that serve, which a backup must not wait for.
        driver::ensure_outside()?;
        let link = self.server.connect_within(Instant::now() + self.server.bounds.wait)?;
        link.driver.wait(self.server.bounds.answer(), link.begin_read("*"))?;
        let engine = self.engine(&link);
        let enter = |organisation: &str| {
            let values = [sql::Value::Text(organisation)];
            let setting = "SELECT set_config('vouchsafe.organisation', ?1, true)";
            engine.query(setting, &values, &mut |_| Ok(()))
        };
        act(&Copying::new(&engine, "postgres", &enter))?;
        link.roll_back();
        engine.lost().map_or(Ok(()), Err)
    }

    fn remove_remnants(&self) -> Result<(), StoreError> {
        Ok(())
    }
}

/// The connection, ready for the next transaction; none if the server may still be busy with a statement of this one.
fn rolled_back(link: Link, lost: Option<StoreError>) -> Option<Link> {
    (lost != Some(StoreError::Io)).then(|| {
        link.roll_back();
        link
    })
}

impl Server {
    /// Connects, and tries again until an instant.
    fn connect_within(&self, until: Instant) -> Result<Link, StoreError> {
        let mut pause = PAUSES.0;
        loop {
            match self.connect() {
                Err(error) if error::is_passing(error) && Instant::now() + pause < until => {
                    thread::sleep(pause);
                    pause = PAUSES.1.min(pause * 2);
                }
                done => return done,
            }
        }
    }
}

impl std::fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PostgresStore")
            .field("bounds", &self.server.bounds)
            .field("writers", &self.writers)
            .field("readers", &self.readers)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
pub(crate) mod tests;
