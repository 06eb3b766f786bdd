//! What a copy says of each table of the store.

use vouchsafe_store::Column;

/// What a copy says of the columns of one table.
pub(super) struct Answer {
    pub(super) table: &'static str,
    /// Columns that stand in it, under their own names or opened.
    pub(super) told: &'static [&'static str],
    /// Columns that do not, and why.
    withheld: &'static [(&'static str, &'static str)],
}

/// A column, as far as an answer has to cover it.
pub(super) struct Stored {
    table: &'static str,
    name: &'static str,
    personal: bool,
}

impl Stored {
    pub(super) const fn of(column: &Column) -> Self {
        let personal = column.class.is_some() || column.holding;
        Self { table: column.table, name: column.name, personal }
    }
}

const ONCE: &str = "stands once, in the row of the person";
const KEY: &str = "which data key seals it says nothing of the person";
const WORK: &str = "how far a piece of work has come says nothing of the person";
const OTHERS: &str = "who asked and who approved are others' data";

const fn answer(
    table: &'static str,
    told: &'static [&'static str],
    withheld: &'static [(&'static str, &'static str)],
) -> Answer {
    Answer { table, told, withheld }
}

/// The answer for every table; one without personal columns has nothing to tell.
pub(super) const ANSWERS: &[Answer] = &[
    answer("organisation", &[], &[]),
    // Those that the person was shown or acted on.
    answer("notice", &["digest", "id", "version", "locale", "shown"], &[]),
    answer("subject", &["pseudonym", "last_interaction", "last_act"], &[]),
    answer(
        "consent",
        &["scope", "sequence", "status", "notice", "at", "expires", "entry"],
        &[("subject", ONCE), ("newest", "the last act of a scope is the newest")],
    ),
    answer(
        "served",
        &["ticket", "scope", "notice", "served_at", "entry", "used_sequence"],
        &[("subject", ONCE)],
    ),
    answer("subject_mark", &["mark", "set_at", "entry"], &[("subject", ONCE)]),
    answer("life_event", &["scope", "trigger", "at", "entry"], &[("subject", ONCE)]),
    answer("residence", &["jurisdiction", "since", "entry"], &[("subject", ONCE)]),
    answer(
        "holding",
        &[
            "leaf",
            "class",
            "scope",
            "state",
            "created_at",
            "created_entry",
            "review_at",
            "cause",
            "changed_at",
            "destroyed_entry",
        ],
        &[("subject", ONCE)],
    ),
    answer("holding_tally", &[], &[]),
    answer("record", &["id", "leaf", "model", "dimension", "sealed"], &[("key_version", KEY)]),
    answer("entry", &[], &[]),
    answer("public_payload", &[], &[]),
    answer("payload", &["entry", "leaf", "id", "sealed"], &[("key_version", KEY)]),
    answer(
        "document",
        &["id", "leaf", "kind", "field", "sealed", "entry", "next_at", "closed_at"],
        &[("key_version", KEY)],
    ),
    answer(
        "legal_hold",
        &["id", "matter", "authority", "class", "placed_at", "expires", "released_at", "entry"],
        &[("subject", ONCE), ("requested_by", OTHERS), ("approved_by", OTHERS)],
    ),
    answer(
        "job",
        &["id", "kind", "created_at", "run_at", "attempts", "finished_at"],
        &[("subject", ONCE), ("state", WORK), ("lease_until", WORK), ("fence", WORK)],
    ),
    answer("lease", &[], &[]),
    answer("retention", &[], &[]),
];

pub(super) fn answer_of(table: &str) -> Option<&'static Answer> {
    ANSWERS.iter().find(|answer| answer.table == table)
}

/// What a copy would pass over: tables without an answer, and columns about people that their answer does not name.
pub(super) fn gaps(columns: impl Iterator<Item = Stored>) -> Vec<String> {
    let mut gaps: Vec<String> = columns.filter_map(|column| gap(&column)).collect();
    gaps.dedup();
    gaps
}

fn gap(column: &Stored) -> Option<String> {
    let Some(answer) = answer_of(column.table) else { return Some(column.table.to_owned()) };
    let named = answer.told.contains(&column.name)
        || answer.withheld.iter().any(|(withheld, why)| *withheld == column.name && !why.is_empty());
    (column.personal && !named).then(|| format!("{}.{}", column.table, column.name))
}

#[cfg(test)]
mod tests {
    use vouchsafe_store::INVENTORY;

    use super::*;

    fn stored() -> impl Iterator<Item = Stored> {
        INVENTORY.iter().map(Stored::of)
    }

    /// Promise: WB-5-know
    #[test]
    fn a_copy_passes_over_nothing_that_is_stored() {
        assert_eq!(gaps(stored()), [""; 0]);
    }

    /// Promise: WB-5-know
    #[test]
    fn a_table_or_column_that_is_added_without_an_answer_is_a_gap() {
        let added = |table, name, personal| gaps(stored().chain([Stored { table, name, personal }]));
        assert_eq!(added("diary", "sealed", true), ["diary"]);
        assert_eq!(added("diary", "sealed", false), ["diary"], "somebody has to decide");
        assert_eq!(added("consent", "colour", true), ["consent.colour"]);
        assert_eq!(added("consent", "colour", false), [""; 0]);
    }

    #[test]
    fn every_answer_is_of_a_column_that_is_stored() {
        let known = |table: &str, name: &str| {
            INVENTORY.iter().any(|column| column.table == table && column.name == name)
        };
        for answer in ANSWERS {
            let withheld = answer.withheld.iter().map(|(name, _)| name);
            for name in answer.told.iter().chain(withheld) {
                assert!(known(answer.table, name), "{}.{name}", answer.table);
            }
        }
    }
}
