//! An organisation's key state, sealed and in the clear: whatever opens can be worked with.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vouchsafe_envelope::LeafStatus;
use vouchsafe_fuzz::{acme, leaf, seal_state, state_ring};
use vouchsafe_types::DataClass;

fuzz_target!(|bytes: &[u8]| {
    let _ = state_ring(Some(bytes.to_vec())).with_state(&acme(), |state| state.revision());

    let generation = bytes.get(1..9).and_then(|eight| eight.try_into().ok()).map_or(1, u64::from_be_bytes);
    let ring = state_ring(Some(seal_state(generation, bytes)));
    let Ok(status) = ring.with_state(&acme(), |state| {
        assert_eq!(state.encoded_len(), bytes.len());
        assert_eq!(state.generation(), generation);
        assert_eq!(state.record_key(leaf()).is_ok(), state.status(leaf()) == LeafStatus::Live);
        state.status(leaf())
    }) else {
        return;
    };
    let destroyed = ring.destroy(&acme(), &[leaf()]);
    match status {
        LeafStatus::NeverAllocated => assert!(destroyed.is_err()),
        LeafStatus::Live | LeafStatus::Destroyed => {
            if let Ok(report) = destroyed {
                assert_eq!(report.punctured(), usize::from(status == LeafStatus::Live));
                assert_eq!(ring.status(&acme(), leaf()), Ok(LeafStatus::Destroyed));
            }
        }
    }
    if let Ok(given) = ring.allocate(&acme(), DataClass::Biometric) {
        assert_ne!(ring.status(&acme(), given), Ok(LeafStatus::NeverAllocated));
    }
});
