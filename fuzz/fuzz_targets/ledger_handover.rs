//! A handover of a log's key, or the statement in it: one spelling each, and a chain that follows it does not panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vouchsafe_fuzz::{ORIGIN, signer};
use vouchsafe_ledger::{Handover, HandoverStatement, KeyChain};

fuzz_target!(|text: &str| {
    if let Ok(statement) = HandoverStatement::parse(text.as_bytes()) {
        assert_eq!(statement.to_string(), text);
        assert_ne!(statement.old().public_key(), statement.new_key().public_key());
    }
    let Ok(handover) = Handover::parse(text) else { return };
    assert_eq!(handover.to_string(), text);
    let (old, origin) = (handover.statement().old().clone(), handover.statement().origin().to_owned());
    let verified = handover.verify(&old, &origin, None);
    let followed = KeyChain::follow(old, &origin, std::slice::from_ref(&handover), None);
    assert_eq!(followed.is_ok(), verified.is_ok());
    if let Ok(chain) = followed {
        assert_eq!(chain.current(), handover.statement().new_key());
    }
    let signer = signer();
    if handover.statement().old() != signer.verifier() {
        assert!(handover.verify(signer.verifier(), ORIGIN, None).is_err());
    }
});
