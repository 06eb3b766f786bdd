//! One conformance suite over every key service of this crate.
use std::sync::Arc;

use vouchsafe_envelope::KeyServiceError;
use vouchsafe_envelope::port::{KeyHandle, KeyService};
use vouchsafe_testkit::conformance;
use vouchsafe_testkit::faulty::{Call, Fault, FaultyService};

use crate::setup::{Place, acme};

#[test]
fn a_key_file_conforms() {
    let place = Place::new();
    conformance::key_service(&|| place.service());
}

/// The suite finds what it is there to find.
#[test]
fn a_service_that_lies_does_not_conform() {
    let place = Place::new();
    for call in [Call::Create, Call::Destroy, Call::List, Call::Unwrap, Call::Wrap] {
        let liar =
            || -> Arc<dyn KeyService> { Arc::new(FaultyService::always(place.service(), call, Fault::Lie)) };
        let caught = std::panic::catch_unwind(|| conformance::key_service(&liar));
        assert!(caught.is_err(), "{call:?}");
    }
}

/// Retries below the port and slow answers change nothing.
#[test]
fn a_service_that_acts_twice_or_late_conforms() {
    let place = Place::new();
    conformance::key_service(&|| Arc::new(FaultyService::new(place.service(), |_, _| Some(Fault::Twice))));
    let slow = Fault::Slow(std::time::Duration::from_micros(50));
    conformance::key_service(&|| Arc::new(FaultyService::new(place.service(), move |_, _| Some(slow))));
}

#[test]
fn a_fault_strikes_where_the_script_says() {
    let (place, handle) = (Place::new(), KeyHandle::new(acme(), 1));
    let lost = FaultyService::once(place.service(), 0, Fault::Lost(KeyServiceError::Unavailable));
    assert_eq!(lost.create(&handle), Err(KeyServiceError::Unavailable));
    assert_eq!(place.held(), [1], "the act took place");
    assert_eq!((lost.create(&handle), lost.calls()), (Ok(()), 2));
    let refused = FaultyService::once(place.service(), 0, Fault::Refused(KeyServiceError::Denied));
    assert_eq!(refused.destroy(&handle).err(), Some(KeyServiceError::Denied));
    assert_eq!(place.held(), [1], "the act did not take place");
}
