//! Handing the key of a log over: the old key's log says which key comes next, and both keys sign that.

use std::fmt;

use vouchsafe_types::Secret;

use crate::{
    Checkpoint, EntryKind, Leaf, LedgerError, Opening, Policy, Receipt, SignedCheckpoint, TileStore, Trust,
    VerifierKey, commitment, prove_inclusion, text, tiles::handover_path, vocabulary::vocabulary,
};

vocabulary! {
    /// Why the key of a log was handed over.
    HandoverReason: u8, else WordUnknown;
    /// Somebody else may have the old key. A quorum of witnesses must have cosigned, because a thief signs as the
    /// log does.
    Compromised = 1 "compromised",
    /// It was due; the old key is destroyed and nobody else ever had it.
    Scheduled = 2 "scheduled",
}

/// What the leaf [`EntryKind::LogKeyRotated`] commits to, with the public opening of 32 zero bytes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct HandoverStatement {
    origin: String,
    old: VerifierKey,
    new: VerifierKey,
    reason: HandoverReason,
}

impl HandoverStatement {
    /// States that the log with this origin is signed by the new key from here on.
    ///
    /// # Errors
    /// [`LedgerError::Name`] when the origin is no origin; [`LedgerError::HandoverMalformed`] when both keys are one.
    pub fn new(
        origin: &str,
        old: VerifierKey,
        new: VerifierKey,
        reason: HandoverReason,
    ) -> Result<Self, LedgerError> {
        crate::key::check_name(origin)?;
        if old.public_key() == new.public_key() {
            return Err(LedgerError::HandoverMalformed);
        }
        Ok(Self { origin: origin.to_owned(), old, new, reason })
    }

    /// Reads the text form; it has one spelling.
    ///
    /// # Errors
    /// [`LedgerError::HandoverMalformed`] for any other text.
    pub fn parse(text: &[u8]) -> Result<Self, LedgerError> {
        Self::split(text).ok_or(LedgerError::HandoverMalformed)
    }

    /// Which log it is about.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The key that signed until here.
    pub const fn old(&self) -> &VerifierKey {
        &self.old
    }

    /// The key that signs from here on.
    pub const fn new_key(&self) -> &VerifierKey {
        &self.new
    }

    /// Why.
    pub const fn reason(&self) -> HandoverReason {
        self.reason
    }

    /// The commitment of the leaf: to the text form, under the public opening of 32 zero bytes.
    pub fn commitment(&self) -> [u8; 32] {
        commitment::commit(&public_opening(), self.to_string().as_bytes())
    }

    fn split(text: &[u8]) -> Option<Self> {
        let mut lines = str::from_utf8(text).ok()?.strip_suffix('\n')?.split('\n');
        let (header, origin) = (lines.next()?, lines.next()?);
        let old = VerifierKey::parse(lines.next()?).ok()?;
        let new = VerifierKey::parse(lines.next()?).ok()?;
        let reason = HandoverReason::from_name(lines.next()?).ok()?;
        let whole = header == STATEMENT && lines.next().is_none();
        whole.then(|| Self::new(origin, old, new, reason).ok()).flatten()
    }
}

impl fmt::Display for HandoverStatement {
    /// Writes the five lines, each with its newline.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { origin, old, new, reason } = self;
        writeln!(f, "{STATEMENT}\n{origin}\n{old}\n{new}\n{}", reason.name())
    }
}

/// A statement with the proof that the log of the old key holds it and that both keys signed the log.
///
/// The text form is [`Display`](fmt::Display) and [`Handover::parse`]: a header, the leaf, an empty line, and the
/// receipt of the leaf with the statement as its extra data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Handover {
    statement: HandoverStatement,
    leaf: Leaf,
    receipt: Receipt,
}

impl Handover {
    /// The longest text form, in bytes.
    pub const MAX_LEN: usize = crate::Note::MAX_LEN + 64 * 1024;

    /// Makes the handover from the published log, once its newest checkpoint covers the leaf with this index and is
    /// signed by both keys.
    ///
    /// # Errors
    /// As [`prove_inclusion`]; as [`Self::verify`] with the old key and the policy of the trust.
    pub fn prove(
        store: &dyn TileStore,
        index: u64,
        leaf: Leaf,
        statement: HandoverStatement,
        policy: Option<&Policy>,
    ) -> Result<Self, LedgerError> {
        let trust = Trust::new(statement.new_key(), statement.origin());
        let receipt = prove_inclusion(store, index, &trust)?.with_extra(statement.to_string().as_bytes());
        let handover = Self { statement, leaf, receipt };
        let (old, origin) = (handover.statement.old.clone(), handover.statement.origin.clone());
        handover.verify(&old, &origin, policy)?;
        Ok(handover)
    }

    /// Reads the text form; it has one spelling. What it says is not believed before [`Self::verify`].
    ///
    /// # Errors
    /// [`LedgerError::HandoverMalformed`] for any other text.
    pub fn parse(handover: &str) -> Result<Self, LedgerError> {
        Self::split(handover).ok_or(LedgerError::HandoverMalformed)
    }

    /// What it says.
    pub const fn statement(&self) -> &HandoverStatement {
        &self.statement
    }

    /// The leaf that says so.
    pub const fn leaf(&self) -> &Leaf {
        &self.leaf
    }

    /// The proof that the log holds the leaf.
    pub const fn receipt(&self) -> &Receipt {
        &self.receipt
    }

    /// Checks that the log of this trusted key says that the new key follows it, and that whoever said so has both.
    ///
    /// A scheduled handover needs the policy's quorum where a policy is given. One for a compromised key always
    /// needs a quorum that demands witnesses, because a thief can sign with the old key. A thief can also call his
    /// own handover scheduled: whoever follows handovers without a policy trusts that no key was stolen.
    ///
    /// Returns: the checkpoint at which the key changed.
    ///
    /// # Errors
    /// [`LedgerError::OriginMismatch`] for another log; [`LedgerError::HandoverRejected`] when it leads from another
    /// key, or the leaf is of another kind or about another statement; [`LedgerError::SignatureMissing`] unless both
    /// keys signed; [`LedgerError::QuorumMissing`]; [`LedgerError::ProofRejected`]; as [`SignedCheckpoint::open`].
    pub fn verify(
        &self,
        trusted: &VerifierKey,
        origin: &str,
        policy: Option<&Policy>,
    ) -> Result<SignedCheckpoint, LedgerError> {
        let said = &self.statement;
        if said.origin != origin {
            return Err(LedgerError::OriginMismatch);
        }
        if said.old != *trusted {
            return Err(LedgerError::HandoverRejected);
        }
        let signed = SignedCheckpoint::open(self.receipt.note(), &said.old, origin)?;
        SignedCheckpoint::open(self.receipt.note(), &said.new, origin)?;
        match policy {
            Some(policy) if policy.demands_witnesses() => policy.check_quorum(&signed)?,
            _ if said.reason == HandoverReason::Compromised => return Err(LedgerError::QuorumMissing),
            _ => {}
        }
        self.receipt.verify_under(&self.leaf.to_bytes(), signed.checkpoint())?;
        if self.leaf.kind != EntryKind::LogKeyRotated || self.leaf.commitment != said.commitment() {
            return Err(LedgerError::HandoverRejected);
        }
        Ok(signed)
    }

    fn split(handover: &str) -> Option<Self> {
        if handover.len() > Self::MAX_LEN {
            return None;
        }
        let rest = handover.strip_prefix(HANDOVER)?.strip_prefix('\n')?;
        let (leaf, receipt) = rest.split_once("\n\n")?;
        let leaf = Leaf::from_bytes(&text::decode(leaf)?).ok()?;
        let receipt = Receipt::parse(receipt).ok()?;
        let statement = HandoverStatement::parse(receipt.extra()?).ok()?;
        Some(Self { statement, leaf, receipt })
    }
}

impl fmt::Display for Handover {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{HANDOVER}\n{}\n\n{}", text::encode(&self.leaf.to_bytes()), self.receipt)
    }
}

/// The keys of one log, from one that is trusted to the current one.
///
/// A checkpoint is believed under the current key; under an older one, up to the size at which that was handed
/// over; and under a key that was handed over because it was compromised, with a quorum of witnesses only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyChain {
    origin: String,
    past: Vec<Past>,
    current: VerifierKey,
}

/// A key that was handed over.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Past {
    key: VerifierKey,
    handed_over: Checkpoint,
    reason: HandoverReason,
}

impl KeyChain {
    /// A log whose key was never handed over.
    pub fn new(initial: VerifierKey, origin: &str) -> Self {
        Self { origin: origin.to_owned(), past: Vec::new(), current: initial }
    }

    /// Follows the handovers, oldest first, from the key that is trusted.
    ///
    /// # Errors
    /// As [`Handover::verify`], for the first that does not hold; [`LedgerError::HandoverRejected`] when a key comes
    /// back or a handover is not later in the log than the one before.
    pub fn follow(
        initial: VerifierKey,
        origin: &str,
        handovers: &[Handover],
        policy: Option<&Policy>,
    ) -> Result<Self, LedgerError> {
        let mut chain = Self::new(initial, origin);
        let mut after = None;
        for handover in handovers {
            let signed = handover.verify(&chain.current, origin, policy)?;
            let new = handover.statement.new_key();
            let used = chain.past.iter().any(|past| past.key.public_key() == new.public_key());
            let grew =
                chain.past.last().is_none_or(|last| last.handed_over.size() <= signed.checkpoint().size());
            if used || !grew || after.is_some_and(|after| after >= handover.receipt.index()) {
                return Err(LedgerError::HandoverRejected);
            }
            after = Some(handover.receipt.index());
            let (handed_over, reason) = (signed.checkpoint().clone(), handover.statement.reason);
            let key = std::mem::replace(&mut chain.current, new.clone());
            chain.past.push(Past { key, handed_over, reason });
        }
        Ok(chain)
    }

    /// Which log it is.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The key that signs now.
    pub const fn current(&self) -> &VerifierKey {
        &self.current
    }

    /// The key that it began with.
    pub fn initial(&self) -> &VerifierKey {
        self.past.first().map_or(&self.current, |past| &past.key)
    }

    /// The checkpoints at which keys were handed over, oldest first.
    pub fn handed_over(&self) -> impl Iterator<Item = &Checkpoint> {
        self.past.iter().map(|past| &past.handed_over)
    }

    /// Reads a note under the keys of the chain; the policy's quorum is checked where one is given.
    pub(crate) fn open(&self, note: &str, policy: Option<&Policy>) -> Result<SignedCheckpoint, LedgerError> {
        let keys = self.past.iter().map(|past| &past.key).chain([&self.current]).collect::<Vec<_>>();
        let (signed, signers) = SignedCheckpoint::open_any(note, &keys, &self.origin)?;
        policy.map_or(Ok(()), |policy| policy.check_quorum(&signed))?;
        if signers.contains(&&self.current) {
            return Ok(signed);
        }
        let in_time = |past: &&Past| {
            signers.contains(&&past.key) && signed.checkpoint().size() <= past.handed_over.size()
        };
        let witnessed = policy.is_some_and(Policy::demands_witnesses);
        let mut signed_in_time = self.past.iter().filter(in_time).peekable();
        if signed_in_time.peek().is_none() {
            return Err(LedgerError::KeyRetired);
        }
        if witnessed || signed_in_time.any(|past| past.reason != HandoverReason::Compromised) {
            return Ok(signed);
        }
        Err(LedgerError::QuorumMissing)
    }
}

/// Reads the handovers that a log publishes, oldest first.
///
/// # Errors
/// [`LedgerError::HandoverMalformed`] when one does not parse; [`LedgerError::StoreUnavailable`].
pub fn read_handovers(store: &dyn TileStore) -> Result<Vec<Handover>, LedgerError> {
    let mut handovers = Vec::new();
    for number in 0..MAX_HANDOVERS {
        let Some(bytes) = store.read(&handover_path(number))? else { break };
        let handover = str::from_utf8(&bytes).map_err(|_| LedgerError::HandoverMalformed)?;
        handovers.push(Handover::parse(handover)?);
    }
    Ok(handovers)
}

/// The opening of entries about the organisation itself, which hide nothing.
fn public_opening() -> Opening {
    Opening::from_secret(Secret::init_with(|_| {}))
}

/// The first line of a statement.
const STATEMENT: &str = "vouchsafe.dev/log-key@v1";
/// The first line of a handover.
const HANDOVER: &str = "vouchsafe.dev/log-handover@v1";
/// The most handovers of one log.
const MAX_HANDOVERS: u64 = 1000;

#[cfg(test)]
mod tests;
