//! The bodies of [C2SP tlog-witness](https://c2sp.org/tlog-witness), so that an adapter carries bytes and no more.

use thiserror::Error;
use vouchsafe_types::Digest;

use crate::{LedgerError, Note, text};

/// What is appended to a witness's submission prefix.
pub const ADD_CHECKPOINT: &str = "/add-checkpoint";

/// The media type of the answer that names the size which the witness has.
pub const SIZE_TYPE: &str = "text/x.tlog.size";

/// The most hashes in a request.
pub const MAX_PROOF: usize = 63;

/// The longest body of a request, in bytes: a note, 63 hashes and the size.
pub const MAX_REQUEST: usize = Note::MAX_LEN + MAX_PROOF * 45 + 32;

/// The longest answer that is worth reading, in bytes.
pub const MAX_ANSWER: usize = 64 * 1024;

/// Why a witness gave no cosignature. None of it is an error of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum WitnessError {
    /// It cosigned this size last, which is another than the request said (409). The same size as the request's:
    /// it knows another root for it, and somebody must look.
    #[error("witness cosigned another size last")]
    Conflict(u64),
    /// Its answer does not parse.
    #[error("answer of the witness is malformed")]
    Malformed,
    /// The proof does not lead from what it cosigned last to this checkpoint (422). A proof that was checked before it
    /// was sent means that the witness has seen another history, and somebody must look.
    #[error("witness has seen another history")]
    Inconsistent,
    /// It refused the request for good: bad request or signature (400, 403 and other 4xx).
    #[error("witness refused the checkpoint")]
    Refused,
    /// It cannot be reached, or failed; the next checkpoint may fare better.
    #[error("witness is unavailable")]
    Unavailable,
    /// It does not know the log (404): its keeper must add the log's key.
    #[error("witness does not know the log")]
    UnknownLog,
}

impl WitnessError {
    /// What an answer of this status means that is not 200.
    ///
    /// A 409 without a readable size is [`Self::Malformed`].
    pub fn from_status(status: u16, body: &str) -> Self {
        match status {
            404 => Self::UnknownLog,
            409 => parse_size(body).map_or(Self::Malformed, Self::Conflict),
            408 | 425 | 429 => Self::Unavailable,
            422 => Self::Inconsistent,
            400..=499 => Self::Refused,
            500..=599 => Self::Unavailable,
            _ => Self::Malformed,
        }
    }

    /// Whether the same request may succeed later, without anybody acting.
    pub const fn is_retryable(self) -> bool {
        matches!(self, Self::Conflict(_) | Self::Unavailable)
    }
}

/// The body of a request to cosign.
///
/// # Errors
/// [`LedgerError::OutOfRange`] for more than 63 hashes; [`LedgerError::NoteMalformed`] when the note does not parse.
pub fn add_checkpoint_body(old_size: u64, proof: &[Digest], note: &str) -> Result<String, LedgerError> {
    if proof.len() > MAX_PROOF {
        return Err(LedgerError::OutOfRange);
    }
    Note::parse(note)?;
    let hashes: String = proof.iter().map(|hash| format!("{}\n", text::encode(hash.as_bytes()))).collect();
    Ok(format!("old {old_size}\n{hashes}\n{note}"))
}

/// A request to cosign, as a witness reads it; not to be believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddCheckpoint {
    old_size: u64,
    proof: Vec<Digest>,
    note: String,
}

impl AddCheckpoint {
    /// Reads the body of a request; it has one spelling.
    ///
    /// # Errors
    /// [`LedgerError::WitnessMalformed`] for any other text.
    pub fn parse(body: &str) -> Result<Self, LedgerError> {
        Self::split(body).ok_or(LedgerError::WitnessMalformed)
    }

    /// The size that the witness is said to have cosigned last.
    pub const fn old_size(&self) -> u64 {
        self.old_size
    }

    /// The consistency proof from that size (RFC 6962 section 2.1.2).
    pub fn proof(&self) -> &[Digest] {
        &self.proof
    }

    /// The signed note.
    pub fn note(&self) -> &str {
        &self.note
    }

    fn split(body: &str) -> Option<Self> {
        if body.len() > MAX_REQUEST {
            return None;
        }
        let (head, note) = body.split_once("\n\n")?;
        let mut lines = head.split('\n');
        let old_size = text::decode_decimal(lines.next()?.strip_prefix("old ")?)?;
        let proof = lines.map(text::decode_digest).collect::<Option<Vec<_>>>()?;
        Note::parse(note).ok()?;
        (proof.len() <= MAX_PROOF).then(|| Self { old_size, proof, note: note.to_owned() })
    }
}

/// The body that names the size which a witness has.
pub fn size_body(size: u64) -> String {
    format!("{size}\n")
}

/// Reads the body of an answer of type [`SIZE_TYPE`]; it has one spelling.
///
/// # Errors
/// [`LedgerError::WitnessMalformed`] for any other text.
pub fn parse_size(body: &str) -> Result<u64, LedgerError> {
    body.strip_suffix('\n').and_then(text::decode_decimal).ok_or(LedgerError::WitnessMalformed)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of C2SP tlog-witness; its signatures are by keys that nobody published.
    const EXAMPLE: &str = "old 20852014\n\
        PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=\n\
        jrJZDmY8Y7SyJE0MWLpLozkIVMSMZcD5kvuKxPC3swk=\n\
        5+pKlUdi2LeF/BcMHBn+Ku6yhPGNCswZZD1X/6QgPd8=\n\
        /6WVhPs2CwSsb5rYBH5cjHV/wSmA79abXAwhXw3Kj/0=\n\
        \n\
        example.com/behind-the-sofa\n\
        20852163\n\
        CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\
        \n\
        \u{2014} example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n\
        \u{2014} example.com/behind-the-sofa opLqBQsREYCgu6xQkYQwJr9fo45a62DN9EdmHXnZdXNqlcVGlCum2Wks+49/V6267UEjw6QUXTS5Rovnzv++qbSzm9Q=\n";

    #[test]
    fn the_example_of_the_standard_reads_back() {
        let request = AddCheckpoint::parse(EXAMPLE).unwrap();
        assert_eq!((request.old_size(), request.proof().len()), (20_852_014, 4));
        assert_eq!(add_checkpoint_body(20_852_014, request.proof(), request.note()).as_deref(), Ok(EXAMPLE));
    }

    #[test]
    fn any_other_spelling_is_refused() {
        let hash = EXAMPLE.lines().nth(1).unwrap();
        let bad = [
            String::new(),
            EXAMPLE.trim_end().to_owned(),
            EXAMPLE.replace("old ", "new "),
            EXAMPLE.replace("old 2", "old 02"),
            EXAMPLE.replace("old 2", "old +2"),
            EXAMPLE.replace("old 2", "old  2"),
            EXAMPLE.replace("old 20852014", "old 99999999999999999999"),
            EXAMPLE.replace(hash, &hash[1..]),
            EXAMPLE.replace(hash, &format!("{hash} ")),
            EXAMPLE.replace(hash, &[hash; 61].join("\n")),
            EXAMPLE.replacen("\n\n", "\n", 1),
            EXAMPLE.replace('\n', "\r\n"),
            format!("{EXAMPLE}\n"),
            format!("{EXAMPLE}{}", " ".repeat(MAX_REQUEST)),
        ];
        for body in bad {
            assert_eq!(AddCheckpoint::parse(&body), Err(LedgerError::WitnessMalformed), "{:.80}", body);
        }
        assert!(AddCheckpoint::parse(&EXAMPLE.replace(hash, &[hash; 60].join("\n"))).is_ok());
    }

    #[test]
    fn a_request_is_made_within_the_limits_only() {
        let note = AddCheckpoint::parse(EXAMPLE).unwrap().note;
        let hashes = vec![Digest::from_bytes([1; 32]); 64];
        assert!(add_checkpoint_body(1, &hashes[1..], &note).is_ok());
        assert_eq!(add_checkpoint_body(1, &hashes, &note), Err(LedgerError::OutOfRange));
        assert_eq!(add_checkpoint_body(1, &[], "text"), Err(LedgerError::NoteMalformed));
    }

    #[test]
    fn each_status_has_one_meaning() {
        let check = |status, body, expected| assert_eq!(WitnessError::from_status(status, body), expected);
        check(409, "20852014\n", WitnessError::Conflict(20_852_014));
        assert_eq!(parse_size(&size_body(7)), Ok(7));
        for body in ["", "7", "07\n", "7\n\n", "seven\n"] {
            check(409, body, WitnessError::Malformed);
        }
        check(404, "", WitnessError::UnknownLog);
        check(422, "", WitnessError::Inconsistent);
        for status in [400, 401, 403] {
            check(status, "", WitnessError::Refused);
        }
        for status in [429, 500, 503] {
            check(status, "", WitnessError::Unavailable);
        }
        for status in [200, 302, 600] {
            check(status, "", WitnessError::Malformed);
        }
    }
}
