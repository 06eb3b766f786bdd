use std::thread;

use vouchsafe_ledger::{CheckpointLock, LedgerError};
use vouchsafe_objects::{BucketLock, Condition, Put};

use crate::scene::Scene;

const THREADS: usize = 8;
const ROUNDS: usize = 12;

/// Of eight that write at once on the same condition, one is told that it did, and its bytes are what is stored.
#[test]
fn one_writer_wins_each_round() {
    for scene in Scene::all("objects: race") {
        let bucket = scene.bucket();
        let mut condition = Condition::IfAbsent;
        for round in 0..ROUNDS {
            let bytes = |writer: usize| format!("{round}-{writer}").into_bytes();
            let answers: Vec<Put> = thread::scope(|scope| {
                let threads: Vec<_> = (0..THREADS)
                    .map(|writer| {
                        let (bucket, condition) = (&bucket, &condition);
                        scope.spawn(move || bucket.put("one", &bytes(writer), condition).unwrap())
                    })
                    .collect();
                threads.into_iter().map(|thread| thread.join().unwrap()).collect()
            });
            let winners: Vec<usize> =
                (0..THREADS).filter(|writer| answers[*writer] != Put::Refused).collect();
            assert_eq!(winners.len(), 1, "{:?}, round {round}", scene.server.kind());
            let stored = bucket.get("one").unwrap().unwrap();
            assert_eq!(stored.bytes, bytes(winners[0]));
            condition = Condition::IfMatch(stored.etag);
        }
    }
}

/// What is acknowledged is counted, and nothing else is.
#[test]
fn swaps_of_many_publishers_add_up() {
    for scene in Scene::all("objects: swaps") {
        let bucket = scene.bucket();
        let first = BucketLock::open(bucket.clone()).unwrap();
        first.swap(None, &0_u64.to_be_bytes()).unwrap();
        let wins: u64 = thread::scope(|scope| {
            let threads: Vec<_> = (0..THREADS)
                .map(|_| {
                    let lock = BucketLock::open(bucket.clone()).unwrap();
                    scope.spawn(move || (0..ROUNDS).map(|_| increment(&lock)).sum::<u64>())
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        assert!(wins > 0);
        assert_eq!(first.load().unwrap().as_deref(), Some(&wins.to_be_bytes()[..]));
    }
}

fn increment(lock: &BucketLock) -> u64 {
    let old = lock.load().unwrap().unwrap();
    let next = u64::from_be_bytes(old.as_slice().try_into().unwrap()) + 1;
    match lock.swap(Some(&old), &next.to_be_bytes()) {
        Ok(()) => 1,
        Err(error) => {
            assert_eq!(error, LedgerError::CheckpointMoved);
            0
        }
    }
}
