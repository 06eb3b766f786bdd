//! The bodies of the witness protocol: one spelling each.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vouchsafe_ledger::WitnessError;
use vouchsafe_ledger::witness::{AddCheckpoint, MAX_PROOF, add_checkpoint_body, parse_size, size_body};

fuzz_target!(|body: &str| {
    if let Ok(request) = AddCheckpoint::parse(body) {
        assert!(request.proof().len() <= MAX_PROOF);
        let again = add_checkpoint_body(request.old_size(), request.proof(), request.note());
        assert_eq!(again.as_deref(), Ok(body));
    }
    let size = parse_size(body);
    if let Ok(size) = size {
        assert_eq!(size_body(size), body);
    }
    let expected = size.map_or(WitnessError::Malformed, WitnessError::Conflict);
    assert_eq!(WitnessError::from_status(409, body), expected);
});
