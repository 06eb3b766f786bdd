use vouchsafe_types::{DataClass, Digest, LeafIndex, RecordId, Scope, SubjectPseudonym, Timestamp};

/// A person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a row: every column must be given")]
pub struct SubjectRow {
    /// Who.
    pub pseudonym: SubjectPseudonym,
    /// When they last acted.
    pub last_interaction: Timestamp,
    /// The code of that act; 0 where none is known.
    pub last_act: u8,
}

/// How many holdings of one class are live.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a row: every column must be given")]
pub struct TallyRow {
    /// What kind of data.
    pub class: DataClass,
    /// How many.
    pub live: u64,
}

/// Something that happened to a person and starts periods.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a row: every column must be given")]
pub struct EventRow {
    /// For which scope; `None` for the person as a whole.
    pub scope: Option<Scope>,
    /// 1 account deletion, 2 creation, 3 last interaction, 4 learned to be a minor, 5 method disabled,
    /// 6 purpose met, 7 withdrawal.
    pub trigger: u8,
    /// When.
    pub at: Timestamp,
    /// The log entry that recorded it.
    pub entry: u64,
}

/// A place where a person lives or lived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a row: every column must be given")]
pub struct ResidenceRow {
    /// The code of the jurisdiction.
    pub jurisdiction: u8,
    /// Since when it is known.
    pub since: Timestamp,
    /// The log entry that recorded it.
    pub entry: u64,
}

/// A legal hold.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a row: every column must be given")]
pub struct HoldRow {
    /// Which hold.
    pub id: RecordId,
    /// The opaque name of the matter.
    pub matter: String,
    /// The code of the kind of authority.
    pub authority: u8,
    /// On whom; `None` for everybody of the organisation.
    pub subject: Option<SubjectPseudonym>,
    /// On what kind of data; `None` for every kind.
    pub class: Option<DataClass>,
    /// From when on.
    pub placed_at: Timestamp,
    /// When it ends by itself.
    pub expires: Option<Timestamp>,
    /// When it was released.
    pub released_at: Option<Timestamp>,
    /// The opaque id of who asked for it.
    pub requested_by: String,
    /// The opaque id of who approved it: somebody else.
    pub approved_by: String,
    /// The log entry that recorded it.
    pub entry: u64,
}

/// A sealed document about a person.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a row: every column must be given")]
pub struct DocumentRow {
    /// Which document; its context names it.
    pub id: RecordId,
    /// Under which leaf.
    pub leaf: LeafIndex,
    /// 1 fact, 2 rights request, 3 disclosure, 4 deletion order.
    pub kind: u8,
    /// The code of the field of a fact; 0 for other kinds.
    pub field: u8,
    /// The sealed bytes.
    pub sealed: Vec<u8>,
    /// Which data key of the organisation seals it, from 1; it also stands in the sealed context.
    pub key_version: u32,
    /// The log entry that recorded it.
    pub entry: u64,
    /// When something has to be done about it next.
    pub next_at: Option<Timestamp>,
    /// When it was closed: nothing is to be done any more.
    pub closed_at: Option<Timestamp>,
}

/// A piece of work that outlives the process that began it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a row: every column must be given")]
pub struct JobRow {
    /// Which job.
    pub id: RecordId,
    /// The code of what is to be done.
    pub kind: u8,
    /// About whom, if about one person.
    pub subject: Option<SubjectPseudonym>,
    /// How far it has come, in the form of its kind.
    pub state: Vec<u8>,
    /// When it was created.
    pub created_at: Timestamp,
    /// From when on it may run; `None` once it is finished.
    pub run_at: Option<Timestamp>,
    /// How often it was claimed.
    pub attempts: u32,
    /// Until when somebody has claimed it.
    pub lease_until: Option<Timestamp>,
    /// The number of the claim: whoever holds an older one can no longer save.
    pub fence: u64,
    /// When it was finished.
    pub finished_at: Option<Timestamp>,
}

/// Who does what every process would begin by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a row: every column must be given")]
pub struct LeaseRow {
    /// A random id of the process, or of its attempt.
    pub holder: RecordId,
    /// The number of the holder, from 1: whoever has an older one can no longer write.
    pub token: u64,
    /// Until when nobody else is granted it; `None` once it was given back.
    pub until: Option<Timestamp>,
}

/// How retention stands in an organisation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a row: every column must be given")]
pub struct RetentionRow {
    /// SHA-256 of the policy in force.
    pub policy: Digest,
    /// Since when it is in force.
    pub activated_at: Timestamp,
    /// The newest instant that a sweep has seen.
    pub newest: Timestamp,
    /// When the last sweep ended.
    pub swept_at: Option<Timestamp>,
}
