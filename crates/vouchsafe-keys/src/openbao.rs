use std::fmt;
use std::time::Duration;

use vouchsafe_envelope::KeyServiceError;
use vouchsafe_envelope::port::{
    Capabilities, Destroys, DestructionEvidence, ErasureStrength, KeyHandle, KeyService,
};
use vouchsafe_types::{OrganisationId, Secret, wipe_stack};

use crate::KeysError;

mod config;
mod http;
mod session;
mod transit;
mod wire;

pub use config::{OpenBaoConfig, OpenBaoCredentials};

#[cfg(fuzzing)]
#[doc(hidden)]
pub use wire::fuzz as fuzz_openbao;

use http::{Http, Request};
use session::Session;
use transit::{Call, Failure};
use wire::KeyState;

/// State keys in the transit engine of an OpenBao or Vault server, over TLS.
///
/// Each organisation has one transit key of type `aes256-gcm96`, and its generation *n* is that key's version
/// *n*. State keys never leave the server: it encrypts and decrypts, with handle and context as associated data.
///
/// - Versions have no gaps. Creating generation *n* makes the missing ones below it too, and creators that
///   race can make one more than asked for. [`KeyService::list`] shows all of them; the key ring destroys what
///   does not seal its state.
/// - Destroying a generation trims it and every older one ([`Destroys::OlderThanNewest`]); the newest stays.
/// - Ciphertext with associated data cannot be rewrapped by the engine, so `rewraps` is false.
/// - Whoever restores an older copy of the server's storage, and can unseal it, has the trimmed versions back.
///   The strength is therefore [`ErasureStrength::HostOnly`] unless the operator declares that the storage is in
///   no backup ([`OpenBaoConfig::storage_excluded_from_backup`]).
/// - The server's configuration must say `disable_cache = true`, on every node; [`OpenBao::connect`] refuses one
///   that does not. OpenBao (2.7.2, raft storage) keeps in its cache what it failed to commit: after two changes of
///   one key at the same moment it showed versions that a restart lost, and a trim that its storage never had.
/// - Point the address at the active node: a standby that answers reads itself may lag behind a destruction.
/// - A key that is exportable, can be backed up in plain, is derived or was imported is refused as
///   [`KeyServiceError::Denied`] before anything is encrypted under it.
///
/// The server is trusted with secrecy and destruction, not with its answers: they are bounded in time and size,
/// read strictly, and a destruction is believed only when the server shows the key without it.
///
/// Secrets cross this process as base64 in HTTP bodies. Those that this crate holds are wiped; the buffers of
/// the HTTP and TLS libraries, and the token inside their headers, are freed without that. A logger of the `log`
/// crate that takes `trace` of `ureq_proto` would be shown them all, so every call is refused as
/// [`KeyServiceError::Denied`] while there is one.
pub struct OpenBao {
    http: Http,
    session: Session,
    mount: String,
    key_prefix: String,
    timeout: Duration,
    strength: ErasureStrength,
}

/// How many versions one call makes at most.
const MAX_ROTATIONS: u64 = 1024;
/// How often a destruction is tried while others change the same key.
const DESTROY_TRIES: usize = 3;

impl OpenBao {
    /// Connects, looks the token up or logs in, and sees that the server does not cache keys.
    ///
    /// # Errors
    /// [`KeysError::Misconfigured`] for settings that cannot be used, the server's included; [`KeysError::TooOpen`] when the server's
    /// certificate, the token or the role is refused; [`KeysError::Unavailable`] when the server does not answer.
    pub fn connect(config: OpenBaoConfig) -> Result<Self, KeysError> {
        let config = config.checked()?;
        let http = Http::new(&config)?;
        let OpenBaoConfig { credentials, mount, key_prefix, timeout, strength, .. } = config;
        let session = Session::open(&http, credentials, timeout).map_err(KeysError::from_service)?;
        let service = Self { http, session, mount, key_prefix, timeout, strength };
        if service.reads_storage().map_err(KeysError::from_service)? {
            Ok(service)
        } else {
            Err(KeysError::Misconfigured)
        }
    }

    fn reads_storage(&self) -> Result<bool, KeyServiceError> {
        let deadline = http::deadline(self.timeout);
        let token = self.session.token(&self.http, deadline);
        let answer = self.http.send(Request::Get("sys/config/state/sanitized"), Some(&token), deadline)?;
        wire::read_disable_cache(&answer)
    }

    /// Renews the token when less than a third of its life is left, as every other call does too.
    ///
    /// A process that makes no calls for longer than that calls this from a timer, or uses an AppRole.
    ///
    /// # Errors
    /// [`KeyServiceError::Denied`] when the server renews and gives no token; [`KeyServiceError::Unavailable`]. What
    /// is left of the token's life can still be used.
    pub fn keep_alive(&self) -> Result<(), KeyServiceError> {
        self.session.renew_if_due(&self.http, http::deadline(self.timeout))
    }

    fn call(&self, organisation: &OrganisationId) -> Call<'_> {
        let name = wire::key_name(&self.key_prefix, organisation);
        Call::new(&self.http, &self.session, &self.mount, name, self.timeout)
    }
}

impl KeyService for OpenBao {
    fn create(&self, handle: &KeyHandle) -> Result<(), KeyServiceError> {
        let call = self.call(handle.organisation());
        let wanted = handle.generation();
        let mut key = match call.read()? {
            Some(key) => key,
            None if (1..=MAX_ROTATIONS).contains(&wanted) => call.create()?,
            None => return Err(KeyServiceError::Malformed),
        };
        if wanted < key.first() {
            return Err(KeyServiceError::NoSuchKey);
        }
        let missing = wanted.saturating_sub(key.latest());
        if missing > MAX_ROTATIONS {
            return Err(KeyServiceError::Malformed);
        }
        for _ in 0..missing {
            // Somebody else may have made it meanwhile.
            if key.latest() >= wanted {
                break;
            }
            call.rotate()?;
            key = call.read()?.ok_or(KeyServiceError::NoSuchKey)?;
        }
        if key.latest() >= wanted { Ok(()) } else { Err(KeyServiceError::Corrupt) }
    }

    fn wrap(
        &self,
        handle: &KeyHandle,
        secret: &Secret<32>,
        context: &[u8],
    ) -> Result<Vec<u8>, KeyServiceError> {
        let body = wire::encrypt_body(handle, secret, context)?;
        let call = self.call(handle.organisation());
        // Asked first, because a token with more rights than ours would make a missing key by encrypting.
        let encrypts = |key: Option<KeyState>| held(key.is_some_and(|key| key.encrypts(handle.generation())));
        encrypts(call.read()?)?;
        let wrapped = match call.encrypt(&body) {
            Ok(answer) => wire::read_ciphertext(&answer, handle),
            Err(Failure::Refused) => encrypts(call.read()?).and(Err(KeyServiceError::Malformed)),
            Err(failure) => Err(failure.into()),
        };
        drop(body);
        wipe_stack();
        wrapped
    }

    fn unwrap(
        &self,
        handle: &KeyHandle,
        wrapped: &[u8],
        context: &[u8],
    ) -> Result<Secret<32>, KeyServiceError> {
        let ciphertext = wire::check_wrapped(wrapped, handle)?;
        let body = wire::decrypt_body(handle, ciphertext, context)?;
        let call = self.call(handle.organisation());
        let secret = match call.decrypt(&body) {
            Ok(answer) => wire::read_plaintext(&answer),
            // Which of key, context and bytes was wrong is not told apart; only a missing key is.
            Err(Failure::Refused) => {
                let decrypts = call.read()?.is_some_and(|key| key.decrypts(handle.generation()));
                held(decrypts).and(Err(KeyServiceError::NotAuthentic))
            }
            Err(failure) => Err(failure.into()),
        };
        wipe_stack();
        secret
    }

    fn destroy(&self, handle: &KeyHandle) -> Result<DestructionEvidence, KeyServiceError> {
        let call = self.call(handle.organisation());
        let keep = handle.generation().checked_add(1).ok_or(KeyServiceError::NewestKey)?;
        for _ in 0..DESTROY_TRIES {
            let key = call.read()?.ok_or(KeyServiceError::NewestKey)?;
            if key.latest() < keep {
                return Err(KeyServiceError::NewestKey);
            }
            if key.first() >= keep {
                return Ok(DestructionEvidence::new(handle.clone(), self.strength));
            }
            // A refusal means that another destruction was faster or in between: look again.
            match call.trim(&key, keep) {
                Ok(()) | Err(Failure::Refused) => {}
                Err(failure) => return Err(failure.into()),
            }
        }
        let gone = call.read()?.is_some_and(|key| key.first() >= keep);
        let evidence = DestructionEvidence::new(handle.clone(), self.strength);
        if gone { Ok(evidence) } else { Err(KeyServiceError::Unavailable) }
    }

    fn list(&self, organisation: &OrganisationId) -> Result<Vec<KeyHandle>, KeyServiceError> {
        let key = self.call(organisation).read()?;
        let versions = key.map(|key| key.first()..=key.latest());
        let handle = |version| KeyHandle::new(organisation.clone(), version);
        Ok(versions.into_iter().flatten().map(handle).collect())
    }

    fn strength(&self) -> ErasureStrength {
        self.strength
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities { destroys: Destroys::OlderThanNewest, rewraps: false, attests: false, remote: true }
    }
}

impl fmt::Debug for OpenBao {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenBao").field("strength", &self.strength).finish_non_exhaustive()
    }
}

/// A version below the server's minimum is as good as gone: its destruction has begun.
fn held(held: bool) -> Result<(), KeyServiceError> {
    if held { Ok(()) } else { Err(KeyServiceError::NoSuchKey) }
}
