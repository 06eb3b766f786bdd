//! How the engine runs the statements that must not grow slow.
use super::*;
use crate::sql::texts::*;

/// The steps for a statement.
fn plan(store: &SqliteStore, sql: &str) -> Vec<String> {
    let connection = store.connection();
    let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
    for parameter in 1..=statement.parameter_count() {
        statement.raw_bind_parameter(parameter, 1).unwrap();
    }
    let mut steps = statement.raw_query();
    std::iter::from_fn(|| steps.next().unwrap().map(|row| row.get(3).unwrap())).collect()
}

#[test]
fn what_is_due_is_one_search_of_an_index() {
    let (_dir, store) = store();
    assert_eq!(
        plan(&store, OPEN_DUE),
        ["SEARCH consent USING INDEX consent_due (organisation=? AND expires<?)"]
    );
    assert_eq!(
        plan(&store, CLAIMABLE),
        ["SEARCH job USING INDEX job_due (organisation=? AND kind=? AND run_at<?)"]
    );
    assert_eq!(
        plan(&store, FINISHED),
        ["SEARCH job USING INDEX job_finished (organisation=? AND finished_at<?)"]
    );
    assert_eq!(
        plan(&store, SPENT),
        ["SEARCH holding USING INDEX holding_spent (organisation=? AND changed_at<?)"]
    );
}

#[test]
fn documents_are_searched_by_index() {
    let (_dir, store) = store();
    let steps = plan(&store, &documents_due());
    assert_eq!(steps.len(), 2, "it sorts nothing: {steps:?}");
    assert!(
        steps[0].starts_with("SEARCH d USING INDEX document_due (organisation=? AND kind=? AND next_at<?")
    );
    assert!(steps[1].starts_with("SEARCH h USING PRIMARY KEY (organisation=? AND leaf=?"), "{steps:?}");
    let steps = plan(&store, &documents_of_person());
    assert!(steps[0].starts_with("SEARCH h USING INDEX holding_of_subject (organisation=? AND subject=?"));
    assert!(steps[1].contains("document_of_leaf (organisation=? AND leaf=? AND kind=?"), "{steps:?}");
    assert_eq!(
        plan(&store, &under("document", "sealed")),
        ["SEARCH document USING INDEX document_of_key (organisation=? AND key_version<?)"]
    );
}

#[test]
fn holdings_that_are_due_are_one_search_of_the_index_and_what_lives_one_of_the_tally() {
    let (_dir, store) = store();
    let search = |kind: &str, terms: &str| [format!("SEARCH holding USING {kind} holding_review ({terms})")];
    let due = plan(&store, DUE);
    assert_eq!(due.len(), 1, "it sorts nothing: {due:?}");
    assert!(due[0].starts_with("SEARCH holding USING INDEX holding_review (organisation=? AND "), "{due:?}");
    assert!(due[0].contains("review_at<?"), "{due:?}");
    assert_eq!(plan(&store, LATE), search("COVERING INDEX", "organisation=? AND review_at<?"));
    assert_eq!(plan(&store, OLDEST), search("COVERING INDEX", "organisation=? AND review_at>?"));
    assert_eq!(plan(&store, LIVE_COUNT), ["SEARCH holding_tally USING PRIMARY KEY (organisation=?)"]);
}

#[test]
fn what_is_under_an_older_key_is_one_search_of_an_index() {
    let (_dir, store) = store();
    for table in ["record", "payload"] {
        let search =
            |kind: &str, terms: &str| format!("SEARCH {table} USING {kind} {table}_of_key ({terms})");
        let older = "organisation=? AND key_version<?";
        assert_eq!(plan(&store, &under(table, "sealed")), [search("INDEX", older)]);

        let usage = plan(&store, KEY_USAGE);
        assert!(usage.contains(&search("COVERING INDEX", "organisation=?")), "{usage:?}");
        assert!(!usage.iter().any(|step| step.starts_with(&format!("SCAN {table}"))), "{usage:?}");
    }
}
