//! Rows that have outlived what they belong to.

use vouchsafe_types::OrganisationId;

use super::lives::{ALIVE, referred};
use super::rows::Rows;
use super::value::values;
use crate::StoreError;

/// When a row `o` of a table is an orphan, besides missing what the schema says it refers to.
enum Orphan {
    /// Never.
    Else,
    /// Under a condition.
    If(&'static str),
    /// Nothing of the person is held but destruction evidence.
    Forgotten,
    /// Nothing refers to the person.
    Unreferred,
}

const DESTROYED: &str = "EXISTS (SELECT 1 FROM holding h \
    WHERE h.organisation = o.organisation AND h.leaf = o.leaf AND h.state = 3)";
const OF_NOBODY: &str = "o.subject IS NOT NULL AND NOT EXISTS (SELECT 1 FROM subject s \
    WHERE s.organisation = o.organisation AND s.pseudonym = o.subject)";
const MISCOUNTED: &str = "o.live <> (SELECT count(*) FROM holding h \
    WHERE h.organisation = o.organisation AND h.class = o.class AND h.state = 1)";

/// What is decided for each table, in the order of the inventory.
const DECIDED: &[(&str, Orphan)] = &[
    ("organisation", Orphan::Else),
    ("notice", Orphan::Else),
    ("subject", Orphan::Unreferred),
    ("consent", Orphan::Forgotten),
    ("served", Orphan::Forgotten),
    ("subject_mark", Orphan::Forgotten),
    ("life_event", Orphan::Forgotten),
    ("residence", Orphan::Forgotten),
    ("holding", Orphan::Else),
    ("holding_tally", Orphan::If(MISCOUNTED)),
    ("record", Orphan::If(DESTROYED)),
    ("entry", Orphan::Else),
    ("public_payload", Orphan::Else),
    ("payload", Orphan::If(DESTROYED)),
    ("document", Orphan::If(DESTROYED)),
    ("legal_hold", Orphan::If(OF_NOBODY)),
    ("job", Orphan::If(OF_NOBODY)),
    ("lease", Orphan::Else),
    ("retention", Orphan::Else),
];

/// Which columns of a table refer to which of another one, as both schemas declare it; none of them is ever null.
pub(crate) const REFERENCES: &[(&str, &str, Pairs)] = &[
    ("notice", "organisation", OF_ORGANISATION),
    ("subject", "organisation", OF_ORGANISATION),
    ("consent", "subject", OF_SUBJECT),
    ("consent", "notice", OF_NOTICE),
    ("served", "notice", OF_NOTICE),
    ("subject_mark", "organisation", OF_ORGANISATION),
    ("life_event", "organisation", OF_ORGANISATION),
    ("residence", "organisation", OF_ORGANISATION),
    ("holding", "subject", OF_SUBJECT),
    ("holding_tally", "organisation", OF_ORGANISATION),
    ("record", "holding", OF_HOLDING),
    ("entry", "organisation", OF_ORGANISATION),
    ("public_payload", "entry", OF_ENTRY),
    ("payload", "entry", OF_ENTRY),
    ("payload", "holding", OF_HOLDING),
    ("document", "holding", OF_HOLDING),
    ("document", "entry", OF_ENTRY),
    ("legal_hold", "organisation", OF_ORGANISATION),
    ("job", "organisation", OF_ORGANISATION),
    ("lease", "organisation", OF_ORGANISATION),
    ("retention", "organisation", OF_ORGANISATION),
];
/// Columns of a table, and those that they refer to.
type Pairs = &'static [(&'static str, &'static str)];

const OF_ORGANISATION: Pairs = &[("organisation", "id")];
const OF_SUBJECT: Pairs = &[("organisation", "organisation"), ("subject", "pseudonym")];
const OF_NOTICE: Pairs = &[("organisation", "organisation"), ("notice", "digest")];
const OF_HOLDING: Pairs = &[("organisation", "organisation"), ("leaf", "leaf")];
const OF_ENTRY: Pairs = &[("organisation", "organisation"), ("entry", "number")];

pub(super) fn count(
    rows: &Rows<'_>,
    organisation: &OrganisationId,
) -> Result<Vec<(&'static str, u64)>, StoreError> {
    let mut found = Vec::new();
    for (table, orphan) in DECIDED {
        let mut conditions = bereft(table);
        conditions.extend(orphan.condition());
        if conditions.is_empty() {
            continue;
        }
        let condition = conditions.join(") OR (");
        let sql = format!("SELECT count(*) FROM {table} o WHERE o.organisation = ?1 AND (({condition}))");
        let count = rows.one(&sql, &values![organisation.as_str()])?;
        if count > 0 {
            found.push((*table, count));
        }
    }
    Ok(found)
}

#[cfg(any(test, feature = "test-util"))]
pub(crate) fn tables() -> impl Iterator<Item = &'static str> {
    DECIDED.iter().map(|(table, _)| *table)
}

/// One condition for each reference of the schema: what it refers to is missing.
fn bereft(table: &str) -> Vec<String> {
    let missing = |(_, parent, pairs): &(&str, &str, Pairs)| {
        let pairs: Vec<_> = pairs.iter().map(|(from, to)| format!("p.{to} = o.{from}")).collect();
        format!("NOT EXISTS (SELECT 1 FROM {parent} p WHERE {})", pairs.join(" AND "))
    };
    REFERENCES.iter().filter(|(of, ..)| *of == table).map(missing).collect()
}

impl Orphan {
    fn condition(&self) -> Option<String> {
        match self {
            Self::Else => None,
            Self::If(condition) => Some((*condition).to_owned()),
            Self::Forgotten => Some(format!("NOT {}", ALIVE.replace("{0}", "o.subject"))),
            Self::Unreferred => Some(format!("NOT ({})", referred("o.pseudonym"))),
        }
    }
}
