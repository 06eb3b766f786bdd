use vouchsafe_types::DataClass;

/// One stored column: what it holds, of which class, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Column {
    /// The table.
    pub table: &'static str,
    /// The column.
    pub name: &'static str,
    /// The class of personal data, whose retention rule applies; `None` where the column holds none.
    pub class: Option<DataClass>,
    /// What it is for.
    pub purpose: &'static str,
}

const fn column(
    table: &'static str,
    name: &'static str,
    class: Option<DataClass>,
    purpose: &'static str,
) -> Column {
    Column { table, name, class, purpose }
}

const BIOMETRIC: Option<DataClass> = Some(DataClass::Biometric);
const CONSENT: Option<DataClass> = Some(DataClass::ConsentEvidence);
const EVIDENCE: Option<DataClass> = Some(DataClass::DestructionEvidence);

/// Every stored column. A test fails when the schema has one that is missing here, or the reverse.
///
/// Rows of `payload` belong to the class of the holding under whose leaf they are sealed: consent evidence,
/// verification log, audit log or destruction evidence.
pub const INVENTORY: &[Column] = &[
    column("organisation", "id", None, "the tenant"),
    column("organisation", "created_at", None, "when the tenant was provisioned"),
    column("notice", "ordinal", None, "order of publication"),
    column("notice", "organisation", None, "the tenant"),
    column("notice", "digest", None, "SHA-256 of the bytes shown"),
    column("notice", "id", None, "which notice"),
    column("notice", "version", None, "which version"),
    column("notice", "locale", None, "in which language"),
    column("notice", "shown", None, "the exact bytes that people consent to"),
    column("notice", "published_at", None, "when it was published"),
    column("notice", "effective_at", None, "from when on it is in force"),
    column("notice", "material", None, "whether it changes what people consented to"),
    column("notice", "attested_by", None, "which role attested to that"),
    column("notice", "terms", None, "what it says, in a form that programs read"),
    column("notice", "schedule", None, "the retention schedule published with it"),
    column("subject", "organisation", None, "the tenant"),
    column("subject", "pseudonym", CONSENT, "keyed pseudonym of the person"),
    column("subject", "last_interaction", BIOMETRIC, "start of the inactivity period"),
    column("consent", "organisation", None, "the tenant"),
    column("consent", "subject", CONSENT, "keyed pseudonym of the person"),
    column("consent", "scope", CONSENT, "what was consented to"),
    column("consent", "sequence", CONSENT, "number of the act"),
    column(
        "consent",
        "status",
        CONSENT,
        "given, renewed, refused, withdrawn, revoked, expired or invalidated",
    ),
    column("consent", "notice", CONSENT, "which bytes were shown"),
    column("consent", "at", CONSENT, "when the act took place"),
    column("consent", "expires", CONSENT, "when it ends by itself"),
    column("consent", "entry", CONSENT, "log entry of the act"),
    column("consent", "newest", CONSENT, "whether no act follows it"),
    column("served", "organisation", None, "the tenant"),
    column("served", "ticket", CONSENT, "random id that joins what was shown to the act"),
    column("served", "subject", CONSENT, "keyed pseudonym of the person"),
    column("served", "scope", CONSENT, "for what it was shown"),
    column("served", "notice", CONSENT, "which bytes were shown"),
    column("served", "served_at", CONSENT, "when they were shown"),
    column("served", "entry", CONSENT, "log entry of the showing"),
    column("served", "used_sequence", CONSENT, "number of the act that refers to it"),
    column("subject_mark", "organisation", None, "the tenant"),
    column("subject_mark", "subject", CONSENT, "keyed pseudonym of the person"),
    column("subject_mark", "mark", CONSENT, "restricted, objected or minor"),
    column("subject_mark", "set_at", CONSENT, "since when"),
    column("subject_mark", "entry", CONSENT, "log entry of the marking"),
    column("holding", "organisation", None, "the tenant"),
    column("holding", "leaf", EVIDENCE, "leaf of the key tree; survives as evidence of destruction"),
    column("holding", "class", EVIDENCE, "what kind of data"),
    column("holding", "subject", EVIDENCE, "keyed pseudonym of the person"),
    column("holding", "scope", EVIDENCE, "for which scope"),
    column("holding", "state", EVIDENCE, "live, condemned or destroyed"),
    column("holding", "created_at", EVIDENCE, "start of periods that run from creation"),
    column("holding", "created_entry", EVIDENCE, "log entry of the enrolment"),
    column("holding", "cause", EVIDENCE, "which rule or act condemned it"),
    column("holding", "changed_at", EVIDENCE, "when the state changed"),
    column("holding", "destroyed_entry", EVIDENCE, "log entry of the destruction"),
    column("record", "organisation", None, "the tenant"),
    column("record", "id", BIOMETRIC, "random id of the record"),
    column("record", "leaf", BIOMETRIC, "under which leaf it is sealed"),
    column("record", "model", BIOMETRIC, "digest of the model"),
    column("record", "dimension", BIOMETRIC, "length of the embedding"),
    column("record", "sealed", BIOMETRIC, "the sealed protected template"),
    column("record", "key_version", BIOMETRIC, "which data key seals it, for rotation"),
    column("entry", "organisation", None, "the tenant"),
    column("entry", "number", None, "position in the log"),
    column("entry", "bytes", None, "type, hour, organisation pseudonym, commitment; kept for good"),
    column("public_payload", "organisation", None, "the tenant"),
    column("public_payload", "entry", None, "which log entry it explains"),
    column("public_payload", "bytes", None, "what the organisation itself did; nothing about a person"),
    column("payload", "organisation", None, "the tenant"),
    column("payload", "entry", CONSENT, "which log entry it explains"),
    column("payload", "leaf", CONSENT, "under which leaf it is sealed"),
    column("payload", "id", CONSENT, "random id of the sealed payload"),
    column("payload", "sealed", CONSENT, "the sealed payload"),
    column("payload", "key_version", CONSENT, "which data key seals it, for rotation"),
];
