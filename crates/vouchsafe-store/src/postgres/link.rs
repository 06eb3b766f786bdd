//! One connection, and how transactions begin on it.
use std::cell::RefCell;
use std::collections::HashMap;

use futures_util::future::join;
use ring::digest;
use tokio_postgres::types::Type;
use tokio_postgres::{Client, NoTls, Row, Statement};
use vouchsafe_types::OrganisationId;

use super::config::Bounds;
use super::driver::Driver;
use super::tls::Tls;
use super::{PostgresConfig, error};
use crate::StoreError;

/// How to reach the server.
#[derive(Clone)]
pub(super) struct Server {
    config: tokio_postgres::Config,
    tls: Option<Tls>,
    pub(super) bounds: Bounds,
}

/// A connection; not used again once an answer is missing.
pub(super) struct Link {
    pub(super) driver: Driver,
    pub(super) client: Client,
    statements: RefCell<HashMap<String, Statement>>,
    begin_write: Statement,
    begin_read: Statement,
    pub(super) place: Place,
    /// The microsecond of the server's clock when the connection began.
    pub(super) clock: i64,
}

/// What a connection begins with.
struct Met {
    client: Client,
    begin_write: Statement,
    begin_read: Statement,
    place: Place,
    clock: i64,
}

/// Where the number of a transaction has a meaning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    /// Which cluster and timeline the server writes.
    pub(super) timeline: String,
    /// Since when the server counts what it writes: it begins anew after each crash.
    pub(super) epoch: String,
}

/// What a writing transaction is known by.
#[derive(Debug, Clone)]
pub(super) struct Begun {
    pub(super) number: String,
}

/// The first half of the key of all advisory locks: "vch1".
const LOCKS: i32 = 0x7663_6831;

/// Waits for the turn among the writers of the organisation. What the statements after it see was committed by then.
///
/// On a server that only reads there is no number.
const BEGIN_WRITE: &str = "\
    SELECT set_config('vouchsafe.organisation', $1, true), set_config('lock_timeout', $2, true), \
           CASE WHEN current_setting('transaction_read_only') = 'off' \
                THEN pg_advisory_xact_lock($3, $4)::text END, \
           CASE WHEN current_setting('transaction_read_only') = 'off' THEN pg_current_xact_id()::text END";
const BEGIN_READ: &str = "SELECT set_config('vouchsafe.organisation', $1, true)";
const FACTS: &str = "\
    SELECT CASE WHEN pg_is_in_recovery() THEN '' \
                ELSE system_identifier::text || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) END, \
           (extract(epoch FROM clock_timestamp()) * 1000000)::bigint, \
           current_setting('synchronous_commit'), \
           (SELECT coalesce(stats_reset::text, '') FROM pg_stat_wal) \
    FROM pg_control_system()";

impl Server {
    pub(super) fn of(config: &PostgresConfig) -> Result<Self, StoreError> {
        let (server, encrypted) = config.prepared()?;
        let tls = encrypted.then(|| Tls::trusting(config.roots())).transpose()?;
        Ok(Self { config: server, tls, bounds: config.bounds })
    }

    pub(super) fn connect(&self) -> Result<Link, StoreError> {
        let driver = Driver::start()?;
        // Each of several hosts has its own time-out.
        let met = driver.wait(self.bounds.connect * 5, self.meet())?;
        let Met { client, begin_write, begin_read, place, clock } = met;
        Ok(Link { driver, client, statements: RefCell::default(), begin_write, begin_read, place, clock })
    }

    async fn meet(&self) -> Result<Met, StoreError> {
        let client = self.client().await?;
        let facts = client.query_one(FACTS, &[]).await.map_err(error::statement)?;
        let text = |at| facts.try_get::<_, String>(at).map_err(error::statement);
        if text(2)? == "off" {
            client.batch_execute("SET synchronous_commit = on").await.map_err(error::statement)?;
        }
        let (write, read) = join(
            client.prepare_typed(BEGIN_WRITE, &[Type::TEXT, Type::TEXT, Type::INT4, Type::INT4]),
            client.prepare_typed(BEGIN_READ, &[Type::TEXT]),
        )
        .await;
        Ok(Met {
            begin_write: write.map_err(error::statement)?,
            begin_read: read.map_err(error::statement)?,
            place: Place { timeline: text(0)?, epoch: text(3)? },
            clock: facts.try_get(1).map_err(error::statement)?,
            client,
        })
    }

    async fn client(&self) -> Result<Client, StoreError> {
        match self.tls.clone() {
            Some(tls) => {
                let (client, connection) = self.config.connect(tls).await.map_err(error::connection)?;
                tokio::spawn(connection);
                Ok(client)
            }
            None => {
                let (client, connection) = self.config.connect(NoTls).await.map_err(error::connection)?;
                tokio::spawn(connection);
                Ok(client)
            }
        }
    }
}

impl Link {
    /// Begins a transaction that writes, in its turn; the two messages travel together.
    pub(super) async fn begin_write(
        &self,
        organisation: &OrganisationId,
        wait: std::time::Duration,
    ) -> Result<Begun, StoreError> {
        let wait = wait.as_millis().max(1).to_string();
        let lock = lock_of(organisation);
        let values: [&(dyn tokio_postgres::types::ToSql + Sync); 4] =
            [&organisation.as_str(), &wait, &LOCKS, &lock];
        let (begun, row) = join(
            self.client.batch_execute("BEGIN ISOLATION LEVEL READ COMMITTED"),
            self.client.query_one(&self.begin_write, &values),
        )
        .await;
        begun.map_err(error::statement)?;
        let row = row.map_err(error::statement)?;
        let number: Option<String> = row.try_get(3).map_err(error::statement)?;
        Ok(Begun { number: number.ok_or(StoreError::ReadOnly)? })
    }

    /// Begins a snapshot of one organisation, or of the list of all (`*`).
    pub(super) async fn begin_read(&self, organisation: &str) -> Result<(), StoreError> {
        let (begun, row) = join(
            self.client.batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"),
            self.client.query_one(&self.begin_read, &[&organisation]),
        )
        .await;
        begun.map_err(error::statement)?;
        row.map_err(error::statement).map(|_: Row| ())
    }

    /// Ends the transaction without waiting for the answer: whatever is sent next comes after it.
    pub(super) fn roll_back(&self) {
        // An answer that says otherwise can only come of a connection that is gone.
        self.driver.send(self.client.batch_execute("ROLLBACK"));
    }

    /// Whether the server has not closed it, as far as has been heard by now.
    pub(super) fn is_open(&self) -> bool {
        self.driver.listen();
        !self.client.is_closed()
    }

    /// Prepares each text once.
    pub(super) async fn statement(&self, sql: &str) -> Result<Statement, StoreError> {
        if let Some(known) = self.statements.borrow().get(sql) {
            return Ok(known.clone());
        }
        let statement = self.client.prepare(&sql.replace('?', "$")).await.map_err(error::statement)?;
        self.statements.borrow_mut().insert(sql.to_owned(), statement.clone());
        Ok(statement)
    }
}

/// The second half of the key of the advisory lock. Organisations that share one only wait for each other.
fn lock_of(organisation: &OrganisationId) -> i32 {
    let hash = digest::digest(&digest::SHA256, organisation.as_str().as_bytes());
    hash.as_ref().iter().take(4).fold(0, |key, byte| (key << 8) | i32::from(*byte))
}
