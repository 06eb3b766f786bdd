//! What is sent to the server and how its answers are read: strictly, and as hostile input.
use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde::de::IgnoredAny;
use vouchsafe_envelope::KeyServiceError;
use vouchsafe_envelope::port::KeyHandle;
use vouchsafe_types::{OrganisationId, Secret, SecretBytes};
use zeroize::Zeroizing;

use super::transit::Failure;

#[cfg(fuzzing)]
mod door;
#[cfg(test)]
mod tests;

#[cfg(fuzzing)]
pub use door::fuzz;

/// A nonce (12), a wrapped secret (32) and its tag (16).
const SEALED_LEN: usize = 60;
/// The same in base64.
const SEALED_TEXT_LEN: usize = 80;
/// A secret in base64.
const SECRET_TEXT_LEN: usize = 44;
/// The longest context that is taken, in bytes.
const MAX_CONTEXT: usize = 32 << 10;
/// The most versions that a key is believed to have.
const MAX_VERSIONS: u64 = 1 << 16;

/// `<prefix>-<organisation>`. The server takes no name that ends in `-`, so such an organisation's gets a `_`, which
/// no organisation has.
pub(super) fn key_name(prefix: &str, organisation: &OrganisationId) -> String {
    let organisation = organisation.as_str();
    let end = if organisation.ends_with('-') { "_" } else { "" };
    format!("{prefix}-{organisation}{end}")
}

/// `{"plaintext":…,"associated_data":…,"key_version":…}`
pub(super) fn encrypt_body(
    handle: &KeyHandle,
    secret: &Secret<32>,
    context: &[u8],
) -> Result<Zeroizing<Vec<u8>>, KeyServiceError> {
    let mut plaintext = Zeroizing::new([0; SECRET_TEXT_LEN]);
    STANDARD
        .encode_slice(secret.expose_secret(), plaintext.as_mut_slice())
        .map_err(|_| KeyServiceError::Malformed)?;
    let (data, version) = (associated_data(handle, context)?, handle.generation().to_string());
    Ok(concat(&[
        br#"{"plaintext":""#,
        plaintext.as_slice(),
        br#"","associated_data":""#,
        data.as_bytes(),
        br#"","key_version":"#,
        version.as_bytes(),
        b"}",
    ]))
}

/// `{"ciphertext":…,"associated_data":…}`
pub(super) fn decrypt_body(
    handle: &KeyHandle,
    ciphertext: &str,
    context: &[u8],
) -> Result<Zeroizing<Vec<u8>>, KeyServiceError> {
    let data = associated_data(handle, context)?;
    Ok(concat(&[
        br#"{"ciphertext":""#,
        ciphertext.as_bytes(),
        br#"","associated_data":""#,
        data.as_bytes(),
        br#""}"#,
    ]))
}

/// `{"role_id":…,"secret_id":…}`, of characters that need no escape.
pub(super) fn login_body(role_id: &str, secret_id: &[u8]) -> Zeroizing<Vec<u8>> {
    concat(&[br#"{"role_id":""#, role_id.as_bytes(), br#"","secret_id":""#, secret_id, br#""}"#])
}

/// Takes the versions before `keep` out of use; no minimum is lowered.
pub(super) fn minima_body(key: &KeyState, keep: u64) -> Vec<u8> {
    let (decryption, encryption) = (key.min_decryption.max(keep), key.min_encryption.max(keep));
    format!(r#"{{"min_decryption_version":{decryption},"min_encryption_version":{encryption}}}"#).into_bytes()
}

/// Removes the versions before `keep`.
pub(super) fn trim_body(keep: u64) -> Vec<u8> {
    format!(r#"{{"min_available_version":{keep}}}"#).into_bytes()
}

/// A wrapped secret has one form: `vault:v<generation>:<base64 of 60 bytes>`.
pub(super) fn check_wrapped<'a>(wrapped: &'a [u8], handle: &KeyHandle) -> Result<&'a str, KeyServiceError> {
    let prefix = format!("vault:v{}:", handle.generation());
    // Another generation's wrap may be a digit longer or shorter; nothing else is of another length.
    let lengths =
        SEALED_TEXT_LEN + "vault:v1:".len()..=SEALED_TEXT_LEN + "vault:v18446744073709551615:".len();
    if !lengths.contains(&wrapped.len()) {
        return Err(KeyServiceError::Malformed);
    }
    let text = std::str::from_utf8(wrapped).map_err(|_| KeyServiceError::NotAuthentic)?;
    let sealed = text.strip_prefix(&prefix).and_then(|sealed| STANDARD.decode(sealed).ok());
    if sealed.is_some_and(|sealed| sealed.len() == SEALED_LEN) {
        Ok(text)
    } else {
        Err(KeyServiceError::NotAuthentic)
    }
}

/// The wrapped secret of an encryption under the handle's version.
pub(super) fn read_ciphertext(answer: &[u8], handle: &KeyHandle) -> Result<Vec<u8>, KeyServiceError> {
    let Data { data: Encrypted { ciphertext } } = parse(answer)?;
    check_wrapped(ciphertext.as_bytes(), handle).map_err(|_| KeyServiceError::Corrupt)?;
    Ok(ciphertext.as_bytes().to_vec())
}

/// The secret of a decryption.
pub(super) fn read_plaintext(answer: &[u8]) -> Result<Secret<32>, KeyServiceError> {
    let Data { data: Decrypted { plaintext } } = parse(answer)?;
    if plaintext.len() != SECRET_TEXT_LEN {
        return Err(KeyServiceError::Corrupt);
    }
    // Base64 of 44 characters is 33 bytes at most.
    let mut bytes = Zeroizing::new([0; 33]);
    let len = STANDARD.decode_slice(plaintext, bytes.as_mut_slice()).map_err(|_| KeyServiceError::Corrupt)?;
    bytes.get(..len).and_then(Secret::copy_from_slice).ok_or(KeyServiceError::Corrupt)
}

/// Sorts an answer by its status; `Ok` when its body is worth reading.
pub(super) fn judge(status: u16, body: &[u8]) -> Result<(), Failure> {
    let error = match status {
        200..=299 => return Ok(()),
        400 | 422 => return Err(Failure::Refused),
        // A missing engine is told from a missing key by its message.
        404 if parse::<Errors>(body).is_ok_and(|answer| answer.errors.is_empty()) => {
            return Err(Failure::Missing);
        }
        // A standby that sends elsewhere, one that lags, too many requests, a replica, a sealed or broken server.
        300..=399 | 412 | 429 | 472 | 473 | 500..=599 => KeyServiceError::Unavailable,
        413 => KeyServiceError::Malformed,
        400..=499 => KeyServiceError::Denied,
        _ => KeyServiceError::Corrupt,
    };
    Err(error.into())
}

/// One organisation's key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct KeyState {
    first: u64,
    latest: u64,
    min_decryption: u64,
    min_encryption: u64,
}

impl KeyState {
    /// Reads a key, and refuses one that could leave the server.
    pub(super) fn read(answer: &[u8]) -> Result<Self, KeyServiceError> {
        let Data { data: key } = parse::<Data<Key<'_>>>(answer)?;
        let lax = key.exportable || key.allow_plaintext_backup || key.derived || key.imported_key;
        if lax || key.kind != "aes256-gcm96" {
            return Err(KeyServiceError::Denied);
        }
        let state = Self {
            first: key.min_available_version.max(1),
            latest: key.latest_version,
            min_decryption: key.min_decryption_version,
            min_encryption: key.min_encryption_version,
        };
        let all = state.first..=state.latest;
        let shown = all.contains(&state.latest)
            && state.latest - state.first < MAX_VERSIONS
            && [state.min_decryption, state.min_encryption].iter().all(|least| *least <= state.latest)
            && key.keys.contains_key(&state.latest)
            && key.keys.keys().all(|version| all.contains(version));
        if shown { Ok(state) } else { Err(KeyServiceError::Corrupt) }
    }

    /// The oldest version that is not trimmed.
    pub(super) const fn first(&self) -> u64 {
        self.first
    }

    /// The newest version.
    pub(super) const fn latest(&self) -> u64 {
        self.latest
    }

    /// Whether the server still encrypts with a version.
    pub(super) fn encrypts(&self, version: u64) -> bool {
        (self.first.max(self.min_encryption)..=self.latest).contains(&version)
    }

    /// Whether the server still decrypts with a version.
    pub(super) fn decrypts(&self, version: u64) -> bool {
        (self.first.max(self.min_decryption)..=self.latest).contains(&version)
    }
}

/// How long a token lives. Zero means for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Lease {
    left: Duration,
    renewable: bool,
}

impl Lease {
    pub(super) const fn left(self) -> Duration {
        self.left
    }

    pub(super) const fn renewable(self) -> bool {
        self.renewable
    }
}

/// Whether the server reads keys from its storage each time.
pub(super) fn read_disable_cache(answer: &[u8]) -> Result<bool, KeyServiceError> {
    let Data { data: Server { disable_cache } } = parse(answer)?;
    Ok(disable_cache)
}

/// The lease of the token that asked.
pub(super) fn read_lookup(answer: &[u8]) -> Result<Lease, KeyServiceError> {
    let Data { data: Looked { ttl, renewable } } = parse(answer)?;
    Ok(Lease { left: Duration::from_secs(ttl), renewable })
}

/// The lease of a token that was renewed.
pub(super) fn read_renewal(answer: &[u8]) -> Result<Lease, KeyServiceError> {
    let Authentication { auth } = parse::<Authentication<'_>>(answer)?;
    Ok(Lease { left: Duration::from_secs(auth.lease_duration), renewable: auth.renewable })
}

/// A fresh token and its lease.
pub(super) fn read_login(answer: &[u8]) -> Result<(SecretBytes, Lease), KeyServiceError> {
    let Authentication { auth } = parse::<Authentication<'_>>(answer)?;
    let fits = (1..=super::config::MAX_CREDENTIAL).contains(&auth.client_token.len());
    if !fits || !auth.client_token.bytes().all(|b| b.is_ascii_graphic()) {
        return Err(KeyServiceError::Corrupt);
    }
    let lease = Lease { left: Duration::from_secs(auth.lease_duration), renewable: auth.renewable };
    Ok((SecretBytes::new(auth.client_token.as_bytes().to_vec()), lease))
}

/// `"vouchsafe transit wrap v1" || 0x00 || length of the organisation (1) || organisation || generation (8) ||
/// context`, in base64.
fn associated_data(handle: &KeyHandle, context: &[u8]) -> Result<String, KeyServiceError> {
    if context.len() > MAX_CONTEXT {
        return Err(KeyServiceError::Malformed);
    }
    let organisation = handle.organisation().as_str().as_bytes();
    let len = [u8::try_from(organisation.len()).map_err(|_| KeyServiceError::Malformed)?];
    let generation = handle.generation().to_be_bytes();
    let data = [&b"vouchsafe transit wrap v1\0"[..], &len, organisation, &generation, context];
    Ok(STANDARD.encode(data.concat()))
}

/// Joins parts in a buffer of the exact size, so that no smaller one is left behind by growth.
fn concat(parts: &[&[u8]]) -> Zeroizing<Vec<u8>> {
    let mut out = Zeroizing::new(Vec::with_capacity(parts.iter().map(|part| part.len()).sum()));
    parts.iter().for_each(|part| out.extend_from_slice(part));
    out
}

/// What is not the answer of a transit engine is not a matter of the moment: somebody must look.
fn parse<'a, T: Deserialize<'a>>(answer: &'a [u8]) -> Result<T, KeyServiceError> {
    serde_json::from_slice(answer).map_err(|_| KeyServiceError::Corrupt)
}

#[derive(Deserialize)]
struct Data<T> {
    data: T,
}

#[derive(Deserialize)]
struct Errors {
    errors: Vec<IgnoredAny>,
}

/// Borrowed from the answer, which is wiped: base64 needs no escapes.
#[derive(Deserialize)]
struct Encrypted<'a> {
    ciphertext: &'a str,
}

#[derive(Deserialize)]
struct Decrypted<'a> {
    plaintext: &'a str,
}

#[derive(Deserialize)]
struct Key<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    exportable: bool,
    allow_plaintext_backup: bool,
    derived: bool,
    /// Some servers name it only where it is so.
    #[serde(default)]
    imported_key: bool,
    latest_version: u64,
    min_available_version: u64,
    min_decryption_version: u64,
    min_encryption_version: u64,
    keys: BTreeMap<u64, IgnoredAny>,
}

#[derive(Deserialize)]
struct Server {
    disable_cache: bool,
}

#[derive(Deserialize)]
struct Looked {
    ttl: u64,
    /// Not named for a token that never ends.
    #[serde(default)]
    renewable: bool,
}

#[derive(Deserialize)]
struct Authentication<'a> {
    #[serde(borrow)]
    auth: Auth<'a>,
}

#[derive(Deserialize)]
struct Auth<'a> {
    client_token: &'a str,
    lease_duration: u64,
    renewable: bool,
}
