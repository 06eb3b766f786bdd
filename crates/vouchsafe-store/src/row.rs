use vouchsafe_types::{DataClass, Digest, LeafIndex, RecordId, Scope, SubjectPseudonym, Timestamp};

/// The bytes of a notice, as they were shown.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a row: every column must be given")]
pub struct NoticeRow {
    /// SHA-256 of `shown`.
    pub digest: Digest,
    /// Which notice.
    pub id: String,
    /// Which version of it.
    pub version: String,
    /// BCP 47 language tag.
    pub locale: String,
    /// The exact bytes.
    pub shown: Vec<u8>,
    /// When it was published.
    pub published_at: Timestamp,
}

/// The newest act of consent of one person for one scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a row: every column must be given")]
pub struct ConsentRow {
    /// The number of the act, from 1.
    pub sequence: u64,
    /// Whether the act was a withdrawal.
    pub withdrawn: bool,
    /// SHA-256 of the notice that the newest grant refers to.
    pub notice: Digest,
    /// When.
    pub at: Timestamp,
}

/// What is held about one person under one leaf of the key tree: all of it dies with that leaf.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a row: every column must be given")]
pub struct Holding {
    /// The leaf of the organisation's key tree.
    pub leaf: LeafIndex,
    /// What kind of data.
    pub class: DataClass,
    /// About whom.
    pub subject: SubjectPseudonym,
    /// For biometric data, the scope that was consented to.
    pub scope: Option<Scope>,
    /// Where it stands.
    pub state: HoldingState,
    /// When it was created.
    pub created_at: Timestamp,
    /// The log entry that recorded its creation, where it has one of its own.
    pub created_entry: Option<u64>,
}

/// The life of a holding: live, then condemned, then destroyed; never back.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "the life of a holding is closed")]
pub enum HoldingState {
    /// In use.
    Live,
    /// Fenced: refused for every use; its key is being destroyed.
    Condemned {
        /// The rule or act that decided, by id.
        cause: String,
        /// When.
        at: Timestamp,
    },
    /// Its key is destroyed.
    Destroyed {
        /// The rule or act that decided, by id.
        cause: String,
        /// When.
        at: Timestamp,
        /// The log entry that recorded it.
        entry: u64,
    },
}

/// A sealed template.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a row: every column must be given")]
pub struct RecordRow {
    /// Which record.
    pub id: RecordId,
    /// Under which leaf.
    pub leaf: LeafIndex,
    /// SHA-256 of the model that made the embedding.
    pub model: Digest,
    /// The length of the embedding.
    pub dimension: u16,
    /// The sealed bytes.
    pub sealed: Vec<u8>,
    /// Which data key of the organisation seals it, from 1; it also stands in the sealed context.
    pub key_version: u32,
}

/// The sealed payload of a log entry.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a row: every column must be given")]
pub struct PayloadRow {
    /// Under which leaf.
    pub leaf: LeafIndex,
    /// Which record id its context names.
    pub id: RecordId,
    /// The sealed bytes.
    pub sealed: Vec<u8>,
    /// Which data key of the organisation seals it, from 1; it also stands in the sealed context.
    pub key_version: u32,
}

/// How much one data key of an organisation still seals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a row: every column must be given")]
pub struct KeyUsage {
    /// Which data key, from 1.
    pub key_version: u32,
    /// How many sealed templates.
    pub records: u64,
    /// How many sealed payloads.
    pub payloads: u64,
}
