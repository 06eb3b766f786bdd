use thiserror::Error;

/// Why a transaction did not take place. Nothing of it is stored, but for [`Self::CommitUnknown`]; and where the disk
/// itself failed at the commit, a crash can bring it back, so that whoever got that error asks again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Misuse: the closure gave up; its own error says why.
    #[error("transaction was given up")]
    Aborted,
    /// Misuse: a row that must be new exists already.
    #[error("row exists already")]
    Conflict,
    /// Misuse: the call came from inside an asynchronous runtime, whose thread it would block.
    #[error("call blocks inside an async runtime: call it from a blocking thread (spawn_blocking)")]
    InsideRuntime,
    /// Malformed: the database, or a value in it, is damaged or not of this program.
    #[error("database is damaged or was not written by this program")]
    Damaged,
    /// Malformed: a newer program wrote the database.
    #[error("database schema is newer than this program: upgrade the program")]
    NewerSchema,
    /// Malformed: the connection string, or the certificates given with it, cannot be read.
    #[error("connection string or root certificates are malformed")]
    Connection,
    /// For the operator: the database has no schema yet, or an older one than this program needs.
    #[error("database schema is missing or older than this program: run `vouchsafe store migrate`")]
    OlderSchema,
    /// For the operator: a restore into this database was cut short.
    #[error("database is half restored: restore again, into an empty database")]
    HalfRestored,
    /// For the operator: a table, constraint or policy is not as the migration made it.
    #[error("database schema was edited by hand: restore it, or move the rows to a new database")]
    SchemaDiffers,
    /// For the operator: row-level security does not hold for the role, or the role could switch it off.
    #[error(
        "row-level security is not active: connect as a role that neither owns the tables nor bypasses it"
    )]
    RowSecurityOff,
    /// For the operator: the connection to another machine would not be encrypted.
    #[error("connection would not be encrypted: require TLS on server and client (sslmode=require)")]
    PlaintextRefused,
    /// For the operator: no root certificate vouches for the server.
    #[error("certificate of the server is not trusted: give the root certificate that signed it")]
    UntrustedServer,
    /// For the operator: the server knows no such user, password or database, or denies what is needed of it.
    #[error("server denies access: check user, password, database and grants")]
    Denied,
    /// For the operator: the clocks of the server and of this machine are too far apart.
    #[error("clocks of server and client differ by too much: synchronise both")]
    ClockSkew,
    /// Unavailable: another process held the database for longer than the bounded wait.
    #[error("database is locked by another process: try again")]
    Locked,
    /// Unavailable: the disk is full.
    #[error("disk is full: free space, then try again")]
    Full,
    /// Unavailable: the database, its folder or its server cannot be written.
    #[error(
        "database is read-only: give the process write permission to its folder, or connect to the primary"
    )]
    ReadOnly,
    /// Unavailable: the operating system refused an operation on the database or its folder.
    #[error("storage does not answer")]
    Io,
    /// Unavailable: the answer to the commit was lost, and the server does not tell any more whether it took place.
    /// An act under an idempotency key (`Subject::once` of the facade) can simply be repeated.
    #[error("outcome of the commit is unknown: look for the change before you repeat it")]
    CommitUnknown,
}

impl StoreError {
    /// Whether the same call may succeed later without a change by the caller, and does no harm if it is repeated.
    pub const fn is_retryable(self) -> bool {
        matches!(self, Self::Full | Self::Io | Self::Locked)
    }

    #[cfg(feature = "sqlite")]
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
