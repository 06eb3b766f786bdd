use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use ureq::http::Uri;
use vouchsafe_types::SecretBytes;

use crate::ObjectsError;

/// Where a bucket is, and how to use it.
#[must_use]
pub struct BucketConfig {
    pub(crate) endpoint: String,
    pub(crate) bucket: String,
    pub(crate) region: String,
    pub(crate) credentials: BucketCredentials,
    pub(crate) ca_certificates: Vec<u8>,
    pub(crate) prefix: String,
    pub(crate) addressing: Addressing,
    pub(crate) timeout: Duration,
    pub(crate) attempts: u32,
    pub(crate) most_bytes: u64,
}

/// What this process signs its requests with.
pub struct BucketCredentials {
    pub(crate) access_key: String,
    pub(crate) secret: SecretBytes,
    pub(crate) session_token: Option<SecretBytes>,
}

/// Where the name of the bucket stands in an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "the protocol knows these two")]
pub enum Addressing {
    /// In the host, `https://bucket.host/key`: what AWS asks for.
    Host,
    /// In the path, `https://host/bucket/key`: what most other servers ask for.
    Path,
}

impl BucketConfig {
    /// The default region.
    pub const REGION: &str = "us-east-1";
    /// The default time for one request.
    pub const TIMEOUT: Duration = Duration::from_secs(10);
    /// The default number of times that a request is sent.
    pub const ATTEMPTS: u32 = 4;
    /// The default limit of one object, in bytes: the head of a large key state has a tenth of this.
    pub const MOST_BYTES: u64 = 64 << 20;

    /// A bucket at `https://host:port`.
    ///
    /// `http://` is for a loopback address or `localhost` only.
    pub fn new(endpoint: &str, bucket: &str, credentials: BucketCredentials) -> Self {
        Self {
            endpoint: endpoint.to_owned(),
            bucket: bucket.to_owned(),
            region: Self::REGION.to_owned(),
            credentials,
            ca_certificates: Vec::new(),
            prefix: String::new(),
            addressing: Addressing::Path,
            timeout: Self::TIMEOUT,
            attempts: Self::ATTEMPTS,
            most_bytes: Self::MOST_BYTES,
        }
    }

    /// The region that signatures name, 1 to 64 of `a-z`, `0-9`, `-`.
    pub fn region(mut self, region: &str) -> Self {
        self.region = region.to_owned();
        self
    }

    /// The root certificates (PEM) of which one must vouch for the server's. No other root is trusted, so `https://`
    /// needs at least one.
    pub fn ca_certificates(mut self, pem: &[u8]) -> Self {
        self.ca_certificates = pem.to_vec();
        self
    }

    /// What every object key begins with, without a slash at its end.
    pub fn prefix(mut self, prefix: &str) -> Self {
        self.prefix = prefix.to_owned();
        self
    }

    /// Where the name of the bucket stands; in the path by default.
    pub const fn addressing(mut self, addressing: Addressing) -> Self {
        self.addressing = addressing;
        self
    }

    /// The longest time for one request, 1 ms to 60 s. A call takes at most as many of them as there are attempts,
    /// and 2 s of pauses.
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// How often a request is sent before it counts as failed, 1 to 10.
    pub const fn attempts(mut self, attempts: u32) -> Self {
        self.attempts = attempts;
        self
    }

    /// The limit of one object, 1 byte to 1 GiB; larger ones are neither written nor read.
    pub const fn most_bytes(mut self, most: u64) -> Self {
        self.most_bytes = most;
        self
    }

    /// Refuses settings that cannot be used.
    pub(crate) fn checked(mut self) -> Result<Self, ObjectsError> {
        self.endpoint = endpoint(&self.endpoint).ok_or(ObjectsError::Address)?;
        if !self.credentials.is_sendable() {
            return Err(ObjectsError::Credentials);
        }
        if !self.prefix.is_empty() && !is_key(&self.prefix) {
            return Err(ObjectsError::Key);
        }
        let time = (Duration::from_millis(1)..=Duration::from_secs(60)).contains(&self.timeout);
        let numbers = (1..=10).contains(&self.attempts) && (1..=1 << 30).contains(&self.most_bytes);
        let names = is_bucket(&self.bucket) && is_region(&self.region);
        if time && numbers && names { Ok(self) } else { Err(ObjectsError::Setting) }
    }

    pub(crate) fn tls(&self) -> bool {
        self.endpoint.starts_with("https://")
    }
}

impl BucketCredentials {
    /// An access key, which is no secret, and the secret that goes with it.
    pub fn new(access_key: &str, secret: SecretBytes) -> Self {
        Self { access_key: access_key.to_owned(), secret, session_token: None }
    }

    /// With the token of a session.
    #[must_use]
    pub fn session_token(mut self, token: SecretBytes) -> Self {
        self.session_token = Some(token);
        self
    }

    fn is_sendable(&self) -> bool {
        let plain = |bytes: &[u8], most: usize| {
            (1..=most).contains(&bytes.len()) && bytes.iter().all(u8::is_ascii_graphic)
        };
        let token = self.session_token.as_ref().is_none_or(|token| plain(token.expose_secret(), 4096));
        token && plain(self.access_key.as_bytes(), 256) && plain(self.secret.expose_secret(), 1024)
    }
}

impl fmt::Debug for BucketConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BucketConfig").field("addressing", &self.addressing).finish_non_exhaustive()
    }
}

impl fmt::Debug for BucketCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BucketCredentials").finish_non_exhaustive()
    }
}

/// Whether a text is one step or several of an object key.
pub(crate) fn is_key(key: &str) -> bool {
    let safe = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_');
    let is_step = |step: &str| !step.is_empty() && !matches!(step, "." | "..") && step.bytes().all(safe);
    key.len() <= MOST_KEY && key.split('/').all(is_step)
}

/// Half of what the protocol allows: prefix and key are joined.
const MOST_KEY: usize = 500;

/// The endpoint without a slash at its end; `None` when it is no `https://host:port`, nor a plain one of this host.
fn endpoint(address: &str) -> Option<String> {
    // The URL type drops a fragment without a word.
    if address.contains('#') {
        return None;
    }
    let uri: Uri = address.parse().ok()?;
    let authority = uri.authority().filter(|authority| !authority.as_str().contains('@'))?;
    if authority.host().is_empty() || uri.query().is_some() || !matches!(uri.path(), "" | "/") {
        return None;
    }
    let (scheme, host) = match uri.scheme_str()? {
        "https" => ("https", authority.host()),
        "http" => ("http", loopback(authority.host())?),
        _ => return None,
    };
    let port = authority.port().map(|port| format!(":{port}")).unwrap_or_default();
    Some(format!("{scheme}://{host}{port}"))
}

/// The host if it is this one. A name is not looked up: somebody else may answer for it.
fn loopback(host: &str) -> Option<&str> {
    if host.eq_ignore_ascii_case("localhost") {
        return Some("127.0.0.1");
    }
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare.parse().is_ok_and(|address: IpAddr| address.is_loopback()).then_some(host)
}

fn is_bucket(name: &str) -> bool {
    let safe = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'.');
    let edge = |b: Option<u8>| b.is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    (3..=63).contains(&name.len())
        && name.bytes().all(safe)
        && edge(name.bytes().next())
        && edge(name.bytes().next_back())
        && !name.contains("..")
}

fn is_region(region: &str) -> bool {
    let safe = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    (1..=64).contains(&region.len()) && region.bytes().all(safe)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_https_or_on_this_host() {
        for (address, expected) in [
            ("https://s3.example", Some("https://s3.example")),
            ("https://s3.example:9000/", Some("https://s3.example:9000")),
            ("https://[::1]:9000", Some("https://[::1]:9000")),
            ("http://127.0.0.1:9000", Some("http://127.0.0.1:9000")),
            ("http://localhost:9000/", Some("http://127.0.0.1:9000")),
            ("http://[::1]:9000", Some("http://[::1]:9000")),
            ("http://s3.example", None),
            ("http://10.0.0.1:9000", None),
            ("http://0.0.0.0:9000", None),
            ("http://127.0.0.1.example", None),
            ("http://localhost.example", None),
            ("http://2130706433", None),
            ("http://127.0.0.1@s3.example", None),
            ("https://user:word@s3.example", None),
            ("https://s3.example/path", None),
            ("https://s3.example/?a", None),
            ("https://s3.example/#a", None),
            ("s3.example", None),
            ("ftp://s3.example", None),
            ("https://", None),
            ("", None),
        ] {
            assert_eq!(endpoint(address).as_deref(), expected, "{address}");
        }
    }

    #[test]
    fn a_key_cannot_leave_its_place() {
        for (key, good) in [
            ("tile/0/x001/067.p/7", true),
            (".probe/A_b-c", true),
            ("", false),
            ("/a", false),
            ("a/", false),
            ("a//b", false),
            ("..", false),
            ("a/../b", false),
            ("a/./b", false),
            ("a?b", false),
            ("a b", false),
            ("a%2fb", false),
            ("ä", false),
        ] {
            assert_eq!(is_key(key), good, "{key}");
        }
        assert!(is_key(&"a".repeat(MOST_KEY)) && !is_key(&"a".repeat(MOST_KEY + 1)));
    }

    #[test]
    fn settings_outside_their_range_are_refused() {
        let with = |name: &str, secret: &[u8]| {
            BucketConfig::new(
                "https://s3.example",
                name,
                BucketCredentials::new("key", SecretBytes::new(secret.to_vec())),
            )
        };
        let refused = |config: BucketConfig| config.checked().err();
        assert_eq!(refused(with("logs.example-1", b"word")), None);
        for name in ["", "ab", "-ab", "ab-", "a..b", "Logs", "a/b", "a_b"] {
            assert_eq!(refused(with(name, b"word")), Some(ObjectsError::Setting), "{name}");
        }
        for secret in [&b""[..], b"a b", b"a\n", &[b'a'; 1025]] {
            assert_eq!(refused(with("logs", secret)), Some(ObjectsError::Credentials));
        }
        assert_eq!(refused(with("logs", b"word").timeout(Duration::ZERO)), Some(ObjectsError::Setting));
        assert_eq!(refused(with("logs", b"word").attempts(0)), Some(ObjectsError::Setting));
        assert_eq!(refused(with("logs", b"word").most_bytes(0)), Some(ObjectsError::Setting));
        assert_eq!(refused(with("logs", b"word").region("a b")), Some(ObjectsError::Setting));
        assert_eq!(refused(with("logs", b"word").prefix("../x")), Some(ObjectsError::Key));
    }

    #[test]
    fn nothing_secret_is_shown() {
        let credentials = BucketCredentials::new("access", SecretBytes::new(b"word".to_vec()));
        let mut shown = format!("{credentials:?}");
        shown.push_str(&format!("{:?}", BucketConfig::new("https://host", "logs", credentials)));
        assert!(!shown.contains("access") && !shown.contains("word") && !shown.contains("host"), "{shown}");
    }
}
