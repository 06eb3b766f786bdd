use std::fmt;

/// Where a line of consent stands after its newest act. A line without an act has no status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(
    clippy::exhaustive_enums,
    reason = "the transition table is total over these; an eighth is a breaking change"
)]
pub enum ConsentStatus {
    /// The term for which consent was given is over.
    Expired,
    /// The person consented.
    Given,
    /// The consent was found to be invalid, for example because a child gave it.
    Invalidated,
    /// The person declined.
    Refused,
    /// The person consented again while consent was given.
    Renewed,
    /// The controller revoked the consent.
    Revoked,
    /// The person withdrew.
    Withdrawn,
}

impl ConsentStatus {
    /// Every status, in the order of its code.
    pub const ALL: [Self; 7] = [
        Self::Given,
        Self::Renewed,
        Self::Refused,
        Self::Withdrawn,
        Self::Revoked,
        Self::Expired,
        Self::Invalidated,
    ];

    /// The stable code used in rows and payloads, 1 to 7.
    pub const fn code(self) -> u8 {
        match self {
            Self::Given => 1,
            Self::Renewed => 2,
            Self::Refused => 3,
            Self::Withdrawn => 4,
            Self::Revoked => 5,
            Self::Expired => 6,
            Self::Invalidated => 7,
        }
    }

    /// Reads a code back; `None` for a code outside 1 to 7.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.code() == code)
    }

    /// The stable name used in payloads and reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Expired => "expired",
            Self::Given => "given",
            Self::Invalidated => "invalidated",
            Self::Refused => "refused",
            Self::Renewed => "renewed",
            Self::Revoked => "revoked",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// Whether the consent is given.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Given | Self::Renewed)
    }
}

impl fmt::Display for ConsentStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What may happen to a line of consent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(
    clippy::exhaustive_enums,
    reason = "the transition table is total over these; a seventh is a breaking change"
)]
pub enum ConsentEvent {
    /// The term is over.
    Expire,
    /// The person consents.
    Give,
    /// The consent is found to be invalid.
    Invalidate,
    /// The person declines.
    Refuse,
    /// The controller revokes.
    Revoke,
    /// The person withdraws.
    Withdraw,
}

impl ConsentEvent {
    /// Every event, in the order of its code.
    pub const ALL: [Self; 6] =
        [Self::Give, Self::Refuse, Self::Withdraw, Self::Revoke, Self::Expire, Self::Invalidate];

    /// The stable code used in rows and payloads, 1 to 6.
    pub const fn code(self) -> u8 {
        match self {
            Self::Give => 1,
            Self::Refuse => 2,
            Self::Withdraw => 3,
            Self::Revoke => 4,
            Self::Expire => 5,
            Self::Invalidate => 6,
        }
    }

    /// Reads a code back; `None` for a code outside 1 to 6.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|event| event.code() == code)
    }

    /// The stable name used in payloads and reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Expire => "expire",
            Self::Give => "give",
            Self::Invalidate => "invalidate",
            Self::Refuse => "refuse",
            Self::Revoke => "revoke",
            Self::Withdraw => "withdraw",
        }
    }
}

impl fmt::Display for ConsentEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One row of [`TRANSITIONS`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a row of a published table")]
pub struct Transition {
    /// Where the line stands; `None` when there is no act yet.
    pub from: Option<ConsentStatus>,
    /// What happens.
    pub event: ConsentEvent,
    /// Where the line stands then.
    pub to: ConsentStatus,
}

const fn row(from: Option<ConsentStatus>, event: ConsentEvent, to: ConsentStatus) -> Transition {
    Transition { from, event, to }
}

/// Every transition there is; what is not in this table cannot happen. See [`consent_states`](crate::consent_states).
pub const TRANSITIONS: &[Transition] = {
    use ConsentEvent::{Expire, Give, Invalidate, Refuse, Revoke, Withdraw};
    use ConsentStatus::{Expired, Given, Invalidated, Refused, Renewed, Revoked, Withdrawn};
    &[
        row(None, Give, Given),
        row(None, Refuse, Refused),
        row(Some(Given), Give, Renewed),
        row(Some(Given), Withdraw, Withdrawn),
        row(Some(Given), Revoke, Revoked),
        row(Some(Given), Expire, Expired),
        row(Some(Given), Invalidate, Invalidated),
        row(Some(Renewed), Give, Renewed),
        row(Some(Renewed), Withdraw, Withdrawn),
        row(Some(Renewed), Revoke, Revoked),
        row(Some(Renewed), Expire, Expired),
        row(Some(Renewed), Invalidate, Invalidated),
        row(Some(Refused), Give, Given),
        row(Some(Refused), Refuse, Refused),
        row(Some(Withdrawn), Give, Given),
        row(Some(Withdrawn), Refuse, Refused),
        row(Some(Revoked), Give, Given),
        row(Some(Revoked), Refuse, Refused),
        row(Some(Expired), Give, Given),
        row(Some(Expired), Refuse, Refused),
        row(Some(Invalidated), Give, Given),
        row(Some(Invalidated), Refuse, Refused),
    ]
};

/// Where a line stands after an event; `None` when the event cannot happen there.
pub fn next(from: Option<ConsentStatus>, event: ConsentEvent) -> Option<ConsentStatus> {
    TRANSITIONS.iter().find(|row| row.from == from && row.event == event).map(|row| row.to)
}

#[cfg(test)]
mod tests;
