use std::thread;

use vouchsafe_envelope::StateStoreError;
use vouchsafe_envelope::port::FenceStore;
use vouchsafe_objects::{BucketFences, Condition};
use vouchsafe_types::OrganisationId;

use crate::scene::Scene;

#[test]
fn records_of_many_writers_are_all_kept() {
    for scene in Scene::all("objects: fences at once") {
        let fences = BucketFences::open(scene.bucket()).unwrap();
        let acme = OrganisationId::parse("acme").unwrap();
        let appended: usize = thread::scope(|scope| {
            let threads: Vec<_> = (0..4_u8)
                .map(|writer| {
                    let (fences, acme) = (&fences, &acme);
                    let append =
                        move |number: u8| usize::from(fences.append(acme, &[writer, number]).is_ok());
                    scope.spawn(move || (0..10).map(append).sum::<usize>())
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        let mut records = fences.read(&acme, 0).unwrap().records;
        assert_eq!(records.len(), appended);
        records.sort();
        records.dedup();
        assert_eq!(records.len(), appended);
    }
}

#[test]
fn damage_is_told_and_not_written_over() {
    for scene in Scene::all("objects: damaged fences") {
        let bucket = scene.bucket();
        let fences = BucketFences::open(bucket.clone()).unwrap();
        let acme = OrganisationId::parse("acme").unwrap();
        let end = fences.append(&acme, b"one").unwrap();
        fences.append(&acme, b"two").unwrap();
        let key = "acme/fences/00000000";
        let mut bytes = bucket.get(key).unwrap().unwrap().bytes;
        *bytes.last_mut().unwrap() ^= 1;
        let _ = bucket.put(key, &bytes, &Condition::Always).unwrap();
        let read = fences.read(&acme, 0).unwrap();
        assert_eq!((read.records, read.end, read.damaged), (vec![b"one".to_vec()], end, true));
        assert_eq!(fences.append(&acme, b"three"), Err(StateStoreError::Corrupt));
        let _ = bucket.put(key, b"something else", &Condition::Always).unwrap();
        assert_eq!(fences.read(&acme, 0), Err(StateStoreError::Corrupt));
    }
}
