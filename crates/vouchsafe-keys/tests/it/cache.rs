//! The cache: five minutes at most, one unwrap a miss, gone at once when it must be.
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use vouchsafe_envelope::port::KeyService;
use vouchsafe_envelope::{CachePolicy, EnvelopeError, KeyRing, KeyServiceError, Sweeper};
use vouchsafe_testkit::faulty::{Call, Fault, FaultyService};
use vouchsafe_types::{DataClass, OrganisationId};

use crate::setup::{Place, acme, allocate, fingerprint};

const SECOND: Duration = Duration::from_secs(1);

/// Counts unwraps and passes everything on.
fn counting(place: &Place) -> (Arc<dyn KeyService>, Arc<AtomicUsize>) {
    let unwraps = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&unwraps);
    let service = FaultyService::new(place.service(), move |_, call| {
        if matches!(call, Call::Unwrap) {
            counted.fetch_add(1, Ordering::SeqCst);
        }
        None
    });
    (Arc::new(service), unwraps)
}

fn ring_with(place: &Place, service: Arc<dyn KeyService>, policy: CachePolicy) -> KeyRing {
    KeyRing::with_cache(place.ports_over(service, place.states(), place.fences()), policy)
}

/// Promise: WB-3-key-cache
#[test]
fn nothing_is_served_at_300_seconds() {
    let place = Place::provisioned();
    let hour = CachePolicy { ttl: Duration::from_secs(3600), ..CachePolicy::default() };
    let (service, unwraps) = counting(&place);
    let ring = ring_with(&place, service, hour);
    let look = |expected: usize, what: &str| {
        ring.with_state(&acme(), |_| ()).unwrap();
        assert_eq!(unwraps.load(Ordering::SeqCst), expected, "{what}");
    };
    look(1, "the first use");
    place.ticks.advance(300 * SECOND - Duration::from_nanos(1));
    look(1, "a moment before 300 s, although the policy says an hour");
    place.ticks.advance(Duration::from_nanos(1));
    look(2, "at 300.000 s");
    look(2, "counted from the unwrap");
    place.ticks.advance(299 * SECOND);
    look(2, "use does not extend it");
    place.ticks.advance(SECOND);
    look(3, "at 300 s again");
    place.ticks.set(Duration::ZERO);
    look(4, "ticks that go backwards are not trusted");
    let metrics = ring.cache_metrics();
    assert_eq!((metrics.misses, metrics.live), (4, 1));
}

/// Promise: WB-3-key-cache
#[test]
fn an_idle_process_keeps_nothing_expired() {
    let place = Place::provisioned();
    let ring = Arc::new(place.ring());
    ring.with_state(&acme(), |_| ()).unwrap();
    place.ticks.advance(299 * SECOND);
    ring.sweep();
    assert_eq!(ring.cache_metrics().live, 1);
    let sweeper = Sweeper::start(&ring).unwrap();
    place.ticks.advance(SECOND);
    for _ in 0..200 {
        if ring.cache_metrics().live == 0 {
            break;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    assert_eq!((ring.cache_metrics().live, ring.cache_metrics().expired), (0, 1));
    drop(sweeper);
}

#[test]
fn one_unwrap_a_miss_however_many_wait() {
    let place = Place::provisioned();
    let (service, unwraps) = counting(&place);
    let slow = FaultyService::always(service, Call::Unwrap, Fault::Slow(Duration::from_millis(30)));
    let ring = ring_with(&place, Arc::new(slow), CachePolicy::default());
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| (0..50).for_each(|_| ring.with_state(&acme(), |_| ()).unwrap()));
        }
    });
    let metrics = ring.cache_metrics();
    assert_eq!((unwraps.load(Ordering::SeqCst), metrics.misses), (1, 1));
    assert!(metrics.hits >= 392);
}

#[test]
fn the_least_recently_used_makes_room() {
    let place = Place::new();
    let organisations: Vec<_> =
        (0..4).map(|number| OrganisationId::parse(&format!("org-{number}")).unwrap()).collect();
    organisations.iter().for_each(|organisation| place.ring().provision(organisation).unwrap());
    let (service, unwraps) = counting(&place);
    let ring = ring_with(&place, service, CachePolicy { capacity: 3, ..CachePolicy::default() });
    let use_it = |number: usize| {
        place.ticks.advance(SECOND);
        ring.with_state(&organisations[number], |_| ()).unwrap();
        unwraps.load(Ordering::SeqCst)
    };
    assert_eq!([use_it(0), use_it(1), use_it(2), use_it(0)], [1, 2, 3, 3]);
    assert_eq!([use_it(3), use_it(0), use_it(2), use_it(1)], [4, 4, 4, 5], "1 had to go");
    assert_eq!((ring.cache_metrics().live, ring.cache_metrics().evicted), (3, 2));
}

#[test]
fn a_failure_is_answered_for_a_moment_and_provisioning_ends_it() {
    let place = Place::new();
    let ring = ring_with(&place, place.service(), CachePolicy::default());
    for _ in 0..5 {
        assert_eq!(ring.with_state(&acme(), |_| ()), Err(EnvelopeError::NotProvisioned));
    }
    assert_eq!((ring.cache_metrics().failures, ring.cache_metrics().negative), (1, 4));
    ring.provision(&acme()).unwrap();
    assert_eq!(ring.with_state(&acme(), |_| ()), Ok(()));

    let down =
        FaultyService::always(place.service(), Call::Unwrap, Fault::Refused(KeyServiceError::Unavailable));
    let ring = ring_with(&place, Arc::new(down), CachePolicy::default());
    let refused = EnvelopeError::KeyService(KeyServiceError::Unavailable);
    for _ in 0..3 {
        assert_eq!(ring.with_state(&acme(), |_| ()), Err(refused.clone()));
    }
    place.ticks.advance(SECOND);
    assert_eq!(ring.with_state(&acme(), |_| ()), Err(refused.clone()));
    assert_eq!((ring.cache_metrics().failures, ring.cache_metrics().negative), (2, 2));
}

#[test]
fn a_state_in_use_is_unwrapped_ahead_and_an_idle_one_is_not() {
    let place = Place::provisioned();
    let (service, unwraps) = counting(&place);
    let ring = ring_with(&place, service, CachePolicy::default());
    ring.with_state(&acme(), |_| ()).unwrap();
    place.ticks.advance(275 * SECOND);
    ring.sweep();
    assert_eq!(ring.cache_metrics().refreshes, 0, "not used in its last 30 s");
    ring.with_state(&acme(), |_| ()).unwrap();
    ring.sweep();
    assert_eq!((ring.cache_metrics().refreshes, unwraps.load(Ordering::SeqCst)), (1, 2));
    place.ticks.advance(100 * SECOND);
    ring.with_state(&acme(), |_| ()).unwrap();
    assert_eq!(unwraps.load(Ordering::SeqCst), 2, "nobody waited");
}

/// A destruction in one process; another holds the former state.
///
/// Promise: WB-3-30days
#[test]
fn a_destruction_is_not_done_while_another_process_holds_the_former_state() {
    let place = Place::provisioned();
    let leaves = allocate(&place.ring(), 2);
    let policy = CachePolicy { lease_wait: Duration::from_millis(50), ..CachePolicy::default() };
    let here = ring_with(&place, place.service(), policy);
    let there = ring_with(&place, place.service(), policy);
    assert!(fingerprint(&there, leaves[0]).is_ok());
    match here.destroy(&acme(), &leaves[..1]) {
        Err(EnvelopeError::ErasureIncomplete(left)) => {
            assert_eq!((left.generations(), left.leases()), (&[][..], 1));
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(fingerprint(&here, leaves[0]), Err(EnvelopeError::Destroyed), "refused here at once");
    place.ticks.advance(Duration::from_millis(500));
    assert_eq!(fingerprint(&there, leaves[0]), Err(EnvelopeError::Destroyed), "and there within the recheck");
    let report = here.destroy(&acme(), &leaves[..1]).unwrap();
    assert_eq!((report.punctured(), report.evidence().len()), (0, 1));
}

/// The same, with nobody using the other process: its sweeper lets go.
#[test]
fn an_idle_process_lets_go_of_a_superseded_state() {
    let place = Place::provisioned();
    let leaves = allocate(&place.ring(), 2);
    let there = Arc::new(place.ring());
    let _sweeper = Sweeper::start(&there).unwrap();
    assert!(fingerprint(&there, leaves[0]).is_ok());
    let report = place.ring().destroy(&acme(), &leaves[..1]).unwrap();
    assert_eq!(report.punctured(), 1);
}

#[test]
fn a_policy_of_zero_keeps_nothing_between_calls() {
    let place = Place::provisioned();
    let (service, unwraps) = counting(&place);
    let ring = ring_with(&place, service, CachePolicy { ttl: Duration::ZERO, ..CachePolicy::default() });
    (0..3).for_each(|_| ring.with_state(&acme(), |_| ()).unwrap());
    assert_eq!(unwraps.load(Ordering::SeqCst), 3);
}

#[test]
fn organisations_do_not_wait_for_each_other() {
    let place = Place::provisioned();
    let other = OrganisationId::parse("other").unwrap();
    let ring = place.ring();
    ring.provision(&other).unwrap();
    // From inside one organisation's state, another's can be used and even changed.
    let given = ring.with_state(&acme(), |_| ring.allocate(&other, DataClass::Biometric)).unwrap();
    assert!(given.is_ok());
}
