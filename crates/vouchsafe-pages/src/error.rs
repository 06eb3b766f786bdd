/// Why there is no protected memory, or no protection of the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PagesError {
    /// The system did not turn core dumps off, or knows no way to.
    #[error("core dumps cannot be turned off")]
    CoreDumpsStay,
    /// The system gives no memory of this size.
    #[error("no memory for a secret")]
    Unavailable,
}

impl PagesError {
    /// Whether the same call may succeed later.
    pub const fn is_retryable(self) -> bool {
        matches!(self, Self::Unavailable)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_may_come_back() {
        assert!(PagesError::Unavailable.is_retryable());
        assert!(!PagesError::CoreDumpsStay.is_retryable());
    }
}
