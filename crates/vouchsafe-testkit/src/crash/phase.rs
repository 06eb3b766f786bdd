use std::fmt;

/// How far a killed call had come, by what it left in the folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[expect(clippy::exhaustive_enums, reason = "the drill counts every phase on purpose")]
pub enum Phase {
    /// No call was under way.
    Between,
    /// A call that destroys nothing: nothing of it was stored.
    NothingStored,
    /// A consent: the showing was stored, the act was not.
    Shown,
    /// A call that destroys nothing: stored, not acknowledged.
    Stored,
    /// A destruction: nothing was fenced yet.
    BeforeFence,
    /// Fenced; the keys are untouched.
    Fenced,
    /// Fenced; the next state key exists, the state is still the old one.
    NextKeyMade,
    /// The leaves are punctured; the old state key still exists.
    OldKeyLeft,
    /// The old state key is gone; no row says so yet.
    Unrecorded,
    /// The rows say so; the write-ahead log may still hold remnants, and nothing is published.
    Unpublished,
    /// All is done but the answer.
    Unanswered,
}

impl Phase {
    /// Every phase, in the order of the protocol.
    pub const ALL: [Self; 11] = [
        Self::Between,
        Self::NothingStored,
        Self::Shown,
        Self::Stored,
        Self::BeforeFence,
        Self::Fenced,
        Self::NextKeyMade,
        Self::OldKeyLeft,
        Self::Unrecorded,
        Self::Unpublished,
        Self::Unanswered,
    ];

    /// Whether the kill hit a destruction between its fence and its answer.
    pub const fn is_critical(self) -> bool {
        matches!(
            self,
            Self::Fenced
                | Self::NextKeyMade
                | Self::OldKeyLeft
                | Self::Unrecorded
                | Self::Unpublished
                | Self::Unanswered
        )
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Between => "between two calls",
            Self::NothingStored => "before the commit",
            Self::Shown => "notice shown, act not committed",
            Self::Stored => "committed, not acknowledged",
            Self::BeforeFence => "destruction: before the fence",
            Self::Fenced => "destruction: fenced, keys untouched",
            Self::NextKeyMade => "destruction: next state key made",
            Self::OldKeyLeft => "destruction: punctured, old state key left",
            Self::Unrecorded => "destruction: old state key gone, no row yet",
            Self::Unpublished => "destruction: recorded, not published",
            Self::Unanswered => "destruction: published, not acknowledged",
        })
    }
}
