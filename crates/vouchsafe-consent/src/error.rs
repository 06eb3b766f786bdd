use thiserror::Error;

/// Why an act of consent could not be recorded. Refusals of the gate are not here: they are verdicts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ConsentError {
    /// Misuse: an act is dated before the act it follows.
    #[error("act is dated before the act it follows")]
    BackDated,
    /// Malformed: a notice id, version or locale is empty, too long or holds control characters.
    #[error("notice id, version or locale is malformed")]
    NoticeLabel,
    /// Malformed: a notice has no text.
    #[error("notice has no text")]
    NoticeEmpty,
    /// Misuse: a withdrawal where no consent is given.
    #[error("there is no consent to withdraw")]
    NothingToWithdraw,
    /// Misuse: a grant was made for another person, organisation or scope.
    #[error("act and consent line belong to different scopes")]
    WrongLine,
}

impl ConsentError {
    /// Whether the same call may succeed later.
    pub const fn is_retryable(self) -> bool {
        false
    }
}
