use std::thread;

use vouchsafe_objects::{BucketLease, Condition, LeaseTerms, ObjectsError};
use vouchsafe_testkit::services::gate::Fault;
use vouchsafe_types::Timestamp;

use crate::scene::Scene;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + second).unwrap()
}

#[test]
fn a_lease_is_one_holders_until_its_end_and_the_skew() {
    for scene in Scene::all("objects: lease") {
        let bucket = scene.bucket();
        let [one, two] = [(), ()].map(|()| BucketLease::open(bucket.clone(), LeaseTerms::default()).unwrap());
        let mut first = one.acquire(at(0)).unwrap();
        assert_eq!(first.token(), 1);
        assert!(first.is_held(at(29)) && !first.is_held(at(30)));
        for second in [-1000, 0, 30, 35] {
            assert_eq!(two.acquire(at(second)).err(), Some(ObjectsError::Leased), "{second}");
        }
        first.renew(at(20)).unwrap();
        assert_eq!(two.acquire(at(55)).err(), Some(ObjectsError::Leased));
        let second = two.acquire(at(56)).unwrap();
        assert_eq!(second.token(), 2);
        // By its own clock it may still hold it; the object says otherwise.
        assert_eq!(first.renew(at(40)).err(), Some(ObjectsError::LeaseLost));
        assert!(!first.is_held(at(40)));
        drop(first);
        assert_eq!(one.acquire(at(57)).err(), Some(ObjectsError::Leased), "a lost lease releases nothing");
        drop(second);
        let third = one.acquire(at(57)).unwrap();
        assert_eq!(third.token(), 3);
        std::mem::forget(third);
        assert_eq!(two.acquire(at(93)).unwrap().token(), 4, "of a killed holder");
    }
}

#[test]
fn every_holder_has_a_greater_token_and_is_alone() {
    for scene in Scene::all("objects: lease race") {
        let bucket = scene.bucket();
        let lease = BucketLease::open(bucket, LeaseTerms::default()).unwrap();
        let mut last = 0;
        for round in 0..8 {
            let taken: Vec<_> = thread::scope(|scope| {
                let threads: Vec<_> =
                    (0..8).map(|_| scope.spawn(|| lease.acquire(at(round * 100)))).collect();
                threads.into_iter().map(|thread| thread.join().unwrap()).collect()
            });
            let held: Vec<_> = taken.into_iter().filter_map(Result::ok).collect();
            assert_eq!(held.len(), 1, "{:?}", scene.server.kind());
            assert!(held[0].token() > last);
            last = held[0].token();
            // Each round's holder is killed; it ends by itself.
            held.into_iter().for_each(std::mem::forget);
        }
    }
}

#[test]
fn lost_answers_neither_lose_nor_double_a_lease() {
    for scene in Scene::all("objects: lease faults") {
        let lease = BucketLease::open(scene.bucket(), LeaseTerms::default()).unwrap();
        let puts = |fault| scene.gate.once(fault, |seen| seen.method == "PUT");
        puts(Fault::LoseAnswer);
        let mut held = lease.acquire(at(0)).unwrap();
        assert_eq!(held.token(), 1);
        puts(Fault::LoseAnswer);
        held.renew(at(10)).unwrap();
        puts(Fault::LoseRequest);
        held.keep(at(30)).unwrap();
        assert!(held.is_held(at(59)));
        assert_eq!(lease.acquire(at(60)).err(), Some(ObjectsError::Leased));
        // While the server is away, it lasts to its end and no longer.
        scene.gate.plan(|_| Fault::Busy);
        held.keep(at(50)).unwrap();
        assert_eq!(held.keep(at(61)), Err(ObjectsError::LeaseLost));
    }
}

#[test]
fn an_object_of_another_form_is_no_lease() {
    for scene in Scene::all("objects: malformed lease") {
        let bucket = scene.bucket();
        let lease = BucketLease::open(bucket.clone(), LeaseTerms::default()).unwrap();
        let _ = bucket.put("lease", b"vouchsafe lease\x02", &Condition::Always).unwrap();
        assert_eq!(lease.acquire(at(0)).err(), Some(ObjectsError::Answer));
    }
}
