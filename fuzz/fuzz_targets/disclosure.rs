//! A line of the disclosure register: one encoding, and never without data.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vouchsafe_retention::disclosure::Disclosure;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(disclosure) = Disclosure::parse(bytes) {
        assert_eq!(disclosure.to_bytes().as_deref(), Ok(bytes));
        assert!(!disclosure.classes().is_empty());
    }
});
