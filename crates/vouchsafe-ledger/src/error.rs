use std::io;

use thiserror::Error;

/// Why the ledger gave no answer. Sorted by who must act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum LedgerError {
    /// Misuse: a key name or origin is empty, or holds a space, a plus or a control character.
    #[error("key name or origin is malformed")]
    Name,
    /// Misuse: an index, size, level or time lies outside the range of the log.
    #[error("index or size lies outside the log")]
    OutOfRange,

    /// Malformed: a checkpoint is not exactly origin, size and root.
    #[error("checkpoint is malformed")]
    CheckpointMalformed,
    /// Malformed: an entry bundle does not divide into length-prefixed entries.
    #[error("entry bundle is malformed")]
    BundleMalformed,
    /// Malformed: a handover of the log's key, or the statement in it, does not parse.
    #[error("key handover is malformed")]
    HandoverMalformed,
    /// Malformed: the text form of a key does not parse.
    #[error("verifier key is malformed")]
    KeyMalformed,
    /// Malformed: a leaf has another version or length, or a kind outside the vocabulary.
    #[error("leaf is malformed")]
    LeafMalformed,
    /// Malformed: a signed note does not parse.
    #[error("signed note is malformed")]
    NoteMalformed,
    /// Malformed: a path is none of the log's paths.
    #[error("path is not one of the log")]
    PathMalformed,
    /// Malformed: a trust policy does not parse, or is beyond its limits.
    #[error("trust policy is malformed")]
    PolicyMalformed,
    /// Malformed: a receipt does not parse.
    #[error("receipt is malformed")]
    ReceiptMalformed,
    /// Malformed: a code or name lies outside a closed vocabulary.
    #[error("code or name is outside the vocabulary")]
    WordUnknown,
    /// Malformed: a request to a witness, or its answer, does not parse.
    #[error("message of the witness protocol is malformed")]
    WitnessMalformed,

    /// Rejected: a handover does not lead from the trusted key, or its leaf says something else.
    #[error("key handover is not shown by the log")]
    HandoverRejected,
    /// Rejected: a key signed beyond the size at which it was handed over.
    #[error("checkpoint is signed by a key that was handed over before")]
    KeyRetired,
    /// Rejected: the checkpoint belongs to another log.
    #[error("checkpoint belongs to another log")]
    OriginMismatch,
    /// Rejected: a Merkle proof does not lead to the root.
    #[error("proof does not lead to the root")]
    ProofRejected,
    /// Rejected: fewer witnesses cosigned than the policy demands, or no policy demands any where one must.
    #[error("cosignatures do not make the quorum")]
    QuorumMissing,
    /// Rejected: a signature by a known key does not verify.
    #[error("signature of a known key does not verify")]
    SignatureInvalid,
    /// Rejected: no signature is by a known key.
    #[error("no signature is by a known key")]
    SignatureMissing,

    /// For the operator: nothing is published yet.
    #[error("no checkpoint is published")]
    CheckpointMissing,
    /// For the operator: the checkpoint lock holds something else than what was read from it. There is a second
    /// writer, or one of lock and tile store was restored.
    #[error("checkpoint lock was moved by another writer")]
    CheckpointMoved,
    /// For the operator: the rows give another history than the one that was signed. Nothing was written.
    #[error("rows contradict the signed history")]
    Forked,
    /// For the operator: there is less than was signed already. Nothing was written.
    #[error("log is shorter than the signed history")]
    RolledBack,
    /// For the operator: a tile does not lead to the signed root; rebuild the tiles from the rows.
    #[error("tile contradicts the signed root")]
    TileCorrupt,
    /// For the operator: a tile that the checkpoint requires is missing; rebuild the tiles from the rows.
    #[error("tile is missing")]
    TileMissing,

    /// Unavailable: another publisher holds the lease.
    #[error("another publisher holds the lease")]
    Leased,
    /// Unavailable: the checkpoint lock cannot be read, or the swap is not known to be durable.
    #[error("checkpoint lock is unavailable")]
    LockUnavailable(io::ErrorKind),
    /// Unavailable: the rows cannot be read, or fewer came than were promised.
    #[error("leaf rows are unavailable")]
    SourceUnavailable,
    /// Unavailable: the tile store failed, in this way.
    #[error("tile store is unavailable")]
    StoreUnavailable(io::ErrorKind),
}

impl LedgerError {
    /// Whether the same call may succeed later, without anybody acting on the log.
    pub const fn is_retryable(self) -> bool {
        matches!(
            self,
            Self::Leased | Self::LockUnavailable(_) | Self::SourceUnavailable | Self::StoreUnavailable(_)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_may_pass_by_itself_is_retryable() {
        assert!(LedgerError::Leased.is_retryable());
        assert!(LedgerError::StoreUnavailable(io::ErrorKind::StorageFull).is_retryable());
        for error in [LedgerError::Forked, LedgerError::RolledBack, LedgerError::SignatureInvalid] {
            assert!(!error.is_retryable());
        }
    }

    #[test]
    fn display_tells_nothing_of_the_data() {
        let text = LedgerError::StoreUnavailable(io::ErrorKind::PermissionDenied).to_string();
        assert_eq!(text, "tile store is unavailable");
    }
}
