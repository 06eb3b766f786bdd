use std::path::PathBuf;

use vouchsafe_envelope::KeyServiceError;
use vouchsafe_envelope::port::{
    Capabilities, Destroys, DestructionEvidence, ErasureStrength, KeyHandle, KeyService,
};
use vouchsafe_types::{OrganisationId, Secret, wipe_stack};
use zeroize::Zeroizing;

use crate::keys::Keys;
use crate::{KeysError, OsEntropy, file, lock, wrap};

/// State keys in one file of this host, mode 0600: the key service of a first installation.
///
/// Its erasure strength is [`ErasureStrength::HostOnly`]: a destroyed key is gone from the file, and a copy of
/// the file from before (a backup, a snapshot, a flash cell not yet erased) still holds it. The old file's bytes
/// are overwritten before they are given back, which helps on a disk that writes in place and nowhere else.
///
/// The file is read at every call, so processes that share it agree; changes hold a lock beside it
/// (`<file>.lock`). Whoever reads the file and the sealed states reads everything: protect the host.
#[derive(Debug)]
pub struct KeyFile {
    path: PathBuf,
    entropy: OsEntropy,
}

/// How often a reader looks again when the file was replaced under its hands.
const READS: usize = 4;

impl KeyFile {
    /// Makes an empty key file.
    ///
    /// # Errors
    /// [`KeysError::Exists`] when anything has that name; [`KeysError::Missing`] for a missing folder.
    pub fn create_new(path: impl Into<PathBuf>) -> Result<Self, KeysError> {
        let key_file = Self { path: path.into(), entropy: OsEntropy::new() };
        let _lock = key_file.lock()?;
        if file::exists(&key_file.path)? {
            return Err(KeysError::Exists);
        }
        key_file.store(&Keys::default())?;
        Ok(key_file)
    }

    /// Opens a key file that is there.
    ///
    /// # Errors
    /// [`KeysError::Missing`]; [`KeysError::NotPlain`] for a link; [`KeysError::TooOpen`] when others can read or
    /// write it, or it belongs to another user; [`KeysError::Corrupt`].
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, KeysError> {
        let key_file = Self { path: path.into(), entropy: OsEntropy::new() };
        key_file.load()?;
        Ok(key_file)
    }

    fn lock(&self) -> Result<std::fs::File, KeysError> {
        lock::exclusive(&file::beside(&self.path, ".lock"))
    }

    fn load(&self) -> Result<Keys, KeysError> {
        // A file that is replaced while it is read is overwritten, and looks damaged once.
        let mut read = self.load_once();
        for _ in 1..READS {
            if read.as_ref().err() != Some(&KeysError::Corrupt) {
                break;
            }
            read = self.load_once();
        }
        // The checksum's last block holds key bytes.
        wipe_stack();
        read
    }

    fn load_once(&self) -> Result<Keys, KeysError> {
        let bytes = file::read(&self.path)?;
        Keys::decode(&bytes).ok_or(KeysError::Corrupt)
    }

    fn store(&self, keys: &Keys) -> Result<(), KeysError> {
        let bytes: Zeroizing<Vec<u8>> = keys.encode();
        let stored = file::replace(&self.path, &bytes);
        wipe_stack();
        stored
    }

    fn add(&self, handle: &KeyHandle) -> Result<(), KeysError> {
        let _lock = self.lock()?;
        let mut keys = self.load()?;
        if keys.get(handle).is_some() {
            return Ok(());
        }
        let key = Secret::random(&self.entropy).map_err(|_| KeysError::Unavailable)?;
        keys.insert(handle.clone(), key);
        self.store(&keys)
    }

    fn remove(&self, handle: &KeyHandle) -> Result<(), KeysError> {
        let _lock = self.lock()?;
        // An interrupted change may have left a second file with the key in it.
        file::discard_leftover(&self.path)?;
        let mut keys = self.load()?;
        if keys.remove(handle) { self.store(&keys) } else { Ok(()) }
    }
}

impl KeyService for KeyFile {
    fn create(&self, handle: &KeyHandle) -> Result<(), KeyServiceError> {
        self.add(handle).map_err(KeysError::as_service)
    }

    fn wrap(
        &self,
        handle: &KeyHandle,
        secret: &Secret<32>,
        context: &[u8],
    ) -> Result<Vec<u8>, KeyServiceError> {
        let keys = self.load().map_err(KeysError::as_service)?;
        wrap::wrap(&keys, handle, secret, context, &self.entropy)
    }

    fn unwrap(
        &self,
        handle: &KeyHandle,
        wrapped: &[u8],
        context: &[u8],
    ) -> Result<Secret<32>, KeyServiceError> {
        let keys = self.load().map_err(KeysError::as_service)?;
        wrap::unwrap(&keys, handle, wrapped, context)
    }

    fn destroy(&self, handle: &KeyHandle) -> Result<DestructionEvidence, KeyServiceError> {
        self.remove(handle).map_err(KeysError::as_service)?;
        Ok(DestructionEvidence::new(handle.clone(), self.strength()))
    }

    fn list(&self, organisation: &OrganisationId) -> Result<Vec<KeyHandle>, KeyServiceError> {
        let keys = self.load().map_err(KeysError::as_service)?;
        Ok(keys.of(organisation))
    }

    fn strength(&self) -> ErasureStrength {
        ErasureStrength::HostOnly
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities { destroys: Destroys::Any, rewraps: false, attests: false, remote: false }
    }
}
