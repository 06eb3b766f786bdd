use std::path::PathBuf;

use vouchsafe_envelope::KeyServiceError;
use vouchsafe_envelope::port::{
    Capabilities, Destroys, DestructionEvidence, ErasureStrength, KeyHandle, KeyService,
};
use vouchsafe_types::{OrganisationId, Secret, SecretBytes, wipe_stack};
use zeroize::Zeroizing;

use crate::keys::Keys;
use crate::{KeysError, OsEntropy, file, lock, wrap};

mod protection;

use protection::Protection;

/// State keys in one file of this host, mode 0600: the key service of a first installation.
///
/// Its erasure strength is [`ErasureStrength::HostOnly`]: a destroyed key is gone from the file, and a copy of
/// the file from before (a backup, a snapshot, a flash cell not yet erased) still holds it. The old file's bytes
/// are overwritten before they are given back, which helps on a disk that writes in place and nowhere else.
///
/// The file is read at every call, so processes that share it agree; changes hold a lock beside it
/// (`<file>.lock`). Whoever reads the file and the sealed states reads everything: protect the host, or the file by
/// a passphrase. A passphrase does not strengthen an erasure: who knows it opens an older copy, too.
#[derive(Debug)]
pub struct KeyFile {
    path: PathBuf,
    entropy: OsEntropy,
    protection: Option<Protection>,
}

/// How often a reader looks again when the file was replaced under its hands.
const READS: usize = 4;

impl KeyFile {
    /// Makes an empty key file.
    ///
    /// # Errors
    /// [`KeysError::Exists`] when anything has that name; [`KeysError::Missing`] for a missing folder.
    pub fn create_new(path: impl Into<PathBuf>) -> Result<Self, KeysError> {
        Self::create(path.into(), None)
    }

    /// Makes an empty key file that is encrypted by a key derived from a passphrase (Argon2id, RFC 9106: 64 MiB,
    /// three passes). The key is derived once, here, and kept in memory.
    ///
    /// # Errors
    /// As [`Self::create_new`]; [`KeysError::Passphrase`] for an empty one; [`KeysError::Unavailable`] without the
    /// memory that its derivation takes.
    pub fn create_with_passphrase(
        path: impl Into<PathBuf>,
        passphrase: &SecretBytes,
    ) -> Result<Self, KeysError> {
        let protection = Protection::fresh(passphrase, &OsEntropy::new())?;
        Self::create(path.into(), Some(protection))
    }

    /// Opens a key file that is there and has no passphrase.
    ///
    /// # Errors
    /// [`KeysError::Missing`]; [`KeysError::NotPlain`] for a link; [`KeysError::TooOpen`] when others can read or
    /// write it, or it belongs to another user; [`KeysError::Passphrase`] when it has one; [`KeysError::Corrupt`].
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, KeysError> {
        let key_file = Self { path: path.into(), entropy: OsEntropy::new(), protection: None };
        key_file.load()?;
        Ok(key_file)
    }

    /// Opens a key file that is there and has this passphrase. The key is derived once, here, and kept in memory.
    ///
    /// # Errors
    /// As [`Self::open`]; [`KeysError::Passphrase`] for another one; [`KeysError::Unprotected`] for a file without
    /// one; [`KeysError::Unavailable`] without the memory that its derivation takes.
    pub fn open_with_passphrase(
        path: impl Into<PathBuf>,
        passphrase: &SecretBytes,
    ) -> Result<Self, KeysError> {
        let mut key_file = Self { path: path.into(), entropy: OsEntropy::new(), protection: None };
        key_file.protection = Some(Protection::of(&key_file.read()?, passphrase)?);
        key_file.load()?;
        Ok(key_file)
    }

    /// Encrypts the file under another passphrase, or under its first one: the rotation of a key file's master key.
    ///
    /// Services that have the file open under the passphrase of before are refused from now on, with
    /// [`KeyServiceError::Denied`]. An older copy of the file still opens with the older passphrase.
    ///
    /// # Errors
    /// As [`Self::create_with_passphrase`]; after one, the passphrase is the one of before.
    pub fn change_passphrase(&mut self, passphrase: &SecretBytes) -> Result<(), KeysError> {
        let fresh = Protection::fresh(passphrase, &self.entropy)?;
        let _lock = self.lock()?;
        file::discard_leftover(&self.path)?;
        let keys = self.load()?;
        let before = self.protection.replace(fresh);
        self.store(&keys).inspect_err(|_| self.protection = before)
    }

    fn create(path: PathBuf, protection: Option<Protection>) -> Result<Self, KeysError> {
        let key_file = Self { path, entropy: OsEntropy::new(), protection };
        let _lock = key_file.lock()?;
        if file::exists(&key_file.path)? {
            return Err(KeysError::Exists);
        }
        key_file.store(&Keys::default())?;
        Ok(key_file)
    }

    fn lock(&self) -> Result<std::fs::File, KeysError> {
        lock::exclusive(&file::beside(&self.path, ".lock"))
    }

    fn read(&self) -> Result<Zeroizing<Vec<u8>>, KeysError> {
        // A file that is replaced while it is read is overwritten, and looks damaged once.
        let mut read = file::read(&self.path);
        for _ in 1..READS {
            if read.as_ref().err() != Some(&KeysError::Corrupt) {
                break;
            }
            read = file::read(&self.path);
        }
        // The checksum's last block holds key bytes.
        wipe_stack();
        read
    }

    fn load(&self) -> Result<Keys, KeysError> {
        let bytes = self.read()?;
        match &self.protection {
            Some(protection) => protection.decode(&bytes),
            None if protection::is_protected(&bytes) => Err(KeysError::Passphrase),
            None => Keys::decode(&bytes).ok_or(KeysError::Corrupt),
        }
    }

    fn store(&self, keys: &Keys) -> Result<(), KeysError> {
        let bytes = match &self.protection {
            Some(protection) => Zeroizing::new(protection.encode(keys, &self.entropy)?),
            None => keys.encode(),
        };
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
