//! The token: renewed before it ends, and replaced where the credentials allow it.
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use vouchsafe_envelope::KeyServiceError;
use vouchsafe_types::SecretBytes;
use zeroize::Zeroizing;

use super::OpenBaoCredentials;
use super::http::{Http, Request, deadline};
use super::transit::Failure;
use super::wire::{self, Lease};

const LOGIN: &str = "auth/approle/login";
const LOOKUP: &str = "auth/token/lookup-self";
const RENEW: &str = "auth/token/renew-self";

/// How long nobody tries again after a renewal was begun.
const PAUSE: Duration = Duration::from_secs(1);

pub(super) struct Session {
    role: Option<Role>,
    current: Mutex<Current>,
    /// Held by the one thread that logs in.
    login: Mutex<()>,
}

struct Role {
    /// The body of the login request.
    body: Zeroizing<Vec<u8>>,
}

struct Current {
    token: Arc<SecretBytes>,
    /// `None` for a token that never ends or that cannot be renewed or replaced.
    renew_at: Option<Instant>,
    renewable: bool,
    /// The life that the token began with.
    whole: Duration,
}

impl Session {
    /// Looks the token up, or logs in.
    pub(super) fn open(
        http: &Http,
        credentials: OpenBaoCredentials,
        timeout: Duration,
    ) -> Result<Self, KeyServiceError> {
        let deadline = deadline(timeout);
        let (role, current) = match credentials {
            OpenBaoCredentials::AppRole { role_id, secret_id } => {
                let role = Role { body: wire::login_body(&role_id, secret_id.expose_secret()) };
                let current = role.login(http, deadline)?;
                (Some(role), current)
            }
            OpenBaoCredentials::Token(token) => {
                let answer = http.send(Request::Get(LOOKUP), Some(&token), deadline)?;
                let lease = wire::read_lookup(&answer)?;
                (None, Current::new(Arc::new(token), lease, false))
            }
        };
        Ok(Self { role, current: Mutex::new(current), login: Mutex::default() })
    }

    /// The token to show now, renewed if that is due.
    pub(super) fn token(&self, http: &Http, deadline: Instant) -> Arc<SecretBytes> {
        // What is left of an old token's life may be enough; if it is not, the server says so.
        let _ = self.renew_if_due(http, deadline);
        self.current().token.clone()
    }

    /// Renews or replaces the token when a third of its life is left. One thread does; the others go on with it.
    pub(super) fn renew_if_due(&self, http: &Http, deadline: Instant) -> Result<(), KeyServiceError> {
        let (token, renewable) = {
            let mut current = self.current();
            let now = Instant::now();
            if current.renew_at.is_none_or(|at| now < at) {
                return Ok(());
            }
            current.renew_at = now.checked_add(PAUSE);
            (current.token.clone(), current.renewable)
        };
        let renewed =
            if renewable { self.renew(http, &token, deadline) } else { Err(KeyServiceError::Denied) };
        match renewed {
            Err(KeyServiceError::Denied) => self.log_in(http, &token, deadline).map(drop),
            renewed => renewed,
        }
    }

    /// Another token for one that the server refused; `None` when it refused the act and not the token, or when
    /// there is no role to log in with.
    pub(super) fn replace(
        &self,
        http: &Http,
        refused: &Arc<SecretBytes>,
        deadline: Instant,
    ) -> Result<Option<Arc<SecretBytes>>, KeyServiceError> {
        if self.role.is_none() {
            return Ok(None);
        }
        match http.send(Request::Get(LOOKUP), Some(refused), deadline) {
            Ok(_) => Ok(None),
            Err(Failure::Service(KeyServiceError::Denied)) => self.log_in(http, refused, deadline).map(Some),
            Err(failure) => Err(failure.into()),
        }
    }

    fn renew(&self, http: &Http, token: &Arc<SecretBytes>, deadline: Instant) -> Result<(), KeyServiceError> {
        let answer = http.send(Request::Post(RENEW, b"{}"), Some(token), deadline)?;
        let lease = wire::read_renewal(&answer)?;
        let mut current = self.current();
        // Another thread may have replaced the token meanwhile.
        if Arc::ptr_eq(&current.token, token) {
            let whole = current.whole;
            *current = Current { whole, ..Current::new(token.clone(), lease, self.role.is_some()) };
            // The server's cap is near: a fresh token has a whole life again.
            current.renewable = current.renewable && (self.role.is_none() || lease.left() > whole / 3);
        }
        Ok(())
    }

    /// A fresh token in place of `old`; one thread logs in, the others wait for its token.
    fn log_in(
        &self,
        http: &Http,
        old: &Arc<SecretBytes>,
        deadline: Instant,
    ) -> Result<Arc<SecretBytes>, KeyServiceError> {
        let role = self.role.as_ref().ok_or(KeyServiceError::Denied)?;
        let _one = self.login.lock().unwrap_or_else(PoisonError::into_inner);
        let token = self.current().token.clone();
        if !Arc::ptr_eq(&token, old) {
            return Ok(token);
        }
        let fresh = role.login(http, deadline)?;
        let token = fresh.token.clone();
        *self.current() = fresh;
        Ok(token)
    }

    fn current(&self) -> std::sync::MutexGuard<'_, Current> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Role {
    fn login(&self, http: &Http, deadline: Instant) -> Result<Current, KeyServiceError> {
        let answer = match http.send(Request::Post(LOGIN, &self.body), None, deadline) {
            Ok(answer) => answer,
            Err(Failure::Missing | Failure::Refused) => return Err(KeyServiceError::Denied),
            Err(failure) => return Err(failure.into()),
        };
        let (token, lease) = wire::read_login(&answer)?;
        Ok(Current::new(Arc::new(token), lease, true))
    }
}

impl Current {
    /// `replaceable`: whether a login gives another token.
    fn new(token: Arc<SecretBytes>, lease: Lease, replaceable: bool) -> Self {
        let whole = lease.left();
        let ends = !whole.is_zero() && (lease.renewable() || replaceable);
        // When a third is left.
        let renew_at = if ends { Instant::now().checked_add(whole / 3 * 2) } else { None };
        Self { token, renew_at, renewable: lease.renewable(), whole }
    }
}
