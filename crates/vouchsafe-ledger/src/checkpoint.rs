use std::fmt;

use vouchsafe_types::Digest;

use crate::key::check_name;
use crate::{LedgerError, LogSigner, Note, VerifierKey, text};

/// The head of a log at one size ([C2SP tlog-checkpoint](https://c2sp.org/tlog-checkpoint)).
///
/// DIFFERENCE: the standard allows extension lines and advises against them; this crate writes none and refuses
/// them, because no monitor can audit what they say.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Checkpoint {
    origin: String,
    size: u64,
    root: Digest,
}

impl Checkpoint {
    /// A head.
    ///
    /// # Errors
    /// [`LedgerError::Name`] when the origin is empty, or holds a space, a plus or a control character.
    pub fn new(origin: &str, size: u64, root: Digest) -> Result<Self, LedgerError> {
        check_name(origin)?;
        Ok(Self { origin: origin.to_owned(), size, root })
    }

    /// Reads the three lines; they have one spelling.
    ///
    /// # Errors
    /// [`LedgerError::CheckpointMalformed`] for any other text.
    pub fn parse(body: &str) -> Result<Self, LedgerError> {
        Self::split(body).ok_or(LedgerError::CheckpointMalformed)
    }

    /// Which log it is.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// How many leaves it covers.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The root of the tree over them (RFC 6962 section 2.1).
    pub const fn root(&self) -> &Digest {
        &self.root
    }

    fn split(body: &str) -> Option<Self> {
        let mut lines = body.strip_suffix('\n')?.split('\n');
        let (origin, size, root) = (lines.next()?, lines.next()?, lines.next()?);
        let size = text::decode_decimal(size)?;
        let root = text::decode_digest(root)?;
        lines.next().is_none().then(|| Self::new(origin, size, root).ok()).flatten()
    }
}

impl fmt::Display for Checkpoint {
    /// Writes the three lines, each with its newline.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n{}\n{}", self.origin, self.size, text::encode(self.root.as_bytes()))
    }
}

/// A checkpoint that a known key signed, with the note it came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedCheckpoint {
    checkpoint: Checkpoint,
    note: String,
}

impl SignedCheckpoint {
    /// Signs a checkpoint by each of the signers, in their order.
    ///
    /// Only [`publish`](crate::publish) should: a signature over a head that contradicts an earlier one is the
    /// proof of a fork.
    pub(crate) fn sign(checkpoint: Checkpoint, signers: &[&LogSigner]) -> Result<Self, LedgerError> {
        let text = checkpoint.to_string();
        let lines = signers.iter().map(|signer| signer.signature(&text)).collect::<Result<String, _>>()?;
        if lines.is_empty() {
            return Err(LedgerError::SignatureMissing);
        }
        Ok(Self { checkpoint, note: format!("{text}\n{lines}") })
    }

    /// Reads a signed note, verifies its signature by this key, and checks that it is of this log.
    ///
    /// # Errors
    /// [`LedgerError::NoteMalformed`], [`LedgerError::SignatureMissing`], [`LedgerError::SignatureInvalid`],
    /// [`LedgerError::CheckpointMalformed`] or [`LedgerError::OriginMismatch`], in this order.
    pub fn open(note: &str, key: &VerifierKey, origin: &str) -> Result<Self, LedgerError> {
        Self::open_any(note, &[key], origin).map(|(signed, _)| signed)
    }

    /// As [`Self::open`], with those of the keys that signed; at least one did.
    pub(crate) fn open_any<'k>(
        note: &str,
        keys: &[&'k VerifierKey],
        origin: &str,
    ) -> Result<(Self, Vec<&'k VerifierKey>), LedgerError> {
        let parsed = Note::parse(note)?;
        let checkpoint = Checkpoint::parse(parsed.verify(keys)?)?;
        if checkpoint.origin != origin {
            return Err(LedgerError::OriginMismatch);
        }
        Ok((Self { checkpoint, note: note.to_owned() }, parsed.signers(keys)?))
    }

    pub(crate) fn with_note(&self, note: String) -> Self {
        Self { checkpoint: self.checkpoint.clone(), note }
    }

    /// The head.
    pub const fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// The whole note: the head and every signature, as published.
    pub fn note(&self) -> &str {
        &self.note
    }
}

#[cfg(test)]
mod tests {
    use vouchsafe_types::Secret;

    use super::*;

    fn signer(name: &str) -> LogSigner {
        LogSigner::from_seed(name, &Secret::init_with(|seed| seed.fill(3))).unwrap()
    }

    /// The example of C2SP tlog-checkpoint.
    const EXAMPLE: &str =
        "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";

    #[test]
    fn the_example_of_the_standard_reads_back() {
        let checkpoint = Checkpoint::parse(EXAMPLE).unwrap();
        assert_eq!(checkpoint.origin(), "example.com/behind-the-sofa");
        assert_eq!(checkpoint.size(), 20_852_163);
        assert_eq!(checkpoint.to_string(), EXAMPLE);
    }

    #[test]
    fn any_other_spelling_is_refused() {
        let refused = |body: &str| {
            assert_eq!(Checkpoint::parse(body), Err(LedgerError::CheckpointMalformed), "{body:?}");
        };
        refused("");
        refused(EXAMPLE.trim_end());
        refused(&format!("{EXAMPLE}extension\n"));
        refused(&format!("{EXAMPLE}\n"));
        refused(&format!("\n{EXAMPLE}"));
        refused(&EXAMPLE.replace("20852163", "020852163"));
        refused(&EXAMPLE.replace("20852163", "+20852163"));
        refused(&EXAMPLE.replace("20852163", "99999999999999999999"));
        refused(&EXAMPLE.replace("q2I=", "q2J="));
        refused(&EXAMPLE.replace("q2I=", ""));
        refused(&EXAMPLE.replace("example.com/", "example com/"));
        refused(&EXAMPLE.replace('\n', "\r\n"));
    }

    #[test]
    fn only_the_log_itself_and_its_key_are_believed() {
        let (signer, other) = (signer("log.example/a"), signer("log.example/b"));
        let checkpoint = Checkpoint::new("log.example/a", 0, Digest::from_bytes([1; 32])).unwrap();
        let signed = SignedCheckpoint::sign(checkpoint, &[&signer]).unwrap();
        let open = |key, origin| SignedCheckpoint::open(signed.note(), key, origin);
        assert_eq!(open(signer.verifier(), "log.example/a").as_ref(), Ok(&signed));
        assert_eq!(open(signer.verifier(), "log.example/b"), Err(LedgerError::OriginMismatch));
        assert_eq!(open(other.verifier(), "log.example/a"), Err(LedgerError::SignatureMissing));
    }
}
