//! A log entry: one encoding.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vouchsafe_ledger::Leaf;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(leaf) = Leaf::from_bytes(bytes) {
        assert_eq!(leaf.to_bytes().as_slice(), bytes);
    }
});
