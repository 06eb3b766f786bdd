use std::net::IpAddr;
use std::time::Duration;

use ureq::http::Uri;
use vouchsafe_ledger::WitnessKey;

use crate::SetupError;

/// Where a witness is, and how to know its signatures.
#[derive(Debug, Clone)]
#[must_use]
pub struct WitnessConfig {
    pub(crate) prefix: String,
    pub(crate) key: WitnessKey,
    pub(crate) ca_certificates: Vec<u8>,
    pub(crate) timeout: Duration,
}

impl WitnessConfig {
    /// The default time for one call.
    pub const TIMEOUT: Duration = Duration::from_secs(5);

    /// A witness with this submission prefix, `https://host:port/path`, and this key.
    ///
    /// `http://` is for a loopback address or `localhost` only: what passes is signed, but who could change it
    /// could keep cosignatures away unseen.
    pub fn new(prefix: &str, key: WitnessKey) -> Self {
        Self { prefix: prefix.to_owned(), key, ca_certificates: Vec::new(), timeout: Self::TIMEOUT }
    }

    /// The root certificates (PEM) of which one must vouch for the server's. No other root is trusted, so `https://`
    /// needs at least one.
    pub fn ca_certificates(mut self, pem: &[u8]) -> Self {
        self.ca_certificates = pem.to_vec();
        self
    }

    /// The longest time for one call, 1 ms to 60 s.
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Refuses settings that cannot be used.
    pub(crate) fn checked(mut self) -> Result<Self, SetupError> {
        self.prefix = submission_prefix(&self.prefix).ok_or(SetupError::Address)?;
        let range = Duration::from_millis(1)..=Duration::from_secs(60);
        if range.contains(&self.timeout) { Ok(self) } else { Err(SetupError::Timeout) }
    }

    pub(crate) fn tls(&self) -> bool {
        self.prefix.starts_with("https://")
    }
}

/// The prefix without a slash at its end; `None` when it is no `https://` URL, nor a plain one of this host.
fn submission_prefix(prefix: &str) -> Option<String> {
    // The URL type drops a fragment without a word.
    if prefix.contains('#') {
        return None;
    }
    let uri: Uri = prefix.parse().ok()?;
    let authority = uri.authority().filter(|authority| !authority.as_str().contains('@'))?;
    let path = uri.path().trim_end_matches('/');
    if authority.host().is_empty() || uri.query().is_some() || !path.split('/').all(is_step) {
        return None;
    }
    let (scheme, host) = match uri.scheme_str()? {
        "https" => ("https", authority.host()),
        "http" => ("http", loopback(authority.host())?),
        _ => return None,
    };
    let port = authority.port().map(|port| format!(":{port}")).unwrap_or_default();
    Some(format!("{scheme}://{host}{port}{path}"))
}

fn is_step(step: &str) -> bool {
    let safe = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~');
    !matches!(step, "." | "..") && step.bytes().all(safe)
}

/// The host if it is this one. A name is not looked up: somebody else may answer for it.
fn loopback(host: &str) -> Option<&str> {
    if host.eq_ignore_ascii_case("localhost") {
        return Some("127.0.0.1");
    }
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare.parse().is_ok_and(|address: IpAddr| address.is_loopback()).then_some(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_is_https_or_on_this_host() {
        for (prefix, expected) in [
            ("https://witness.example", Some("https://witness.example")),
            ("https://witness.example:8443/", Some("https://witness.example:8443")),
            ("https://witness.example/w1/", Some("https://witness.example/w1")),
            ("https://witness.example/a/b-c_d.e~f", Some("https://witness.example/a/b-c_d.e~f")),
            ("https://[::1]:7380/w", Some("https://[::1]:7380/w")),
            ("http://127.0.0.1:7380", Some("http://127.0.0.1:7380")),
            ("http://localhost:7380/w", Some("http://127.0.0.1:7380/w")),
            ("http://[::1]:7380", Some("http://[::1]:7380")),
            ("http://witness.example", None),
            ("http://127.0.0.1.example", None),
            ("http://localhost.example", None),
            ("http://10.0.0.1", None),
            ("http://0.0.0.0", None),
            ("http://2130706433", None),
            ("http://127.0.0.1@witness.example", None),
            ("https://user:word@witness.example", None),
            ("https://witness.example/?a", None),
            ("https://witness.example/#a", None),
            ("https://witness.example/a/../b", None),
            ("https://witness.example/a/./b", None),
            ("https://witness.example/%2e%2e", None),
            ("witness.example", None),
            ("/w1", None),
            ("ftp://witness.example", None),
            ("https://", None),
            ("", None),
        ] {
            assert_eq!(submission_prefix(prefix).as_deref(), expected, "{prefix}");
        }
    }
}
