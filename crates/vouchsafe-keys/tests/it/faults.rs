//! Every call of a port fails once, before or after its act; the next try must end whole.
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use vouchsafe_envelope::{EnvelopeError, KeyRing, KeyServiceError};
use vouchsafe_testkit::faulty::{Call, Fault, FaultyFences, FaultyService, FaultyStates, Moment, Turn};
use vouchsafe_types::DataClass;

use crate::setup::{Place, acme, allocate, fingerprint, ring};

#[derive(Clone, Copy, Debug)]
enum When {
    /// The act does not take place.
    Before,
    /// The act takes place and its answer is lost.
    After,
}

/// Counts the calls of all ports and fails the one whose turn it is.
struct Turns {
    calls: AtomicUsize,
    at: usize,
    when: When,
}

impl Turns {
    fn of_service(&self) -> Option<Fault> {
        let mine = self.calls.fetch_add(1, Ordering::SeqCst) == self.at;
        mine.then_some(match self.when {
            When::Before => Fault::Refused(KeyServiceError::Unavailable),
            When::After => Fault::Lost(KeyServiceError::Unavailable),
        })
    }

    fn of_storage(&self) -> Option<Moment> {
        let mine = self.calls.fetch_add(1, Ordering::SeqCst) == self.at;
        mine.then_some(match self.when {
            When::Before => Moment::Before,
            When::After => Moment::After,
        })
    }
}

fn faulty(place: &Place, at: usize, when: When) -> KeyRing {
    let turns = Arc::new(Turns { calls: AtomicUsize::new(0), at, when });
    let of_service = Arc::clone(&turns);
    let service = Arc::new(FaultyService::new(place.service(), move |_, _| of_service.of_service()));
    let turn: Turn = Arc::new(move || turns.of_storage());
    let states = Arc::new(FaultyStates::new(place.states(), Arc::clone(&turn)));
    ring(place.ports_over(service, states, Arc::new(FaultyFences::new(place.fences(), turn))))
}

/// Runs an act with a fault at its first call, its second, and so on until it meets none; gives their number.
fn at_every_call(when: When, mut act: impl FnMut(usize) -> Result<(), EnvelopeError>) -> usize {
    for at in 0.. {
        match act(at) {
            Ok(()) => return at,
            Err(error) => assert!(error.is_retryable(), "{when:?} call {at}: {error}"),
        }
    }
    0
}

/// Promise: WB-3-30days
#[test]
fn a_destruction_interrupted_anywhere_ends_whole() {
    for when in [When::Before, When::After] {
        let points = at_every_call(when, |at| {
            let place = Place::provisioned();
            let leaves = allocate(&place.ring(), 8);
            let before: Vec<_> =
                leaves.iter().map(|leaf| fingerprint(&place.ring(), *leaf).unwrap()).collect();
            let (doomed, kept) = leaves.split_at(3);
            let first = faulty(&place, at, when).destroy(&acme(), doomed);

            let ring = place.ring();
            for (leaf, before) in kept.iter().zip(&before[3..]) {
                assert_eq!(fingerprint(&ring, *leaf).as_ref(), Ok(before), "between, {when:?} call {at}");
            }
            // Before the next try, a provisioning at start-up may come first.
            if at % 2 == 0 {
                ring.provision(&acme()).unwrap();
                assert_eq!(place.held().len(), 1, "{when:?} call {at}");
            }
            let report = ring.destroy(&acme(), doomed).unwrap();
            assert!(!report.evidence().is_empty(), "{when:?} call {at}");
            assert_eq!(place.held(), [report.generation()], "{when:?} call {at}");
            for leaf in doomed {
                assert_eq!(fingerprint(&ring, *leaf), Err(EnvelopeError::Destroyed), "{when:?} call {at}");
            }
            for (leaf, before) in kept.iter().zip(&before[3..]) {
                assert_eq!(fingerprint(&ring, *leaf).as_ref(), Ok(before), "{when:?} call {at}");
            }
            first.map(drop)
        });
        assert!(points >= 10, "only {points} calls");
        println!("destroy: {points} kill points, {when:?} the act");
    }
}

#[test]
fn a_provisioning_interrupted_anywhere_ends_whole() {
    for when in [When::Before, When::After] {
        let points = at_every_call(when, |at| {
            let place = Place::new();
            let first = faulty(&place, at, when).provision(&acme());
            place.ring().provision(&acme()).unwrap();
            assert_eq!(place.held(), [1], "{when:?} call {at}");
            allocate(&place.ring(), 1);
            first
        });
        assert!(points >= 6, "only {points} calls");
    }
}

#[test]
fn an_allocation_interrupted_anywhere_reuses_nothing() {
    for when in [When::Before, When::After] {
        at_every_call(when, |at| {
            let place = Place::provisioned();
            let given = allocate(&place.ring(), 1)[0];
            let ring = faulty(&place, at, when);
            let first = ring.allocate(&acme(), DataClass::Biometric);
            let second = ring.allocate(&acme(), DataClass::Biometric).unwrap();
            assert!(second > given && first.as_ref().map_or(true, |first| *first != second));
            first.map(drop)
        });
    }
}

#[test]
fn a_service_that_only_claims_to_destroy_gives_no_report() {
    let place = Place::provisioned();
    let leaves = allocate(&place.ring(), 2);
    let liar = FaultyService::always(place.service(), Call::Destroy, Fault::Lie);
    let ring = place.ring_over(Arc::new(liar));
    match ring.destroy(&acme(), &leaves[..1]) {
        Err(EnvelopeError::ErasureIncomplete(left)) => assert_eq!(left.generations(), [1]),
        other => panic!("{other:?}"),
    }
    // An honest service finishes it.
    drop(ring);
    let report = place.ring().destroy(&acme(), &leaves[..1]).unwrap();
    assert_eq!(place.held(), [report.generation()]);
}
