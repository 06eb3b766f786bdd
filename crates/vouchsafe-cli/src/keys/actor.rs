use vouchsafe::Error;
use vouchsafe::envelope::{EnvelopeError, KeyServiceError, StateStoreError};

/// Who must act on an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Actor {
    /// Whoever wrote the call or the command line.
    Caller,
    /// Whoever runs the machines: the key service, the disk.
    Environment,
    /// Whoever runs this installation: the recovery comes first.
    Gate,
    /// Whoever runs this installation.
    Operator,
    /// Nobody; it ends by itself.
    Time,
}

impl Actor {
    pub(super) fn on(error: &Error) -> Self {
        match error {
            Error::Envelope(error) => Self::on_envelope(error),
            Error::RecoveryRequired => Self::Gate,
            Error::Elsewhere(_) => Self::Time,
            error if error.is_retryable() => Self::Environment,
            Error::Consent(_)
            | Error::Foreign
            | Error::NotApproved
            | Error::NotDestroyed
            | Error::Type(_) => Self::Caller,
            _ => Self::Operator,
        }
    }

    fn on_envelope(error: &EnvelopeError) -> Self {
        match error {
            EnvelopeError::FencesLost
            | EnvelopeError::KeyServiceRolledBack
            | EnvelopeError::Resurrected(_)
            | EnvelopeError::StateRolledBack => Self::Gate,
            EnvelopeError::ErasureIncomplete(left) if left.generations().is_empty() => Self::Time,
            EnvelopeError::EntropyUnavailable
            | EnvelopeError::KeyService(KeyServiceError::Unavailable)
            | EnvelopeError::NoResources
            | EnvelopeError::StateStore(StateStoreError::Unavailable) => Self::Environment,
            EnvelopeError::Exhausted
            | EnvelopeError::NeverAllocated
            | EnvelopeError::NotProvisioned
            | EnvelopeError::TooLarge => Self::Caller,
            _ => Self::Operator,
        }
    }

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Caller => "caller",
            Self::Environment => "environment",
            Self::Gate | Self::Operator => "operator",
            Self::Time => "nobody",
        }
    }

    pub(super) const fn advice(self) -> &'static str {
        match self {
            Self::Caller => "correct the call",
            Self::Environment => "see that the key service and the disks answer, then run this again",
            Self::Gate => "stop every other process on the folder, then run `keys state recover`",
            Self::Operator => "mend what the cause names, then run this again",
            Self::Time => {
                "run this again in five minutes: other processes let go of the former state by then"
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cause_has_somebody_who_acts() {
        let on = |error| Actor::on(&Error::Envelope(error));
        assert_eq!(on(EnvelopeError::StateRolledBack), Actor::Gate);
        assert_eq!(on(EnvelopeError::KeyMissing), Actor::Operator);
        assert_eq!(on(EnvelopeError::KeyService(KeyServiceError::Unavailable)), Actor::Environment);
        assert_eq!(on(EnvelopeError::KeyService(KeyServiceError::Denied)), Actor::Operator);
        assert_eq!(on(EnvelopeError::StateStore(StateStoreError::Corrupt)), Actor::Operator);
        assert_eq!(on(EnvelopeError::NeverAllocated), Actor::Caller);
        assert_eq!(Actor::on(&Error::RecoveryRequired), Actor::Gate);
        assert_eq!(Actor::on(&Error::NotDestroyed), Actor::Caller);
        assert_eq!(Actor::on(&Error::LogLost), Actor::Operator);
    }
}
