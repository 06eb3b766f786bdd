use thiserror::Error;

/// Why a transaction did not take place. Nothing of it is stored; only where the disk itself failed at the commit can a
/// crash bring it back, so that whoever got that error asks again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Misuse: the closure gave up; its own error says why.
    #[error("transaction was given up")]
    Aborted,
    /// Misuse: a row that must be new exists already.
    #[error("row exists already")]
    Conflict,
    /// Malformed: the database, or a value in it, is damaged or not of this program.
    #[error("database is damaged or was not written by this program")]
    Damaged,
    /// Malformed: a newer program wrote the database.
    #[error("database schema is newer than this program: upgrade the program")]
    NewerSchema,
    /// Unavailable: another process held the database for longer than the bounded wait.
    #[error("database is locked by another process: try again")]
    Locked,
    /// Unavailable: the disk is full.
    #[error("disk is full: free space, then try again")]
    Full,
    /// Unavailable: the database or its folder cannot be written.
    #[error("database is read-only: give the process write permission to its folder")]
    ReadOnly,
    /// Unavailable: the operating system refused an operation on the database or its folder.
    #[error("storage does not answer")]
    Io,
}

impl StoreError {
    /// Whether the same call may succeed later without a change by the caller.
    pub const fn is_retryable(self) -> bool {
        matches!(self, Self::Full | Self::Io | Self::Locked)
    }

    pub(crate) fn from_sqlite(error: &rusqlite::Error) -> Self {
        use rusqlite::ErrorCode as Code;
        match error {
            rusqlite::Error::SqliteFailure(failure, _) => match failure.code {
                Code::ConstraintViolation => Self::Conflict,
                Code::DatabaseBusy | Code::DatabaseLocked => Self::Locked,
                Code::DiskFull => Self::Full,
                Code::ReadOnly | Code::PermissionDenied | Code::CannotOpen => Self::ReadOnly,
                Code::DatabaseCorrupt | Code::NotADatabase => Self::Damaged,
                _ => Self::Io,
            },
            _ => Self::Damaged,
        }
    }
}
