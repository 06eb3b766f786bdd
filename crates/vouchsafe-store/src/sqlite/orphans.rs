//! Rows that have outlived what they belong to.

use vouchsafe_types::OrganisationId;

use super::lives::{ALIVE, referred};
use super::rows::Rows;
use crate::StoreError;

/// When a row `o` of a table is an orphan.
enum Orphan {
    /// Nothing stands above it.
    Never,
    /// Its organisation is missing.
    Homeless,
    /// A condition.
    If(&'static str),
    /// Its organisation is missing, or nothing of the person is held but destruction evidence.
    Forgotten,
    /// Nothing refers to the person.
    Unreferred,
}

const HOMELESS: &str = "NOT EXISTS (SELECT 1 FROM organisation p WHERE p.id = o.organisation)";
const UNKEYED: &str = "NOT EXISTS (SELECT 1 FROM holding h \
    WHERE h.organisation = o.organisation AND h.leaf = o.leaf AND h.state < 3)";
const UNKEYED_OR_UNLOGGED: &str = "NOT EXISTS (SELECT 1 FROM holding h \
    WHERE h.organisation = o.organisation AND h.leaf = o.leaf AND h.state < 3) \
    OR NOT EXISTS (SELECT 1 FROM entry e WHERE e.organisation = o.organisation AND e.number = o.entry)";
const UNLOGGED: &str =
    "NOT EXISTS (SELECT 1 FROM entry e WHERE e.organisation = o.organisation AND e.number = o.entry)";
const OF_NOBODY: &str = "NOT EXISTS (SELECT 1 FROM subject s \
    WHERE s.organisation = o.organisation AND s.pseudonym = o.subject)";
const OF_NOBODY_IF_ANY: &str = "NOT EXISTS (SELECT 1 FROM organisation p WHERE p.id = o.organisation) \
    OR o.subject IS NOT NULL AND NOT EXISTS (SELECT 1 FROM subject s \
    WHERE s.organisation = o.organisation AND s.pseudonym = o.subject)";
const MISCOUNTED: &str = "o.live <> (SELECT count(*) FROM holding h \
    WHERE h.organisation = o.organisation AND h.class = o.class AND h.state = 1)";

/// What is decided for each table, in the order of the inventory.
const DECIDED: &[(&str, Orphan)] = &[
    ("organisation", Orphan::Never),
    ("notice", Orphan::Homeless),
    ("subject", Orphan::Unreferred),
    ("consent", Orphan::Forgotten),
    ("served", Orphan::Forgotten),
    ("subject_mark", Orphan::Forgotten),
    ("life_event", Orphan::Forgotten),
    ("residence", Orphan::Forgotten),
    ("holding", Orphan::If(OF_NOBODY)),
    ("holding_tally", Orphan::If(MISCOUNTED)),
    ("record", Orphan::If(UNKEYED)),
    ("entry", Orphan::Homeless),
    ("public_payload", Orphan::If(UNLOGGED)),
    ("payload", Orphan::If(UNKEYED_OR_UNLOGGED)),
    ("document", Orphan::If(UNKEYED_OR_UNLOGGED)),
    ("legal_hold", Orphan::If(OF_NOBODY_IF_ANY)),
    ("job", Orphan::If(OF_NOBODY_IF_ANY)),
    ("retention", Orphan::Homeless),
];

pub(super) fn count(
    rows: &Rows<'_>,
    organisation: &OrganisationId,
) -> Result<Vec<(&'static str, u64)>, StoreError> {
    let mut found = Vec::new();
    for (table, orphan) in DECIDED {
        let Some(condition) = orphan.condition() else { continue };
        let sql = format!("SELECT count(*) FROM {table} o WHERE o.organisation = ?1 AND ({condition})");
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

impl Orphan {
    fn condition(&self) -> Option<String> {
        Some(match self {
            Self::Never => return None,
            Self::Homeless => HOMELESS.to_owned(),
            Self::If(condition) => (*condition).to_owned(),
            Self::Forgotten => format!("{HOMELESS} OR NOT {}", ALIVE.replace("{0}", "o.subject")),
            Self::Unreferred => format!("{HOMELESS} OR NOT ({})", referred("o.pseudonym")),
        })
    }
}
