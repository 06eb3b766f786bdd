use thiserror::Error;

/// A value that does not parse into one of this crate's types.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TypeError {
    /// An identifier has the wrong length or holds characters outside its alphabet.
    #[error("identifier is malformed")]
    Identifier,
    /// A purpose that opens no template was combined with a modality, or the reverse.
    #[error("scope combines a modality with a purpose that opens no template, or lacks one")]
    Scope,
    /// A code that this version does not know.
    #[error("code is unknown to this version")]
    UnknownCode,
}
