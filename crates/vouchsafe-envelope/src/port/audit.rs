use vouchsafe_types::{DataClass, LeafIndex, OrganisationId};

/// How an attempt to open a sealed record ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "callers count each on purpose")]
pub enum OpenedOutcome {
    /// The plaintext was given to the caller.
    Opened,
    /// Its leaf is destroyed or was never given out.
    NoKey,
    /// The bytes did not authenticate, or are no record.
    Refused,
    /// It was sealed again under another data key; nobody got the plaintext.
    Resealed,
}

/// One attempt to open a sealed record.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::exhaustive_structs, reason = "the whole of what is told")]
pub struct Opened<'a> {
    /// Whose record.
    pub organisation: &'a OrganisationId,
    /// The leaf of its key.
    pub leaf: LeafIndex,
    /// The kind of data.
    pub class: DataClass,
    /// How it ended.
    pub outcome: OpenedOutcome,
}

/// Something that never happens in honest use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Alarm {
    /// A record that nothing legitimate opens was opened, or somebody tried to.
    HoneyTouched {
        /// The leaf of the honey record.
        leaf: LeafIndex,
    },
}

/// Is told of every attempt to open a sealed record, before the plaintext is given back, and of alarms.
///
/// It is called under locks: hand the word on and return. It cannot refuse.
pub trait OpenAudit: Send + Sync {
    /// A record was opened, or an attempt failed.
    fn opened(&self, opened: &Opened<'_>);

    /// Somebody must look.
    fn alarm(&self, organisation: &OrganisationId, alarm: Alarm);
}

/// Tells nobody.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoAudit;

impl OpenAudit for NoAudit {
    fn opened(&self, _: &Opened<'_>) {}
    fn alarm(&self, _: &OrganisationId, _: Alarm) {}
}
