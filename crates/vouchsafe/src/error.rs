use thiserror::Error;
use vouchsafe_consent::ConsentError;
use vouchsafe_embed::EmbedError;
use vouchsafe_envelope::EnvelopeError;
use vouchsafe_keys::KeysError;
use vouchsafe_ledger::LedgerError;
use vouchsafe_retention::RetentionError;
use vouchsafe_retention::rights::RightsError;
use vouchsafe_store::{BackupError, StoreError};
use vouchsafe_template::TemplateError;
use vouchsafe_types::{EntropyUnavailable, Timestamp, TypeError};

use crate::{BundleFinding, Stored};

/// No verdict. Callers treat every error as no.
///
/// Refusals are not here: they are values ([`Outcome`](crate::Outcome), [`Decision`](crate::Decision)).
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Error {
    /// Misuse or malformed: an act of consent that cannot be recorded.
    #[error("consent: {0}")]
    Consent(#[source] ConsentError),
    /// Misuse, malformed or unavailable: media, models or a capture session.
    #[error("capture: {0}")]
    Embed(#[source] EmbedError),
    /// Unavailable: the source of randomness did not answer.
    #[error("{0}")]
    Entropy(#[source] EntropyUnavailable),
    /// Malformed or unavailable: sealed data or the key state.
    #[error("keys: {0}")]
    Envelope(#[source] EnvelopeError),
    /// Malformed: a file or value that this version does not read.
    #[error("{0} is malformed")]
    Format(&'static str),
    /// Malformed or unavailable: the key file or the folder of key states.
    #[error("key file: {0}")]
    Keys(#[source] KeysError),
    /// Unavailable: a recovery found withdrawals or destructions in the gap that it cannot match with a person. Look
    /// into them, then accept them explicitly.
    #[error(
        "the gap holds {0} withdrawals or destructions that cannot be matched: look into them before accepting"
    )]
    Unexplained(u64),
    /// Malformed or unavailable: the log.
    #[error("log: {0}")]
    Ledger(#[source] LedgerError),
    /// Operator: the published log is older than the checkpoint kept outside of it, and the database too. Bring the
    /// log's files back; they cannot be made again.
    #[error("the published log is older than the checkpoint kept outside: bring its files back")]
    LogLost,
    /// Operator: a witness has cosigned another history of this log than the published one. Stop, and find out which
    /// one is true.
    #[error("a witness has seen another history of the log")]
    WitnessContradicts,
    /// Misuse: the operation needs a face engine and this instance was opened without one.
    #[error("opened without face models")]
    NoEngine,
    /// Malformed: the folder holds a database but its keys are missing. Restore the key folder, do not recreate it.
    #[error(
        "the folder holds a database but its key file is missing: restore the keys, do not recreate them"
    )]
    KeysMissing,
    /// Misuse: a permit, notice or receipt of another organisation or person.
    #[error("argument belongs to another organisation or person")]
    Foreign,
    /// Misuse: the notice was not published by this organisation, or is not or no longer in force.
    #[error("notice is not published or not in force")]
    UnknownNotice,
    /// Misuse: no notice was served under this ticket.
    #[error("no notice was served under this ticket")]
    UnknownTicket,
    /// Misuse: the idempotency key named another request of this person; make a new one for each request.
    #[error("the idempotency key was used for another request")]
    KeyReused,
    /// Misuse: the ticket was used by an earlier act; serve the notice again.
    #[error("the act was recorded already")]
    Replayed,
    /// Misuse: the person has no such record.
    #[error("the person has no such record")]
    UnknownRecord,
    /// Operator: the policy at hand is not the one in force for the organisation. Compare the two, then activate it.
    #[error("the retention policy is not activated for the organisation")]
    PolicyNotActivated,
    /// For the organisation: a copy of a person's data would pass over stored columns, by table and name. This version
    /// has to learn what to tell of them before a request is answered.
    #[error("the export passes over what is stored: {}", .0.join(", "))]
    ExportSilent(Vec<String>),
    /// Operator: the audit bundle that was written does not verify; this is the first that is wrong. Verify the log and
    /// its payloads.
    #[error("the bundle does not verify: {0}")]
    BundleNotSound(Box<BundleFinding>),
    /// Nobody has to act: another process does this work, until this instant at the latest, or until it is done. Calls
    /// that give a [`Destruction`](crate::Destruction) tell of it as pending.
    #[error("another process does this work until {0}")]
    Elsewhere(Timestamp),
    /// Operator: the policy names the regions where data may lie, and it is not declared where this lies. Declare it in
    /// [`Ports::residence`](crate::Ports::residence).
    #[error("it is not declared where the {} lies", .0.name())]
    ResidenceUndeclared(Stored),
    /// For the organisation: this lies outside the regions of the policy, and no safeguard of the transfer is named.
    #[error("the {} lies outside the allowed regions and no safeguard is named", .0.name())]
    OutsideRegions(Stored),
    /// Misuse: a certificate was asked for a holding that is not destroyed.
    #[error("holding is not destroyed")]
    NotDestroyed,
    /// Misuse: the plan was not approved, or differs from the approved one.
    #[error("retention plan is not approved")]
    NotApproved,
    /// Unavailable: the database was restored, or is older than the published log. Only log, proofs and evidence are
    /// given. Run the explicit recovery.
    #[error(
        "the database is older than the published log, or was restored: run the recovery before anything else"
    )]
    RecoveryRequired,
    /// Operator: nothing from outside the restored database tells what was destroyed or withdrawn after the backup. Bring
    /// the copy kept outside back; only when it is lost for good, accept the loss explicitly.
    #[error(
        "no checkpoint is kept outside of what was restored: bring it back, or accept that later withdrawals are unknown"
    )]
    OutsideLost,
    /// Misuse, malformed, for the operator or unavailable: a backup.
    #[error("backup: {0}")]
    Backup(#[source] BackupError),
    /// Malformed: a retention policy or plan.
    #[error("retention: {0}")]
    Retention(#[source] RetentionError),
    /// Misuse, or for the organisation: a step of a rights request that its state or the law does not allow.
    #[error("rights request: {0}")]
    Rights(#[source] RightsError),
    /// Misuse, malformed or unavailable: the database.
    #[error("storage: {0}")]
    Store(#[source] StoreError),
    /// Misuse or malformed: a template or threshold.
    #[error("template: {0}")]
    Template(#[source] TemplateError),
    /// Malformed: an identifier or scope.
    #[error("{0}")]
    Type(#[source] TypeError),
    /// Unavailable: the operating system refused an operation on the folder.
    #[error("the folder cannot be used: {0}")]
    Folder(std::io::ErrorKind),
}

impl Error {
    /// Whether the same call may succeed later without a change by the caller.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Backup(BackupError::Store(error)) => error.is_retryable(),
            Self::Embed(error) => error.is_retryable(),
            Self::Envelope(error) => error.is_retryable(),
            Self::Keys(error) => error.is_retryable(),
            Self::Ledger(error) => error.is_retryable(),
            Self::Store(error) => error.is_retryable(),
            Self::Elsewhere(_) | Self::Entropy(_) => true,
            _ => false,
        }
    }
}

macro_rules! wraps {
    ($($variant:ident($error:ty)),* $(,)?) => {$(
        impl From<$error> for Error {
            fn from(error: $error) -> Self {
                Self::$variant(error)
            }
        }
    )*};
}

// Siblings only: they are released together and their errors are part of this API on purpose.
wraps! {
    Backup(BackupError), Consent(ConsentError), Embed(EmbedError), Entropy(EntropyUnavailable), Envelope(EnvelopeError),
    Keys(KeysError), Ledger(LedgerError), Retention(RetentionError), Rights(RightsError), Store(StoreError),
    Template(TemplateError), Type(TypeError),
}
