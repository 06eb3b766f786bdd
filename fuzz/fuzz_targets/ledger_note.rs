//! A signed note and a verifier key: a key has one spelling, and whatever can be signed reads back and verifies.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vouchsafe_fuzz::signer;
use vouchsafe_ledger::{Note, VerifierKey};

fuzz_target!(|text: &str| {
    let parsed = VerifierKey::parse(text);
    if let Ok(key) = &parsed {
        assert_eq!(key.to_string(), text);
    }
    let signer = signer();
    let mut keys = vec![signer.verifier()];
    keys.extend(parsed.as_ref());
    if let Ok(note) = Note::parse(text)
        && let Ok(signed) = note.verify(&keys)
    {
        assert!(text.starts_with(signed));
    }
    if let Ok(note) = signer.sign(text)
        && let Ok(note) = Note::parse(&note)
    {
        assert_eq!(note.verify(&keys), Ok(text));
    }
});
