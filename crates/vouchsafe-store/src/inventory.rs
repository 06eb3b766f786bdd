use std::fmt::Write;

use vouchsafe_types::DataClass;

use crate::{
    ConsentRow, DocumentRow, EventRow, HoldRow, Holding, HoldingState, JobRow, LeaseRow, MarkRow, NoticeRow,
    PayloadRow, RecordRow, ResidenceRow, RetentionRow, ServedRow, SubjectRow, TallyRow,
};

/// One stored column: what it holds, of which class, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Column {
    /// The table.
    pub table: &'static str,
    /// The column.
    pub name: &'static str,
    /// The class of personal data, whose retention rule applies; `None` where the column holds none, or where
    /// [`Self::holding`] says more.
    pub class: Option<DataClass>,
    /// Whether the class is that of the holding under whose leaf the row is sealed, which may be any.
    pub holding: bool,
    /// What it is for.
    pub purpose: &'static str,
}

type Class = (Option<DataClass>, bool);

const NONE: Class = (None, false);
const OF_HOLDING: Class = (None, true);
const AUDIT: Class = (Some(DataClass::AuditLog), false);
const BIOMETRIC: Class = (Some(DataClass::Biometric), false);
const CONSENT: Class = (Some(DataClass::ConsentEvidence), false);
const EVIDENCE: Class = (Some(DataClass::DestructionEvidence), false);

const fn column(table: &'static str, name: &'static str, class: Class, purpose: &'static str) -> Column {
    Column { table, name, class: class.0, holding: class.1, purpose }
}

/// Declares the columns of each table: those that are fields of its row, then those beside it.
///
/// The fields are taken from the row without a rest pattern: a row with a field that is not declared does not compile.
macro_rules! inventory {
    ($(
        $table:ident $(= $row:ident { $($field:ident: $class:ident, $purpose:literal;)* })?
        beside { $($name:ident: $beside:ident, $for:literal;)* }
    )*) => {
        /// Every stored column, table by table. A field without a line here does not compile; a test fails when the
        /// schema has a column that is missing here, or the reverse.
        pub const INVENTORY: &[Column] = &[
            $(
                $($(column(stringify!($table), stringify!($field), $class, $purpose),)*)?
                $(column(stringify!($table), stringify!($name), $beside, $for),)*
            )*
        ];
        $($(const _: fn(&$row) = |$row { $($field: _,)* }| ();)?)*
    };
}

inventory! {
    organisation beside {
        id: NONE, "the tenant";
        created_at: NONE, "when the tenant was provisioned";
    }
    notice = NoticeRow {
        digest: NONE, "SHA-256 of the bytes shown";
        id: NONE, "which notice";
        version: NONE, "which version";
        locale: NONE, "in which language";
        shown: NONE, "the exact bytes that people consent to";
        published_at: NONE, "when it was published";
        effective_at: NONE, "from when on it is in force";
        material: NONE, "whether it changes what people consented to";
        attested_by: NONE, "which role attested to that";
        terms: NONE, "what it says, in a form that programs read";
        schedule: NONE, "the retention schedule published with it";
    } beside {
        organisation: NONE, "the tenant";
        ordinal: NONE, "order of publication";
    }
    subject = SubjectRow {
        pseudonym: CONSENT, "keyed pseudonym of the person";
        last_interaction: BIOMETRIC, "start of the inactivity period";
        last_act: BIOMETRIC, "which act of the person started it";
    } beside {
        organisation: NONE, "the tenant";
    }
    consent = ConsentRow {
        sequence: CONSENT, "number of the act";
        status: CONSENT, "given, renewed, refused, withdrawn, revoked, expired or invalidated";
        notice: CONSENT, "which bytes were shown";
        at: CONSENT, "when the act took place";
        expires: CONSENT, "when it ends by itself";
        entry: CONSENT, "log entry of the act";
    } beside {
        organisation: NONE, "the tenant";
        subject: CONSENT, "keyed pseudonym of the person";
        scope: CONSENT, "what was consented to";
        newest: CONSENT, "whether no act follows it";
    }
    served = ServedRow {
        ticket: CONSENT, "random id that joins what was shown to the act";
        subject: CONSENT, "keyed pseudonym of the person";
        scope: CONSENT, "for what it was shown";
        notice: CONSENT, "which bytes were shown";
        served_at: CONSENT, "when they were shown";
        entry: CONSENT, "log entry of the showing";
        used_sequence: CONSENT, "number of the act that refers to it";
    } beside {
        organisation: NONE, "the tenant";
    }
    subject_mark = MarkRow {
        mark: CONSENT, "restricted, objected or minor";
        set_at: CONSENT, "since when";
        entry: CONSENT, "log entry of the marking";
    } beside {
        organisation: NONE, "the tenant";
        subject: CONSENT, "keyed pseudonym of the person";
    }
    life_event = EventRow {
        scope: CONSENT, "for which scope it happened, or for the whole person";
        trigger: CONSENT, "what happened that starts a retention period";
        at: CONSENT, "start of that period";
        entry: CONSENT, "log entry of the event";
    } beside {
        organisation: NONE, "the tenant";
        subject: CONSENT, "keyed pseudonym of the person";
    }
    residence = ResidenceRow {
        jurisdiction: CONSENT, "whose law protects the person";
        since: CONSENT, "since when that is known";
        entry: CONSENT, "log entry of the statement";
    } beside {
        organisation: NONE, "the tenant";
        subject: CONSENT, "keyed pseudonym of the person";
    }
    holding = Holding {
        leaf: EVIDENCE, "leaf of the key tree; survives as evidence of destruction";
        class: EVIDENCE, "what kind of data";
        subject: EVIDENCE, "keyed pseudonym of the person";
        scope: EVIDENCE, "for which scope";
        state: EVIDENCE, "live, condemned or destroyed";
        created_at: EVIDENCE, "start of periods that run from creation";
        created_entry: EVIDENCE, "log entry of the enrolment";
        review_at: EVIDENCE, "by when the retention executor looks at it";
    } beside {
        organisation: NONE, "the tenant";
        cause: EVIDENCE, "which rule or act condemned it";
        changed_at: EVIDENCE, "when the state changed";
        destroyed_entry: EVIDENCE, "log entry of the destruction";
    }
    holding_tally = TallyRow {
        class: NONE, "what kind of data is counted";
        live: NONE, "how many holdings are live, for the share that one plan may destroy";
    } beside {
        organisation: NONE, "the tenant";
    }
    record = RecordRow {
        id: BIOMETRIC, "random id of the record";
        leaf: BIOMETRIC, "under which leaf it is sealed";
        model: BIOMETRIC, "digest of the model";
        dimension: BIOMETRIC, "length of the embedding";
        sealed: BIOMETRIC, "the sealed protected template";
        key_version: BIOMETRIC, "which data key seals it, for rotation";
    } beside {
        organisation: NONE, "the tenant";
    }
    entry beside {
        organisation: NONE, "the tenant";
        number: NONE, "position in the log";
        bytes: NONE, "type, hour, organisation pseudonym, commitment; kept for good";
    }
    public_payload beside {
        organisation: NONE, "the tenant";
        entry: NONE, "which log entry it explains";
        bytes: NONE, "what the organisation itself did; nothing about a person";
    }
    payload = PayloadRow {
        leaf: OF_HOLDING, "under which leaf it is sealed";
        id: OF_HOLDING, "random id of the sealed payload";
        sealed: OF_HOLDING, "the sealed payload";
        key_version: OF_HOLDING, "which data key seals it, for rotation";
    } beside {
        organisation: NONE, "the tenant";
        entry: OF_HOLDING, "which log entry it explains";
    }
    document = DocumentRow {
        id: OF_HOLDING, "random id of the document";
        leaf: OF_HOLDING, "under which leaf it is sealed";
        kind: OF_HOLDING, "fact, rights request, disclosure or deletion order";
        field: OF_HOLDING, "which fact about the person";
        sealed: OF_HOLDING, "the sealed document";
        key_version: OF_HOLDING, "which data key seals it, for rotation";
        entry: OF_HOLDING, "log entry of the document";
        next_at: OF_HOLDING, "when something has to be done about it";
        closed_at: OF_HOLDING, "when nothing was to be done any more";
    } beside {
        organisation: NONE, "the tenant";
    }
    legal_hold = HoldRow {
        id: EVIDENCE, "random id of the hold";
        matter: EVIDENCE, "opaque name of the matter";
        authority: EVIDENCE, "by what kind of authority";
        subject: EVIDENCE, "keyed pseudonym of the person, or everybody";
        class: EVIDENCE, "on what kind of data, or every kind";
        placed_at: EVIDENCE, "from when on nothing under it is destroyed";
        expires: EVIDENCE, "when it ends by itself";
        released_at: EVIDENCE, "when it was released";
        requested_by: AUDIT, "opaque id of who asked for it";
        approved_by: AUDIT, "opaque id of who approved it";
        entry: EVIDENCE, "log entry of the hold";
    } beside {
        organisation: NONE, "the tenant";
    }
    job = JobRow {
        id: AUDIT, "random id of the job";
        kind: AUDIT, "what is to be done";
        subject: AUDIT, "keyed pseudonym of the person, if it is about one";
        state: AUDIT, "how far it has come, to resume it";
        created_at: AUDIT, "when it was created";
        run_at: AUDIT, "from when on it may run";
        attempts: AUDIT, "how often it was tried";
        lease_until: AUDIT, "until when a process works on it";
        fence: AUDIT, "which process may still save it";
        finished_at: AUDIT, "when it was finished";
    } beside {
        organisation: NONE, "the tenant";
    }
    lease = LeaseRow {
        holder: NONE, "random id of the process that does the work";
        token: NONE, "which holder may still write";
        until: NONE, "until when nobody else begins the work";
    } beside {
        organisation: NONE, "the tenant";
        work: NONE, "what every process would do by itself";
    }
    retention = RetentionRow {
        policy: NONE, "SHA-256 of the policy in force";
        activated_at: NONE, "since when it is in force";
        newest: NONE, "newest instant seen, to notice a clock set back";
        swept_at: NONE, "when the last sweep ended";
    } beside {
        organisation: NONE, "the tenant";
    }
}

/// The columns beside [`Holding`] are the fields of its state.
const _: fn(&HoldingState) = |state| match state {
    HoldingState::Live
    | HoldingState::Condemned { cause: _, at: _ }
    | HoldingState::Destroyed { cause: _, at: _, entry: _ } => (),
};

/// The inventory as a Markdown table: table, column, class, purpose, and what the caller knows of each column (the
/// rule that applies, the region), one cell for each heading given.
pub fn inventory_table(headings: &[&str], mut cells: impl FnMut(&Column) -> Vec<String>) -> String {
    let mut table = String::new();
    let fixed = ["table", "column", "class", "purpose"];
    let row = |table: &mut String, cells: &mut dyn Iterator<Item = &str>| {
        cells.for_each(|cell| {
            let _ = write!(table, "| {} ", cell.replace('|', "\\|").replace(['\n', '\r'], " "));
        });
        table.push_str("|\n");
    };
    row(&mut table, &mut fixed.iter().chain(headings).copied());
    row(&mut table, &mut fixed.iter().chain(headings).map(|_| "---"));
    for column in INVENTORY {
        let class = match (column.holding, column.class) {
            (true, _) => "that of its holding",
            (false, Some(class)) => class.name(),
            (false, None) => "none",
        };
        let known = cells(column);
        let known = (0..headings.len()).map(|at| known.get(at).map_or("", String::as_str));
        row(&mut table, &mut [column.table, column.name, class, column.purpose].into_iter().chain(known));
    }
    table
}
