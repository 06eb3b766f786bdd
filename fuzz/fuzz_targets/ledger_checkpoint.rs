//! A checkpoint body: one spelling, also within a signed note.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vouchsafe_fuzz::{ORIGIN, signer};
use vouchsafe_ledger::{Checkpoint, SignedCheckpoint};

fuzz_target!(|body: &str| {
    let checkpoint = Checkpoint::parse(body);
    if let Ok(checkpoint) = &checkpoint {
        assert_eq!(checkpoint.to_string(), body);
    }
    let signer = signer();
    let _ = SignedCheckpoint::open(body, signer.verifier(), ORIGIN);
    let Ok(note) = signer.sign(body) else { return };
    match SignedCheckpoint::open(&note, signer.verifier(), ORIGIN) {
        Ok(signed) => {
            assert_eq!(Ok(signed.checkpoint()), checkpoint.as_ref());
            assert_eq!((signed.checkpoint().origin(), signed.note()), (ORIGIN, note.as_str()));
        }
        Err(_) => assert!(checkpoint.is_err() || !body.starts_with(&format!("{ORIGIN}\n"))),
    }
});
