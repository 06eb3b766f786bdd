//! A streaming standby: it reads, it is promoted, and it does not vouch for what it never heard of.

use std::time::Duration;

use super::*;
use crate::conformance::add;

#[test]
fn a_standby_reads_and_once_promoted_gives_no_false_answer() {
    let Some(primary) = Postgres::start(&["wal_level=replica", "max_wal_senders=4"]).unwrap() else { return };
    let database = std::mem::ManuallyDrop::new(primary.database().unwrap());
    let store = PostgresStore::open(&database.service().unwrap(), now()).unwrap();
    add(&store, &acme());
    append(&store, &acme(), b"before").unwrap();
    let standby = primary.standby().unwrap();
    append(&store, &acme(), b"streamed").unwrap();
    let config = PostgresConfig::parse(&database.through(standby.port().unwrap())).unwrap();
    let reading = PostgresStore::open(&config.with_wait(Duration::from_secs(5)), now()).unwrap();
    let begun = Instant::now();
    while entries(&reading, &acme()).len() < 2 {
        assert!(begun.elapsed() < Duration::from_secs(20), "nothing is streamed");
        thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(reading.organisations().unwrap(), [acme()]);
    assert_eq!(append(&reading, &acme(), b"x"), Err(StoreError::ReadOnly));

    // A commit of the primary that the standby never got, if it asks there for its fate.
    let before = store.server.connect().unwrap().place;
    drop(primary);
    standby.promote().unwrap();
    let begun = Instant::now();
    while append(&reading, &acme(), b"promoted").is_err() {
        assert!(begun.elapsed() < Duration::from_secs(20), "it was not promoted");
        thread::sleep(Duration::from_millis(50));
    }
    let after = reading.server.connect().unwrap().place;
    assert_ne!(before.timeline, after.timeline);
    let lost = Begun { number: "1000".to_owned() };
    assert_eq!(reading.server.outcome(&lost, &before), Err(StoreError::CommitUnknown));
    assert_eq!(entries(&reading, &acme()), [&b"before"[..], b"streamed", b"promoted"]);
}
