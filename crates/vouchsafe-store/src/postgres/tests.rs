use super::*;
use crate::conformance::{Stage, acme};
use crate::port;
use crate::test_util::{Database, Postgres};

mod access;
mod commits;
mod failover;
mod isolation;
mod plans;
mod schemas;
mod transactions;

fn now() -> Timestamp {
    Timestamp::now()
}

/// A store to run the conformance suite on.
pub(crate) fn stage(server: &Postgres) -> Box<dyn Stage + '_> {
    let database = server.database().unwrap();
    let store = PostgresStore::open(&database.service().unwrap(), now()).unwrap();
    Box::new(OnPostgres { store, database })
}

struct OnPostgres<'a> {
    store: PostgresStore,
    database: Database<'a>,
}

impl Stage for OnPostgres<'_> {
    fn store(&self) -> &dyn Store {
        &self.store
    }

    fn alter(&self, sql: &str) -> u64 {
        let mut sql = sql.replace("x''", "''::bytea");
        for length in [16, 32] {
            let random = format!("decode(repeat('a5', {length}), 'hex')");
            sql = sql.replace(&format!("randomblob({length})"), &random);
        }
        // Without the triggers that check references.
        self.database.alter(&format!("SET session_replication_role = replica; {sql}")).unwrap()
    }

    fn look(&self, sql: &str) -> Vec<(String, i64)> {
        let rows = self.database.look(sql).unwrap().into_iter();
        rows.map(|row| (row[0].clone().unwrap(), row[1].as_ref().unwrap().parse().unwrap())).collect()
    }
}

/// A store on a database, if a server is installed.
fn with_store(test: impl FnOnce(&Database<'_>, &PostgresStore)) {
    let Some(server) = Postgres::shared().unwrap() else { return };
    let database = server.database().unwrap();
    let store = PostgresStore::open(&database.service().unwrap(), now()).unwrap();
    test(&database, &store);
}

fn append(store: &PostgresStore, organisation: &OrganisationId, bytes: &[u8]) -> Result<u64, StoreError> {
    port::write(store, organisation, |rows| rows.append_entry(organisation, bytes))
}

fn entries(store: &PostgresStore, organisation: &OrganisationId) -> Vec<Vec<u8>> {
    let read: Result<_, StoreError> =
        port::read(store, organisation, |rows| rows.entries(organisation, 0, u32::MAX));
    read.unwrap()
}
