use std::time::{Duration, Instant};

use vouchsafe_ledger::{CheckpointLock, LedgerError, TileStore};
use vouchsafe_objects::{Bucket, BucketConfig, BucketLock, BucketTiles, Condition, ObjectsError, Put};
use vouchsafe_testkit::services::gate::{Fault, Seen};
use vouchsafe_testkit::services::objects::{ObjectServer, ObjectServerKind, SECRET};

use crate::scene::{Scene, config};

fn is_put(seen: &Seen) -> bool {
    seen.method == "PUT"
}

fn is_get(seen: &Seen) -> bool {
    seen.method == "GET"
}

#[test]
fn a_lost_answer_is_looked_up() {
    for scene in Scene::all("objects: lost answers") {
        let lock = BucketLock::open(scene.bucket()).unwrap();
        for fault in [Fault::LoseAnswer, Fault::LoseRequest, Fault::Busy] {
            let old = lock.load().unwrap();
            let new = format!("{fault:?}").into_bytes();
            scene.gate.once(fault, is_put);
            assert_eq!(lock.swap(old.as_deref(), &new), Ok(()), "{fault:?}");
            assert_eq!(lock.load().unwrap(), Some(new));
        }
        // A condition that does not hold is told, whatever became of the first answer.
        scene.gate.once(Fault::LoseAnswer, is_put);
        assert_eq!(lock.swap(Some(b"other"), b"x"), Err(LedgerError::CheckpointMoved));
    }
}

#[test]
fn nothing_is_acknowledged_that_is_not_there() {
    for scene in Scene::all("objects: refusing server") {
        let bucket = scene.bucket();
        let (lock, tiles) =
            (BucketLock::open(bucket.clone()).unwrap(), BucketTiles::open(bucket.clone()).unwrap());
        lock.swap(None, b"one").unwrap();
        for fault in [Fault::Busy, Fault::LoseRequest] {
            scene.gate.plan(move |seen| if is_put(seen) { fault } else { Fault::None });
            assert!(
                matches!(lock.swap(Some(b"one"), b"two"), Err(LedgerError::LockUnavailable(_))),
                "{fault:?}"
            );
            let tile = tiles.write("tile/0/000", b"tile");
            assert!(matches!(tile, Err(LedgerError::StoreUnavailable(_))), "{fault:?}");
            scene.gate.mend();
            assert_eq!(lock.load().unwrap().as_deref(), Some(&b"one"[..]));
            assert_eq!(tiles.read("tile/0/000"), Ok(None));
        }
        // Every answer is lost, and the reads work: what took place is acknowledged.
        scene.gate.plan(|seen| if is_put(seen) { Fault::LoseAnswer } else { Fault::None });
        assert_eq!(lock.swap(Some(b"one"), b"two"), Ok(()));
        assert_eq!(tiles.write("tile/0/000", b"tile"), Ok(()));
        scene.gate.mend();
        assert_eq!(lock.load().unwrap().as_deref(), Some(&b"two"[..]));
        assert_eq!(tiles.read("tile/0/000").unwrap().as_deref(), Some(&b"tile"[..]));
        // Nobody can tell: it is not acknowledged, and the next reader sees which it was.
        scene.gate.plan(|seen| if is_put(seen) { Fault::LoseAnswer } else { Fault::Busy });
        let put = bucket.put("a", b"1", &Condition::IfAbsent);
        assert!(matches!(put, Err(ObjectsError::Unavailable(_))));
        scene.gate.mend();
        assert_eq!(bucket.put("a", b"2", &Condition::IfAbsent), Ok(Put::Refused));
        assert_eq!(bucket.get("a").unwrap().unwrap().bytes, b"1");
    }
}

#[test]
fn a_busy_server_is_asked_again_a_bounded_number_of_times() {
    for scene in Scene::all("objects: busy server") {
        let bucket = scene.bucket();
        let _ = bucket.put("a", b"1", &Condition::Always).unwrap();
        for fault in [Fault::Busy, Fault::LoseRequest, Fault::LoseAnswer, Fault::CutBody(0)] {
            let mut faults = [fault; 3].into_iter();
            scene.gate.plan(move |_| faults.next().unwrap_or(Fault::None));
            assert_eq!(bucket.get("a").unwrap().unwrap().bytes, b"1", "{fault:?}");
        }
        let asked = std::sync::Arc::new(std::sync::atomic::AtomicU32::new(0));
        let count = std::sync::Arc::clone(&asked);
        scene.gate.plan(move |_| {
            count.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            Fault::Busy
        });
        assert!(matches!(bucket.get("a"), Err(ObjectsError::Unavailable(_))));
        assert_eq!(asked.load(std::sync::atomic::Ordering::SeqCst), BucketConfig::ATTEMPTS);
        // A conditional write is not repeated by itself.
        assert!(bucket.put("a", b"2", &Condition::IfAbsent).is_err());
        assert_eq!(asked.load(std::sync::atomic::Ordering::SeqCst), BucketConfig::ATTEMPTS + 1);
    }
}

#[test]
fn a_slow_server_is_not_waited_for_longer_than_said() {
    for scene in Scene::all("objects: slow server") {
        let name = scene.name();
        let quick = Bucket::new(scene.config(&name).timeout(Duration::from_millis(300)).attempts(2)).unwrap();
        let patient = Bucket::new(scene.config(&name)).unwrap();
        let Put::Done(etag) = patient.put("a", b"1", &Condition::Always).unwrap() else { panic!() };
        scene.gate.plan(|_| Fault::Late(Duration::from_millis(1500)));
        let begun = Instant::now();
        let read = quick.get("a");
        assert_eq!(read, Err(ObjectsError::Unavailable(std::io::ErrorKind::TimedOut)));
        assert!(begun.elapsed() < Duration::from_millis(1200), "{:?}", begun.elapsed());
        // The write is given up here and takes place later; a later write is not set back by it.
        let late = quick.put("a", b"late", &Condition::IfMatch(etag.clone()));
        assert_eq!(late, Err(ObjectsError::Unavailable(std::io::ErrorKind::TimedOut)));
        scene.gate.mend();
        assert!(matches!(patient.put("a", b"2", &Condition::IfMatch(etag)), Ok(Put::Done(_))));
        std::thread::sleep(Duration::from_millis(2000));
        assert_eq!(patient.get("a").unwrap().unwrap().bytes, b"2");
    }
}

#[test]
fn an_answer_that_is_cut_short_is_no_object() {
    for scene in Scene::all("objects: cut answers") {
        let bucket = scene.bucket();
        let bytes = vec![7; 5000];
        let _ = bucket.put("a", &bytes, &Condition::Always).unwrap();
        let faults = [Fault::CutBody(0), Fault::CutBody(4999)];
        for fault in faults {
            scene.gate.plan(move |seen| if is_get(seen) { fault } else { Fault::None });
            assert!(matches!(bucket.get("a"), Err(ObjectsError::Unavailable(_))), "{fault:?}");
        }
        // The length lies: the checksum tells.
        scene.gate.plan(|seen| if is_get(seen) { Fault::ShortLength(1) } else { Fault::None });
        assert!(bucket.get("a").is_err(), "{:?}", scene.server.kind());
        scene.gate.mend();
        assert_eq!(bucket.get("a").unwrap().unwrap().bytes, bytes);
    }
}

#[test]
fn what_is_larger_than_the_limit_is_neither_written_nor_read() {
    for scene in Scene::all("objects: limits") {
        let name = scene.name();
        let large = Bucket::new(scene.config(&name)).unwrap();
        let small = Bucket::new(scene.config(&name).most_bytes(1000)).unwrap();
        let _ = large.put("a", &[7; 1001], &Condition::Always).unwrap();
        assert_eq!(small.get("a"), Err(ObjectsError::Answer));
        assert_eq!(small.put("b", &[7; 1001], &Condition::Always), Err(ObjectsError::TooLarge));
        assert!(matches!(small.put("b", &[7; 1000], &Condition::Always), Ok(Put::Done(_))));
    }
}

#[test]
fn a_server_that_is_gone_is_unavailable_and_not_empty() {
    for kind in ObjectServerKind::ALL {
        let Some(mut server) = ObjectServer::start(kind, "objects: gone server") else { continue };
        server.make_bucket("gone");
        let bucket = Bucket::new(config(&server.endpoint(), "gone", SECRET)).unwrap();
        let _ = bucket.put("a", b"1", &Condition::Always).unwrap();
        server.kill();
        assert!(matches!(bucket.get("a"), Err(ObjectsError::Unavailable(_))));
        assert!(matches!(bucket.put("a", b"2", &Condition::IfAbsent), Err(ObjectsError::Unavailable(_))));
        assert!(matches!(bucket.list("a"), Err(ObjectsError::Unavailable(_))));
        assert!(matches!(bucket.check(), Err(ObjectsError::Unavailable(_))));
    }
}
