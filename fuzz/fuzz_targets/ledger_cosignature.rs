//! The answer of a witness, or a witness key: a key has one spelling, and whatever lines come, the checkpoint keeps
//! its signature and holds only cosignatures that verify.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vouchsafe_fuzz::{ORIGIN, cosigner, signer};
use vouchsafe_ledger::{Checkpoint, SignedCheckpoint, WitnessKey, merkle};

fuzz_target!(|text: &str| {
    if let Ok(key) = WitnessKey::parse(text) {
        assert_eq!(key.to_string(), text);
    }
    let (signer, cosigner) = (signer(), cosigner());
    let checkpoint = Checkpoint::new(ORIGIN, 0, merkle::tree_hash(&[])).expect("an origin");
    let body = checkpoint.to_string();
    let note = signer.sign(&body).expect("a text");
    let signed = SignedCheckpoint::open(&note, signer.verifier(), ORIGIN).expect("its own note");
    let witnesses = [cosigner.key().clone()];

    if let Ok(with) = signed.with_signature_lines(text, &witnesses) {
        assert!(with.note().starts_with(&note));
        assert_eq!(with.with_signature_lines(text, &witnesses).as_ref(), Ok(&with));
        let reopened = SignedCheckpoint::open(with.note(), signer.verifier(), ORIGIN);
        assert_eq!(reopened.as_ref(), Ok(&with));
        assert!(with.cosignatures(&witnesses).expect("they verified").len() <= 1);
    }
    let own = cosigner.cosign(&body, text.len() as u64).expect("a seed");
    if let Ok(with) = signed.with_signature_lines(&(own.clone() + text), &witnesses) {
        assert_eq!(with.cosignatures(&witnesses).expect("they verified").len(), 1);
    }
    if let Ok(other) = SignedCheckpoint::open(&(note + text), signer.verifier(), ORIGIN) {
        let _ = other.cosignatures(&witnesses);
        let _ = other.with_signature_lines(&own, &witnesses);
    }
});
