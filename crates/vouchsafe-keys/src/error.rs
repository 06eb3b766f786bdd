use std::io;

use thiserror::Error;
use vouchsafe_envelope::{KeyServiceError, StateStoreError};

/// Why a file of keys or states could not be used. Paths and contents are left out on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum KeysError {
    /// Operator: the contents are damaged or of another version.
    #[error("file is damaged or of another version")]
    Corrupt,
    /// Misuse: it is there already, and creating it again would hide what it holds.
    #[error("file exists already")]
    Exists,
    /// Misuse: a setting cannot be used as it is.
    #[error("setting cannot be used")]
    Misconfigured,
    /// Operator: it is missing. A key file that is gone takes every organisation's keys with it.
    #[error("file is missing")]
    Missing,
    /// Operator: the PKCS#11 module is missing, or does not load.
    #[error("module cannot be loaded")]
    Module,
    /// Operator: it is whole and does not open: it is older than the last destruction, or not of this installation.
    #[error("file does not open under this installation's secret")]
    NotAuthentic,
    /// Operator: it is a symbolic link, or not the kind of file that belongs there.
    #[error("not a plain file or folder")]
    NotPlain,
    /// Misuse: a later generation is stored already.
    #[error("a later generation is stored already")]
    OlderGeneration,
    /// Operator: the key file has a passphrase, and this is none or another.
    #[error("passphrase is wrong or missing")]
    Passphrase,
    /// Operator: the PIN is wrong or locked, or has one try left.
    #[error("pin is wrong, locked, or has one try left")]
    Pin,
    /// Operator: no token has that name, or several have.
    #[error("not exactly one token has that name")]
    Token,
    /// Operator: others can read or write it, it belongs to somebody else, or access is refused.
    #[error("access is refused or too open")]
    TooOpen,
    /// Environment: no space, a failing disk, or a lock held for too long. Nothing is half-written.
    #[error("storage is unavailable")]
    Unavailable,
    /// Operator: a passphrase was given, and the key file has none.
    #[error("file is not protected by a passphrase")]
    Unprotected,
    /// Operator: the token lacks what keys and wraps need.
    #[error("token lacks a mechanism")]
    Unsupported,
}

impl KeysError {
    /// Whether the same call may succeed later without anybody changing anything.
    pub const fn is_retryable(self) -> bool {
        matches!(self, Self::Unavailable)
    }

    pub(crate) fn from_io(error: &io::Error) -> Self {
        let symlink = error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error());
        match error.kind() {
            _ if symlink => Self::NotPlain,
            io::ErrorKind::AlreadyExists => Self::Exists,
            io::ErrorKind::IsADirectory | io::ErrorKind::NotADirectory => Self::NotPlain,
            io::ErrorKind::NotFound => Self::Missing,
            io::ErrorKind::PermissionDenied => Self::TooOpen,
            _ => Self::Unavailable,
        }
    }

    /// What an adapter's first call to a service met.
    #[cfg(feature = "openbao")]
    pub(crate) const fn from_service(error: KeyServiceError) -> Self {
        match error {
            KeyServiceError::Denied => Self::TooOpen,
            KeyServiceError::Unavailable => Self::Unavailable,
            _ => Self::Corrupt,
        }
    }

    pub(crate) const fn as_service(self) -> KeyServiceError {
        match self {
            Self::Corrupt | Self::NotAuthentic => KeyServiceError::Corrupt,
            Self::Unavailable => KeyServiceError::Unavailable,
            _ => KeyServiceError::Denied,
        }
    }

    pub(crate) const fn as_store(self) -> StateStoreError {
        match self {
            Self::Corrupt | Self::NotAuthentic => StateStoreError::Corrupt,
            Self::OlderGeneration => StateStoreError::OlderGeneration,
            Self::Unavailable => StateStoreError::Unavailable,
            _ => StateStoreError::Denied,
        }
    }
}
