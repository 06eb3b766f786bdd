//! The tables of a backup, in an order in which every row finds what it refers to.
use super::frame::{Cell, Kind};
use crate::StoreError;
use crate::sql::{Columns, Value};

/// A table with its columns, the organisation first, then the rest of its key.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) name: &'static str,
    pub(crate) columns: &'static [(&'static str, Kind)],
    /// How many columns after the organisation make the key.
    pub(crate) key: usize,
    /// Whether the first column after the organisation is given out by the engine: only its order is kept.
    pub(crate) numbered: bool,
}

const fn table(name: &'static str, key: usize, columns: &'static [(&'static str, Kind)]) -> Table {
    Table { name, columns, key, numbered: false }
}

use Kind::{Blob, Int, Text};

/// The logical schema whose rows these are.
pub(crate) const SCHEMA: u32 = 8;

pub(crate) const TABLES: &[Table] = &[
    table("organisation", 0, &[("id", Text), ("created_at", Int)]),
    Table {
        name: "notice",
        columns: &[
            ("organisation", Text),
            ("ordinal", Int),
            ("digest", Blob),
            ("id", Text),
            ("version", Text),
            ("locale", Text),
            ("shown", Blob),
            ("published_at", Int),
            ("effective_at", Int),
            ("material", Int),
            ("attested_by", Int),
            ("terms", Blob),
            ("schedule", Blob),
        ],
        key: 1,
        numbered: true,
    },
    table(
        "subject",
        1,
        &[("organisation", Text), ("pseudonym", Blob), ("last_interaction", Int), ("last_act", Int)],
    ),
    table(
        "consent",
        3,
        &[
            ("organisation", Text),
            ("subject", Blob),
            ("scope", Blob),
            ("sequence", Int),
            ("status", Int),
            ("notice", Blob),
            ("at", Int),
            ("expires", Int),
            ("entry", Int),
            ("newest", Int),
        ],
    ),
    table(
        "served",
        1,
        &[
            ("organisation", Text),
            ("ticket", Blob),
            ("subject", Blob),
            ("scope", Blob),
            ("notice", Blob),
            ("served_at", Int),
            ("entry", Int),
            ("used_sequence", Int),
        ],
    ),
    table(
        "subject_mark",
        2,
        &[("organisation", Text), ("subject", Blob), ("mark", Int), ("set_at", Int), ("entry", Int)],
    ),
    table(
        "life_event",
        3,
        &[
            ("organisation", Text),
            ("subject", Blob),
            ("scope", Blob),
            ("trigger", Int),
            ("at", Int),
            ("entry", Int),
        ],
    ),
    table(
        "residence",
        2,
        &[("organisation", Text), ("subject", Blob), ("jurisdiction", Int), ("since", Int), ("entry", Int)],
    ),
    table(
        "holding",
        1,
        &[
            ("organisation", Text),
            ("leaf", Int),
            ("class", Int),
            ("subject", Blob),
            ("scope", Blob),
            ("state", Int),
            ("created_at", Int),
            ("created_entry", Int),
            ("cause", Text),
            ("changed_at", Int),
            ("destroyed_entry", Int),
            ("review_at", Int),
        ],
    ),
    table("holding_tally", 1, &[("organisation", Text), ("class", Int), ("live", Int)]),
    table(
        "record",
        1,
        &[
            ("organisation", Text),
            ("leaf", Int),
            ("id", Blob),
            ("model", Blob),
            ("dimension", Int),
            ("sealed", Blob),
            ("key_version", Int),
        ],
    ),
    table("entry", 1, &[("organisation", Text), ("number", Int), ("bytes", Blob)]),
    table("public_payload", 1, &[("organisation", Text), ("entry", Int), ("bytes", Blob)]),
    table(
        "payload",
        1,
        &[
            ("organisation", Text),
            ("entry", Int),
            ("leaf", Int),
            ("id", Blob),
            ("sealed", Blob),
            ("key_version", Int),
        ],
    ),
    table(
        "document",
        1,
        &[
            ("organisation", Text),
            ("id", Blob),
            ("leaf", Int),
            ("kind", Int),
            ("field", Int),
            ("sealed", Blob),
            ("key_version", Int),
            ("entry", Int),
            ("next_at", Int),
            ("closed_at", Int),
        ],
    ),
    table(
        "legal_hold",
        1,
        &[
            ("organisation", Text),
            ("id", Blob),
            ("matter", Text),
            ("authority", Int),
            ("subject", Blob),
            ("class", Int),
            ("placed_at", Int),
            ("expires", Int),
            ("released_at", Int),
            ("requested_by", Text),
            ("approved_by", Text),
            ("entry", Int),
        ],
    ),
    table(
        "job",
        1,
        &[
            ("organisation", Text),
            ("id", Blob),
            ("kind", Int),
            ("subject", Blob),
            ("state", Blob),
            ("created_at", Int),
            ("run_at", Int),
            ("attempts", Int),
            ("lease_until", Int),
            ("fence", Int),
            ("finished_at", Int),
        ],
    ),
    table(
        "lease",
        1,
        &[("organisation", Text), ("work", Int), ("holder", Blob), ("token", Int), ("until", Int)],
    ),
    table(
        "retention",
        0,
        &[
            ("organisation", Text),
            ("policy", Blob),
            ("activated_at", Int),
            ("newest", Int),
            ("swept_at", Int),
        ],
    ),
];

/// How many rows one statement reads.
const PAGE: usize = 256;

impl Table {
    /// The name of its file.
    pub(crate) fn file(&self) -> String {
        format!("{}.rows", self.name)
    }

    /// The next page of an organisation's rows; the organisation is the first value, the last key seen follows.
    pub(crate) fn select(&self, is_first: bool) -> String {
        let names: Vec<_> = self.columns.iter().map(|(name, _)| *name).collect();
        let organisation = names.first().copied().unwrap_or_default();
        let mut sql = format!("SELECT {} FROM {} WHERE {organisation} = ?1", names.join(", "), self.name);
        let key: Vec<_> = names.iter().copied().skip(1).take(self.key).collect();
        if key.is_empty() {
            return sql;
        }
        let key = key.join(", ");
        if !is_first {
            let after: Vec<_> = (2..).take(self.key).map(|at| format!("?{at}")).collect();
            sql.push_str(&format!(" AND ({key}) > ({})", after.join(", ")));
        }
        sql.push_str(&format!(" ORDER BY {key} LIMIT {PAGE}"));
        sql
    }

    /// Counts an organisation's rows.
    pub(crate) fn count(&self) -> String {
        let organisation = self.columns.first().map(|(name, _)| *name).unwrap_or_default();
        format!("SELECT count(*) FROM {} WHERE {organisation} = ?1", self.name)
    }

    /// Whether a page of so many rows may be followed by another one.
    pub(crate) const fn is_full(&self, rows: usize) -> bool {
        self.key > 0 && rows == PAGE
    }

    /// Inserts so many rows at once.
    pub(crate) fn insert(&self, rows: usize) -> String {
        let names: Vec<_> = self.inserted().map(|(_, (name, _))| *name).collect();
        let mut next = 1..;
        let one: Vec<_> = (0..rows)
            .map(|_| {
                let values: Vec<_> = next.by_ref().take(names.len()).map(|at| format!("?{at}")).collect();
                format!("({})", values.join(", "))
            })
            .collect();
        format!("INSERT INTO {} ({}) VALUES {}", self.name, names.join(", "), one.join(", "))
    }

    /// The values of a row that are inserted.
    pub(crate) fn values<'a>(&'a self, row: &'a [Cell]) -> impl Iterator<Item = Value<'a>> {
        self.inserted().map(|(at, _)| row.get(at).map_or(Value::Null, Cell::value))
    }

    fn inserted(&self) -> impl Iterator<Item = (usize, &(&'static str, Kind))> {
        self.columns.iter().enumerate().filter(|(at, _)| !(self.numbered && *at == 1))
    }

    /// A row that an engine found.
    pub(crate) fn read(&self, columns: &dyn Columns) -> Result<Vec<Cell>, StoreError> {
        let cell = |(at, (_, kind)): (usize, &(&str, Kind))| {
            Ok(match kind {
                Int => columns.int(at)?.map(Cell::Int),
                Text => columns.text(at)?.map(|text| Cell::Text(text.to_owned())),
                Blob => columns.blob(at)?.map(|bytes| Cell::Blob(bytes.to_vec())),
            }
            .unwrap_or(Cell::Null))
        };
        self.columns.iter().enumerate().map(cell).collect()
    }

    /// The organisation and the key of a row.
    pub(crate) fn key_of<'a>(&self, row: &'a [Cell]) -> &'a [Cell] {
        row.get(..=self.key).unwrap_or(row)
    }
}
