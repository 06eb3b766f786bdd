use std::fmt;

use vouchsafe_types::Digest;

use crate::merkle::{self, HashReader, leaf_hash};
use crate::{Checkpoint, LedgerError, TileReader, TileStore, Trust, VerifierKey, published, text};

/// Evidence, to be checked offline, that one leaf is in the log
/// ([C2SP tlog-proof](https://c2sp.org/tlog-proof)): index, inclusion proof and signed checkpoint.
///
/// The text form is [`Display`](fmt::Display) and [`Receipt::parse`]. It holds nothing about a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    extra: Option<Vec<u8>>,
    index: u64,
    proof: Vec<Digest>,
    note: String,
}

impl Receipt {
    /// Reads the text form strictly. What it says is not believed before [`verify_receipt`].
    ///
    /// # Errors
    /// [`LedgerError::ReceiptMalformed`] for any other text.
    pub fn parse(receipt: &str) -> Result<Self, LedgerError> {
        Self::split(receipt).ok_or(LedgerError::ReceiptMalformed)
    }

    /// Adds opaque data to the receipt. Nothing authenticates it.
    #[must_use]
    pub fn with_extra(self, extra: &[u8]) -> Self {
        Self { extra: Some(extra.to_vec()), ..self }
    }

    /// The opaque data that came with the receipt, not authenticated.
    pub fn extra(&self) -> Option<&[u8]> {
        self.extra.as_deref()
    }

    /// The zero-based index of the leaf.
    pub const fn index(&self) -> u64 {
        self.index
    }

    /// The inclusion proof (RFC 6962 section 2.1.1), from the leaf's sibling upwards.
    pub fn proof(&self) -> &[Digest] {
        &self.proof
    }

    /// The signed checkpoint, verbatim.
    pub fn note(&self) -> &str {
        &self.note
    }

    /// Checks that this leaf is in the log that the key and origin name.
    ///
    /// # Errors
    /// As [`Self::verify_with`].
    pub fn verify(&self, leaf: &[u8], key: &VerifierKey, origin: &str) -> Result<Checkpoint, LedgerError> {
        self.verify_with(leaf, &Trust::new(key, origin))
    }

    /// Checks that this leaf is in the log, as [`Self::verify`], with all that the trust demands: its keys and the
    /// quorum of its policy. A receipt says nothing about the checkpoint that the trust remembers, which may be
    /// newer.
    ///
    /// # Errors
    /// As [`Trust::open`]; [`LedgerError::ProofRejected`] when the proof does not lead from the leaf to the root.
    pub fn verify_with(&self, leaf: &[u8], trust: &Trust<'_>) -> Result<Checkpoint, LedgerError> {
        let signed = trust.open(self.note.as_bytes())?;
        self.verify_under(leaf, signed.checkpoint())?;
        Ok(signed.checkpoint().clone())
    }

    /// As [`Self::verify_with`], for a leaf of which only the RFC 6962 hash is at hand.
    ///
    /// # Errors
    /// As [`Self::verify_with`].
    pub fn verify_hash_with(&self, leaf: &Digest, trust: &Trust<'_>) -> Result<Checkpoint, LedgerError> {
        let signed = trust.open(self.note.as_bytes())?;
        let head = signed.checkpoint();
        merkle::verify_inclusion(leaf, self.index, head.size(), &self.proof, head.root())?;
        Ok(head.clone())
    }

    /// Checks the proof against a head that is believed.
    pub(crate) fn verify_under(&self, leaf: &[u8], head: &Checkpoint) -> Result<(), LedgerError> {
        merkle::verify_inclusion(&leaf_hash(leaf), self.index, head.size(), &self.proof, head.root())
    }

    fn split(receipt: &str) -> Option<Self> {
        let (head, note) = receipt.split_once("\n\n")?;
        let lines = head.strip_prefix(HEADER)?.strip_prefix('\n')?;
        let (extra, lines) = match lines.strip_prefix("extra ") {
            Some(rest) => {
                let (extra, lines) = rest.split_once('\n')?;
                (Some(text::decode(extra)?), lines)
            }
            None => (None, lines),
        };
        let mut lines = lines.split('\n');
        let index = text::decode_decimal(lines.next()?.strip_prefix("index ")?)?;
        let proof = lines.map(text::decode_digest).collect::<Option<Vec<_>>>()?;
        (proof.len() <= MAX_PROOF).then(|| Self { extra, index, proof, note: note.to_owned() })
    }
}

impl fmt::Display for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{HEADER}")?;
        if let Some(extra) = &self.extra {
            writeln!(f, "extra {}", text::encode(extra))?;
        }
        writeln!(f, "index {}", self.index)?;
        self.proof.iter().try_for_each(|hash| writeln!(f, "{}", text::encode(hash.as_bytes())))?;
        write!(f, "\n{}", self.note)
    }
}

/// Makes the receipt of the leaf with this index against the published checkpoint.
///
/// The proof is checked against the signed root before it is handed out.
///
/// # Errors
/// [`LedgerError::CheckpointMissing`] when nothing is published; [`LedgerError::OutOfRange`] when the checkpoint
/// does not cover the leaf yet; [`LedgerError::TileMissing`] or [`LedgerError::TileCorrupt`] when the tiles do not
/// lead to the signed root; as [`published`].
pub fn prove_inclusion(store: &dyn TileStore, index: u64, trust: &Trust<'_>) -> Result<Receipt, LedgerError> {
    let signed = published(store, trust)?.ok_or(LedgerError::CheckpointMissing)?;
    let head = signed.checkpoint();
    let reader = TileReader::new(store, head.size());
    let proof = merkle::inclusion_proof(&reader, index, head.size())?;
    let leaf = reader.subtree(0, index)?;
    merkle::verify_inclusion(&leaf, index, head.size(), &proof, head.root())
        .map_err(|_| LedgerError::TileCorrupt)?;
    Ok(Receipt { extra: None, index, proof, note: signed.note().to_owned() })
}

/// Checks a receipt offline: needs the leaf, the log's public key and its origin, nothing else.
///
/// Returns: the checkpoint that covers the leaf.
///
/// # Errors
/// [`LedgerError::ReceiptMalformed`]; as [`Receipt::verify`].
pub fn verify_receipt(
    receipt: &str,
    leaf: &[u8],
    key: &VerifierKey,
    origin: &str,
) -> Result<Checkpoint, LedgerError> {
    Receipt::parse(receipt)?.verify(leaf, key, origin)
}

/// Makes the proof that the tree of `new` leaves continues that of `old` leaves (RFC 6962 section 2.1.2).
///
/// The proof is checked before it is handed out: against the signed root when `new` is the published size.
/// [`merkle::verify_consistency`] checks it at the other end.
///
/// # Errors
/// [`LedgerError::OutOfRange`] unless `old <= new <=` the published size; else as [`prove_inclusion`].
pub fn prove_consistency(
    store: &dyn TileStore,
    old: u64,
    new: u64,
    trust: &Trust<'_>,
) -> Result<Vec<Digest>, LedgerError> {
    let signed = published(store, trust)?.ok_or(LedgerError::CheckpointMissing)?;
    let head = signed.checkpoint();
    if new > head.size() {
        return Err(LedgerError::OutOfRange);
    }
    let reader = TileReader::new(store, head.size());
    let proof = merkle::consistency_proof(&reader, old, new)?;
    let old_root = merkle::root(&reader, old)?;
    let new_root = if new == head.size() { *head.root() } else { merkle::root(&reader, new)? };
    merkle::verify_consistency(old, new, &old_root, &new_root, &proof)
        .map_err(|_| LedgerError::TileCorrupt)?;
    Ok(proof)
}

/// The first line of a receipt.
const HEADER: &str = "c2sp.org/tlog-proof@v1";
/// The longest inclusion proof: one hash for each bit of an index.
const MAX_PROOF: usize = 64;
