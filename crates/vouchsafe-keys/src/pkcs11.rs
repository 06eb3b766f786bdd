use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use cryptoki::mechanism::Mechanism;
use cryptoki::object::{Attribute, AttributeType, ObjectHandle};
use cryptoki::session::Session;
use vouchsafe_envelope::KeyServiceError;
use vouchsafe_envelope::port::{
    Capabilities, Destroys, DestructionEvidence, ErasureStrength, KeyHandle, KeyService,
};
use vouchsafe_types::{OrganisationId, Secret, SecretBytes};

use crate::binding::wrap_context;
use crate::{KeysError, OsEntropy, lock};

mod cipher;
mod fault;
mod module;
mod object;
mod token;
mod wrapped;

use fault::Fault;
use token::Token;
use wrapped::Wrapped;

/// State keys in a token behind PKCS#11 2.40: an HSM, a smart card, or SoftHSM2.
///
/// The keys are made on the token and never leave it. Calls queue: each token has one session and one login a
/// process, whatever the number of handles. A session that was closed is opened again; a token that is gone is
/// `Unavailable`; a PIN that was refused is not tried again until the next [`Self::open`]. The PIN stays in memory,
/// wiped with the last handle, because a session that is opened again logs in again.
///
/// Several processes and hosts may share a token; for SoftHSM2 see [`Pkcs11Config::with_lock_file`]. When two of
/// them create one key at the same moment, the token may hold two objects of that name; both open what they wrapped,
/// and both go when the key is destroyed.
///
/// The module is code that runs in this process, and is trusted as the process is. The token's contents are not: a
/// key that was not made on the token, or that can be extracted, is never used, whatever its name.
/// A process that forks must open its token after the fork.
///
/// Its erasure strength is what the operator declares, and [`ErasureStrength::HostOnly`] until then. A destruction
/// removes the objects and looks again; whether a backup of the token still holds them only the operator knows.
#[derive(Debug)]
pub struct Pkcs11 {
    token: Arc<Token>,
    queue: Queue,
    strength: ErasureStrength,
    entropy: OsEntropy,
}

/// Which token, and how to log in.
#[derive(Debug)]
#[must_use]
pub struct Pkcs11Config {
    module: PathBuf,
    token: TokenName,
    pin: SecretBytes,
    queue: Queue,
    strength: ErasureStrength,
}

/// How a token is named.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "PKCS#11 has these two")]
pub enum TokenName {
    /// By its label; exactly one token may have it.
    Label(String),
    /// By its serial number, which another token that is initialised with the same label does not have.
    Serial(String),
}

impl Pkcs11Config {
    /// A token of a module, and its user's PIN.
    pub fn new(module: impl Into<PathBuf>, token: TokenName, pin: SecretBytes) -> Self {
        Self { module: module.into(), token, pin, queue: Queue(None), strength: ErasureStrength::HostOnly }
    }

    /// Lets the processes of this host that name the same lock file take turns at the token.
    ///
    /// SoftHSM2 needs it as soon as there are two of them: it keeps a token in files, and a process that reads one
    /// while another writes it may find the PIN wrong or the token gone. A device needs none.
    pub fn with_lock_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.queue = Queue(Some(path.into()));
        self
    }

    /// Declares how strong a destruction at this token is.
    ///
    /// PKCS#11 has no attestation of a destruction, so [`ErasureStrength::ServiceAttested`] is taken as
    /// [`ErasureStrength::ServiceExcludedFromBackup`].
    pub fn with_strength(mut self, strength: ErasureStrength) -> Self {
        // Ordered: the greater is the weaker.
        self.strength = strength.max(ErasureStrength::ServiceExcludedFromBackup);
        self
    }
}

/// The lock file by which processes take turns, if they do.
#[derive(Debug)]
struct Queue(Option<PathBuf>);

impl Queue {
    fn wait(&self) -> Result<Option<File>, KeysError> {
        self.0.as_deref().map(lock::exclusive).transpose()
    }
}

/// The most objects that are read from a token in one search.
const MAX_OBJECTS: usize = 65_536;
/// How often a token is looked for, and the pause in between.
const TRIES: usize = 6;
const PAUSE: Duration = Duration::from_millis(20);
/// How often a destruction looks for what is left.
const ROUNDS: usize = 3;

impl Pkcs11 {
    /// Loads the module, finds the token and logs in.
    ///
    /// # Errors
    /// [`KeysError::Module`]; [`KeysError::Token`] when not exactly one token has that name; [`KeysError::Pin`] when it
    /// is wrong, locked, or has one try left, which stays untouched; [`KeysError::Unsupported`] for a token without
    /// AES-GCM; [`KeysError::Unavailable`].
    pub fn open(config: Pkcs11Config) -> Result<Self, KeysError> {
        let Pkcs11Config { module, token: name, pin, queue, strength } = config;
        let open = || Token::open(&module, &name, &pin, &queue);
        let mut token = open();
        for _ in 0..TRIES {
            match token {
                // Another process may be writing to the token.
                Err(KeysError::Token | KeysError::Unavailable) => std::thread::sleep(PAUSE),
                _ => break,
            }
            token = open();
        }
        Ok(Self { token: token?, queue, strength, entropy: OsEntropy::new() })
    }

    fn with<T>(&self, act: impl Fn(&Session) -> Result<T, Fault>) -> Result<T, KeyServiceError> {
        self.token.with(&self.queue, act).map_err(Fault::as_service)
    }

    /// Asks every usable key of a handle until one of them knows; `NoSuchKey` when there is none.
    fn with_keys<T>(
        &self,
        handle: &KeyHandle,
        act: impl Fn(&Session, ObjectHandle) -> Result<T, Fault>,
    ) -> Result<T, KeyServiceError> {
        self.with(|session| {
            let mut answer = Err(Fault::Gone);
            for key in find(session, &object::usable(handle))? {
                answer = act(session, key);
                if !matches!(answer, Err(Fault::Ciphertext | Fault::Gone)) {
                    break;
                }
            }
            answer
        })
    }
}

impl KeyService for Pkcs11 {
    fn create(&self, handle: &KeyHandle) -> Result<(), KeyServiceError> {
        self.with(|session| {
            if find(session, &object::usable(handle))?.is_empty() {
                session.generate_key(&Mechanism::AesKeyGen, &object::template(handle))?;
                // A token that made something else than was asked for made no key.
                let fit = find(session, &object::usable(handle))?;
                return if fit.is_empty() { Err(Fault::Refused) } else { Ok(()) };
            }
            Ok(())
        })
    }

    fn wrap(
        &self,
        handle: &KeyHandle,
        secret: &Secret<32>,
        context: &[u8],
    ) -> Result<Vec<u8>, KeyServiceError> {
        let bound = wrap_context(handle, context);
        let wrapped =
            self.with_keys(handle, |session, key| cipher::seal(session, key, secret, &bound, &self.entropy))?;
        Ok(wrapped.encode())
    }

    fn unwrap(
        &self,
        handle: &KeyHandle,
        wrapped: &[u8],
        context: &[u8],
    ) -> Result<Secret<32>, KeyServiceError> {
        let bound = wrap_context(handle, context);
        let Some(wrapped) = Wrapped::decode(wrapped) else {
            // A key that is gone is said to be gone, whatever the bytes.
            self.with_keys(handle, |_, _| Ok(()))?;
            return Err(KeyServiceError::Malformed);
        };
        self.with_keys(handle, |session, key| cipher::open(session, key, &wrapped, &bound, &self.entropy))
    }

    fn destroy(&self, handle: &KeyHandle) -> Result<DestructionEvidence, KeyServiceError> {
        self.with(|session| {
            for _ in 0..ROUNDS {
                let left = find(session, &object::every(handle))?;
                if left.is_empty() {
                    return Ok(());
                }
                left.into_iter().try_for_each(|object| destroy(session, object))?;
            }
            // It says that it destroys, and does not.
            if find(session, &object::every(handle))?.is_empty() { Ok(()) } else { Err(Fault::Refused) }
        })?;
        Ok(DestructionEvidence::new(handle.clone(), self.strength))
    }

    fn list(&self, organisation: &OrganisationId) -> Result<Vec<KeyHandle>, KeyServiceError> {
        let mut handles = self.with(|session| {
            let objects = find(session, &object::usable_of(organisation))?;
            let read = |object| handle_of(session, object, organisation).transpose();
            objects.into_iter().filter_map(read).collect::<Result<Vec<_>, _>>()
        })?;
        handles.sort();
        handles.dedup();
        Ok(handles)
    }

    fn strength(&self) -> ErasureStrength {
        self.strength
    }

    fn capabilities(&self) -> Capabilities {
        let remote = self.strength < ErasureStrength::HostOnly;
        Capabilities { destroys: Destroys::Any, rewraps: false, attests: false, remote }
    }
}

fn find(session: &Session, template: &[Attribute]) -> Result<Vec<ObjectHandle>, Fault> {
    let found = session.iter_objects(template)?.take(MAX_OBJECTS + 1).collect::<Result<Vec<_>, _>>()?;
    // A token that never comes to an end is not believed.
    if found.len() > MAX_OBJECTS { Err(Fault::Corrupt) } else { Ok(found) }
}

/// Whose key an object is; `None` when it was destroyed meanwhile.
fn handle_of(
    session: &Session,
    object: ObjectHandle,
    organisation: &OrganisationId,
) -> Result<Option<KeyHandle>, Fault> {
    let read = match session.get_attributes(object, &[AttributeType::Id]).map_err(Fault::from) {
        Err(Fault::Gone) => return Ok(None),
        read => read?,
    };
    let handle = match read.as_slice() {
        [Attribute::Id(id)] => object::parse_id(id),
        _ => None,
    };
    handle.filter(|handle| handle.organisation() == organisation).map(Some).ok_or(Fault::Corrupt)
}

fn destroy(session: &Session, object: ObjectHandle) -> Result<(), Fault> {
    match session.destroy_object(object).map_err(Fault::from) {
        // Somebody else was first.
        Err(Fault::Gone) => Ok(()),
        answer => answer,
    }
}

/// What a token or a store gives, of any bytes: what is read is written back to the same bytes.
#[cfg(fuzzing)]
pub(crate) mod fuzzing {
    use vouchsafe_envelope::port::KeyHandle;

    use super::{Wrapped, object};

    /// Reads a `CKA_ID`.
    pub fn object_id(bytes: &[u8]) -> Option<KeyHandle> {
        object::parse_id(bytes).inspect(|handle| assert_eq!(object::id(handle), bytes))
    }

    /// Reads a wrap, and says whether it is one.
    pub fn wrapped(bytes: &[u8]) -> bool {
        Wrapped::decode(bytes).inspect(|wrapped| assert_eq!(wrapped.encode(), bytes)).is_some()
    }
}
