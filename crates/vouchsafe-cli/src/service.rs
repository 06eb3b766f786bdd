//! Which key service: the key file of the folder, or the one that a file of settings names.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use serde::Deserialize;
use vouchsafe::envelope::port::KeyService;
use vouchsafe_keys::KeyFile;

use crate::CliError;
use crate::secret::SecretSource;
use crate::settings::SettingsFile;

mod key_file;
#[cfg(feature = "openbao")]
mod openbao;
#[cfg(feature = "pkcs11")]
mod pkcs11;
#[cfg(feature = "tpm")]
mod tpm;

/// What `vouchsafe keys --help` says of the file.
pub(crate) const HELP: &str = "\
The file that --keys names is TOML. Its kind decides which settings it takes; a relative path starts at its folder.
Secrets stand in files of their own, readable by their owner only (0600), or in the environment:

  kind = \"key-file\"
    path               of the key file; the folder's own without it
    passphrase-file    or passphrase-env, if it has one

  kind = \"pkcs11\"
    module             the PKCS#11 library
    token-label        or token-serial
    pin-file           or pin-env
    lock-file          by which the processes of this host take turns; SoftHSM2 needs it
    strength           host_only, or service_excluded_from_backup where you vouch for it

  kind = \"openbao\"
    address            https://host:port of the active node
    ca-certificates    PEM file; no other root is trusted
    token-file         or token-env; or role-id with secret-id-file or secret-id-env
    mount, prefix, timeout-ms, plaintext-loopback, storage-excluded-from-backup

  kind = \"tpm\"
    tcti               for example device:/dev/tpmrm0
    nv-index           for example 0x01800000
    auth-file          or auth-env
    file               of sealed keys
    strength           as for pkcs11; a virtual TPM is host_only";

pub(crate) const WHAT: &str = "the key service file";

/// The key service alone, without an organisation.
#[derive(Args)]
pub(crate) struct ServiceArgs {
    /// The folder that holds data, keys and log
    #[arg(long, value_name = "FOLDER", required_unless_present = "keys")]
    pub(crate) dir: Option<PathBuf>,
    /// The key service, as TOML (see `vouchsafe keys --help`); without it the folder's key file
    #[arg(long, value_name = "FILE")]
    pub(crate) keys: Option<PathBuf>,
}

impl ServiceArgs {
    /// Opens the service; never makes one.
    pub(crate) fn open(&self) -> Result<Arc<dyn KeyService>, CliError> {
        let dir = self.dir.as_deref();
        match &self.keys {
            Some(file) => open(file, dir),
            None => Ok(Arc::new(key_file::open(&key_file::path(None, dir)?, None)?)),
        }
    }

    /// Opens the service as a key file, which alone has a passphrase.
    pub(crate) fn open_key_file(&self, passphrase: &SecretSource) -> Result<KeyFile, CliError> {
        let dir = self.dir.as_deref();
        match &self.keys {
            Some(file) => {
                let settings = SettingsFile::read(file, WHAT, &KINDS)?;
                if settings.kind != "key-file" {
                    return Err(CliError::NoPassphrase);
                }
                key_file::from_settings(&settings, dir)
            }
            None => key_file::open(&key_file::path(None, dir)?, passphrase.read("the passphrase")?.as_ref()),
        }
    }
}

/// The key file of a folder; never made.
pub(crate) fn open_own(dir: &Path) -> Result<Arc<dyn KeyService>, CliError> {
    Ok(Arc::new(key_file::open(&key_file::path(None, Some(dir))?, None)?))
}

/// The kinds of key service; all but the first are there only if they were built in.
const KINDS: [&str; 4] = ["key-file", "openbao", "pkcs11", "tpm"];

/// Opens the key service that a file of settings names; never makes one.
pub(crate) fn open(file: &Path, dir: Option<&Path>) -> Result<Arc<dyn KeyService>, CliError> {
    let settings = SettingsFile::read(file, WHAT, &KINDS)?;
    match settings.kind {
        "key-file" => Ok(Arc::new(key_file::from_settings(&settings, dir)?)),
        #[cfg(feature = "openbao")]
        "openbao" => openbao::open(&settings),
        #[cfg(feature = "pkcs11")]
        "pkcs11" => pkcs11::open(&settings),
        #[cfg(feature = "tpm")]
        "tpm" => tpm::open(&settings),
        other => Err(CliError::NotBuilt(other, "that key service")),
    }
}

/// How strong the operator declares a destruction to be.
#[cfg(any(feature = "pkcs11", feature = "tpm"))]
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Declared {
    HostOnly,
    ServiceExcludedFromBackup,
}

#[cfg(any(feature = "pkcs11", feature = "tpm"))]
impl From<Declared> for vouchsafe::envelope::port::ErasureStrength {
    fn from(declared: Declared) -> Self {
        match declared {
            Declared::HostOnly => Self::HostOnly,
            Declared::ServiceExcludedFromBackup => Self::ServiceExcludedFromBackup,
        }
    }
}
