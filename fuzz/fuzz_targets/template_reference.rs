//! A protected reference: one encoding.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vouchsafe_template::ProtectedReference;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(reference) = ProtectedReference::parse(bytes) {
        assert_eq!(reference.to_bytes().expose_secret(), bytes);
    }
});
