//! The requests of one call of the port, under one deadline.
use std::time::{Duration, Instant};

use vouchsafe_envelope::KeyServiceError;

use super::http::{Answer, Http, Request, deadline};
use super::session::Session;
use super::wire::{self, KeyState};

/// Why a request had no useful answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Failure {
    /// What was named is not there.
    Missing,
    /// The server will not do that with what it was given.
    Refused,
    /// Decided already.
    Service(KeyServiceError),
}

impl From<KeyServiceError> for Failure {
    fn from(error: KeyServiceError) -> Self {
        Self::Service(error)
    }
}

impl From<Failure> for KeyServiceError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Missing => Self::NoSuchKey,
            Failure::Refused => Self::Corrupt,
            Failure::Service(error) => error,
        }
    }
}

/// One call of the port on one organisation's key.
pub(super) struct Call<'a> {
    http: &'a Http,
    session: &'a Session,
    mount: &'a str,
    name: String,
    deadline: Instant,
}

impl<'a> Call<'a> {
    pub(super) fn new(
        http: &'a Http,
        session: &'a Session,
        mount: &'a str,
        name: String,
        timeout: Duration,
    ) -> Self {
        Self { http, session, mount, name, deadline: deadline(timeout) }
    }

    /// The key as the server shows it; `None` when there is none.
    pub(super) fn read(&self) -> Result<Option<KeyState>, KeyServiceError> {
        match self.send(Request::Get(&self.path("keys", ""))) {
            Ok(answer) => KeyState::read(&answer).map(Some),
            Err(Failure::Missing) => Ok(None),
            Err(failure) => Err(failure.into()),
        }
    }

    /// Makes the key with its first version, if it is not there. Whatever is not asked for is off by default, and
    /// [`KeyState::read`] checks it.
    pub(super) fn create(&self) -> Result<KeyState, KeyServiceError> {
        self.send(Request::Post(&self.path("keys", ""), br#"{"type":"aes256-gcm96"}"#))?;
        self.read()?.ok_or(KeyServiceError::Corrupt)
    }

    /// Adds a version.
    pub(super) fn rotate(&self) -> Result<(), KeyServiceError> {
        // Sent once: a repeat would add another.
        self.send(Request::PostOnce(&self.path("keys", "/rotate"), b"{}"))?;
        Ok(())
    }

    pub(super) fn encrypt(&self, body: &[u8]) -> Result<Answer, Failure> {
        self.send(Request::Post(&self.path("encrypt", ""), body))
    }

    pub(super) fn decrypt(&self, body: &[u8]) -> Result<Answer, Failure> {
        self.send(Request::Post(&self.path("decrypt", ""), body))
    }

    /// Takes every version before `keep` out of use, then away.
    pub(super) fn trim(&self, key: &KeyState, keep: u64) -> Result<(), Failure> {
        self.send(Request::Post(&self.path("keys", "/config"), &wire::minima_body(key, keep)))?;
        self.send(Request::Post(&self.path("keys", "/trim"), &wire::trim_body(keep)))?;
        Ok(())
    }

    fn path(&self, act: &str, more: &str) -> String {
        format!("{}/{act}/{}{more}", self.mount, self.name)
    }

    fn send(&self, request: Request<'_>) -> Result<Answer, Failure> {
        if Instant::now() >= self.deadline {
            return Err(KeyServiceError::Unavailable.into());
        }
        let token = self.session.token(self.http, self.deadline);
        match self.http.send(request, Some(&token), self.deadline) {
            Err(Failure::Service(KeyServiceError::Denied)) => {
                let fresh = self.session.replace(self.http, &token, self.deadline)?;
                let fresh = fresh.ok_or(KeyServiceError::Denied)?;
                self.http.send(request, Some(&fresh), self.deadline)
            }
            answer => answer,
        }
    }
}
