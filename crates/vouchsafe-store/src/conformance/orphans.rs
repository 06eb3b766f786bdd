use super::*;
use crate::INVENTORY;
use crate::sql::texts::tables;
use life::two_organisations;

/// Makes one row of a table outlive what it belongs to; `None` where nothing stands above the table.
///
/// A new table needs a decision here and in `sql/orphans.rs`.
fn bereave(table: &str) -> Option<&'static str> {
    Some(match table {
        "organisation" => return None,
        "notice" | "entry" | "lease" | "retention" => "DELETE FROM organisation WHERE id = 'acme'",
        "subject" => "INSERT INTO subject VALUES ('acme', randomblob(32), 0, 0)",
        "consent" => {
            "INSERT INTO consent SELECT organisation, randomblob(32), scope, sequence, status, notice, at, expires, \
             entry, newest FROM consent WHERE organisation = 'acme' LIMIT 1"
        }
        "served" => {
            "INSERT INTO served SELECT organisation, randomblob(16), randomblob(32), scope, notice, served_at, \
             entry, used_sequence FROM served WHERE organisation = 'acme' LIMIT 1"
        }
        "subject_mark" => "INSERT INTO subject_mark VALUES ('acme', randomblob(32), 1, 0, 0)",
        "life_event" => "INSERT INTO life_event VALUES ('acme', randomblob(32), x'', 1, 0, 0)",
        "residence" => "INSERT INTO residence VALUES ('acme', randomblob(32), 1, 0, 0)",
        "holding" => "UPDATE holding SET subject = randomblob(32) WHERE organisation = 'acme' AND leaf = 12",
        "holding_tally" => {
            "UPDATE holding_tally SET live = live + 1 WHERE organisation = 'acme' AND class = 1"
        }
        "record" => "UPDATE record SET leaf = 99 WHERE organisation = 'acme' AND leaf = 10",
        "public_payload" => "INSERT INTO public_payload VALUES ('acme', 99, x'')",
        "payload" => "UPDATE payload SET leaf = 99 WHERE organisation = 'acme' AND leaf = 10",
        "document" => "UPDATE document SET leaf = 99 WHERE organisation = 'acme' AND leaf = 11",
        "legal_hold" => {
            "UPDATE legal_hold SET subject = randomblob(32) WHERE organisation = 'acme' AND placed_at = 10000000"
        }
        "job" => {
            "UPDATE job SET subject = randomblob(32) WHERE organisation = 'acme' AND created_at = 10000000"
        }
        undecided => panic!("what is an orphan of the table {undecided}?"),
    })
}

fn inventoried() -> Vec<&'static str> {
    let mut tables: Vec<_> = INVENTORY.iter().map(|column| column.table).collect();
    tables.dedup();
    tables
}

fn orphans(store: &dyn Store, organisation: &OrganisationId) -> Vec<(&'static str, u64)> {
    ask(store, organisation, |rows| rows.orphans(organisation)).unwrap()
}

pub(super) fn each_table_of_the_inventory_is_looked_through(fresh: Fresh<'_>) {
    assert_eq!(tables().collect::<Vec<_>>(), inventoried());
    for table in inventoried() {
        let Some(sql) = bereave(table) else { continue };
        let stage = two_organisations(fresh);
    let store = stage.store();
        assert_eq!((orphans(store, &acme()), orphans(store, &other())), (vec![], vec![]));
        assert_eq!(stage.alter(sql), 1, "{table}");
        let found = orphans(store, &acme());
        let count = found.iter().find(|(name, _)| *name == table).map(|(_, count)| *count);
        let expected = if table == "entry" { 7 } else { 1 };
        assert_eq!(count, Some(expected), "{table}: {found:?}");
        assert_eq!(orphans(store, &other()), [], "{table}");
    }
}

pub(super) fn bytes_that_outlive_their_destroyed_leaf_are_orphans(fresh: Fresh<'_>) {
    let stage = two_organisations(fresh);
    let store = stage.store();
    stage.alter("UPDATE holding SET state = 3 WHERE organisation = 'acme' AND leaf = 11");
    let found = orphans(store, &acme());
    assert_eq!(found, [("holding_tally", 1), ("payload", 1), ("document", 1)]);
}

pub(super) fn what_is_told_of_a_person_is_an_orphan_once_only_evidence_of_destruction_is_held(fresh: Fresh<'_>) {
    let stage = two_organisations(fresh);
    let store = stage.store();
    change(store, &acme(), |rows| {
        life::destroy(rows, &acme(), 10, 60)?;
        life::destroy(rows, &acme(), 11, 60)
    })
    .unwrap();
    let told = ["consent", "served", "subject_mark", "life_event", "residence"];
    assert_eq!(orphans(store, &acme()), told.map(|table| (table, 1)));
    assert!(change(store, &acme(), |rows| rows.forget_subject(&acme(), person(1))).unwrap());
    assert_eq!(orphans(store, &acme()), []);
}

/// A reference of the schema that leads nowhere, and where its rows are found.
pub(super) fn every_row_whose_parent_is_missing_is_an_orphan(fresh: Fresh<'_>) {
    for (sql, expected) in [
        ("UPDATE consent SET notice = randomblob(32)", vec![("consent", 2)]),
        ("UPDATE served SET notice = randomblob(32)", vec![("served", 2)]),
        ("DELETE FROM entry WHERE number = 1", vec![("payload", 1)]),
        ("DELETE FROM entry WHERE number = 0", vec![("public_payload", 1), ("document", 2)]),
        (
            "DELETE FROM subject WHERE pseudonym = (SELECT subject FROM holding WHERE leaf = 10 LIMIT 1)",
            vec![("consent", 1), ("holding", 3), ("legal_hold", 1), ("job", 1)],
        ),
        ("DELETE FROM record", vec![]),
    ] {
        let stage = two_organisations(fresh);
    let store = stage.store();
        stage.alter(sql);
        assert_eq!(orphans(store, &acme()), expected, "{sql}");
        assert_eq!(orphans(store, &other()), expected, "{sql}");
    }
}

