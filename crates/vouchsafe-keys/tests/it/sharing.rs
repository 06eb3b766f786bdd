//! Leases, locks and the cache's capacity beside other threads and processes.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::fs;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use vouchsafe_envelope::port::{StateStore, StateVersion};
use vouchsafe_envelope::{CachePolicy, EnvelopeError, KeyRing, StateStoreError};
use vouchsafe_keys::ReplicatedStates;
use vouchsafe_types::OrganisationId;

use crate::setup::{Place, acme, allocate, fingerprint};

fn organisation(name: &str) -> OrganisationId {
    OrganisationId::parse(name).unwrap()
}

/// How many files there are in these folders of a place.
fn files(place: &Place, folders: &[String]) -> usize {
    folders.iter().map(|folder| fs::read_dir(place.root().join(folder)).unwrap().count()).sum()
}

#[test]
fn a_version_read_beside_a_writer_is_never_corrupt() {
    let place = Place::new();
    let states = place.folder("states");
    let write =
        |revision| states.write(&acme(), StateVersion { generation: 1, revision }, &[7; 100]).unwrap();
    write(1);
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        let readers: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(|| {
                    let reader = place.folder("states");
                    while !stop.load(Ordering::SeqCst) {
                        reader.version(&acme())?;
                    }
                    Ok::<(), StateStoreError>(())
                })
            })
            .collect();
        (2..300).for_each(write);
        stop.store(true, Ordering::SeqCst);
        readers.into_iter().for_each(|reader| assert_eq!(reader.join().unwrap(), Ok(())));
    });
}

#[test]
fn a_look_at_an_unknown_organisation_leaves_no_files() {
    let place = Place::new();
    let ring = place.ring();
    for name in ["nobody", "none"] {
        assert_eq!(ring.with_state(&organisation(name), |_| ()), Err(EnvelopeError::NotProvisioned));
    }
    assert_eq!(files(&place, &["states".to_owned(), "replica".to_owned()]), 0);
}

/// A cleaner of empty files takes the file that shows that a holder is alive.
///
/// Promise: WB-3-30days
#[test]
fn a_lease_outlives_the_file_of_its_holder() {
    let place = Place::provisioned();
    let leaf = allocate(&place.ring(), 1)[0];
    let reader = place.ring();
    reader.with_state(&acme(), |_| ()).unwrap();
    for folder in ["states/leases", "replica/leases"] {
        for entry in fs::read_dir(place.root().join(folder)).unwrap() {
            let entry = entry.unwrap();
            if entry.file_name().to_string_lossy().starts_with('.') {
                fs::remove_file(entry.path()).unwrap();
            }
        }
    }
    let policy = CachePolicy { lease_wait: Duration::from_millis(50), ..CachePolicy::default() };
    let writer = KeyRing::with_cache(place.ports(), policy);
    let destroyed = reader.with_state(&acme(), |_| writer.destroy(&acme(), &[leaf]).map(drop)).unwrap();
    assert!(matches!(destroyed, Err(EnvelopeError::ErasureIncomplete(_))), "{destroyed:?}");
    assert_eq!(fingerprint(&reader, leaf), Err(EnvelopeError::Destroyed));
    let _ = writer.destroy(&acme(), &[leaf]).unwrap();
}

#[test]
fn a_policy_of_zero_leaves_no_state_unsealed() {
    let place = Place::provisioned();
    let policy = CachePolicy { ttl: Duration::ZERO, ..CachePolicy::default() };
    let ring = KeyRing::with_cache(place.ports(), policy);
    ring.with_state(&acme(), |_| ()).unwrap();
    assert_eq!(ring.cache_metrics().live, 0);
    assert_eq!(files(&place, &["states/leases/acme".to_owned()]), 0);
}

#[test]
fn a_long_reader_of_one_organisation_does_not_keep_the_others_unsealed() {
    let place = Place::new();
    let ring = place.ring();
    let organisations: Vec<_> = (0..6).map(|number| organisation(&format!("org-{number}"))).collect();
    for organisation in &organisations {
        ring.provision(organisation).unwrap();
        ring.with_state(organisation, |_| ()).unwrap();
    }
    let folders: Vec<_> =
        organisations.iter().map(|organisation| format!("states/leases/{}", organisation.as_str())).collect();
    assert_eq!(files(&place, &folders), 6);
    thread::scope(|scope| {
        let left = ring.with_state(&organisations[0], |_| {
            place.ticks.advance(Duration::from_secs(301));
            scope.spawn(|| ring.sweep());
            let begun = Instant::now();
            while files(&place, &folders) > 1 && begun.elapsed() < Duration::from_secs(2) {
                thread::sleep(Duration::from_millis(5));
            }
            files(&place, &folders)
        });
        assert_eq!(left, Ok(1));
    });
}

#[test]
fn a_missing_first_place_makes_no_difference_to_readers() {
    let place = Place::provisioned();
    let leaf = allocate(&place.ring(), 1)[0];
    let before = fingerprint(&place.ring(), leaf).unwrap();
    let ring = place.ring();
    fs::rename(place.root().join("states"), place.root().join("away")).unwrap();
    assert_eq!(fingerprint(&ring, leaf), Ok(before));
}

#[test]
fn processes_that_name_the_places_in_another_order_share_the_locks() {
    let place = Place::new();
    let turned = ReplicatedStates::new(vec![place.folder("replica"), place.folder("states")]).unwrap();
    let held = AtomicBool::new(true);
    let guard = place.states().lock_exclusive(&acme()).unwrap();
    thread::scope(|scope| {
        for lock in [ReplicatedStates::lock_shared, ReplicatedStates::lock_exclusive] {
            let (turned, held) = (&turned, &held);
            scope.spawn(move || {
                let _guard = lock(turned, &acme()).unwrap();
                assert!(!held.load(Ordering::SeqCst), "both hold it");
            });
        }
        thread::sleep(Duration::from_millis(100));
        held.store(false, Ordering::SeqCst);
        drop(guard);
    });
}

/// With room for one state, a reader may still hold one that nobody else finds.
///
/// Promise: WB-3-30days
#[test]
fn a_destruction_waits_for_states_that_had_to_make_room() {
    const DOOMED: usize = 8;
    let (place, other) = (Place::provisioned(), organisation("other"));
    let policy = CachePolicy {
        capacity: 1,
        recheck: Duration::from_millis(50),
        lease_wait: Duration::from_secs(1),
        ..CachePolicy::default()
    };
    let ring = KeyRing::with_cache(place.ports(), policy);
    ring.provision(&other).unwrap();
    let leaves = allocate(&ring, DOOMED);
    let (gone, stop) = (AtomicUsize::new(0), AtomicBool::new(false));
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                while !stop.load(Ordering::SeqCst) {
                    for leaf in leaves.iter().take(gone.load(Ordering::SeqCst)) {
                        assert_eq!(fingerprint(&ring, *leaf), Err(EnvelopeError::Destroyed));
                    }
                    ring.with_state(&other, |_| ()).unwrap();
                }
            });
        }
        for leaf in &leaves {
            let destroyed = (0..5).any(|_| {
                place.ticks.advance(Duration::from_millis(60));
                ring.destroy(&acme(), &[*leaf]).is_ok()
            });
            if !destroyed {
                break;
            }
            gone.fetch_add(1, Ordering::SeqCst);
        }
        stop.store(true, Ordering::SeqCst);
    });
    assert_eq!(gone.load(Ordering::SeqCst), DOOMED);
}
