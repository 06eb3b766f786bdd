//! A retention plan: one encoding.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vouchsafe_retention::Plan;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(plan) = Plan::parse(bytes) {
        assert_eq!(plan.to_bytes().as_deref(), Ok(bytes));
        assert!(plan.items().len() as u64 <= plan.considered());
        assert!(plan.items().iter().all(|item| item.due() <= plan.made_at()));
    }
});
