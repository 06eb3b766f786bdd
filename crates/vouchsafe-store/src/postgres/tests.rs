use super::*;
use crate::port;
use crate::test_util::Postgres;

fn now() -> Timestamp {
    Timestamp::now()
}

#[test]
fn the_migration_makes_what_is_checked() {
    let Some(server) = Postgres::shared().unwrap() else { return };
    let database = server.database().unwrap();
    let store = PostgresStore::open(&database.service().unwrap(), now()).unwrap();
    let acme = OrganisationId::parse("acme").unwrap();
    port::write(&store, &acme, |rows| rows.insert_organisation(&acme, now())).unwrap();
    assert_eq!(store.organisations().unwrap(), [acme]);
}
