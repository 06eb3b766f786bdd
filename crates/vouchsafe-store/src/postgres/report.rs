//! What an operator asks of a server before anything is served from it.
use std::time::Instant;

use vouchsafe_types::Timestamp;

use super::driver;
use super::link::{Link, Server};
use super::{PostgresConfig, PostgresStore, error, schema};
use crate::StoreError;

/// What a server and a role are like; nothing is changed to find it out.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServerReport {
    /// The version as a number: 150004 is 15.4.
    pub version: i64,
    /// The version of TLS; none where nothing leaves the machine.
    pub tls: Option<String>,
    /// The role that is connected.
    pub role: String,
    /// Whether the role is a superuser or passes row-level security over.
    pub is_privileged: bool,
    /// Whether the role owns a table, or may act as its owner.
    pub is_owner: bool,
    /// Whether every table has row-level security, forced on its owner too, and active for the role.
    pub has_row_security: bool,
    /// Whether the server writes: a standby does not.
    pub is_primary: bool,
    /// `synchronous_commit` of the role; the store raises `off` to `on`.
    pub synchronous_commit: String,
    /// The names of standbys that a commit waits for; empty for none.
    pub synchronous_standbys: String,
    /// By how many microseconds the clock of the server is ahead.
    pub ahead: i64,
    /// How long a statement, a wait for a lock and a pause within a transaction may take, as the server says it.
    pub timeouts: [String; 3],
    /// How many connections the server takes, and how many there are.
    pub connections: (i64, i64),
    /// The version of the schema; `None` if there is none.
    pub schema: Option<u32>,
    /// Why the schema cannot be used, if it cannot.
    pub fault: Option<StoreError>,
}

const ASKED: &str = "\
    SELECT current_setting('server_version_num')::bigint, \
           (SELECT version FROM pg_stat_ssl WHERE pid = pg_backend_pid() AND ssl), \
           current_user::text, \
           (SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user), \
           (SELECT coalesce(bool_or(pg_has_role(current_user, relowner, 'MEMBER')), false) FROM pg_class c \
            JOIN pg_namespace n ON n.oid = relnamespace WHERE nspname = 'vouchsafe' AND relkind IN ('r', 'p')), \
           (SELECT coalesce(bool_and(relrowsecurity AND relforcerowsecurity), false) FROM pg_class c \
            JOIN pg_namespace n ON n.oid = relnamespace WHERE nspname = 'vouchsafe' AND relkind IN ('r', 'p')), \
           NOT pg_is_in_recovery(), current_setting('synchronous_commit'), \
           current_setting('synchronous_standby_names'), current_setting('statement_timeout'), \
           current_setting('lock_timeout'), current_setting('idle_in_transaction_session_timeout'), \
           current_setting('max_connections')::bigint, (SELECT count(*) FROM pg_stat_activity)";

impl PostgresStore {
    /// The version of the schema that this program makes.
    pub const SCHEMA: u32 = schema::NEWEST;

    /// Looks at a server with the eyes of a role, that of the service or the owner; `now` is this machine's time.
    ///
    /// # Errors
    /// As [`Self::open`], where there is no connection at all.
    pub fn inspect(config: &PostgresConfig, now: Timestamp) -> Result<ServerReport, StoreError> {
        driver::ensure_outside()?;
        let (server, asked) = (Server::of(config)?, Instant::now());
        let link = server.connect_within(Instant::now() + config.bounds.wait)?;
        let passed = i64::try_from(asked.elapsed().as_micros()).unwrap_or(i64::MAX);
        let ahead = link.clock.saturating_sub(now.as_microsecond().saturating_add(passed));
        link.driver.wait(server.bounds.answer() * 4, ask(&link, ahead))
    }
}

async fn ask(link: &Link, ahead: i64) -> Result<ServerReport, StoreError> {
    let row = link.client.query_one(ASKED, &[]).await.map_err(error::statement)?;
    let text = |at| row.try_get::<_, String>(at).map_err(error::statement);
    let holds = |at| row.try_get::<_, bool>(at).map_err(error::statement);
    let number = |at| row.try_get::<_, i64>(at).map_err(error::statement);
    let (schema, fault) = match schema::examine(&link.client).await {
        (version, Ok(())) => (version, None),
        (version, Err(error)) => (version, Some(error)),
    };
    Ok(ServerReport {
        version: number(0)?,
        tls: row.try_get(1).map_err(error::statement)?,
        role: text(2)?,
        is_privileged: holds(3)?,
        is_owner: holds(4)?,
        has_row_security: holds(5)?,
        is_primary: holds(6)?,
        synchronous_commit: text(7)?,
        synchronous_standbys: text(8)?,
        ahead,
        timeouts: [text(9)?, text(10)?, text(11)?],
        connections: (number(12)?, number(13)?),
        schema,
        fault,
    })
}
