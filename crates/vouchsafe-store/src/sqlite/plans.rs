//! In tests every statement is asked how it would be carried out: none may walk all that an organisation has.

use rusqlite::Connection;

/// Tables that stay small whatever an organisation has, and walks that a method promises.
const WALKS: &[&str] = &[
    // One row, or a few, for an organisation.
    "FROM holding_tally",
    "FROM legal_hold",
    "FROM notice",
    "FROM organisation",
    "FROM retention",
    // Said so: in the order of the key and with a limit, or counts of everything.
    "FROM entry WHERE organisation = ?1 ORDER BY number DESC LIMIT 1",
    "FROM holding WHERE organisation = ?1 ORDER BY leaf LIMIT",
    "FROM holding WHERE organisation = ?1 AND state = 2 ORDER BY leaf",
    "FROM job WHERE organisation = ?1 ORDER BY created_at, id",
    "AND newest = 1 GROUP BY scope, status",
    "GROUP BY key_version",
    // A backup reads everything, a page at a time.
    "LIMIT 256",
    // Counts orphans.
    "SELECT count(*) FROM",
];

/// # Panics
/// When the statement looks at more than what a key with a second column leads to.
pub(super) fn check(connection: &Connection, sql: &str) {
    if WALKS.iter().any(|walk| sql.contains(walk)) || sql.starts_with("INSERT") || sql.contains("pragma_") {
        return;
    }
    let Ok(mut plan) = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")) else { return };
    let steps =
        plan.raw_query().mapped(|row| row.get::<_, String>(3)).collect::<Result<Vec<_>, _>>().unwrap();
    for step in &steps {
        let walks = step.starts_with("SCAN") || step.contains("(organisation=?)");
        assert!(!walks, "{sql}\n{steps:#?}");
    }
}
