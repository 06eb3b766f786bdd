use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};

use crate::StoreError;

/// Where the server is, who connects, and the bounds on waiting.
///
/// The password shows in no error, and not in `Debug`.
#[derive(Clone)]
pub struct PostgresConfig {
    server: Config,
    /// Whether the connection string says what to do about TLS.
    says_tls: bool,
    roots: Vec<CertificateDer<'static>>,
    pub(super) writers: usize,
    pub(super) readers: usize,
    pub(super) bounds: Bounds,
}

/// How long something may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    /// Connecting to one address.
    pub(super) connect: Duration,
    /// Waiting for a connection, for the server, for other writers, and for a lost answer.
    pub(super) wait: Duration,
    /// One statement.
    pub(super) statement: Duration,
    /// Between two statements of a transaction.
    pub(super) idle: Duration,
    /// The difference of the clocks.
    pub(super) skew: Duration,
}

impl PostgresConfig {
    /// Reads a connection string: a URL (`postgresql://user@host/database?sslmode=require`) or pairs
    /// (`host=… user=… dbname=…`).
    ///
    /// Without `sslmode`, a connection to another machine requires TLS; one to a loopback address or a Unix socket has
    /// none unless `sslmode=require` asks for it. With TLS, the certificate is always verified, and needs
    /// [`Self::with_roots`].
    ///
    /// # Errors
    /// [`StoreError::Connection`].
    pub fn parse(text: &str) -> Result<Self, StoreError> {
        let server: Config = text.parse().map_err(|_| StoreError::Connection)?;
        if server.get_hosts().is_empty() && server.get_hostaddrs().is_empty() {
            return Err(StoreError::Connection);
        }
        let bounds = Bounds {
            connect: Duration::from_secs(5),
            wait: Duration::from_secs(5),
            statement: Duration::from_secs(30),
            idle: Duration::from_secs(60),
            skew: Duration::from_secs(300),
        };
        let says_tls = text.contains("sslmode");
        Ok(Self { server, says_tls, roots: Vec::new(), writers: 4, readers: 8, bounds })
    }

    /// Sets the password; one in a connection string is easily seen by others.
    #[must_use]
    pub fn with_password(mut self, password: &[u8]) -> Self {
        self.server.password(password);
        self
    }

    #[cfg(any(test, feature = "test-util"))]
    pub(crate) fn with_user(mut self, name: &str) -> Self {
        self.server.user(name);
        self
    }

    #[cfg(test)]
    pub(crate) fn with_database(mut self, name: &str) -> Self {
        self.server.dbname(name);
        self
    }

    /// Sets the root certificates that vouch for the server, in PEM; no others are trusted.
    ///
    /// # Errors
    /// [`StoreError::Connection`] if there is none, or one cannot be read.
    pub fn with_roots(mut self, pem: &[u8]) -> Result<Self, StoreError> {
        self.roots = CertificateDer::pem_slice_iter(pem)
            .collect::<Result<_, _>>()
            .map_err(|_| StoreError::Connection)?;
        let mut store = RootCertStore::empty();
        let (_, unreadable) = store.add_parsable_certificates(self.roots.iter().cloned());
        if store.is_empty() || unreadable > 0 { Err(StoreError::Connection) } else { Ok(self) }
    }

    /// Sets the most connections at once, at least 1 each: of those that write (4) and of those that read (8).
    #[must_use]
    pub fn with_connections(mut self, writers: usize, readers: usize) -> Self {
        (self.writers, self.readers) = (writers.max(1), readers.max(1));
        self
    }

    /// Sets how long connecting to one address may take (5 s).
    #[must_use]
    pub const fn with_connect_timeout(mut self, most: Duration) -> Self {
        self.bounds.connect = most;
        self
    }

    /// Sets how long a transaction waits to begin, for a free connection, the server and other writers, and how long
    /// the store asks for a lost answer (5 s).
    #[must_use]
    pub const fn with_wait(mut self, most: Duration) -> Self {
        self.bounds.wait = most;
        self
    }

    /// Sets how long one statement may take (30 s).
    #[must_use]
    pub const fn with_statement_timeout(mut self, most: Duration) -> Self {
        self.bounds.statement = most;
        self
    }

    /// Sets how long a transaction may pause between two statements before the server ends it (60 s).
    #[must_use]
    pub const fn with_idle_timeout(mut self, most: Duration) -> Self {
        self.bounds.idle = most;
        self
    }

    /// Sets by how much the clock of the server may differ (300 s).
    #[must_use]
    pub const fn with_clock_skew(mut self, most: Duration) -> Self {
        self.bounds.skew = most;
        self
    }

    pub(super) fn roots(&self) -> &[CertificateDer<'static>] {
        &self.roots
    }

    /// What to connect with, and whether with TLS.
    pub(super) fn prepared(&self) -> Result<(Config, bool), StoreError> {
        let (mut server, local) = (self.server.clone(), self.is_local());
        let encrypted = match server.get_ssl_mode() {
            SslMode::Require => true,
            _ if local => false,
            _ if self.says_tls => return Err(StoreError::PlaintextRefused),
            _ => true,
        };
        server.ssl_mode(if encrypted { SslMode::Require } else { SslMode::Disable });
        server.connect_timeout(self.bounds.connect);
        server.tcp_user_timeout(self.bounds.statement + GRACE);
        if server.get_application_name().is_none() {
            server.application_name("vouchsafe");
        }
        server.options(self.options());
        Ok((server, encrypted))
    }

    /// Whether nothing leaves this machine.
    fn is_local(&self) -> bool {
        let addresses = self.server.get_hostaddrs();
        if !addresses.is_empty() {
            return addresses.iter().all(IpAddr::is_loopback);
        }
        self.server.get_hosts().iter().all(|host| match host {
            Host::Tcp(name) => {
                name == "localhost" || name.parse().is_ok_and(|address: IpAddr| address.is_loopback())
            }
            #[cfg(unix)]
            Host::Unix(_) => true,
        })
    }

    /// Every statement looks by a key. Without statistics, as on a new database, the planner takes a table for small and
    /// walks it, and keeps that plan while the table grows.
    fn options(&self) -> String {
        let given = self.server.get_options().unwrap_or_default();
        let (statement, idle) = (self.bounds.statement.as_millis(), self.bounds.idle.as_millis());
        format!(
            "{given} -c search_path=vouchsafe,pg_temp -c row_security=on -c jit=off -c enable_seqscan=off \
             -c TimeZone=UTC \
             -c client_min_messages=warning -c statement_timeout={statement} -c lock_timeout={} \
             -c idle_in_transaction_session_timeout={idle}",
            self.bounds.wait.as_millis()
        )
    }
}

impl Bounds {
    /// How long the client waits for the answer to a statement.
    pub(super) fn answer(&self) -> Duration {
        self.statement + GRACE
    }
}

impl fmt::Debug for PostgresConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresConfig")
            .field("writers", &self.writers)
            .field("readers", &self.readers)
            .field("bounds", &self.bounds)
            .finish_non_exhaustive()
    }
}

/// How much later than the server the client gives up.
const GRACE: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests {
    use super::*;

    fn prepared(text: &str) -> Result<bool, StoreError> {
        PostgresConfig::parse(text)?.prepared().map(|(_, encrypted)| encrypted)
    }

    #[test]
    fn tls_is_required_unless_nothing_leaves_the_machine() {
        for (text, expected) in [
            ("postgresql://u@127.0.0.1/d", Ok(false)),
            ("postgresql://u@[::1]/d", Ok(false)),
            ("host=localhost", Ok(false)),
            ("host=/run/postgresql", Ok(false)),
            ("host=localhost sslmode=require", Ok(true)),
            ("host=localhost sslmode=disable", Ok(false)),
            ("host=db.example", Ok(true)),
            ("host=db.example sslmode=require", Ok(true)),
            ("host=db.example sslmode=prefer", Err(StoreError::PlaintextRefused)),
            ("postgresql://u@db.example/d?sslmode=disable", Err(StoreError::PlaintextRefused)),
            ("host=localhost,db.example sslmode=disable", Err(StoreError::PlaintextRefused)),
            ("host=localhost hostaddr=192.0.2.1 sslmode=disable", Err(StoreError::PlaintextRefused)),
            ("host=db.example hostaddr=127.0.0.1", Ok(false)),
            ("host=10.0.0.1", Ok(true)),
            ("user=u", Err(StoreError::Connection)),
            ("host=h port=x", Err(StoreError::Connection)),
            ("host=h sslmode=verify", Err(StoreError::Connection)),
        ] {
            assert_eq!(prepared(text), expected, "{text}");
        }
    }

    #[test]
    fn the_password_shows_nowhere() {
        let config = PostgresConfig::parse("postgresql://user:hunter22@db.example/d").unwrap();
        let config = config.with_password(b"hunter23");
        assert!(!format!("{config:?}").contains("hunter"));
        let wrong = PostgresConfig::parse("postgresql://user:hunter22@db.example:port/d").unwrap_err();
        assert!(!format!("{wrong:?} {wrong}").contains("hunter"));
    }

    #[test]
    fn roots_are_certificates() {
        let config = PostgresConfig::parse("host=db.example").unwrap();
        for pem in [&b""[..], b"-----BEGIN CERTIFICATE-----\nnone\n-----END CERTIFICATE-----\n", b"\xff"] {
            assert_eq!(config.clone().with_roots(pem).map(drop), Err(StoreError::Connection));
        }
    }
}
