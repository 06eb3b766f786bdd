use std::fs::File;
use std::path::PathBuf;

use vouchsafe_envelope::KeyServiceError;
use vouchsafe_envelope::port::{
    Capabilities, Destroys, DestructionEvidence, ErasureStrength, KeyHandle, KeyService,
};
use vouchsafe_types::{OrganisationId, Secret, SecretBytes};

use crate::keys::Keys;
use crate::{KeysError, OsEntropy, file, lock, wrap};

mod config;
mod device;
mod sealed;

pub use config::TpmConfig;
use device::Device;

/// State keys in one file of this host, sealed under a root secret that lies in an NV index of a TPM 2.0.
///
/// A blob that a TPM sealed opens for as long as the TPM lives, wherever copies of it lie. So the TPM keeps a
/// secret that changes instead: to destroy keys, the table without them is sealed under a fresh root secret,
/// and the fresh secret overwrites the old one in the NV index. From then on no earlier file opens, in no
/// backup either. A key that is made is sealed under the root secret that is there: the NV index is written
/// once a destruction and never otherwise. Data sheets promise in the order of 100,000 writes of one index,
/// so destroy in batches.
///
/// # What is trusted
/// The TPM keeps the root secret and forgets an overwritten one; 32 bytes are written whole or not at all. A
/// copy of the TPM's own NV memory undoes a destruction if the file is restored with it. Nobody copies that
/// of a chip; that of a virtual TPM is a file. The crate cannot tell which it talks to, so the strength is
/// [`ErasureStrength::HostOnly`] unless the operator declares more ([`TpmConfig::declared`]).
///
/// The host sees the root secret and the keys at every call, while it lasts: a TPM does not protect from who
/// reads this process's memory, and its C libraries (TSS 2) give memory back without wiping it.
///
/// # Authorization
/// The index is read and written by its own authorization value, not by the owner's. It is exempt from the
/// TPM's dictionary attack logic (`TPMA_NV_NO_DA`): that one counter serves the whole machine, so a restart
/// loop with a wrong secret would lock out the disk's own PIN, somebody else's wrong PINs would stop every
/// erasure here, and a power cut after a use counts as a failure. In exchange the secret must not be guessable: 16
/// bytes at the least. The owner can remove the index, with every key; an owner authorization that is empty
/// leaves that to every user of the TPM.
///
/// # Use by others
/// Threads and processes may share file and TPM: each call holds a lock beside the file (`<file>.lock`,
/// `<file>.gate`), and reads the root secret anew, by five TPM commands. It waits a bounded time for the
/// lock, and for the TPM as long as that takes.
///
/// TSS 2 writes failed commands to standard error; `TSS2_LOG=all+none` in the environment silences it. Never
/// set it to `debug` or `trace`: those write what passes, and may write secrets.
#[derive(Debug)]
pub struct Tpm {
    config: TpmConfig,
    entropy: OsEntropy,
}

/// What the file holds, and the root secret it opened under.
struct Held {
    keys: Keys,
    root: Secret<32>,
    place: Place,
}

/// Where the current table lies.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    File,
    /// In the fresh file of a destruction that was interrupted after its commit.
    Fresh,
}

impl Tpm {
    /// Defines the NV index with a first root secret, and makes a file without keys. Where the TPM has no
    /// storage root key (`0x81000001`), one is made; it is not removed again.
    ///
    /// The owner's authorization value is empty unless somebody set it.
    ///
    /// # Errors
    /// [`KeysError::Exists`] when the file or the index is there; [`KeysError::TooOpen`] for a wrong owner
    /// authorization; [`KeysError::Unavailable`] without a TPM. An index that an interrupted call left without
    /// contents is [`KeysError::Corrupt`] to [`Self::open`]: remove it by [`Self::unprovision`].
    pub fn provision(config: TpmConfig, owner: &SecretBytes) -> Result<Self, KeysError> {
        let tpm = Self { config, entropy: OsEntropy::new() };
        let _lock = tpm.lock()?;
        let mut device = Device::connect(&tpm.config)?;
        // An index that exists may belong to a fresh file that is current: nothing is written before this.
        if file::exists(&tpm.config.file)? || device.is_defined()? {
            return Err(KeysError::Exists);
        }
        device.ensure_storage_root_key(owner)?;
        let root = tpm.random()?;
        sealed::store(&tpm.fresh(), &root, &Keys::default(), &tpm.entropy)?;
        device.define(owner)?;
        device.write_root(&root)?;
        file::install(&tpm.fresh(), &tpm.config.file)?;
        drop(device);
        Ok(tpm)
    }

    /// Opens a file that is there, under the root secret of the NV index.
    ///
    /// # Errors
    /// [`KeysError::Missing`] for a missing file, index or storage root key; [`KeysError::TooOpen`] for a
    /// wrong authorization or too open a file; [`KeysError::NotAuthentic`] for a file that is older than the
    /// last destruction or belongs to another TPM, and for an index that is not ours; [`KeysError::Corrupt`];
    /// [`KeysError::Unavailable`] without a TPM.
    pub fn open(config: TpmConfig) -> Result<Self, KeysError> {
        let tpm = Self { config, entropy: OsEntropy::new() };
        let lock = tpm.lock()?;
        Device::connect(&tpm.config)?.check_index()?;
        drop(lock);
        tpm.read()?;
        Ok(tpm)
    }

    /// Removes the NV index, and with it every key of every organisation at once; then the file.
    ///
    /// # Errors
    /// [`KeysError::Missing`] without the index, and nothing is removed then; [`KeysError::NotAuthentic`] for
    /// an index that is not ours; [`KeysError::TooOpen`] for a wrong owner authorization.
    pub fn unprovision(config: TpmConfig, owner: &SecretBytes) -> Result<(), KeysError> {
        let tpm = Self { config, entropy: OsEntropy::new() };
        let _lock = tpm.lock()?;
        let mut device = Device::connect(&tpm.config)?;
        device.check_index()?;
        device.undefine(owner)?;
        // Ciphertext that nothing opens any more.
        file::remove(&tpm.fresh())?;
        file::remove(&tpm.config.file)
    }

    fn lock(&self) -> Result<File, KeysError> {
        let (lock, gate) =
            (file::beside(&self.config.file, ".lock"), file::beside(&self.config.file, ".gate"));
        lock::exclusive_gated(&lock, &gate)
    }

    /// The file that the next destruction writes, or that an interrupted one left.
    fn fresh(&self) -> PathBuf {
        file::beside(&self.config.file, ".next")
    }

    fn random(&self) -> Result<Secret<32>, KeysError> {
        Secret::random(&self.entropy).map_err(|_| KeysError::Unavailable)
    }

    fn read(&self) -> Result<Keys, KeysError> {
        let _lock = self.lock()?;
        Ok(self.load(&mut Device::connect(&self.config)?)?.keys)
    }

    /// Whichever file opens under the root secret is current; at most one does.
    fn load(&self, device: &mut Device<'_>) -> Result<Held, KeysError> {
        let root = device.read_root()?;
        let error = match sealed::load(&self.config.file, &root) {
            Ok(keys) => return Ok(Held { keys, root, place: Place::File }),
            Err(error) => error,
        };
        match sealed::load(&self.fresh(), &root) {
            Ok(keys) => Ok(Held { keys, root, place: Place::Fresh }),
            Err(_) => Err(error),
        }
    }

    /// As [`Self::load`], for a caller that goes on to write: an interrupted destruction is ended first.
    fn load_settled(&self, device: &mut Device<'_>) -> Result<Held, KeysError> {
        let held = self.load(device)?;
        if held.place == Place::Fresh {
            file::install(&self.fresh(), &self.config.file)?;
        }
        Ok(held)
    }

    fn add(&self, handle: &KeyHandle) -> Result<(), KeysError> {
        let _lock = self.lock()?;
        let mut held = self.load_settled(&mut Device::connect(&self.config)?)?;
        if held.keys.get(handle).is_some() {
            return Ok(());
        }
        held.keys.insert(handle.clone(), self.random()?);
        sealed::store(&self.config.file, &held.root, &held.keys, &self.entropy)
    }

    fn remove(&self, handle: &KeyHandle) -> Result<(), KeysError> {
        let _lock = self.lock()?;
        let mut device = Device::connect(&self.config)?;
        let mut held = self.load_settled(&mut device)?;
        if !held.keys.remove(handle) {
            return Ok(());
        }
        let root = self.random()?;
        sealed::store(&self.fresh(), &root, &held.keys, &self.entropy)?;
        // INVARIANT (commit): the fresh file is durable before, and stays after an error, because the TPM may have
        // written the secret and only its answer been lost.
        device.write_root(&root)?;
        file::install(&self.fresh(), &self.config.file)
    }
}

impl KeyService for Tpm {
    fn create(&self, handle: &KeyHandle) -> Result<(), KeyServiceError> {
        self.add(handle).map_err(KeysError::as_service)
    }

    fn wrap(
        &self,
        handle: &KeyHandle,
        secret: &Secret<32>,
        context: &[u8],
    ) -> Result<Vec<u8>, KeyServiceError> {
        let keys = self.read().map_err(KeysError::as_service)?;
        wrap::wrap(&keys, handle, secret, context, &self.entropy)
    }

    fn unwrap(
        &self,
        handle: &KeyHandle,
        wrapped: &[u8],
        context: &[u8],
    ) -> Result<Secret<32>, KeyServiceError> {
        let keys = self.read().map_err(KeysError::as_service)?;
        wrap::unwrap(&keys, handle, wrapped, context)
    }

    fn destroy(&self, handle: &KeyHandle) -> Result<DestructionEvidence, KeyServiceError> {
        self.remove(handle).map_err(KeysError::as_service)?;
        Ok(DestructionEvidence::new(handle.clone(), self.strength()))
    }

    fn list(&self, organisation: &OrganisationId) -> Result<Vec<KeyHandle>, KeyServiceError> {
        let keys = self.read().map_err(KeysError::as_service)?;
        Ok(keys.of(organisation))
    }

    fn strength(&self) -> ErasureStrength {
        self.config.strength
    }

    /// Keys pass through this process's memory, so they are not remote, though a call costs a bus round trip.
    fn capabilities(&self) -> Capabilities {
        Capabilities { destroys: Destroys::Any, rewraps: false, attests: false, remote: false }
    }
}
