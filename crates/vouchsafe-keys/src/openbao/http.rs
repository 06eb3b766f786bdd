//! One request and its answer: bounded in time and size, never redirected, never through a proxy.
use std::io::{ErrorKind, Read};
use std::sync::Arc;
use std::time::{Duration, Instant};

use ureq::http::{HeaderValue, Response};
use ureq::tls::{PemItem, RootCerts, TlsConfig, parse_pem};
use ureq::{Agent, Body};
use vouchsafe_envelope::KeyServiceError;
use vouchsafe_types::SecretBytes;
use zeroize::Zeroizing;

use super::OpenBaoConfig;
use super::transit::Failure;
use super::wire;
use crate::KeysError;

/// The longest wait for a connection; the whole call has its own limit.
const CONNECT: Duration = Duration::from_secs(2);
/// The longest answer that is read, in bytes: a key of some 30,000 versions.
const MAX_ANSWER: usize = 1 << 20;
/// The longest head of an answer, in bytes.
const MAX_HEAD: usize = 16 << 10;
/// The room for most answers; a longer one moves to a buffer of twice the size.
const FIRST_BUFFER: usize = 4 << 10;
/// Connections are kept for less time than servers keep them.
const MAX_IDLE: Duration = Duration::from_secs(15);

/// Where the HTTP library logs the bytes on the wire.
const WIRE_LOG: &str = "ureq_proto::util";

/// A client of one server.
pub(super) struct Http {
    agent: Agent,
    /// `https://host:port/v1/`.
    base: String,
}

/// What is asked.
#[derive(Clone, Copy)]
pub(super) enum Request<'a> {
    Get(&'a str),
    /// With a JSON body; may be sent twice.
    Post(&'a str, &'a [u8]),
    /// As `Post`, but never sent twice.
    PostOnce(&'a str, &'a [u8]),
}

pub(super) type Answer = Zeroizing<Vec<u8>>;

/// When a call that may take this long is over.
pub(super) fn deadline(timeout: Duration) -> Instant {
    Instant::now() + timeout
}

impl Http {
    pub(super) fn new(config: &OpenBaoConfig) -> Result<Self, KeysError> {
        let tls = config.address.starts_with("https://");
        let settings = Agent::config_builder()
            .http_status_as_error(false)
            .https_only(tls)
            .tls_config(tls_config(&config.ca_certificates, tls)?)
            // The environment does not decide who sees the traffic, and no answer sends the token elsewhere.
            .proxy(None)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_connect(Some(CONNECT.min(config.timeout)))
            .max_response_header_size(MAX_HEAD)
            .input_buffer_size(MAX_HEAD)
            .output_buffer_size(MAX_HEAD)
            .max_idle_age(MAX_IDLE)
            .user_agent("vouchsafe")
            .build();
        Ok(Self { agent: settings.new_agent(), base: format!("{}/v1/", config.address) })
    }

    /// Sends a request and reads its answer before the deadline.
    pub(super) fn send(
        &self,
        request: Request<'_>,
        token: Option<&SecretBytes>,
        deadline: Instant,
    ) -> Result<Answer, Failure> {
        // The HTTP library shows every byte that it sends and reads, secrets and token, to such a logger.
        if log::log_enabled!(target: WIRE_LOG, log::Level::Trace) {
            return Err(KeyServiceError::Denied.into());
        }
        let response = match self.attempt(request, token, deadline) {
            // A connection kept from before may be closed by now; a fresh one tells.
            Err(ureq::Error::Io(error)) if request.repeats() && is_broken(error.kind()) => {
                self.attempt(request, token, deadline)
            }
            response => response,
        };
        let mut response = response.map_err(|error| from_transport(&error))?;
        let body = read_body(&mut response)?;
        wire::judge(response.status().as_u16(), &body)?;
        Ok(body)
    }

    fn attempt(
        &self,
        request: Request<'_>,
        token: Option<&SecretBytes>,
        deadline: Instant,
    ) -> Result<Response<Body>, ureq::Error> {
        let left = deadline.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
        let (path, body) = match request {
            Request::Get(path) => (path, None),
            Request::Post(path, body) | Request::PostOnce(path, body) => (path, Some(body)),
        };
        let url = format!("{}{path}", self.base);
        let token = token.and_then(|token| HeaderValue::from_bytes(token.expose_secret()).ok());
        let token = token.map(|mut token| {
            token.set_sensitive(true);
            ("X-Vault-Token", token)
        });
        match body {
            None => {
                let get = self.agent.get(url).config().timeout_global(Some(left)).build();
                token.into_iter().fold(get, |get, (name, value)| get.header(name, value)).call()
            }
            Some(body) => {
                let post = self.agent.post(url).config().timeout_global(Some(left)).build();
                let post = post.header("Content-Type", "application/json");
                token.into_iter().fold(post, |post, (name, value)| post.header(name, value)).send(body)
            }
        }
    }
}

impl Request<'_> {
    const fn repeats(self) -> bool {
        !matches!(self, Self::PostOnce(..))
    }
}

fn tls_config(ca_certificates: &[u8], needed: bool) -> Result<TlsConfig, KeysError> {
    let items: Result<Vec<_>, _> = parse_pem(ca_certificates).collect();
    let certificates = items.map_err(|_| KeysError::Misconfigured)?.into_iter().map(|item| match item {
        PemItem::Certificate(certificate) => Ok(certificate),
        // A private key has no business in that file.
        _ => Err(KeysError::Misconfigured),
    });
    let certificates: Vec<_> = certificates.collect::<Result<_, _>>()?;
    if needed && certificates.is_empty() {
        return Err(KeysError::Misconfigured);
    }
    for certificate in &certificates {
        check_root(certificate.der())?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let roots = RootCerts::Specific(Arc::new(certificates));
    Ok(TlsConfig::builder().unversioned_rustls_crypto_provider(provider).root_certs(roots).build())
}

/// The HTTP library skips a root certificate that it cannot read; an operator wants to know.
fn check_root(der: &[u8]) -> Result<(), KeysError> {
    let der = rustls::pki_types::CertificateDer::from(der);
    rustls::RootCertStore::empty().add(der).map_err(|_| KeysError::Misconfigured)
}

/// Reads the whole body without leaving a part of it in a buffer that is not wiped.
fn read_body(response: &mut Response<Body>) -> Result<Answer, Failure> {
    let mut reader = response.body_mut().as_reader();
    let mut bytes = Zeroizing::new(vec![0; FIRST_BUFFER]);
    let mut len = 0;
    loop {
        if len == bytes.len() {
            if len >= MAX_ANSWER {
                return Err(KeyServiceError::Corrupt.into());
            }
            let mut larger = Zeroizing::new(vec![0; len * 2]);
            larger.iter_mut().zip(bytes.iter()).for_each(|(new, old)| *new = *old);
            bytes = larger;
        }
        match reader.read(bytes.get_mut(len..).unwrap_or_default()) {
            Ok(0) => break,
            Ok(read) => len += read,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(_) => return Err(KeyServiceError::Unavailable.into()),
        }
    }
    bytes.truncate(len);
    Ok(bytes)
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

/// A server that cannot prove who it is must not be asked again; one that does not answer may be.
fn from_transport(error: &ureq::Error) -> Failure {
    match error {
        ureq::Error::Io(error) if error.kind() == ErrorKind::InvalidData => KeyServiceError::Denied,
        ureq::Error::Rustls(_) | ureq::Error::Tls(_) => KeyServiceError::Denied,
        ureq::Error::Protocol(_) => KeyServiceError::Corrupt,
        ureq::Error::LargeResponseHeader(..) => KeyServiceError::Corrupt,
        _ => KeyServiceError::Unavailable,
    }
    .into()
}
