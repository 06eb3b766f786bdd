//! The receipt that a person keeps: what is read writes a form that reads back to itself.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vouchsafe::Receipt;

fuzz_target!(|text: &str| {
    if let Ok(receipt) = Receipt::from_json(text) {
        assert!(receipt.is_consistent() && receipt.kind().is_ok());
        let json = receipt.to_json().expect("a receipt is written");
        let again = Receipt::from_json(&json).expect("what was written reads back");
        assert_eq!(again.to_json().expect("a receipt is written"), json);
        assert_eq!((again.entry(), again.leaf()), (receipt.entry(), receipt.leaf()));
        assert_eq!(again.payload(), receipt.payload());
    }
});
