//! One token: its session, its login, and the belief in its answers.
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cryptoki::error::{Error, RvError};
use cryptoki::mechanism::MechanismType;
use cryptoki::session::{Session, SessionState, UserType};
use cryptoki::slot::{Slot, TokenInfo};
use cryptoki::types::RawAuthPin;
use subtle::ConstantTimeEq;
use vouchsafe_types::SecretBytes;

use super::fault::Fault;
use super::module::{Module, lock};
use super::{Queue, TokenName};
use crate::KeysError;

/// A token of a module. Calls queue: one session, one call at a time.
pub(super) struct Token {
    module: Arc<Module>,
    serial: TokenName,
    pin: SecretBytes,
    state: Mutex<State>,
}

enum State {
    Closed,
    Open(Session),
    /// The token refused the PIN. Only a new `open` tries again, or a process with a wrong PIN would lock the token.
    Refused,
}

/// What is waited before each new session.
const PAUSES: [Duration; 3] = [Duration::ZERO, Duration::from_millis(5), Duration::from_millis(20)];

impl Token {
    /// The token of this name, logged in.
    pub(super) fn open(
        path: &Path,
        name: &TokenName,
        pin: &SecretBytes,
        queue: &Queue,
    ) -> Result<Arc<Self>, KeysError> {
        let waited = queue.wait()?;
        let module = Module::load(path)?;
        let found = module.find(name).and_then(|(slot, info)| check_mechanisms(&module, slot).map(|()| info));
        // The login waits again; never for this.
        drop(waited);
        let token = found.and_then(|info| Self::share(&module, info.serial_number(), pin, queue));
        if token.is_err() {
            module.unload();
        }
        token
    }

    fn share(
        module: &Arc<Module>,
        serial: &str,
        pin: &SecretBytes,
        queue: &Queue,
    ) -> Result<Arc<Self>, KeysError> {
        module.share(serial, |used| match used.filter(|token| !token.is_refused()) {
            Some(token) if token.has_pin(pin) => token.log_in_once(queue).map(|()| token),
            Some(_) => Err(KeysError::Pin),
            None => {
                let token = Arc::new(Self {
                    module: module.clone(),
                    serial: TokenName::Serial(serial.to_owned()),
                    pin: SecretBytes::new(pin.expose_secret().to_vec()),
                    state: Mutex::new(State::Closed),
                });
                token.log_in_once(queue).map(|()| token)
            }
        })
    }

    /// Runs a call in a session that is logged in on this token, before and after: only then does "not found" mean
    /// what it says.
    ///
    /// A session that is gone is opened again. A soft token that another process writes to seems gone for a moment.
    pub(super) fn with<T>(
        &self,
        queue: &Queue,
        act: impl Fn(&Session) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        let mut state = lock(&self.state);
        let _waited = queue.wait().map_err(|error| match error {
            KeysError::Unavailable => Fault::Trouble,
            _ => Fault::Refused,
        })?;
        let mut answer = self.once(&mut state, &act);
        for pause in PAUSES {
            if !answer.as_ref().is_err_and(|fault| *fault == Fault::Session) {
                break;
            }
            std::thread::sleep(pause);
            answer = self.once(&mut state, &act);
        }
        answer
    }

    fn once<T>(&self, state: &mut State, act: impl Fn(&Session) -> Result<T, Fault>) -> Result<T, Fault> {
        let answer = self.session(state).and_then(|session| {
            let answer = act(session);
            // "No such key" says nothing of the key when the login was forgotten, or the token pulled out.
            if self.is_there(session)? { answer } else { Err(Fault::Session) }
        });
        match &answer {
            Err(Fault::Session | Fault::Trouble) => *state = State::Closed,
            Err(Fault::Pin) => *state = State::Refused,
            _ => {}
        }
        answer
    }

    fn session<'a>(&self, state: &'a mut State) -> Result<&'a Session, Fault> {
        let fresh = match state {
            State::Refused => return Err(Fault::Pin),
            State::Open(session) => !self.is_there(session).unwrap_or(false),
            State::Closed => true,
        };
        if fresh {
            // The old session first: the last one to close logs the process out.
            *state = State::Closed;
            *state = State::Open(self.log_in()?);
        }
        match state {
            State::Open(session) => Ok(session),
            State::Closed | State::Refused => Err(Fault::Session),
        }
    }

    fn log_in(&self) -> Result<Session, Fault> {
        // By serial number: another token that took the place of this one has none of its keys.
        let (slot, info) = self.module.find(&self.serial).map_err(|_| Fault::Session)?;
        // The last try belongs to the operator.
        if info.user_pin_locked() || info.user_pin_final_try() {
            return Err(Fault::Pin);
        }
        let session = self.module.context().open_rw_session(slot)?;
        let pin = RawAuthPin::new(self.pin.expose_secret().to_vec());
        match session.login_with_raw(UserType::User, &pin) {
            Ok(()) | Err(Error::Pkcs11(RvError::UserAlreadyLoggedIn, _)) => Ok(session),
            Err(error) => Err(error.into()),
        }
    }

    fn log_in_once(&self, queue: &Queue) -> Result<(), KeysError> {
        self.with(queue, |_| Ok(())).map_err(|fault| match fault {
            Fault::Pin => KeysError::Pin,
            Fault::Refused => KeysError::Unsupported,
            _ => KeysError::Unavailable,
        })
    }

    /// Whether the session is logged in, and its slot holds the token that it was opened on.
    fn is_there(&self, session: &Session) -> Result<bool, Fault> {
        let info = session.get_session_info()?;
        let token = self.module.context().get_token_info(info.slot_id()).map_err(|_| Fault::Session)?;
        Ok(matches!(info.session_state(), SessionState::RwUser) && self.serial.is_of(&token))
    }

    fn has_pin(&self, pin: &SecretBytes) -> bool {
        self.pin.expose_secret().ct_eq(pin.expose_secret()).into()
    }

    fn is_refused(&self) -> bool {
        matches!(*lock(&self.state), State::Refused)
    }
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Token").finish_non_exhaustive()
    }
}

impl TokenName {
    pub(super) fn is_of(&self, info: &TokenInfo) -> bool {
        match self {
            Self::Label(label) => info.label() == label,
            Self::Serial(serial) => info.serial_number() == serial,
        }
    }
}

fn check_mechanisms(module: &Module, slot: Slot) -> Result<(), KeysError> {
    let of =
        |mechanism| module.context().get_mechanism_info(slot, mechanism).map_err(|_| KeysError::Unsupported);
    let (gcm, generation) = (of(MechanismType::AES_GCM)?, of(MechanismType::AES_KEY_GEN)?);
    let able = gcm.encrypt() && gcm.decrypt() && generation.generate();
    if able { Ok(()) } else { Err(KeysError::Unsupported) }
}
