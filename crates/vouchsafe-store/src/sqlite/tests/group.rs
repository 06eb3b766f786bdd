//! Group commit: what is acknowledged, what fails, and that nobody waits for ever.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use super::*;

const WRITERS: u64 = 16;

fn organisation(number: u64) -> OrganisationId {
    OrganisationId::parse(&format!("o{number}")).unwrap()
}

fn add(store: &SqliteStore, numbers: std::ops::Range<u64>) {
    numbers.for_each(|number| super::add(store, &organisation(number)));
}

fn append(store: &SqliteStore, id: &OrganisationId, bytes: &[u8]) -> Result<u64, StoreError> {
    port::write(store, id, |rows| rows.append_entry(id, bytes))
}

fn entries(store: &SqliteStore, id: &OrganisationId) -> Vec<Vec<u8>> {
    let read: Result<_, StoreError> = port::read(store, id, |rows| rows.entries(id, 0, u32::MAX));
    read.unwrap()
}

/// Fails instead of hanging when a wake-up is lost.
fn in_time(act: impl FnOnce() + Send + 'static) {
    let (done, ended) = mpsc::channel();
    let worker = thread::spawn(move || {
        act();
        // Whoever listens has given up otherwise.
        let _ = done.send(());
    });
    match ended.recv_timeout(Duration::from_secs(60)) {
        Ok(()) | Err(RecvTimeoutError::Disconnected) => worker.join().unwrap(),
        Err(RecvTimeoutError::Timeout) => panic!("somebody waits for ever"),
    }
}

/// A store whose batches never grow old.
fn patient(mut store: SqliteStore) -> SqliteStore {
    store.group.set_longest(Duration::from_secs(60));
    store
}

/// Returns when some thread is inside a batch.
fn wait_until_inside(store: &SqliteStore) {
    while !store.group.is_held() {
        thread::yield_now();
    }
}

/// Appends, and holds the batch open until as many others have come to join.
fn append_with(store: &SqliteStore, others: usize, bytes: &[u8]) -> Result<u64, StoreError> {
    port::write(store, &organisation(0), |rows| {
        while store.group.joining() < others {
            thread::yield_now();
        }
        rows.append_entry(&organisation(0), bytes)
    })
}

#[test]
fn every_acknowledged_entry_of_many_writers_is_there_once_and_in_order() {
    in_time(|| {
        let (dir, store) = store();
        add(&store, 0..3);
        thread::scope(|scope| {
            for writer in 0..WRITERS {
                let store = &store;
                scope.spawn(move || {
                    let id = organisation(writer % 3);
                    for step in 0..100_u64 {
                        let number = append(store, &id, &[writer.to_be_bytes(), step.to_be_bytes()].concat());
                        // Seen by a reader from the moment of the acknowledgement, at the number given.
                        let read: Result<Vec<_>, StoreError> =
                            port::read(store, &id, |rows| rows.entries(&id, number?, 1));
                        assert_eq!(read.unwrap(), [[writer.to_be_bytes(), step.to_be_bytes()].concat()]);
                    }
                });
            }
        });
        drop(store);
        let store = SqliteStore::open(&dir.path().join("db")).unwrap();
        let mut seen = BTreeSet::new();
        for id in (0..3).map(organisation) {
            let mut next = [0_u64; 16];
            for entry in entries(&store, &id) {
                let (writer, step) = entry.split_at(8);
                let writer = usize::try_from(u64::from_be_bytes(writer.try_into().unwrap())).unwrap();
                assert_eq!(u64::from_be_bytes(step.try_into().unwrap()), next[writer], "of {writer}");
                next[writer] += 1;
                assert!(seen.insert(entry));
            }
        }
        assert_eq!(seen.len(), 1600);
    });
}

#[test]
fn closures_that_fail_or_panic_take_only_their_own_rows_with_them() {
    in_time(|| {
        let (_dir, store) = store();
        add(&store, 0..1);
        let kept = AtomicUsize::new(0);
        thread::scope(|scope| {
            for writer in 0..WRITERS {
                let (store, kept) = (&store, &kept);
                scope.spawn(move || {
                    for step in 0..60 {
                        let id = organisation(0);
                        let act = || -> Result<u64, StoreError> {
                            port::write(store, &id, |rows| {
                                let number = rows.append_entry(&id, &[u8::from((step + writer) % 3 == 0)])?;
                                match (step + writer) % 3 {
                                    0 => Ok(number),
                                    1 => Err(StoreError::Conflict),
                                    _ => std::panic::resume_unwind(Box::new("by intention")),
                                }
                            })
                        };
                        match (catch_unwind(AssertUnwindSafe(act)), (step + writer) % 3) {
                            (Ok(Ok(_)), 0) => drop(kept.fetch_add(1, Ordering::Relaxed)),
                            (Ok(Err(StoreError::Conflict)), 1) | (Err(_), 2) => {}
                            (other, _) => panic!("{other:?}"),
                        }
                    }
                });
            }
        });
        let entries = entries(&store, &organisation(0));
        assert_eq!(entries.len(), kept.into_inner());
        assert!(entries.iter().all(|entry| entry == &[1]));
        assert!(store.connection().is_autocommit());
    });
}

#[test]
fn the_last_one_to_leave_commits_for_the_others_even_if_it_fails_or_panics() {
    for panics in [false, true] {
        in_time(move || {
            let (_dir, store) = store();
            let store = patient(store);
            add(&store, 0..1);
            thread::scope(|scope| {
                let first = scope.spawn(|| append_with(&store, 1, b"first"));
                wait_until_inside(&store);
                let last = catch_unwind(AssertUnwindSafe(|| {
                    store.group.write(&organisation(0), &mut |rows| {
                        assert_eq!(rows.entry_count(&organisation(0)), Ok(1), "the row before, in its batch");
                        rows.append_entry(&organisation(0), b"last")?;
                        if panics {
                            std::panic::resume_unwind(Box::new("by intention"));
                        }
                        Err(StoreError::Conflict)
                    })
                }));
                assert!(matches!(last, Err(_) | Ok(Err(StoreError::Conflict))));
                assert_eq!(first.join().unwrap(), Ok(0));
            });
            assert_eq!(entries(&store, &organisation(0)), [b"first"]);
        });
    }
}

#[test]
fn a_reader_sees_nothing_of_an_open_batch_and_cannot_write() {
    let (_dir, store) = store();
    add(&store, 0..1);
    let id = organisation(0);
    let number: Result<u64, StoreError> = port::write(&store, &id, |rows| {
        let number = rows.append_entry(&id, b"open")?;
        assert_eq!(entries(&store, &id), Vec::<Vec<u8>>::new());
        Ok(number)
    });
    assert_eq!((number, entries(&store, &id).len()), (Ok(0), 1));
    let written: Result<u64, StoreError> = port::read(&store, &id, |rows| rows.append_entry(&id, b"x"));
    assert_eq!(written, Err(StoreError::ReadOnly));
    assert_eq!(entries(&store, &id).len(), 1);
}

#[test]
fn a_snapshot_stays_as_it_was_and_more_readers_than_connections_all_read() {
    in_time(|| {
        let (_dir, store) = store();
        add(&store, 0..1);
        let id = organisation(0);
        let barrier = Barrier::new(2);
        thread::scope(|scope| {
            scope.spawn(|| {
                let read: Result<(), StoreError> = port::read(&store, &id, |rows| {
                    assert_eq!(rows.entry_count(&id), Ok(0));
                    barrier.wait();
                    barrier.wait();
                    assert_eq!(rows.entry_count(&id), Ok(0));
                    Ok(())
                });
                read.unwrap();
            });
            barrier.wait();
            append(&store, &id, b"later").unwrap();
            barrier.wait();
        });
        thread::scope(|scope| {
            for _ in 0..40 {
                scope.spawn(|| assert_eq!(entries(&store, &organisation(0)).len(), 1));
            }
        });
    });
}

#[test]
fn a_full_database_fails_the_whole_batch_and_later_ones_but_keeps_what_was_acknowledged() {
    in_time(|| {
        let (dir, small) = store();
        add(&small, 0..1);
        drop(small);
        let store = SqliteStore::open_limited(&dir.path().join("db"), 40).unwrap();
        let kept = AtomicUsize::new(0);
        thread::scope(|scope| {
            for _ in 0..WRITERS {
                scope.spawn(|| {
                    for _ in 0..200 {
                        match append(&store, &organisation(0), &[7; 500]) {
                            Ok(_) => drop(kept.fetch_add(1, Ordering::Relaxed)),
                            Err(error) => return assert_eq!(error, StoreError::Full),
                        }
                    }
                    panic!("the database never filled");
                });
            }
        });
        let kept = kept.into_inner();
        assert!(kept > 0);
        assert_eq!(entries(&store, &organisation(0)).len(), kept);
        assert!(store.connection().is_autocommit());
        drop(store);
        let store = SqliteStore::open(&dir.path().join("db")).unwrap();
        assert_eq!(entries(&store, &organisation(0)).len(), kept);
        let next = u64::try_from(kept).unwrap();
        assert_eq!(append(&store, &organisation(0), b"with space again"), Ok(next));
    });
}

#[test]
fn after_the_engine_rolled_back_nothing_more_of_the_closure_runs_and_all_members_hear_of_it() {
    in_time(|| {
        let (dir, small) = store();
        add(&small, 0..1);
        drop(small);
        let store = patient(SqliteStore::open_limited(&dir.path().join("db"), 10).unwrap());
        thread::scope(|scope| {
            let first = scope.spawn(|| append_with(&store, 1, b"innocent"));
            wait_until_inside(&store);
            // This one ignores every error, and says that all is well.
            let greedy = store.group.write(&organisation(0), &mut |rows| {
                assert_eq!(rows.append_entry(&organisation(0), &[7; 100_000]), Err(StoreError::Full));
                assert_eq!(rows.append_entry(&organisation(0), b"small"), Err(StoreError::Full));
                Ok(())
            });
            assert_eq!(greedy, Err(StoreError::Full));
            assert_eq!(first.join().unwrap(), Err(StoreError::Full));
        });
        assert_eq!(entries(&store, &organisation(0)), Vec::<Vec<u8>>::new());
        assert_eq!(append(&store, &organisation(0), b"small"), Ok(0));
    });
}

#[test]
fn a_commit_that_fails_fails_every_member_and_leaves_nothing() {
    in_time(|| {
        let (_dir, store) = store();
        let store = patient(store);
        add(&store, 0..1);
        // A reference that is checked only at the commit.
        let broken =
            "CREATE TABLE broken (id TEXT REFERENCES organisation (id) DEFERRABLE INITIALLY DEFERRED);
                      CREATE TRIGGER break AFTER INSERT ON entry WHEN new.bytes = x'00'
                      BEGIN INSERT INTO broken VALUES ('nobody'); END;";
        store.connection().execute_batch(broken).unwrap();
        thread::scope(|scope| {
            let first = scope.spawn(|| append_with(&store, 3, &[0]));
            wait_until_inside(&store);
            let threads: Vec<_> =
                (0..3).map(|_| scope.spawn(|| append(&store, &organisation(0), b"sound"))).collect();
            for thread in threads {
                assert_eq!(thread.join().unwrap(), Err(StoreError::Conflict));
            }
            assert_eq!(first.join().unwrap(), Err(StoreError::Conflict));
        });
        assert!(store.connection().is_autocommit(), "other processes may write");
        assert_eq!(entries(&store, &organisation(0)), Vec::<Vec<u8>>::new());
        assert_eq!(append(&store, &organisation(0), b"sound"), Ok(0));
    });
}

#[test]
fn a_batch_that_is_old_commits_although_others_want_to_join() {
    in_time(|| {
        let (_dir, mut store) = store();
        add(&store, 0..1);
        store.group.set_longest(Duration::ZERO);
        thread::scope(|scope| {
            let first = scope.spawn(|| append_with(&store, 1, b"first"));
            wait_until_inside(&store);
            let second: Result<(), StoreError> = port::write(&store, &organisation(0), |rows| {
                assert_eq!(rows.entry_count(&organisation(0)), Ok(1));
                assert_eq!(entries(&store, &organisation(0)), [b"first"], "committed already");
                Err(StoreError::Conflict)
            });
            assert_eq!(second, Err(StoreError::Conflict));
            assert_eq!(first.join().unwrap(), Ok(0));
        });
    });
}

#[test]
fn two_stores_on_one_file_write_in_turns_without_loss() {
    in_time(|| {
        let (dir, one) = store();
        add(&one, 0..1);
        let two = SqliteStore::open(&dir.path().join("db")).unwrap();
        thread::scope(|scope| {
            for writer in 0..8 {
                let store = if writer % 2 == 0 { &one } else { &two };
                scope.spawn(move || {
                    for _ in 0..50 {
                        append(store, &organisation(0), b"entry").unwrap();
                    }
                });
            }
            for _ in 0..20 {
                let removed = two.remove_remnants();
                assert!(matches!(removed, Ok(()) | Err(StoreError::Locked)), "{removed:?}");
            }
        });
        assert_eq!(entries(&one, &organisation(0)).len(), 400);
        assert_eq!(entries(&two, &organisation(0)).len(), 400);
    });
}

#[test]
fn remnants_are_removed_between_batches_while_readers_are_idle() {
    in_time(|| {
        let (dir, store) = store();
        add(&store, 0..1);
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..50 {
                        append(&store, &organisation(0), b"entry").unwrap();
                        entries(&store, &organisation(0));
                    }
                });
            }
            (0..20).for_each(|_| store.remove_remnants().unwrap());
        });
        store.remove_remnants().unwrap();
        assert_eq!(fs::metadata(dir.path().join("db-wal")).unwrap().len(), 0);
        assert_eq!(entries(&store, &organisation(0)).len(), 400);
    });
}

#[test]
fn a_writer_that_another_process_keeps_out_is_told_after_the_bounded_wait_and_recovers() {
    in_time(|| {
        let (dir, store) = store();
        add(&store, 0..1);
        let other = Connection::open(dir.path().join("db")).unwrap();
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        let begun = std::time::Instant::now();
        thread::scope(|scope| {
            let threads: Vec<_> =
                (0..4).map(|_| scope.spawn(|| append(&store, &organisation(0), b"entry"))).collect();
            for thread in threads {
                assert_eq!(thread.join().unwrap(), Err(StoreError::Locked));
            }
        });
        assert!(begun.elapsed() < BUSY_WAIT * 2, "they wait side by side, not one after the other");
        other.execute_batch("ROLLBACK").unwrap();
        assert_eq!(append(&store, &organisation(0), b"entry"), Ok(0));
    });
}
