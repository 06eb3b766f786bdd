use std::fmt;
use std::io::ErrorKind;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ureq::http::Response;
use ureq::tls::{PemItem, RootCerts, TlsConfig, parse_pem};
use ureq::{Agent, Body};
use vouchsafe_ledger::witness::{ADD_CHECKPOINT, add_checkpoint_body};
use vouchsafe_ledger::{Witness, WitnessError, WitnessKey};
use vouchsafe_types::Digest;

use crate::answer;
use crate::{SetupError, WitnessConfig};

/// The longest wait for a connection; the whole call has its own limit.
const CONNECT: Duration = Duration::from_secs(2);
/// The longest head of an answer, in bytes.
const MAX_HEAD: usize = 16 << 10;
/// Connections are kept for less time than servers keep them.
const MAX_IDLE: Duration = Duration::from_secs(4);

/// A witness that is asked over HTTPS.
///
/// Every call is bounded in time and in what it reads, follows no redirect and uses no proxy. Threads may share it.
pub struct HttpWitness {
    agent: Agent,
    url: String,
    key: WitnessKey,
    timeout: Duration,
}

impl HttpWitness {
    /// A client. Nothing is sent before the first call.
    ///
    /// # Errors
    /// [`SetupError`] when a setting cannot be used.
    pub fn new(config: WitnessConfig) -> Result<Self, SetupError> {
        let config = config.checked()?;
        let settings = Agent::config_builder()
            .http_status_as_error(false)
            .https_only(config.tls())
            .tls_config(tls_config(&config)?)
            // Neither the environment nor an answer decides where a checkpoint goes.
            .proxy(None)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_connect(Some(CONNECT.min(config.timeout)))
            .max_response_header_size(MAX_HEAD)
            .max_idle_age(MAX_IDLE)
            .user_agent("vouchsafe")
            .build();
        let url = format!("{}{ADD_CHECKPOINT}", config.prefix);
        Ok(Self { agent: settings.new_agent(), url, key: config.key, timeout: config.timeout })
    }

    fn attempt(&self, body: &str, deadline: Instant) -> Result<Response<Body>, ureq::Error> {
        let left = deadline.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
        self.agent.post(&self.url).config().timeout_global(Some(left)).build().send(body)
    }
}

impl Witness for HttpWitness {
    fn key(&self) -> &WitnessKey {
        &self.key
    }

    fn add_checkpoint(&self, old_size: u64, proof: &[Digest], note: &str) -> Result<String, WitnessError> {
        // What is beyond the limits of the protocol, every witness would refuse.
        let body = add_checkpoint_body(old_size, proof, note).map_err(|_| WitnessError::Refused)?;
        let deadline = Instant::now() + self.timeout;
        let answer = match self.attempt(&body, deadline) {
            // A connection kept from before may be closed by now. If the witness did hear the first request, it
            // answers the second with the size that it cosigned.
            Err(ureq::Error::Io(error)) if is_broken(error.kind()) => self.attempt(&body, deadline),
            answer => answer,
        };
        answer::read(answer.map_err(|error| answer::from_transport(&error))?)
    }
}

impl fmt::Debug for HttpWitness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpWitness").field("key", &self.key).finish_non_exhaustive()
    }
}

fn tls_config(config: &WitnessConfig) -> Result<TlsConfig, SetupError> {
    let certificates = parse_pem(&config.ca_certificates).map(|item| match item {
        Ok(PemItem::Certificate(certificate)) => Ok(certificate),
        // A private key has no business in that file.
        _ => Err(SetupError::Certificates),
    });
    let certificates: Vec<_> = certificates.collect::<Result<_, _>>()?;
    if config.tls() && certificates.is_empty() {
        return Err(SetupError::Certificates);
    }
    for certificate in &certificates {
        check_root(certificate.der())?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let roots = RootCerts::Specific(Arc::new(certificates));
    Ok(TlsConfig::builder().unversioned_rustls_crypto_provider(provider).root_certs(roots).build())
}

/// The HTTP library skips a root certificate that it cannot read; an operator wants to know.
fn check_root(der: &[u8]) -> Result<(), SetupError> {
    let der = rustls::pki_types::CertificateDer::from(der);
    rustls::RootCertStore::empty().add(der).map_err(|_| SetupError::Certificates)
}

const fn is_broken(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::BrokenPipe
            | ErrorKind::ConnectionAborted
            | ErrorKind::ConnectionReset
            | ErrorKind::NotConnected
            | ErrorKind::UnexpectedEof
    )
}
