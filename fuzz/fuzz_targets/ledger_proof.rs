//! A receipt of inclusion: one spelling.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vouchsafe_fuzz::{ORIGIN, signer};
use vouchsafe_ledger::Receipt;

fuzz_target!(|text: &str| {
    if let Ok(receipt) = Receipt::parse(text) {
        assert_eq!(receipt.to_string(), text);
        let _ = receipt.verify(b"leaf 3", signer().verifier(), ORIGIN);
    }
});
