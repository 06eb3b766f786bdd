use vouchsafe_types::{DataClass, Digest, LeafIndex, RecordId, Scope, SubjectPseudonym, Timestamp};

mod retention;

pub use retention::{
    DocumentRow, EventRow, HoldRow, JobRow, LeaseRow, ResidenceRow, RetentionRow, SubjectRow, TallyRow,
};

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
    /// From when on it is in force.
    pub effective_at: Timestamp,
    /// Whether it changes what people consented to.
    pub material: bool,
    /// The code of the role that attested to that; 0 where schema 2 did not record it.
    pub attested_by: u8,
    /// The notice without its bytes, in canonical JSON; empty where schema 2 did not record it.
    pub terms: Vec<u8>,
    /// The exact bytes of the retention schedule published with it; may be empty.
    pub schedule: Vec<u8>,
}

/// An act of consent of one person for one scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a row: every column must be given")]
pub struct ConsentRow {
    /// The number of the act, from 1.
    pub sequence: u64,
    /// The code of the state that the act leads to, 1 to 7: 1 given, 2 renewed, 4 withdrawn.
    pub status: u8,
    /// SHA-256 of the notice that the act, or the grant it ends, refers to.
    pub notice: Digest,
    /// When.
    pub at: Timestamp,
    /// When it ends by itself.
    pub expires: Option<Timestamp>,
    /// The log entry that recorded it; `None` for acts of schema 2.
    pub entry: Option<u64>,
}

/// A notice as it was served to one person, before the act that refers to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a row: every column must be given")]
pub struct ServedRow {
    /// The random id that joins it to the act.
    pub ticket: [u8; 16],
    /// To whom.
    pub subject: SubjectPseudonym,
    /// For what.
    pub scope: Scope,
    /// SHA-256 of the bytes.
    pub notice: Digest,
    /// When.
    pub served_at: Timestamp,
    /// The log entry that recorded it.
    pub entry: u64,
    /// The number of the act that used it up.
    pub used_sequence: Option<u64>,
}

/// A state of a person that closes or narrows the gate, whatever was consented to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a row: every column must be given")]
pub struct MarkRow {
    /// 1 restricted, 2 objected, 3 minor.
    pub mark: u8,
    /// Since when.
    pub set_at: Timestamp,
    /// The log entry that recorded it.
    pub entry: u64,
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
    /// While it is live: by when the retention executor has to look at it; `None` if nothing has started a period.
    pub review_at: Option<Timestamp>,
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
    /// How many sealed documents.
    pub documents: u64,
}
