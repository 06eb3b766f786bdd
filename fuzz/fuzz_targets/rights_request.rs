//! A request by right: one encoding, and whatever reads back can be asked anything.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vouchsafe_retention::rights::RightsRequest;
use vouchsafe_types::{Role, Timestamp};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(request) = RightsRequest::parse(bytes) {
        assert_eq!(request.to_bytes().as_deref(), Ok(bytes));
        for at in [Timestamp::MIN, request.received_at(), Timestamp::MAX] {
            let _ = request.deadlines(at);
            let _ = request.due_actions(at);
        }
        let _ = request.facts(Role::EndUser);
        assert_eq!(request.closed_at().is_none(), request.freezes_evidence());
    }
});
