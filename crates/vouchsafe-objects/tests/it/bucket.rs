use vouchsafe_objects::{Bucket, Condition, ObjectsError, Put};
use vouchsafe_testkit::services::objects::{ObjectServerKind, SECRET};

use crate::scene::{Scene, config};

#[test]
fn what_is_written_is_read_listed_and_removed() {
    for scene in Scene::all("objects: bucket") {
        let bucket = scene.bucket();
        assert_eq!(bucket.get("a/b"), Ok(None));
        assert_eq!(bucket.delete("a/b"), Ok(()));
        for bytes in [&b""[..], b"1", &vec![7; 300_000]] {
            let Put::Done(etag) = bucket.put("a/b", bytes, &Condition::Always).unwrap() else { panic!() };
            let stored = bucket.get("a/b").unwrap().unwrap();
            assert_eq!((stored.bytes.as_slice(), &stored.etag), (bytes, &etag));
        }
        let _ = bucket.put("a/c", b"2", &Condition::Always).unwrap();
        let _ = bucket.put("ab", b"3", &Condition::Always).unwrap();
        let mut keys = bucket.list("a").unwrap();
        keys.sort();
        assert_eq!(keys, ["a/b", "a/c"]);
        let inner = bucket.within("a").unwrap();
        assert_eq!(inner.get("c").unwrap().unwrap().bytes, b"2");
        bucket.delete("a/b").unwrap();
        assert_eq!(bucket.get("a/b"), Ok(None));
        assert_eq!(bucket.list("a").unwrap(), ["a/c"]);
        assert_eq!(bucket.put("../x", b"", &Condition::Always), Err(ObjectsError::Key));
    }
}

#[test]
fn a_listing_has_all_its_pages() {
    for scene in Scene::all("objects: listing") {
        let bucket = scene.open_bucket();
        std::thread::scope(|scope| {
            for part in 0..4 {
                let bucket = &bucket;
                scope.spawn(move || {
                    for number in 0..260 {
                        let _ =
                            bucket.put(&format!("many/{part}-{number}"), b"", &Condition::Always).unwrap();
                    }
                });
            }
        });
        let mut keys = bucket.list("many").unwrap();
        keys.sort();
        keys.dedup();
        assert_eq!(keys.len(), 1040, "{:?}", scene.server.kind());
    }
}

#[test]
fn a_wrong_secret_is_refused_and_not_told() {
    let Some(scene) = Scene::start(ObjectServerKind::S3sFs, "objects: secret") else { return };
    let name = scene.name();
    let good = Bucket::new(scene.config(&name)).unwrap();
    let _ = good.put("a", b"1", &Condition::Always).unwrap();
    let wrong = Bucket::new(config(&scene.gate.endpoint(), &name, "not-the-secret")).unwrap();
    for error in [
        wrong.get("a").unwrap_err(),
        wrong.put("a", b"2", &Condition::Always).unwrap_err(),
        wrong.list("a").unwrap_err(),
        wrong.delete("a").unwrap_err(),
        wrong.check().unwrap_err(),
    ] {
        assert_eq!(error, ObjectsError::Denied);
        let shown = format!("{error} {error:?} {wrong:?}");
        for hidden in ["secret", SECRET, "testing", "127.0.0.1", &name] {
            assert!(!shown.contains(hidden), "{shown}");
        }
    }
    assert_eq!(good.get("a").unwrap().unwrap().bytes, b"1");
}

#[test]
fn a_bucket_that_is_not_there_is_no_empty_one() {
    for scene in Scene::all("objects: missing bucket") {
        let bucket = Bucket::new(scene.config("not-there")).unwrap();
        assert_eq!(bucket.list("a"), Err(ObjectsError::BucketMissing));
        assert_eq!(bucket.require_conditions(), Err(ObjectsError::BucketMissing));
        // `s3s-fs` says of its objects that they are not there, and makes it at the first write.
        if scene.server.kind() == ObjectServerKind::Moto {
            assert_eq!(bucket.get("a"), Err(ObjectsError::BucketMissing));
            assert_eq!(bucket.put("a", b"1", &Condition::Always), Err(ObjectsError::BucketMissing));
        }
    }
}
