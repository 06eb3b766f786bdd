//! Key services and key-state stores for the vouchsafe envelope, on files of this host.
//!
//! | adapter | port | erasure strength |
//! |---|---|---|
//! | [`KeyFile`] | [`KeyService`](vouchsafe_envelope::port::KeyService) | `HostOnly` |
//! | `Tpm`, feature `tpm` | [`KeyService`](vouchsafe_envelope::port::KeyService) | `HostOnly`, or as declared |
//! | [`FolderStates`] | [`StateStore`](vouchsafe_envelope::port::StateStore) | holds ciphertext only |
//! | [`ReplicatedStates`] | [`StateStore`](vouchsafe_envelope::port::StateStore) | several of them as one |
//! | [`FolderFences`] | [`FenceStore`](vouchsafe_envelope::port::FenceStore) | holds no key |
//! | [`BootTicks`] | [`Ticks`](vouchsafe_types::Ticks) | |
//! | [`OsEntropy`] | [`Entropy`](vouchsafe_types::Entropy) | |
//!
//! Threads and processes may share one key file and one folder of states. Keep them out of backups: a copy of
//! both from before an erasure opens what was erased since. The crate needs a Unix file system with `flock`.
#![forbid(unsafe_code)]

mod entropy;
mod error;
mod fences;
mod file;
mod folder;
mod key_file;
mod leases;
mod lock;
mod replicated;
mod ticks;
mod keys;
#[cfg(feature = "tpm")]
mod tpm;
mod wrap;

pub use entropy::OsEntropy;
pub use error::KeysError;
pub use fences::FolderFences;
pub use folder::FolderStates;
pub use key_file::KeyFile;
pub use replicated::{Replica, ReplicatedStates};
pub use ticks::BootTicks;
#[cfg(feature = "tpm")]
pub use tpm::{Tpm, TpmConfig};
