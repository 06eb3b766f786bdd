use thiserror::Error;

/// A value that does not parse into one of this crate's types.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TypeError {
    /// A text holds what looks like a payment card number; the caller must leave it out.
    #[error("text holds what looks like a payment card number")]
    CardNumber,
    /// An identifier has the wrong length or holds characters outside its alphabet.
    #[error("identifier is malformed")]
    Identifier,
    /// A purpose that opens no template was combined with a modality, or the reverse.
    #[error("scope combines a modality with a purpose that opens no template, or lacks one")]
    Scope,
    /// A text is empty, longer than 8,192 bytes, or holds control characters.
    #[error("text is empty, too long or holds control characters")]
    Text,
    /// A code that this version does not know.
    #[error("code is unknown to this version")]
    UnknownCode,
}
