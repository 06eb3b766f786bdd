use std::io;

use thiserror::Error;
use vouchsafe::embed::EmbedError;
use vouchsafe::envelope::StateStoreError;
use vouchsafe::ledger::LedgerError;
use vouchsafe::retention::RetentionError;
use vouchsafe::retention::disclosure::DisclosureRefusal;
use vouchsafe::retention::documents::DocumentError;
use vouchsafe::store::{BackupError, StoreError};
use vouchsafe::types::TypeError;
use vouchsafe_eval::EvalError;
use vouchsafe_keys::KeysError;
use vouchsafe_witness::SetupError;

use crate::words;

/// What ends a command. No path, no score, no content: the operator knows what they named.
#[derive(Debug, Error)]
pub(crate) enum CliError {
    // The command line.
    #[error("somebody who looked at documents is named with --checked-by, and only then")]
    CheckedBy,
    #[error("{0} exists already; name a new one")]
    Exists(&'static str),
    #[error("the life: {0}")]
    Life(String),
    #[error("{0} is malformed")]
    Malformed(&'static str),
    #[error("{0} does not exist")]
    Missing(&'static str),
    #[error("the folder holds no vouchsafe database")]
    NoDatabase,
    #[error("the folder holds no published log: there is no checkpoint in it")]
    NoLog,
    #[error("only an encrypted copy is written with --out: name a key with --to or --passphrase-file")]
    NoCopyKey,
    #[error("the environment variable of {0} is not set")]
    NoVariable(&'static str),
    #[error("no witness to ask: name one with --witness, or in the policy file with its address")]
    NoWitness,
    #[error("only a key file has a passphrase")]
    NoPassphrase,
    #[error("this program was built without the feature {0}, which {1} needs")]
    NotBuilt(&'static str, &'static str),
    #[error("name the role that serves with --service-role: it gets the grants")]
    NoServiceRole,
    #[error(
        "the owner of the tables recovers nothing: name the settings of the role that serves with --serving"
    )]
    NoServing,
    #[error("there is no database yet: make one with --create, or mend the path")]
    NotCreated,
    #[error("--proof says something about a receipt only: give --receipt too")]
    ProofAlone,
    #[error("the file of {0} does not exist")]
    SecretMissing(&'static str),
    #[error("give as many signatures as packs, in the same order")]
    Signatures,
    #[error("{0}: {1}")]
    Settings(&'static str, String),
    #[error("{0} names no known kind: {list}", list = words::or(.1))]
    UnknownKind(&'static str, &'static [&'static str]),
    #[error("a witness is named as VKEY=URL: the key that its cosignatures verify with, and where it is")]
    WitnessArgument,
    #[error("the witness: {0}")]
    WitnessSetup(#[from] SetupError),
    #[error("the organisation published no such notice")]
    UnknownNotice,
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
    #[error("{0} holding(s) are later than the margin: run the sweep, and look why it did not")]
    Late(u64),
    #[error("{0} order(s) are not acknowledged in time")]
    LateOrders(usize),
    #[error("{0} step(s) of requests are overdue")]
    LateRequests(usize),
    #[error("the notice promises something else than what runs: {0} finding(s)")]
    NoticeFindings(usize),
    #[error("{0} of the witnesses gave no cosignature")]
    NotCosigned(u64),
    #[error("the bundle is not sound: {0} finding(s)")]
    BundleNotSound(u64),
    #[error("the receipt carries no proof that its entry is in the log")]
    NoProof,
    #[error("the packs make another policy than the one named")]
    OtherPolicy,
    #[error("the proof is of another entry than the receipt")]
    OtherEntry,
    #[error("the receipt's act does not name this notice")]
    OtherNotice,
    #[error("the log is not sound: {0} finding(s)")]
    NotSound(u64),
    #[error("none of the pictures could be used")]
    NoneUsable,
    #[error("there are usable pictures of one person only, so there is no impostor comparison")]
    OnePerson,
    #[error("the policy states no end for: {0}; nothing of it is kept until it does")]
    Ungoverned(String),
    #[error("fenced and not yet destroyed: {cause}; run the sweep to go on")]
    Pending { cause: String },

    #[error("the store is not sound: {0} finding(s)")]
    StoreNotSound(u64),
    #[error("{0} of what was looked at cannot be served from as it is")]
    NotServable(usize),

    #[error("fenced and not yet destroyed: run this again once that is mended")]
    StillPending,
    #[error("the key state is not whole in every place, or its gate is not open")]
    StateNotSound,

    // The environment.
    #[error("{what} cannot be used: {kind}")]
    File { what: &'static str, kind: io::ErrorKind },
    #[error("the key file is missing: restore the keys, or name the key service with --keys")]
    KeysMissing,
    #[error("{0} must be in a private file (mode 0600)")]
    NotPrivate(&'static str),
    #[error("the output cannot be written: {0}")]
    Output(io::ErrorKind),
    #[error("the file of {what} cannot be used: {kind}")]
    SecretFile { what: &'static str, kind: io::ErrorKind },
    #[error("{0} is empty or too long")]
    SecretLength(&'static str),
    #[error("a worker thread stopped unexpectedly")]
    Worker,

    // What the libraries say.
    #[error("{0}")]
    Backup(#[from] BackupError),
    #[error("{0}")]
    Capture(#[from] EmbedError),
    #[error("refused, and the log says so: {0}")]
    Disclosure(#[from] DisclosureRefusal),
    #[error("document: {0}")]
    Document(#[from] DocumentError),
    #[error("rates: {0}")]
    Eval(#[from] EvalError),
    #[error("{0}")]
    Facade(#[from] vouchsafe::Error),
    #[error("key service: {0}")]
    KeyService(#[from] KeysError),
    #[error("log: {0}")]
    Ledger(#[from] LedgerError),
    #[error("a place of the key state: {0}")]
    Place(#[source] KeysError),
    #[cfg(feature = "objects")]
    #[error("object storage: {0}")]
    Objects(#[from] vouchsafe_objects::ObjectsError),
    #[error("storage: {0}")]
    Store(#[from] StoreError),
    #[error("key state: {0}")]
    State(#[from] StateStoreError),
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

    /// As [`Self::file`], for the file of a secret.
    pub(crate) fn secret_file(what: &'static str, error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound => Self::SecretMissing(what),
            kind => Self::SecretFile { what, kind },
        }
    }

    /// 2 when the command line is wrong or names what is not there, else 1.
    pub(crate) const fn exit_code(&self) -> u8 {
        match self {
            Self::CheckedBy
            | Self::Exists(_)
            | Self::Life(_)
            | Self::Malformed(_)
            | Self::Missing(_)
            | Self::NoCopyKey
            | Self::NoDatabase
            | Self::NoLog
            | Self::NoPassphrase
            | Self::NoWitness
            | Self::NoServiceRole
            | Self::NoServing
            | Self::NotBuilt(..)
            | Self::NotCreated
            | Self::NoVariable(_)
            | Self::ProofAlone
            | Self::SecretMissing(_)
            | Self::Settings(..)
            | Self::Signatures
            | Self::Type(_)
            | Self::UnknownKind(..)
            | Self::UnknownNotice
            | Self::UnknownOrganisation
            | Self::WitnessArgument
            | Self::WitnessSetup(_) => 2,
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
