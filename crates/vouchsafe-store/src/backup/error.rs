use std::io;

use thiserror::Error;

use crate::StoreError;

/// Why a backup was not made, is not sound, or was not restored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum BackupError {
    /// Misuse: there is something where the backup is to be.
    #[error("the folder of the backup exists already: name a new one")]
    Exists,
    /// Misuse: there is a database where the backup is to be restored to, or it is not empty.
    #[error("there are rows already: a backup is restored into an empty database only")]
    Occupied,
    /// Misuse: a row is longer than the format holds.
    #[error("a row of {0} is longer than 64 MiB")]
    TooLong(&'static str),
    /// Malformed: a file of the backup is missing.
    #[error("the backup is not complete: {0} is missing; take another backup")]
    Missing(&'static str),
    /// Malformed: a file of the backup is not as it was written.
    #[error("the backup is damaged: {0} is not as it was written; take another backup")]
    Damaged(&'static str),
    /// Malformed: the rows of the backup are not the log that its checkpoint was signed over.
    #[error(
        "the rows of the backup do not give the root of its checkpoint: take another backup, keep this one as evidence"
    )]
    RootDiffers,
    /// Malformed: the checkpoint of the backup is not signed with the key of the log.
    #[error(
        "the checkpoint of the backup is not signed by the log: take another backup, keep this one as evidence"
    )]
    NotSigned,
    /// Malformed: a newer program wrote the backup.
    #[error("the backup is of a newer format or schema than this program: upgrade the program")]
    Newer,
    /// For the operator: an older program wrote the backup, of a schema that this one does not restore.
    #[error("the backup is of an older schema: restore it with the version that wrote it, then migrate")]
    Older,
    /// Unavailable: the operating system refused an operation on the folder of the backup.
    #[error("the folder of the backup cannot be used: {0}")]
    Io(io::ErrorKind),
    /// Unavailable, or as the database says.
    #[error("{0}")]
    Store(#[from] StoreError),
}
