use thiserror::Error;

/// Why rates could not be computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum EvalError {
    /// Misuse: a confidence, rate or count lies outside its range.
    #[error("confidence, rate or count is out of range")]
    Range,
    /// Malformed: there is no comparison of a person with themselves.
    #[error("there is no genuine comparison")]
    NoGenuine,
    /// Malformed: there is no comparison of two people.
    #[error("there is no impostor comparison")]
    NoImpostor,
    /// Malformed: a score is not a finite number.
    #[error("a score is not a finite number")]
    NotFinite,
}

impl EvalError {
    /// Whether the same call may succeed later.
    pub const fn is_retryable(self) -> bool {
        false
    }
}
