use std::io;

use thiserror::Error;
use vouchsafe::embed::EmbedError;
use vouchsafe::ledger::LedgerError;
use vouchsafe::retention::RetentionError;
use vouchsafe::types::TypeError;
use vouchsafe_eval::EvalError;

/// What ends a command. No path, no score, no content: the operator knows what they named.
#[derive(Debug, Error)]
pub(crate) enum CliError {
    // The command line.
    #[error("{0} exists already; name a new one")]
    Exists(&'static str),
    #[error("{0} is malformed")]
    Malformed(&'static str),
    #[error("{0} does not exist")]
    Missing(&'static str),
    #[error("the folder holds no vouchsafe database")]
    NoDatabase,
    #[error("the folder holds no published log: there is no checkpoint in it")]
    NoLog,
    #[error("--proof says something about a receipt only: give --receipt too")]
    ProofAlone,
    #[error("the organisation is not known in this folder")]
    UnknownOrganisation,

    // Refusals: the command ran and the answer is no.
    #[error("the golden file shares no pair with these pictures")]
    GoldenForeign,
    #[error("the certificate is not about this receipt")]
    NotAbout,
    #[error("no person has two usable pictures, so there is no genuine comparison")]
    NoGenuine,
    #[error("there are no pictures (jpg, jpeg, png, webp) below the folder")]
    NoPictures,
    #[error("the log is not sound: {0} finding(s)")]
    NotSound(u64),
    #[error("none of the pictures could be used")]
    NoneUsable,
    #[error("there are usable pictures of one person only, so there is no impostor comparison")]
    OnePerson,
    #[error("fenced and not yet destroyed: {cause}; run the sweep to go on")]
    Pending { cause: String },

    // The environment.
    #[error("{what} cannot be used: {kind}")]
    File { what: &'static str, kind: io::ErrorKind },
    #[error("the output cannot be written: {0}")]
    Output(io::ErrorKind),
    #[error("a worker thread stopped unexpectedly")]
    Worker,

    // What the libraries say.
    #[error("{0}")]
    Capture(#[from] EmbedError),
    #[error("rates: {0}")]
    Eval(#[from] EvalError),
    #[error("{0}")]
    Facade(#[from] vouchsafe::Error),
    #[error("log: {0}")]
    Ledger(#[from] LedgerError),
    #[error("retention: {0}")]
    Retention(#[from] RetentionError),
    #[error("{0}")]
    Type(#[from] TypeError),
}

impl CliError {
    /// A file or folder, by the part it plays, that could not be read or written.
    pub(crate) fn file(what: &'static str, error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::AlreadyExists => Self::Exists(what),
            io::ErrorKind::NotFound => Self::Missing(what),
            kind => Self::File { what, kind },
        }
    }

    /// 2 when the command line is wrong or names what is not there, else 1.
    pub(crate) const fn exit_code(&self) -> u8 {
        match self {
            Self::Exists(_)
            | Self::Malformed(_)
            | Self::Missing(_)
            | Self::NoDatabase
            | Self::NoLog
            | Self::ProofAlone
            | Self::Type(_)
            | Self::UnknownOrganisation => 2,
            _ => 1,
        }
    }
}

/// Only the command's own output is written with `?` on an `io::Result`.
impl From<io::Error> for CliError {
    fn from(error: io::Error) -> Self {
        Self::Output(error.kind())
    }
}
