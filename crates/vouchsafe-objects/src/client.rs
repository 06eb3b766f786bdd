//! One signed request and its answer: bounded in time and size, never redirected, never through a proxy.
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::digest::{SHA256, digest};
use rusty_s3::actions::{DeleteObject, GetObject, ListObjectsV2, PutObject};
use rusty_s3::{Credentials, Map, S3Action, UrlStyle};
use ureq::http::Response;
use ureq::tls::{PemItem, RootCerts, TlsConfig, parse_pem};
use ureq::{Agent, Body};

use crate::answer::{self, Reply};
use crate::{Addressing, BucketConfig, Condition, ETag, ObjectsError};

/// The longest wait for a connection; the request has its own limit.
const CONNECT: Duration = Duration::from_secs(2);
/// The longest head of an answer, in bytes.
const MAX_HEAD: usize = 16 << 10;
/// Connections are kept for less time than servers keep them.
const MAX_IDLE: Duration = Duration::from_secs(4);
/// How long a signature is valid, and by how much this machine's clock may be behind at the most: as long as the longest
/// request.
const SIGNED: Duration = Duration::from_secs(60);
/// The first pause; each one after it is twice as long.
const PAUSE: Duration = Duration::from_millis(50);
/// The largest answer that holds no object: a page of a listing.
const MAX_ANSWER: u64 = 4 << 20;

/// Where the HTTP library logs addresses, with signatures, and the bytes on the wire.
const WIRE_LOGS: [&str; 3] = ["ureq::util", "ureq::run", "ureq_proto::util"];

/// A client of one bucket.
pub(crate) struct Client {
    agent: Agent,
    bucket: rusty_s3::Bucket,
    credentials: Credentials,
    timeout: Duration,
    attempts: u32,
    most_bytes: u64,
}

/// What is asked.
#[derive(Clone, Copy)]
pub(crate) enum Call<'a> {
    Delete(&'a str),
    Get(&'a str),
    /// Unless it still has this content.
    GetOther(&'a str, &'a ETag),
    /// Prefix and continuation.
    List(&'a str, Option<&'a str>),
    Put(&'a str, &'a [u8], &'a Condition),
    Versioning,
}

impl Call<'_> {
    /// Whether it may be sent again when nobody knows whether it was heard.
    const fn repeats(self) -> bool {
        !matches!(self, Self::Put(_, _, Condition::IfAbsent | Condition::IfMatch(_)))
    }
}

impl Client {
    pub(crate) fn new(config: &BucketConfig) -> Result<Self, ObjectsError> {
        let settings = Agent::config_builder()
            .http_status_as_error(false)
            .https_only(config.tls())
            .tls_config(tls_config(config)?)
            // Neither the environment nor an answer decides where a signature goes.
            .proxy(None)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_connect(Some(CONNECT.min(config.timeout)))
            .timeout_global(Some(config.timeout))
            .max_response_header_size(MAX_HEAD)
            .max_idle_age(MAX_IDLE)
            .user_agent("vouchsafe")
            .build();
        Ok(Self {
            agent: settings.new_agent(),
            bucket: signed_bucket(config)?,
            credentials: credentials(config)?,
            timeout: config.timeout,
            attempts: config.attempts,
            most_bytes: config.most_bytes,
        })
    }

    pub(crate) const fn attempts(&self) -> u32 {
        self.attempts
    }

    pub(crate) const fn most_bytes(&self) -> u64 {
        self.most_bytes
    }

    pub(crate) const fn timeout(&self) -> Duration {
        self.timeout
    }

    /// Sends a request, again where that is safe and worth it.
    pub(crate) fn send(&self, call: Call<'_>) -> Result<Reply, ObjectsError> {
        let mut attempt = 1;
        loop {
            match self.once(call) {
                Err(error) if error.is_retryable() && call.repeats() && attempt < self.attempts => {
                    pause(attempt)
                }
                reply => return reply,
            }
            attempt += 1;
        }
    }

    fn once(&self, call: Call<'_>) -> Result<Reply, ObjectsError> {
        // What it shows at that level is enough to repeat a request while its signature is valid.
        if WIRE_LOGS.iter().any(|target| log::log_enabled!(target: *target, log::Level::Trace)) {
            return Err(ObjectsError::Logged);
        }
        let most =
            if matches!(call, Call::Get(_) | Call::GetOther(..)) { self.most_bytes } else { MAX_ANSWER };
        let response = self.attempt(call).map_err(|error| answer::from_transport(&error))?;
        let reply = answer::read(response, most)?;
        answer::judge(call, reply)
    }

    fn attempt(&self, call: Call<'_>) -> Result<Response<Body>, ureq::Error> {
        let (bucket, credentials) = (&self.bucket, Some(&self.credentials));
        match call {
            Call::Delete(key) => {
                let url = DeleteObject::new(bucket, credentials, key).sign(SIGNED);
                self.agent.delete(url.as_str()).call()
            }
            Call::Get(key) => self.read(key, None),
            Call::GetOther(key, etag) => self.read(key, Some(etag)),
            Call::List(prefix, continuation) => {
                let mut list = ListObjectsV2::new(bucket, credentials);
                list.with_prefix(prefix);
                if let Some(continuation) = continuation {
                    list.with_continuation_token(continuation);
                }
                self.agent.get(list.sign(SIGNED).as_str()).call()
            }
            Call::Put(key, bytes, condition) => {
                let mut put = PutObject::new(bucket, credentials, key);
                let headers = headers(bytes, condition);
                for (name, value) in headers.iter() {
                    put.headers_mut().insert(name.to_owned(), value.to_owned());
                }
                let request = self.agent.put(put.sign(SIGNED).as_str());
                headers.iter().fold(request, |request, (name, value)| request.header(name, value)).send(bytes)
            }
            Call::Versioning => {
                // A listing's request but for its parameters: the library has no action for this one.
                let mut ask = ListObjectsV2::new(bucket, credentials);
                *ask.query_mut() = Map::new();
                ask.query_mut().insert("versioning", "");
                self.agent.get(ask.sign(SIGNED).as_str()).call()
            }
        }
    }
}

impl Client {
    fn read(&self, key: &str, etag: Option<&ETag>) -> Result<Response<Body>, ureq::Error> {
        let mut get = GetObject::new(&self.bucket, Some(&self.credentials), key);
        let mut headers = Map::new();
        if let Some(etag) = etag {
            headers.insert("if-none-match", etag.as_str());
        }
        for (name, value) in headers.iter() {
            get.headers_mut().insert(name.to_owned(), value.to_owned());
        }
        let request = self.agent.get(get.sign(SIGNED).as_str());
        headers.iter().fold(request, |request, (name, value)| request.header(name, value)).call()
    }
}

/// The signed headers of a write: nobody on the way can take a condition off, or change the bytes.
fn headers(bytes: &[u8], condition: &Condition) -> Map<'static> {
    let mut headers = Map::new();
    headers.insert("content-type", "application/octet-stream");
    headers.insert("x-amz-checksum-sha256", checksum(bytes));
    // Once more for the reader: not every server gives the former back.
    headers.insert(SUM, checksum(bytes));
    match condition {
        Condition::Always => {}
        Condition::IfAbsent => headers.insert("if-none-match", "*"),
        Condition::IfMatch(etag) => headers.insert("if-match", etag.as_str().to_owned()),
    }
    headers
}

/// The header that gives a reader the checksum of what was written.
pub(crate) const SUM: &str = "x-amz-meta-sha256";

/// SHA-256 as the protocol's checksums have it.
pub(crate) fn checksum(bytes: &[u8]) -> String {
    STANDARD.encode(digest(&SHA256, bytes))
}

/// Waits before the attempt after this one, longer each time, and not as long as others do.
pub(crate) fn pause(attempt: u32) {
    let mut noise = [0; 1];
    let _ = ring::rand::SecureRandom::fill(&ring::rand::SystemRandom::new(), &mut noise);
    let [noise] = noise;
    let longest = PAUSE * (1 << attempt.min(4));
    thread::sleep(longest / 2 + longest / 2 * u32::from(noise) / 256);
}

fn signed_bucket(config: &BucketConfig) -> Result<rusty_s3::Bucket, ObjectsError> {
    let style = match config.addressing {
        Addressing::Host => UrlStyle::VirtualHost,
        Addressing::Path => UrlStyle::Path,
    };
    let endpoint = config.endpoint.parse().map_err(|_| ObjectsError::Address)?;
    rusty_s3::Bucket::new(endpoint, style, config.bucket.clone(), config.region.clone())
        .map_err(|_| ObjectsError::Address)
}

fn credentials(config: &BucketConfig) -> Result<Credentials, ObjectsError> {
    let text = |secret: &vouchsafe_types::SecretBytes| {
        std::str::from_utf8(secret.expose_secret()).map(str::to_owned).map_err(|_| ObjectsError::Credentials)
    };
    let given = &config.credentials;
    let secret = text(&given.secret)?;
    Ok(match &given.session_token {
        None => Credentials::new(given.access_key.clone(), secret),
        Some(token) => Credentials::new_with_token(given.access_key.clone(), secret, text(token)?),
    })
}

fn tls_config(config: &BucketConfig) -> Result<TlsConfig, ObjectsError> {
    let certificates = parse_pem(&config.ca_certificates).map(|item| match item {
        Ok(PemItem::Certificate(certificate)) => Ok(certificate),
        // A private key has no business in that file.
        _ => Err(ObjectsError::Certificates),
    });
    let certificates: Vec<_> = certificates.collect::<Result<_, _>>()?;
    if config.tls() && certificates.is_empty() {
        return Err(ObjectsError::Certificates);
    }
    for certificate in &certificates {
        check_root(certificate.der())?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let roots = RootCerts::Specific(Arc::new(certificates));
    Ok(TlsConfig::builder().unversioned_rustls_crypto_provider(provider).root_certs(roots).build())
}

/// The HTTP library skips a root certificate that it cannot read; an operator wants to know.
fn check_root(der: &[u8]) -> Result<(), ObjectsError> {
    let der = rustls::pki_types::CertificateDer::from(der);
    rustls::RootCertStore::empty().add(der).map_err(|_| ObjectsError::Certificates)
}
