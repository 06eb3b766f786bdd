//! Key services and key-state stores for the vouchsafe envelope: files of this host, and services behind features.
//!
//! | adapter | port | erasure strength |
//! |---|---|---|
//! | [`KeyFile`] | [`KeyService`](vouchsafe_envelope::port::KeyService) | `HostOnly` |
//! | `Pkcs11` (feature `pkcs11`) | [`KeyService`](vouchsafe_envelope::port::KeyService) | as declared |
//! | `OpenBao` (feature `openbao`) | [`KeyService`](vouchsafe_envelope::port::KeyService) | `HostOnly`, or as declared |
//! | `Tpm` (feature `tpm`) | [`KeyService`](vouchsafe_envelope::port::KeyService) | `HostOnly`, or as declared |
//! | [`FolderStates`] | [`StateStore`](vouchsafe_envelope::port::StateStore) | holds ciphertext only |
//! | [`ReplicatedStates`] | [`StateStore`](vouchsafe_envelope::port::StateStore) | several of them as one |
//! | [`FolderFences`] | [`FenceStore`](vouchsafe_envelope::port::FenceStore) | holds no key |
//! | [`BootTicks`] | [`Ticks`](vouchsafe_types::Ticks) | |
//! | [`OsEntropy`] | [`Entropy`](vouchsafe_types::Entropy) | |
//!
//! Threads and processes may share one key file and one folder of states. Keep them out of backups: a copy of
//! both from before an erasure opens what was erased since. A key file may have a passphrase, which keeps a stolen
//! copy shut and an erasure no stronger. The crate needs a Unix file system with `flock`.
#![forbid(unsafe_code)]

#[cfg(any(feature = "key-file", feature = "openbao", feature = "pkcs11", feature = "tpm"))]
mod binding;
mod entropy;
mod error;
mod fences;
mod file;
mod folder;
#[cfg(feature = "key-file")]
mod key_file;
#[cfg(any(feature = "key-file", feature = "tpm"))]
mod keys;
mod leases;
mod lock;
#[cfg(feature = "openbao")]
mod openbao;
#[cfg(feature = "pkcs11")]
mod pkcs11;
mod replicated;
mod ticks;
#[cfg(feature = "tpm")]
mod tpm;
#[cfg(any(feature = "key-file", feature = "tpm"))]
mod wrap;

pub use entropy::OsEntropy;
pub use error::KeysError;
pub use fences::FolderFences;
pub use folder::FolderStates;
#[cfg(feature = "key-file")]
pub use key_file::KeyFile;
#[cfg(feature = "openbao")]
pub use openbao::{OpenBao, OpenBaoConfig, OpenBaoCredentials};
#[cfg(feature = "pkcs11")]
pub use pkcs11::{Pkcs11, Pkcs11Config, TokenName};
pub use replicated::{Replica, ReplicatedStates};
pub use ticks::BootTicks;
#[cfg(feature = "tpm")]
pub use tpm::{Tpm, TpmConfig};

/// The parsers behind the key services, for the fuzz targets alone.
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzzing {
    #[cfg(feature = "openbao")]
    pub use crate::openbao::fuzz_openbao;
    #[cfg(feature = "pkcs11")]
    pub use crate::pkcs11::fuzzing::{object_id, wrapped};
}
