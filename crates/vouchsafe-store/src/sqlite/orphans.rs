//! Rows that have outlived what they belong to.

use std::collections::BTreeMap;

use vouchsafe_types::OrganisationId;

use super::lives::{ALIVE, referred};
use super::rows::Rows;
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
    ("retention", Orphan::Else),
];

pub(super) fn count(
    rows: &Rows<'_>,
    organisation: &OrganisationId,
) -> Result<Vec<(&'static str, u64)>, StoreError> {
    let mut found = Vec::new();
    for (table, orphan) in DECIDED {
        let mut conditions = bereft(rows, table)?;
        conditions.extend(orphan.condition());
        if conditions.is_empty() {
            continue;
        }
        let condition = conditions.join(") OR (");
        let sql = format!("SELECT count(*) FROM {table} o WHERE o.organisation = ?1 AND (({condition}))");
        let count = rows.one(&sql, [organisation.as_str()])?;
        if count > 0 {
            found.push((*table, count));
        }
    }
    Ok(found)
}

#[cfg(test)]
pub(super) fn tables() -> impl Iterator<Item = &'static str> {
    DECIDED.iter().map(|(table, _)| *table)
}

/// One condition for each reference of the schema: what it refers to is missing. No column of a reference is ever
/// null.
fn bereft(rows: &Rows<'_>, table: &str) -> Result<Vec<String>, StoreError> {
    let sql = "SELECT id, \"table\", \"from\", \"to\" FROM pragma_foreign_key_list(?1)";
    let columns = rows.all(sql, [table], |row| {
        Ok((
            row.get::<_, i64>(0)?,
            row.get::<_, String>(1)?,
            row.get::<_, String>(2)?,
            row.get::<_, String>(3)?,
        ))
    })?;
    let mut references: BTreeMap<i64, (String, Vec<String>)> = BTreeMap::new();
    for (id, parent, from, to) in columns {
        references.entry(id).or_insert((parent, Vec::new())).1.push(format!("p.{to} = o.{from}"));
    }
    let missing = |(parent, pairs): &(String, Vec<String>)| {
        format!("NOT EXISTS (SELECT 1 FROM {parent} p WHERE {})", pairs.join(" AND "))
    };
    Ok(references.values().map(missing).collect())
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
