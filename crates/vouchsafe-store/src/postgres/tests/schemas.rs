//! What is refused at opening, and why.

use std::collections::BTreeSet;
use std::time::Duration;

use super::*;
use crate::INVENTORY;
use crate::sql::texts::REFERENCES;

fn opened(config: PostgresConfig) -> Result<(), StoreError> {
    PostgresStore::open(&config, now()).map(drop)
}

#[test]
fn a_schema_that_is_missing_older_or_newer_is_refused() {
    let Some(server) = Postgres::shared().unwrap() else { return };
    let database = server.empty_database().unwrap();
    let service = || database.service().unwrap();
    assert_eq!(opened(service()), Err(StoreError::OlderSchema));
    let migrate = || PostgresStore::migrate(&database.owner().unwrap(), database.service_role());
    migrate().unwrap();
    opened(service()).unwrap();
    migrate().unwrap();
    opened(service()).unwrap();
    for (comment, opens, migrates) in [
        ("vouchsafe 4", StoreError::OlderSchema, None),
        ("vouchsafe 9", StoreError::NewerSchema, Some(StoreError::NewerSchema)),
        ("another program", StoreError::Damaged, Some(StoreError::Damaged)),
    ] {
        database.alter(&format!("COMMENT ON SCHEMA vouchsafe IS '{comment}'")).unwrap();
        assert_eq!(opened(service()), Err(opens), "{comment}");
        if let Some(error) = migrates {
            assert_eq!(migrate(), Err(error), "{comment}");
        }
    }
}

#[test]
fn a_schema_of_an_earlier_version_is_brought_forward_by_its_owner_alone() {
    with_store(|database, _| {
        let earlier = "DROP TABLE lease; ALTER TABLE document DROP CONSTRAINT document_kind_check; \
                       ALTER TABLE document ADD CONSTRAINT document_kind_check CHECK (kind BETWEEN 1 AND 4); \
                       COMMENT ON SCHEMA vouchsafe IS 'vouchsafe 5'";
        database.alter(earlier).unwrap();
        assert_eq!(opened(database.service().unwrap()), Err(StoreError::OlderSchema));
        let service = database.service().unwrap();
        assert_eq!(PostgresStore::migrate(&service, database.service_role()), Err(StoreError::Denied));
        PostgresStore::migrate(&database.owner().unwrap(), database.service_role()).unwrap();
        opened(database.service().unwrap()).unwrap();
    });
}

#[test]
fn a_schema_that_was_edited_by_hand_is_refused() {
    with_store(|database, _| {
        for (edit, back) in [
            ("ALTER TABLE job ADD COLUMN note text", "ALTER TABLE job DROP COLUMN note"),
            (
                "ALTER TABLE payload DROP CONSTRAINT payload_key_version_check",
                "ALTER TABLE payload ADD CONSTRAINT payload_key_version_check CHECK (key_version > 0)",
            ),
            (
                "DROP INDEX one_newest_consent",
                "CREATE UNIQUE INDEX one_newest_consent ON consent (organisation, subject, scope) WHERE newest = 1",
            ),
            ("CREATE POLICY more ON entry USING (true)", "DROP POLICY more ON entry"),
            (
                "ALTER POLICY own ON entry USING (true)",
                "ALTER POLICY own ON entry USING (organisation = current_setting('vouchsafe.organisation', true))",
            ),
            ("ALTER TABLE job NO FORCE ROW LEVEL SECURITY", "ALTER TABLE job FORCE ROW LEVEL SECURITY"),
            ("ALTER TABLE record DISABLE TRIGGER ALL", "ALTER TABLE record ENABLE TRIGGER ALL"),
            ("ALTER TABLE job ALTER run_at SET NOT NULL", "ALTER TABLE job ALTER run_at DROP NOT NULL"),
            ("CREATE TABLE job_2 (LIKE job)", "DROP TABLE job_2"),
        ] {
            database.alter(edit).unwrap();
            let refused = opened(database.service().unwrap());
            let expected: &[StoreError] = if edit.contains("job_2") {
                &[StoreError::RowSecurityOff, StoreError::SchemaDiffers]
            } else {
                &[StoreError::SchemaDiffers]
            };
            assert!(refused.is_err_and(|error| expected.contains(&error)), "{edit}: {refused:?}");
            database.alter(back).unwrap();
            assert_eq!(opened(database.service().unwrap()), Ok(()), "{back}");
        }
        database.alter("ALTER TABLE job DISABLE ROW LEVEL SECURITY").unwrap();
        assert_eq!(opened(database.service().unwrap()), Err(StoreError::RowSecurityOff));
    });
}

#[test]
fn a_role_that_row_security_does_not_hold_is_refused() {
    with_store(|database, _| {
        assert_eq!(opened(database.superuser().unwrap()), Err(StoreError::RowSecurityOff));
        assert_eq!(opened(database.owner().unwrap()), Err(StoreError::RowSecurityOff));
        let owner = database.owner().unwrap();
        let role = format!("bypass_{}", std::process::id());
        database.alter(&format!("CREATE ROLE {role} LOGIN BYPASSRLS PASSWORD '{role}'")).unwrap();
        PostgresStore::migrate(&owner, &role).unwrap();
        let bypassing = database.service().unwrap().with_user(&role).with_password(role.as_bytes());
        assert_eq!(opened(bypassing.clone()), Err(StoreError::RowSecurityOff));
        database.alter(&format!("ALTER ROLE {role} NOBYPASSRLS")).unwrap();
        opened(bypassing).unwrap();
        database.alter(&format!("DROP OWNED BY {role}")).unwrap();
        database.alter(&format!("DROP ROLE {role}")).unwrap();
        let refused = PostgresStore::migrate(&owner, database.owner_role());
        assert_eq!(refused, Err(StoreError::RowSecurityOff));
        assert_eq!(PostgresStore::migrate(&owner, "nobody at all"), Err(StoreError::Denied));
        let service = database.service().unwrap();
        assert!(PostgresStore::migrate(&service, database.service_role()).is_err());
    });
}

#[test]
fn clocks_that_differ_too_much_are_refused() {
    with_store(|database, _| {
        let config = database.service().unwrap();
        let open = |config: &PostgresConfig, seconds: i64| {
            let shifted = now().saturating_add(jiff::SignedDuration::from_secs(seconds)).unwrap();
            PostgresStore::open(config, shifted).map(drop)
        };
        for seconds in [-301, 330, 100_000] {
            assert_eq!(open(&config, seconds), Err(StoreError::ClockSkew), "{seconds}");
        }
        assert_eq!((open(&config, -250), open(&config, 250)), (Ok(()), Ok(())));
        let strict = config.with_clock_skew(Duration::from_secs(20));
        assert_eq!(open(&strict, 60), Err(StoreError::ClockSkew));
    });
}

/// Promise: FP-2a-minimal
#[test]
fn the_inventory_lists_exactly_the_stored_columns_of_the_server() {
    with_store(|database, _| {
        let sql =
            "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'vouchsafe'";
        let stored: BTreeSet<_> = database
            .look(sql)
            .unwrap()
            .into_iter()
            .map(|row| (row[0].clone().unwrap(), row[1].clone().unwrap()))
            .collect();
        let listed: BTreeSet<_> =
            INVENTORY.iter().map(|column| (column.table.to_owned(), column.name.to_owned())).collect();
        assert_eq!(stored, listed);
    });
}

#[test]
fn the_references_are_those_of_the_schema_and_never_null() {
    with_store(|database, _| {
        let sql = "SELECT c.relname, p.relname, \
                   (SELECT string_agg(a.attname || '=' || b.attname || CASE WHEN a.attnotnull THEN '' ELSE '?' END, ',' \
                                      ORDER BY k.place) \
                    FROM unnest(f.conkey, f.confkey) WITH ORDINALITY AS k (here, there, place) \
                    JOIN pg_attribute a ON a.attrelid = f.conrelid AND a.attnum = k.here \
                    JOIN pg_attribute b ON b.attrelid = f.confrelid AND b.attnum = k.there) \
                   FROM pg_constraint f JOIN pg_class c ON c.oid = f.conrelid JOIN pg_class p ON p.oid = f.confrelid \
                   WHERE f.contype = 'f'";
        let declared: BTreeSet<Vec<String>> = database
            .look(sql)
            .unwrap()
            .into_iter()
            .map(|row| row.into_iter().map(Option::unwrap).collect())
            .collect();
        let listed = REFERENCES.iter().map(|(table, parent, pairs)| {
            let pairs: Vec<_> = pairs.iter().map(|(from, to)| format!("{from}={to}")).collect();
            vec![(*table).to_owned(), (*parent).to_owned(), pairs.join(",")]
        });
        assert_eq!(declared, listed.collect());
    });
}

#[test]
fn the_organisation_comes_first_in_every_key_and_index() {
    with_store(|database, _| {
        let sql = "SELECT i.indexrelid::regclass, a.attname FROM pg_index i \
                   JOIN pg_class c ON c.oid = i.indrelid \
                   JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0] \
                   WHERE c.relnamespace = 'vouchsafe'::regnamespace AND c.relname <> 'organisation'";
        let first = database.look(sql).unwrap();
        assert!(first.len() > 30, "{}", first.len());
        assert!(first.iter().all(|row| row[1].as_deref() == Some("organisation")), "{first:?}");
    });
}
