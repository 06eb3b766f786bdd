//! Commits whose answer is lost, and servers that die.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicUsize, Ordering};
use std::time::Duration;

use super::link::Place;
use super::*;
use crate::conformance::add;

/// What the proxy does with the next commit.
const PASS: u8 = 0;
/// The server never gets it.
const BEFORE: u8 = 1;
/// The server gets it, the client gets no answer.
const AFTER: u8 = 2;
/// As before, and nobody can connect any more.
const FOR_GOOD: u8 = 3;

/// A way to the server that can cut connections in mid-commit.
struct Proxy {
    port: u16,
    plan: Arc<AtomicU8>,
    /// How many commits were cut.
    cut: Arc<AtomicUsize>,
}

impl Proxy {
    fn to(server: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let (plan, cut) = (Arc::new(AtomicU8::new(PASS)), Arc::new(AtomicUsize::new(0)));
        let (plans, cuts, closed) = (Arc::clone(&plan), Arc::clone(&cut), Arc::new(AtomicBool::new(false)));
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if closed.load(Ordering::SeqCst) {
                    continue;
                }
                let server = TcpStream::connect(("127.0.0.1", server)).unwrap();
                let (to, from) =
                    ((client.try_clone().unwrap(), server.try_clone().unwrap()), (server, client));
                let (plan, cut, closed) = (Arc::clone(&plans), Arc::clone(&cuts), Arc::clone(&closed));
                thread::spawn(move || forward(to.0, to.1, &plan, &cut, &closed));
                thread::spawn(move || back(from.0, from.1));
            }
        });
        Self { port, plan, cut }
    }
}

fn forward(
    mut client: TcpStream,
    mut server: TcpStream,
    plan: &AtomicU8,
    cut: &AtomicUsize,
    closed: &AtomicBool,
) {
    let mut bytes = [0; 65536];
    while let Ok(length @ 1..) = client.read(&mut bytes) {
        let commits = bytes[..length].windows(7).any(|window| window == b"COMMIT\0");
        let plan = if commits { plan.swap(PASS, Ordering::SeqCst) } else { PASS };
        if plan == PASS {
            if server.write_all(&bytes[..length]).is_err() {
                break;
            }
            continue;
        }
        cut.fetch_add(1, Ordering::SeqCst);
        closed.store(plan == FOR_GOOD, Ordering::SeqCst);
        if plan != BEFORE {
            // The client is deaf before the server can answer.
            let _ = client.shutdown(Shutdown::Both);
            server.write_all(&bytes[..length]).unwrap();
            thread::sleep(Duration::from_millis(100));
        }
        break;
    }
    let _ = (client.shutdown(Shutdown::Both), server.shutdown(Shutdown::Both));
}

fn back(mut server: TcpStream, mut client: TcpStream) {
    let mut bytes = [0; 65536];
    while let Ok(length @ 1..) = server.read(&mut bytes) {
        if client.write_all(&bytes[..length]).is_err() {
            break;
        }
    }
    let _ = client.shutdown(Shutdown::Both);
}

fn through_a_proxy(test: impl FnOnce(&Proxy, &PostgresStore, &PostgresStore)) {
    with_store(|database, direct| {
        add(direct, &acme());
        let Ok(port) = Postgres::shared().unwrap().unwrap().port() else { return };
        let proxy = Proxy::to(port);
        let config = PostgresConfig::parse(&database.through(proxy.port)).unwrap();
        let store = PostgresStore::open(&config.with_wait(Duration::from_millis(1500)), now()).unwrap();
        test(&proxy, &store, direct);
    });
}

#[test]
fn a_commit_whose_answer_is_lost_is_told_right_both_ways() {
    through_a_proxy(|proxy, store, direct| {
        for (round, plan) in [AFTER, BEFORE, AFTER, BEFORE, PASS].into_iter().enumerate() {
            proxy.plan.store(plan, Ordering::SeqCst);
            let before = entries(direct, &acme()).len();
            let committed = append(store, &acme(), b"entry");
            let stored = entries(direct, &acme()).len() - before;
            let expected = if plan == BEFORE { (Err(StoreError::Io), 0) } else { (Ok(before as u64), 1) };
            assert_eq!((committed, stored), expected, "round {round}");
        }
        assert_eq!(proxy.cut.load(Ordering::SeqCst), 4);
    });
}

#[test]
fn without_a_server_to_ask_the_outcome_is_unknown() {
    through_a_proxy(|proxy, store, direct| {
        proxy.plan.store(FOR_GOOD, Ordering::SeqCst);
        assert_eq!(append(store, &acme(), b"entry"), Err(StoreError::CommitUnknown));
        assert!(!StoreError::CommitUnknown.is_retryable());
        assert_eq!(entries(direct, &acme()).len(), 1, "this one took place");
    });
}

#[test]
fn the_number_of_a_transaction_is_trusted_only_where_it_was_given() {
    with_store(|_, store| {
        let link = store.server.connect().unwrap();
        let (here, place) = (link.place.clone(), |timeline: &str, epoch: &str| Place {
            timeline: timeline.to_owned(),
            epoch: epoch.to_owned(),
        });
        assert!(here.timeline.len() > 8 && !here.epoch.is_empty(), "{here:?}");
        let wait = Duration::from_secs(10);
        let number = "SELECT pg_current_xact_id()::text";
        let row = link.driver.wait(wait, async { Ok(link.client.query_one(number, &[]).await.unwrap()) });
        let row = row.unwrap();
        let committed = Begun { number: row.get(0) };
        let of = |begun: &Begun, place: &Place| store.server.outcome(begun, place);
        assert_eq!(of(&committed, &here), Ok(()));
        assert_eq!(of(&committed, &place("elsewhere", &here.epoch)), Err(StoreError::CommitUnknown));
        let crashed = place(&here.timeline, "before a crash");
        assert_eq!(of(&committed, &crashed), Err(StoreError::CommitUnknown), "it may be somebody else's");
        let never = Begun { number: "4294967000".to_owned() };
        assert_eq!((of(&never, &here), of(&never, &crashed)), (Err(StoreError::Io), Err(StoreError::Io)));
        let undone = "BEGIN; SELECT pg_current_xact_id()::text; ROLLBACK";
        let said = link.driver.wait(wait, async { Ok(link.client.simple_query(undone).await.unwrap()) });
        let said = said.unwrap();
        let number = said.iter().find_map(|message| match message {
            tokio_postgres::SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
            _ => None,
        });
        let undone = Begun { number: number.unwrap() };
        assert_eq!((of(&undone, &here), of(&undone, &crashed)), (Err(StoreError::Io), Err(StoreError::Io)));
    });
}

#[test]
fn a_killed_server_comes_back_with_everything_it_acknowledged() {
    let Some(mut server) = Postgres::start(&[]).unwrap() else { return };
    // It goes with the server.
    let config = std::mem::ManuallyDrop::new(server.database().unwrap()).service().unwrap();
    let config = config.with_wait(Duration::from_secs(20));
    let store = PostgresStore::open(&config, now()).unwrap();
    let ids: Vec<_> = (0..4).map(|number| OrganisationId::parse(&format!("o{number}")).unwrap()).collect();
    ids.iter().for_each(|id| add(&store, id));
    let (stop, unknown) = (AtomicBool::new(false), AtomicUsize::new(0));
    let acknowledged: Vec<Vec<Vec<u8>>> = thread::scope(|scope| {
        let writers: Vec<_> = ids
            .iter()
            .map(|id| {
                let (store, stop, unknown) = (&store, &stop, &unknown);
                scope.spawn(move || {
                    let mut done = Vec::new();
                    for step in 0_u64.. {
                        if stop.load(Ordering::SeqCst) {
                            break;
                        }
                        match append(store, id, &step.to_be_bytes()) {
                            Ok(_) => done.push(step.to_be_bytes().to_vec()),
                            Err(StoreError::CommitUnknown) => drop(unknown.fetch_add(1, Ordering::SeqCst)),
                            Err(error) => assert!(error.is_retryable(), "{error:?}"),
                        }
                    }
                    done
                })
            })
            .collect();
        for _ in 0..2 {
            thread::sleep(Duration::from_millis(400));
            server.kill_and_restart().unwrap();
        }
        thread::sleep(Duration::from_millis(400));
        stop.store(true, Ordering::SeqCst);
        writers.into_iter().map(|writer| writer.join().unwrap()).collect()
    });
    let told: usize = acknowledged.iter().map(Vec::len).sum();
    let mut stored = 0;
    for (id, acknowledged) in ids.iter().zip(&acknowledged) {
        let there = entries(&store, id);
        stored += there.len();
        let missing = acknowledged.iter().filter(|entry| !there.contains(entry)).count();
        assert_eq!(missing, 0, "acknowledged and lost");
    }
    let unknown = unknown.into_inner();
    assert!(told > 100 && stored - told <= unknown, "{told} told, {stored} stored, {unknown} unknown");
}
