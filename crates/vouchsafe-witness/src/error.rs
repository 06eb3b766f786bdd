use thiserror::Error;

/// Why a client of a witness cannot be made. Addresses and certificates are left out on purpose.
///
/// What a call meets is a [`WitnessError`](vouchsafe_ledger::WitnessError).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SetupError {
    /// Misuse: the submission prefix is no `https://` URL, nor an `http://` one of this host, or has a query, a
    /// fragment, a user or a step upwards.
    #[error("submission prefix cannot be used")]
    Address,
    /// Misuse: the root certificates do not parse, hold a private key, or are missing for `https://`.
    #[error("root certificates cannot be used")]
    Certificates,
    /// Misuse: the time for one call lies outside its range.
    #[error("timeout lies outside its range")]
    Timeout,
}
