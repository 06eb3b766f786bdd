use std::fmt;

/// Where a request stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(clippy::exhaustive_enums, reason = "the transition table is total over these")]
pub enum RequestStatus {
    /// The person took it back, or never answered.
    Abandoned,
    /// It is answered.
    Answered,
    /// The asker is known to be the person, and was told that the request is being worked on.
    Confirmed,
    /// More time was taken, once, and the person was told why.
    Extended,
    /// The person was asked to prove who they are, and has not yet.
    IdentityPending,
    /// Tasks are being done.
    InProgress,
    /// It arrived.
    Received,
    /// It is refused, with a ground that the law accepts.
    Refused,
    /// The asker is known to be the person.
    Verified,
}

impl RequestStatus {
    /// Every status, in the order of its code.
    pub const ALL: [Self; 9] = [
        Self::Received,
        Self::IdentityPending,
        Self::Verified,
        Self::Confirmed,
        Self::InProgress,
        Self::Extended,
        Self::Answered,
        Self::Refused,
        Self::Abandoned,
    ];

    /// The stable code used in rows, 1 to 9.
    pub const fn code(self) -> u8 {
        match self {
            Self::Received => 1,
            Self::IdentityPending => 2,
            Self::Verified => 3,
            Self::Confirmed => 4,
            Self::InProgress => 5,
            Self::Extended => 6,
            Self::Answered => 7,
            Self::Refused => 8,
            Self::Abandoned => 9,
        }
    }

    /// Reads a code back; `None` for a code outside 1 to 9.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.code() == code)
    }

    /// The stable name used in rows and reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Abandoned => "abandoned",
            Self::Answered => "answered",
            Self::Confirmed => "confirmed",
            Self::Extended => "extended",
            Self::IdentityPending => "identity_pending",
            Self::InProgress => "in_progress",
            Self::Received => "received",
            Self::Refused => "refused",
            Self::Verified => "verified",
        }
    }

    /// Whether nothing further happens.
    pub const fn is_closed(self) -> bool {
        matches!(self, Self::Abandoned | Self::Answered | Self::Refused)
    }
}

impl fmt::Display for RequestStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What may happen to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(clippy::exhaustive_enums, reason = "the transition table is total over these")]
pub enum RequestEvent {
    /// The person takes it back, or is not heard of.
    Abandon,
    /// It is answered.
    Answer,
    /// The person is asked to prove who they are.
    AskIdentity,
    /// The person is told that the request arrived and how it goes on. It changes the status only once they are verified.
    Confirm,
    /// More time is taken, and the person is told why.
    Extend,
    /// It is refused.
    Refuse,
    /// Work on the tasks begins.
    Start,
    /// The asker is shown to be the person.
    Verify,
}

impl RequestEvent {
    /// Every event, in the order of its code.
    pub const ALL: [Self; 8] = [
        Self::AskIdentity,
        Self::Verify,
        Self::Confirm,
        Self::Start,
        Self::Extend,
        Self::Answer,
        Self::Refuse,
        Self::Abandon,
    ];

    /// The stable code used in rows, 1 to 8.
    pub const fn code(self) -> u8 {
        match self {
            Self::AskIdentity => 1,
            Self::Verify => 2,
            Self::Confirm => 3,
            Self::Start => 4,
            Self::Extend => 5,
            Self::Answer => 6,
            Self::Refuse => 7,
            Self::Abandon => 8,
        }
    }

    /// The stable name used in encodings and reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Abandon => "abandon",
            Self::Answer => "answer",
            Self::AskIdentity => "ask_identity",
            Self::Confirm => "confirm",
            Self::Extend => "extend",
            Self::Refuse => "refuse",
            Self::Start => "start",
            Self::Verify => "verify",
        }
    }

    /// Reads a name back; `None` for a text that [`Self::name`] never gives.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|event| event.name() == name)
    }
}

impl fmt::Display for RequestEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One row of [`TRANSITIONS`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a row of a published table")]
pub struct Transition {
    /// Where the request stands.
    pub from: RequestStatus,
    /// What happens.
    pub event: RequestEvent,
    /// Where it stands then.
    pub to: RequestStatus,
}

const fn row(from: RequestStatus, event: RequestEvent, to: RequestStatus) -> Transition {
    Transition { from, event, to }
}

/// Every transition there is; what is not in this table cannot happen. A request begins as received.
pub const TRANSITIONS: &[Transition] = {
    use RequestEvent::{Abandon, Answer, AskIdentity, Confirm, Extend, Refuse, Start, Verify};
    use RequestStatus::{
        Abandoned, Answered, Confirmed, Extended, IdentityPending, InProgress, Received, Refused, Verified,
    };
    &[
        row(Received, AskIdentity, IdentityPending),
        row(Received, Verify, Verified),
        row(Received, Confirm, Received),
        row(Received, Refuse, Refused),
        row(Received, Abandon, Abandoned),
        row(IdentityPending, Verify, Verified),
        row(IdentityPending, Confirm, IdentityPending),
        row(IdentityPending, Refuse, Refused),
        row(IdentityPending, Abandon, Abandoned),
        row(Verified, Confirm, Confirmed),
        row(Verified, Start, InProgress),
        row(Verified, Refuse, Refused),
        row(Verified, Abandon, Abandoned),
        row(Confirmed, Start, InProgress),
        row(Confirmed, Refuse, Refused),
        row(Confirmed, Abandon, Abandoned),
        row(InProgress, Confirm, InProgress),
        row(InProgress, Extend, Extended),
        row(InProgress, Answer, Answered),
        row(InProgress, Refuse, Refused),
        row(InProgress, Abandon, Abandoned),
        row(Extended, Confirm, Extended),
        row(Extended, Answer, Answered),
        row(Extended, Refuse, Refused),
        row(Extended, Abandon, Abandoned),
    ]
};

/// Where a request stands after an event; `None` when the event cannot happen there.
pub fn next(from: RequestStatus, event: RequestEvent) -> Option<RequestStatus> {
    TRANSITIONS.iter().find(|row| row.from == from && row.event == event).map(|row| row.to)
}
