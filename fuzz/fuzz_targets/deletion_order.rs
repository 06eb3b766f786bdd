//! An order to a recipient: one encoding, and none is acknowledged before it was given.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vouchsafe_retention::disclosure::DeletionOrder;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(order) = DeletionOrder::parse(bytes) {
        assert_eq!(order.to_bytes().as_deref(), Ok(bytes));
        assert!(order.acknowledged_at().is_none_or(|at| at >= order.ordered_at()));
        assert!(order.due() >= order.ordered_at() && !order.classes().is_empty());
    }
});
