//! Row-level security as the second wall: statements that forgot the first one.

use super::*;
use crate::conformance::{add, answers, change, other, populate};

/// A statement whose conditions on the organisation are gone: whatever it names, any will do.
fn without_conditions(sql: &str) -> String {
    if sql.starts_with("INSERT") {
        return sql.to_owned();
    }
    let mut text = sql.to_owned();
    for column in ["h.organisation", "d.organisation", "o.organisation", "r.organisation", "organisation"] {
        text = text.replace(&format!("{column} = ?1"), "?1::text IS NOT NULL");
    }
    text.replace("FROM organisation WHERE id = ?1", "FROM organisation WHERE ?1::text IS NOT NULL")
}

/// A store that skips the check of its role.
fn unchecked(config: &PostgresConfig, rewrite: Rewrite) -> PostgresStore {
    let server = Server::of(config).unwrap();
    PostgresStore {
        server,
        turns: Turns::default(),
        writers: Pool::of(2),
        readers: Pool::of(2),
        rewrite: Some(rewrite),
    }
}

#[test]
fn without_its_conditions_every_statement_still_finds_only_its_own_rows() {
    with_store(|database, store| {
        populate(store, &acme(), 1);
        populate(store, &other(), 2);
        let forgetful = unchecked(&database.service().unwrap(), without_conditions);
        for (organisation, number) in [(acme(), 1), (acme(), 2), (other(), 2), (other(), 1)] {
            let expected = answers(store, &organisation, &organisation, number);
            assert_eq!(answers(&forgetful, &organisation, &organisation, number), expected);
        }

        // The control: for a role that bypasses the policies, every statement finds the rows of both.
        let superuser = unchecked(&database.superuser().unwrap(), without_conditions);
        let own = answers(store, &acme(), &acme(), 2);
        for (bypassed, own) in answers(&superuser, &acme(), &acme(), 2).iter().zip(&own) {
            // These two look at what is common to both, or at one row of the own organisation first.
            let same = ["organisation_exists", "orphans", "notice", "public_payload", "retention"];
            assert!(bypassed != own || same.contains(&own.0) || alike(own.0), "{}", own.0);
        }
    });
}

/// Queries whose answer is the same whichever of the two organisations it comes from.
fn alike(query: &str) -> bool {
    ["notice_in_force", "oldest_review", "payload", "entry_count", "unfinished_job"].contains(&query)
}

#[test]
fn without_its_conditions_no_statement_changes_the_rows_of_another() {
    with_store(|database, store| {
        populate(store, &acme(), 1);
        populate(store, &other(), 2);
        let theirs = answers(store, &other(), &other(), 2);
        let forgetful = unchecked(&database.service().unwrap(), |sql| {
            // Everything of the table, whatever the statement asked for.
            match sql.split_once(" WHERE ") {
                Some((act, _)) if sql.starts_with("DELETE") => {
                    format!("{act} WHERE ?1::text IS NOT NULL AND ?2::bytea IS NOT NULL")
                }
                _ => without_conditions(sql),
            }
        });
        let removed =
            change(&forgetful, &acme(), |rows| rows.remove_job(&acme(), crate::conformance::life::id(20)));
        assert_eq!(removed, Ok(true), "the only job that it sees is its own");
        assert_eq!(answers(store, &other(), &other(), 2), theirs);
    });
}

#[test]
fn a_row_of_another_organisation_is_refused_by_the_server() {
    with_store(|database, store| {
        add(store, &acme());
        add(store, &other());
        let admin = Admin::of(&database.service().unwrap()).unwrap();
        let set = "SELECT set_config('vouchsafe.organisation', 'acme', false)";
        admin.run(set).unwrap();
        let insert = |id: &str| admin.execute(&format!("INSERT INTO entry VALUES ('{id}', 0, '')"));
        assert_eq!((insert("acme"), insert("other")), (Ok(1), Err(StoreError::Denied)));
        let count = |sql: &str| admin.look(sql).unwrap().len();
        assert_eq!(count("SELECT id FROM organisation"), 1);
        admin.run("SELECT set_config('vouchsafe.organisation', '*', false)").unwrap();
        assert_eq!(count("SELECT id FROM organisation"), 2);
        assert_eq!(count("SELECT number FROM entry"), 0, "the list shows nothing else");
        let invented = admin.execute("INSERT INTO organisation VALUES ('*', 0)");
        assert_eq!(invented, Ok(1), "no organisation has that name");
        admin.run("RESET vouchsafe.organisation").unwrap();
        assert_eq!(count("SELECT id FROM organisation"), 0);
        for forbidden in [
            "UPDATE entry SET bytes = ''",
            "DELETE FROM entry",
            "TRUNCATE job",
            "UPDATE notice SET shown = ''",
            "ALTER TABLE entry DISABLE ROW LEVEL SECURITY",
            "CREATE TABLE vouchsafe.t (x int)",
        ] {
            assert_eq!(admin.run(forbidden), Err(StoreError::Denied), "{forbidden}");
        }
    });
}
