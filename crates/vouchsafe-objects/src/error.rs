use std::io;

use thiserror::Error;
use vouchsafe_envelope::StateStoreError;
use vouchsafe_ledger::LedgerError;

use crate::Conditional;

/// Why object storage gave no answer. Sorted by who must act; keys, addresses and credentials are left out on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ObjectsError {
    /// Misuse: the endpoint is no `https://` address, nor an `http://` one of this host, or has a query, a fragment,
    /// a user or a path.
    #[error("endpoint cannot be used")]
    Address,
    /// Misuse: the root certificates do not parse, hold a private key, or are missing for `https://`.
    #[error("root certificates cannot be used")]
    Certificates,
    /// Misuse: an access key, secret or session token is empty, too long, or not printable ASCII.
    #[error("credentials cannot be used")]
    Credentials,
    /// Misuse: an object key or prefix is empty, too long, or outside `a-z A-Z 0-9 . _ - /`, or has an empty step, `.`
    /// or `..`.
    #[error("object key cannot be used")]
    Key,
    /// Misuse: a name, time or number lies outside its range.
    #[error("setting lies outside its range")]
    Setting,
    /// Misuse: the bytes are more than the configured limit of one object.
    #[error("object is larger than the limit")]
    TooLarge,

    /// Malformed: the answer is none of the S3 protocol, or longer than the limit.
    #[error("answer of the server is malformed")]
    Answer,

    /// For the operator: there is no bucket of that name.
    #[error("bucket does not exist")]
    BucketMissing,
    /// For the operator: the clocks of this machine and of the server are too far apart for signatures.
    #[error("clock differs too much from the server's")]
    ClockSkewed,
    /// For the operator: the server does not honour a condition, or not when several write at once. What relies on it
    /// cannot be kept there.
    #[error("server does not honour the condition {}", .0.name())]
    ConditionIgnored(Conditional),
    /// For the operator: an object that never changes has other bytes than those to be written.
    #[error("stored object contradicts what is to be written")]
    Contradiction,
    /// For the operator: the server refuses the credentials, or what they ask for.
    #[error("access is refused")]
    Denied,
    /// For the operator: the server cannot prove who it is.
    #[error("server is not vouched for by the root certificates")]
    Identity,
    /// For the operator: a logger would be shown signatures and contents; turn the trace level of `ureq` off.
    #[error("a logger is on that would see signatures")]
    Logged,
    /// For the operator: something later is stored than what is to be written. There is a second writer.
    #[error("something later is stored already")]
    Moved,
    /// For the operator: the bucket lies elsewhere: another region or endpoint.
    #[error("bucket lies in another region or at another endpoint")]
    Region,
    /// For the operator: the bucket keeps old versions of its objects, or does not tell.
    #[error("bucket keeps old versions of its objects")]
    Versioned,

    /// Unavailable: somebody else holds the lease.
    #[error("somebody else holds the lease")]
    Leased,
    /// Unavailable: the lease ended, or somebody else took it over.
    #[error("lease is lost")]
    LeaseLost,
    /// Unavailable: no answer in time, or one that asks for patience. A change may have happened or not.
    #[error("object storage is unavailable")]
    Unavailable(io::ErrorKind),
}

impl ObjectsError {
    /// Whether the same call may succeed later, without anybody acting.
    pub const fn is_retryable(self) -> bool {
        matches!(self, Self::Leased | Self::LeaseLost | Self::Unavailable(_))
    }

    pub(crate) const fn as_tiles(self) -> LedgerError {
        match self {
            Self::Contradiction => LedgerError::TileCorrupt,
            Self::Key => LedgerError::PathMalformed,
            Self::Leased | Self::LeaseLost => LedgerError::Leased,
            Self::Moved => LedgerError::CheckpointMoved,
            error => LedgerError::StoreUnavailable(error.kind()),
        }
    }

    pub(crate) const fn as_lock(self) -> LedgerError {
        match self {
            Self::Leased | Self::LeaseLost => LedgerError::Leased,
            error => LedgerError::LockUnavailable(error.kind()),
        }
    }

    pub(crate) const fn as_states(self) -> StateStoreError {
        match self {
            Self::Answer | Self::Contradiction => StateStoreError::Corrupt,
            Self::Moved => StateStoreError::OlderGeneration,
            Self::Leased | Self::LeaseLost | Self::Unavailable(_) => StateStoreError::Unavailable,
            _ => StateStoreError::Denied,
        }
    }

    const fn kind(self) -> io::ErrorKind {
        match self {
            Self::Unavailable(kind) => kind,
            Self::Answer => io::ErrorKind::InvalidData,
            Self::BucketMissing | Self::Region => io::ErrorKind::NotFound,
            Self::ConditionIgnored(_) => io::ErrorKind::Unsupported,
            Self::TooLarge => io::ErrorKind::FileTooLarge,
            Self::ClockSkewed | Self::Denied | Self::Identity | Self::Logged | Self::Versioned => {
                io::ErrorKind::PermissionDenied
            }
            _ => io::ErrorKind::InvalidInput,
        }
    }
}
