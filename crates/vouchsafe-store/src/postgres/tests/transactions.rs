//! Turns, bounds and the boundary to other runtimes.

use std::sync::Barrier;
use std::sync::mpsc;
use std::time::Duration;

use super::*;
use crate::conformance::{add, other};

#[test]
fn the_writers_of_an_organisation_take_turns_in_all_processes_and_others_do_not_wait() {
    with_store(|database, one| {
        add(one, &acme());
        add(one, &other());
        let two = PostgresStore::open(&database.service().unwrap(), now()).unwrap();
        let (entered, inside) = mpsc::channel();
        let barrier = Barrier::new(2);
        thread::scope(|scope| {
            let first = scope.spawn(|| {
                port::write(one, &acme(), |rows| {
                    entered.send(()).unwrap();
                    barrier.wait();
                    thread::sleep(Duration::from_millis(50));
                    rows.append_entry(&acme(), b"first")
                })
            });
            inside.recv().unwrap();
            append(&two, &other(), b"beside").unwrap();
            let second = scope.spawn(|| append(&two, &acme(), b"second"));
            barrier.wait();
            assert_eq!((first.join().unwrap(), second.join().unwrap()), (Ok(0), Ok(1)));
        });
        thread::scope(|scope| {
            for writer in 0..8 {
                let store = if writer % 2 == 0 { one } else { &two };
                scope.spawn(move || (0..20).for_each(|_| assert!(append(store, &acme(), b"entry").is_ok())));
            }
        });
        assert_eq!(entries(&two, &acme()).len(), 162);
    });
}

#[test]
fn a_writer_that_another_one_keeps_out_is_told_after_the_bounded_wait() {
    with_store(|database, one| {
        add(one, &acme());
        let hasty = database.service().unwrap().with_wait(Duration::from_millis(200));
        let two = PostgresStore::open(&hasty, now()).unwrap();
        port::write(one, &acme(), |rows| {
            let begun = Instant::now();
            assert_eq!(append(&two, &acme(), b"x"), Err(StoreError::Locked));
            assert!(begun.elapsed() < Duration::from_secs(3));
            rows.append_entry(&acme(), b"held")
        })
        .unwrap();
        assert_eq!(append(&two, &acme(), b"now"), Ok(1));
    });
}

#[test]
fn a_pool_without_a_free_connection_is_waited_for_and_then_locked() {
    with_store(|database, store| {
        add(store, &acme());
        let config = database.service().unwrap().with_connections(1, 2).with_wait(Duration::from_millis(200));
        let small = PostgresStore::open(&config, now()).unwrap();
        let nested = |depth: u8| {
            port::read(&small, &acme(), |_| {
                port::read(&small, &acme(), |_| {
                    if depth < 3 {
                        return Ok(());
                    }
                    port::read(&small, &acme(), |_| Ok::<_, StoreError>(()))
                })
            })
        };
        assert_eq!((nested(2), nested(3), nested(2)), (Ok(()), Err(StoreError::Locked), Ok(())));
        thread::scope(|scope| {
            for _ in 0..20 {
                scope.spawn(|| assert_eq!(entries(&small, &acme()).len(), 0));
            }
        });
        let open = database
            .look("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'vouchsafe' AND datname = current_database()")
            .unwrap();
        assert!(open[0][0].as_ref().unwrap().parse::<u32>().unwrap() <= 4 + 3, "{open:?}");
    });
}

#[test]
fn a_statement_that_takes_too_long_ends_and_leaves_nothing() {
    with_store(|database, store| {
        add(store, &acme());
        let config = database.service().unwrap().with_statement_timeout(Duration::from_millis(150));
        let mut hasty = PostgresStore::open(&config, now()).unwrap();
        hasty.rewrite = Some(|sql| {
            if sql.contains("bytes FROM entry") {
                format!("SELECT pg_sleep(5)::text::bytea, ({sql}) IS NULL")
            } else {
                sql.to_owned()
            }
        });
        let begun = Instant::now();
        let slow = port::write(&hasty, &acme(), |rows| {
            rows.append_entry(&acme(), b"before")?;
            let slow = rows.entries(&acme(), 0, 1);
            assert_eq!(slow, Err(StoreError::Io));
            assert_eq!(rows.append_entry(&acme(), b"after"), Err(StoreError::Io), "given up");
            Ok::<_, StoreError>(())
        });
        assert_eq!(slow, Err(StoreError::Io));
        assert!(begun.elapsed() < Duration::from_secs(3));
        assert_eq!(entries(store, &acme()), Vec::<Vec<u8>>::new());
        assert_eq!(append(&hasty, &acme(), b"again"), Ok(0));
    });
}

#[test]
fn a_transaction_that_idles_too_long_is_ended_by_the_server() {
    with_store(|database, store| {
        add(store, &acme());
        let config = database.service().unwrap().with_idle_timeout(Duration::from_millis(100));
        let idle = PostgresStore::open(&config, now()).unwrap();
        let ended = port::write(&idle, &acme(), |rows| {
            rows.append_entry(&acme(), b"x")?;
            thread::sleep(Duration::from_millis(400));
            Ok::<_, StoreError>(())
        });
        assert_eq!(ended, Err(StoreError::Io), "asked, the server says that it took no place");
        assert_eq!(append(&idle, &acme(), b"x"), Ok(0), "others have their turn");
    });
}

#[test]
fn connections_that_the_server_ended_are_replaced() {
    with_store(|database, store| {
        add(store, &acme());
        for _ in 0..3 {
            append(store, &acme(), b"x").unwrap();
            entries(store, &acme());
            database
                .alter("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename LIKE 'service_%' AND datname = current_database()")
                .unwrap();
        }
        assert_eq!(append(store, &acme(), b"x"), Ok(3));
    });
}

#[test]
fn a_server_that_only_reads_refuses_writers_and_serves_readers() {
    with_store(|database, store| {
        add(store, &acme());
        append(store, &acme(), b"x").unwrap();
        database.alter("DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_transaction_read_only = on', current_database()); END $$").unwrap();
        let reading = PostgresStore::open(&database.service().unwrap(), now()).unwrap();
        assert_eq!(append(&reading, &acme(), b"y"), Err(StoreError::ReadOnly));
        assert_eq!(entries(&reading, &acme()).len(), 1);
    });
}

#[test]
fn a_call_from_inside_a_runtime_is_refused_and_one_from_its_blocking_pool_is_not() {
    with_store(|database, store| {
        add(store, &acme());
        let config = database.service().unwrap();
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
        runtime.block_on(async {
            assert_eq!(append(store, &acme(), b"x"), Err(StoreError::InsideRuntime));
            let read: Result<u64, _> = port::read(store, &acme(), |rows| rows.entry_count(&acme()));
            assert_eq!(read, Err(StoreError::InsideRuntime));
            assert_eq!(store.organisations(), Err(StoreError::InsideRuntime));
            assert_eq!(PostgresStore::open(&config, now()).map(drop), Err(StoreError::InsideRuntime));
            let migrated = PostgresStore::migrate(&config, "nobody");
            assert_eq!(migrated, Err(StoreError::InsideRuntime));
        });
        let opened = runtime.block_on(async move {
            tokio::task::spawn_blocking(move || {
                let store = PostgresStore::open(&config, now())?;
                append(&store, &acme(), b"x")?;
                Ok::<_, StoreError>(store)
            })
            .await
        });
        let inside = opened.unwrap().unwrap();
        assert_eq!(entries(&inside, &acme()).len(), 1, "a plain thread");
        runtime.block_on(async { drop(inside) });
    });
}
