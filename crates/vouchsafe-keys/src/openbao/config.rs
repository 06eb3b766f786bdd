use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use ureq::http::Uri;
use vouchsafe_envelope::port::ErasureStrength;
use vouchsafe_types::SecretBytes;

use crate::KeysError;

/// Where an OpenBao or Vault server is and how to use it.
#[must_use]
pub struct OpenBaoConfig {
    pub(super) address: String,
    pub(super) credentials: OpenBaoCredentials,
    pub(super) ca_certificates: Vec<u8>,
    pub(super) mount: String,
    pub(super) key_prefix: String,
    pub(super) timeout: Duration,
    pub(super) strength: ErasureStrength,
    pub(super) plaintext_loopback: bool,
}

/// What this process shows to the server.
#[expect(clippy::exhaustive_enums, reason = "built by callers")]
pub enum OpenBaoCredentials {
    /// Logs in at `auth/approle`, and again when the token has ended.
    AppRole {
        /// The role's id, which is no secret.
        role_id: String,
        /// The secret that goes with it.
        secret_id: SecretBytes,
    },
    /// A token that somebody else made. It is renewed while the server lets it be.
    Token(SecretBytes),
}

impl OpenBaoConfig {
    /// The default path of the transit engine.
    pub const MOUNT: &str = "transit";
    /// The default first part of key names.
    pub const KEY_PREFIX: &str = "vouchsafe";
    /// The default time for one call of the port, however many requests it makes.
    pub const TIMEOUT: Duration = Duration::from_secs(5);

    /// A server at `https://host:port` whose certificate one of `ca_certificates` (PEM) vouches for. No other
    /// root certificate is trusted.
    pub fn new(address: &str, ca_certificates: &[u8], credentials: OpenBaoCredentials) -> Self {
        Self {
            address: address.to_owned(),
            credentials,
            ca_certificates: ca_certificates.to_vec(),
            mount: Self::MOUNT.to_owned(),
            key_prefix: Self::KEY_PREFIX.to_owned(),
            timeout: Self::TIMEOUT,
            strength: ErasureStrength::HostOnly,
            plaintext_loopback: false,
        }
    }

    /// The path of the transit engine: parts of `a-z`, `A-Z`, `0-9`, `_`, `-`, joined by `/`. A namespace goes in
    /// front of it.
    pub fn mount(mut self, mount: &str) -> Self {
        self.mount = mount.to_owned();
        self
    }

    /// The first part of key names, 1 to 32 of `a-z`, `0-9`, `_`. A `-` follows it, so that two prefixes on one
    /// engine never name the same key.
    pub fn key_prefix(mut self, prefix: &str) -> Self {
        self.key_prefix = prefix.to_owned();
        self
    }

    /// The longest time for one call of the port, 1 ms to 60 s.
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// The operator declares that no backup or snapshot ever holds the server's storage. The strength is then
    /// [`ErasureStrength::ServiceExcludedFromBackup`].
    ///
    /// Nobody checks the declaration: where it is wrong, a restored snapshot opens what was destroyed.
    pub const fn storage_excluded_from_backup(mut self) -> Self {
        self.strength = ErasureStrength::ServiceExcludedFromBackup;
        self
    }

    /// Allows `http://` to a loopback address or `localhost`, and to nothing else.
    pub const fn plaintext_loopback(mut self) -> Self {
        self.plaintext_loopback = true;
        self
    }

    /// The least that the token's policy must grant, in HCL.
    ///
    /// It lets the holder make, use and trim this prefix's keys. It withholds what would let a key out (`export`,
    /// `backup`, the parameters that allow them) and deletion of whole keys.
    pub fn policy(&self) -> String {
        let Self { mount, key_prefix, .. } = self;
        format!(
            r#"# Make, rotate, trim and read state keys; nothing that lets one out.
path "{mount}/keys/{key_prefix}-*" {{
  capabilities       = ["create", "read", "update"]
  allowed_parameters = {{
    "type"                   = ["aes256-gcm96"]
    "min_decryption_version" = []
    "min_encryption_version" = []
    "min_available_version"  = []
  }}
}}
# Without "create": encrypting never makes a key.
path "{mount}/encrypt/{key_prefix}-*" {{
  capabilities = ["update"]
}}
path "{mount}/decrypt/{key_prefix}-*" {{
  capabilities = ["update"]
}}
# To see that the server does not cache keys.
path "sys/config/state/sanitized" {{
  capabilities = ["read"]
}}
path "auth/token/lookup-self" {{
  capabilities = ["read"]
}}
path "auth/token/renew-self" {{
  capabilities = ["update"]
}}
"#
        )
    }

    /// Refuses settings that cannot be used.
    pub(super) fn checked(mut self) -> Result<Self, KeysError> {
        let timeout = (Duration::from_millis(1)..=Duration::from_secs(60)).contains(&self.timeout);
        let names = is_mount(&self.mount) && is_prefix(&self.key_prefix) && self.credentials.is_sendable();
        self.address =
            base_address(&self.address, self.plaintext_loopback).ok_or(KeysError::Misconfigured)?;
        if timeout && names { Ok(self) } else { Err(KeysError::Misconfigured) }
    }
}

impl OpenBaoCredentials {
    /// Whether they fit into a header or a JSON string as they are.
    fn is_sendable(&self) -> bool {
        let plain = |bytes: &[u8]| {
            let safe = |b: &u8| b.is_ascii_graphic() && !matches!(b, b'"' | b'\\');
            (1..=MAX_CREDENTIAL).contains(&bytes.len()) && bytes.iter().all(safe)
        };
        match self {
            Self::AppRole { role_id, secret_id } => {
                plain(role_id.as_bytes()) && plain(secret_id.expose_secret())
            }
            Self::Token(token) => plain(token.expose_secret()),
        }
    }
}

impl fmt::Debug for OpenBaoConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenBaoConfig").field("strength", &self.strength).finish_non_exhaustive()
    }
}

impl fmt::Debug for OpenBaoCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            Self::AppRole { .. } => "AppRole",
            Self::Token(_) => "Token",
        };
        f.debug_struct(name).finish_non_exhaustive()
    }
}

/// The longest token, role id or secret id, in bytes.
pub(super) const MAX_CREDENTIAL: usize = 4096;

/// The address without a slash at its end; `None` when it is no `https://host:port`, nor an allowed plain one.
fn base_address(address: &str, plaintext_loopback: bool) -> Option<String> {
    let uri: Uri = address.parse().ok()?;
    let authority = uri.authority().filter(|authority| !authority.as_str().contains('@'))?;
    let bare = matches!(uri.path(), "" | "/") && uri.query().is_none();
    if !bare || authority.host().is_empty() {
        return None;
    }
    let (scheme, host) = match uri.scheme_str()? {
        "https" => ("https", authority.host()),
        "http" if plaintext_loopback => ("http", loopback(authority.host())?),
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

fn is_mount(mount: &str) -> bool {
    let safe = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-');
    let is_part = |part: &str| !part.is_empty() && part.bytes().all(safe);
    mount.len() <= 256 && mount.split('/').all(is_part)
}

fn is_prefix(prefix: &str) -> bool {
    let safe = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
    (1..=32).contains(&prefix.len()) && prefix.bytes().all(safe)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_https_or_a_loopback_that_was_allowed() {
        for (address, plaintext, expected) in [
            ("https://bao.example:8200", false, Some("https://bao.example:8200")),
            ("https://bao.example/", true, Some("https://bao.example")),
            ("https://[::1]:8200", false, Some("https://[::1]:8200")),
            ("http://127.0.0.1:8200", true, Some("http://127.0.0.1:8200")),
            ("http://127.9.9.9", true, Some("http://127.9.9.9")),
            ("http://localhost:1", true, Some("http://127.0.0.1:1")),
            ("http://[::1]:8200", true, Some("http://[::1]:8200")),
            ("http://127.0.0.1:8200", false, None),
            ("http://localhost:8200", false, None),
            ("http://bao.example:8200", true, None),
            ("http://127.0.0.1.example", true, None),
            ("http://localhost.example", true, None),
            ("http://10.0.0.1", true, None),
            ("http://0.0.0.0", true, None),
            ("http://2130706433", true, None),
            ("https://user:word@bao.example", false, None),
            ("http://127.0.0.1@bao.example", true, None),
            ("https://bao.example/v1", false, None),
            ("https://bao.example/?a", false, None),
            ("bao.example:8200", false, None),
            ("ftp://bao.example", true, None),
            ("https://", false, None),
            ("", true, None),
        ] {
            assert_eq!(base_address(address, plaintext).as_deref(), expected, "{address}");
        }
    }

    #[test]
    fn names_cannot_leave_their_path() {
        for (mount, good) in [
            ("transit", true),
            ("ns1/Keys_2", true),
            ("", false),
            ("a//b", false),
            ("/a", false),
            ("a/", false),
            ("..", false),
            ("a/../b", false),
            ("a?b", false),
            ("a%2fb", false),
        ] {
            assert_eq!(is_mount(mount), good, "{mount}");
        }
        for (prefix, good) in [("vouchsafe", true), ("a_1", true), ("", false), ("a-b", false), ("A", false)]
        {
            assert_eq!(is_prefix(prefix), good, "{prefix}");
        }
    }

    #[test]
    fn credentials_need_no_escaping() {
        let token = |bytes: &[u8]| OpenBaoCredentials::Token(SecretBytes::new(bytes.to_vec())).is_sendable();
        assert!(token(b"s.abc-DEF_123"));
        for bad in [&b""[..], b"a b", b"a\nb", b"a\"b", b"a\\b", "ä".as_bytes(), &[b'a'; 4097]] {
            assert!(!token(bad));
        }
    }
}
