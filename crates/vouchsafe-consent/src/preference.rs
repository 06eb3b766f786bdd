use vouchsafe_types::{Outcome, Purpose, Reasons, Refusal, Role, Scope, SubjectPseudonym, Timestamp};

use crate::gate::closed;
use crate::{ConsentError, ConsentLine};

/// What a message to a person is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "a message needs consent or it does not")]
pub enum MessageKind {
    /// News and offers: only with consent.
    Promotional,
    /// What the service itself must say: security, changed notices, receipts, answers.
    Service,
}

impl MessageKind {
    /// The stable name used in payloads and reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Promotional => "promotional",
            Self::Service => "service",
        }
    }
}

/// Evidence that one message of one kind may be sent to one person; made by [`may_send`] only.
#[derive(Debug)]
#[must_use]
pub struct SendPermit {
    kind: MessageKind,
    subject: SubjectPseudonym,
    sequence: u64,
}

impl SendPermit {
    /// Which kind of message.
    pub const fn kind(&self) -> MessageKind {
        self.kind
    }

    /// To whom.
    pub const fn subject(&self) -> SubjectPseudonym {
        self.subject
    }

    /// The number of the act that it rests on; for a service message that of the newest act, which may be none (0).
    pub const fn sequence(&self) -> u64 {
        self.sequence
    }
}

/// Whether a message may be sent, by the person's line for `Communication`.
///
/// Returns [`Outcome::Refused`] for a promotional message with
/// - [`Refusal::ConsentMissing`] when no act was recorded, or the line is for another purpose, or the clock is behind
///   the act,
/// - the refusal of the line's state, or [`Refusal::ConsentExpired`] by its date.
///
/// A service message needs no consent, only the line of the person whom it goes to.
pub fn may_send(kind: MessageKind, line: &ConsentLine, now: Timestamp) -> Outcome<SendPermit> {
    let refusal = match kind {
        MessageKind::Service => None,
        MessageKind::Promotional => promotional(line, now),
    };
    match refusal {
        Some(refusal) => Outcome::Refused(Reasons::one(refusal)),
        None => Outcome::Done(SendPermit { kind, subject: line.subject(), sequence: line.sequence() }),
    }
}

fn promotional(line: &ConsentLine, now: Timestamp) -> Option<Refusal> {
    let Some(act) = line.last().filter(|_| line.scope().purpose() == Purpose::Communication) else {
        return Some(Refusal::ConsentMissing);
    };
    let late = if now < act.at { Refusal::ConsentMissing } else { Refusal::ConsentExpired };
    closed(act.status).or_else(|| (!line.is_open(now)).then_some(late))
}

/// What an unsubscribe link carries, before the envelope seals it: whose promotional messages to end.
///
/// Version 1, 38 bytes: the version, the subject's pseudonym (32), the code of the role (1), the hour of issue in hours
/// since 1970 (4, big-endian). It withdraws and does nothing else, so it works for as long as the key that seals it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "the plaintext of version 1")]
pub struct UnsubscribeToken {
    /// Whose messages.
    pub subject: SubjectPseudonym,
    /// In which capacity.
    pub role: Role,
    /// In hours since 1970.
    pub issued_hour: u32,
}

impl UnsubscribeToken {
    /// The length of the encoding, in bytes.
    pub const LEN: usize = 38;
    const VERSION: u8 = 1;

    /// A token issued now. An instant outside the years 1970 to 491000 becomes the nearest hour that fits.
    pub fn issue(subject: SubjectPseudonym, role: Role, now: Timestamp) -> Self {
        let hours = now.as_second().max(0) / 3600;
        Self { subject, role, issued_hour: u32::try_from(hours).unwrap_or(u32::MAX) }
    }

    /// The scope whose consent it withdraws.
    ///
    /// # Errors
    /// None today: communication has no modality in any role.
    pub fn scope(self) -> Result<Scope, ConsentError> {
        Scope::new(None, self.role, Purpose::Communication).map_err(|_| ConsentError::Unsubscribe)
    }

    /// The encoding, version 1.
    pub fn to_bytes(self) -> [u8; Self::LEN] {
        let mut out = [0; Self::LEN];
        let parts = [&[Self::VERSION], self.subject.as_bytes().as_slice(), &[self.role.code()]];
        let bytes = parts.into_iter().flatten().copied().chain(self.issued_hour.to_be_bytes());
        out.iter_mut().zip(bytes).for_each(|(slot, byte)| *slot = byte);
        out
    }

    /// Reads the encoding back.
    ///
    /// # Errors
    /// [`ConsentError::Unsubscribe`] for any other bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ConsentError> {
        let malformed = ConsentError::Unsubscribe;
        let (head, hour) = bytes.split_last_chunk::<4>().ok_or(malformed)?;
        let (&role, head) = head.split_last().ok_or(malformed)?;
        let (&version, subject) = head.split_first().ok_or(malformed)?;
        let subject: [u8; 32] = subject.try_into().map_err(|_| malformed)?;
        if version != Self::VERSION {
            return Err(malformed);
        }
        Ok(Self {
            subject: SubjectPseudonym::from_bytes(subject),
            role: Role::from_code(role).map_err(|_| malformed)?,
            issued_hour: u32::from_be_bytes(*hour),
        })
    }
}

/// The longest address of an unsubscribe link, in bytes; RFC 5322 section 2.1.1 allows lines of 998.
const MAX_ADDRESS: usize = 900;

/// The two headers of one-click unsubscription (RFC 8058 section 3.1) of a promotional message.
///
/// The address is `base`, which ends where the token begins, followed by the sealed token as base64url or hexadecimal
/// text. The message must be signed by DKIM over both headers (RFC 8058 section 4); that is the sender's part.
///
/// # Errors
/// [`ConsentError::Unsubscribe`] when the base is no `https` address with a host, when either part holds a character
/// that may break out of the header, or when the address is too long.
pub fn list_unsubscribe_headers(
    base: &str,
    token: &str,
) -> Result<[(&'static str, String); 2], ConsentError> {
    let host = base.strip_prefix("https://").ok_or(ConsentError::Unsubscribe)?;
    let named = host.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric());
    let printable = base.bytes().all(|b| b.is_ascii_graphic() && !b"<>\"\\,`{}|^".contains(&b));
    let sealed = !token.is_empty() && token.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b));
    if named && printable && sealed && base.len() + token.len() <= MAX_ADDRESS {
        let address = format!("<{base}{token}>");
        Ok([
            ("List-Unsubscribe", address),
            ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click".to_owned()),
        ])
    } else {
        Err(ConsentError::Unsubscribe)
    }
}

/// Whether the body of a POST is the one of RFC 8058 section 3.2, as `application/x-www-form-urlencoded`.
///
/// A mail scanner that follows the link by GET, or posts something else, unsubscribes nobody.
pub fn is_one_click_post(body: &[u8]) -> bool {
    body == b"List-Unsubscribe=One-Click"
}

#[cfg(test)]
mod tests;
