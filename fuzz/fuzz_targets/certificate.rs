//! A destruction certificate, as a note of any kind and as a signed statement of any text.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vouchsafe::DestructionCertificate;
use vouchsafe_fuzz::signer;

fuzz_target!(|text: &str| {
    let signer = signer();
    let _ = DestructionCertificate::verify(text, signer.verifier());
    let Ok(note) = signer.sign(text) else { return };
    if let Ok(certificate) = DestructionCertificate::verify(&note, signer.verifier()) {
        assert_eq!(certificate.note(), note);
        assert!(text.contains(&format!("\nclass {}\n", certificate.class().name())));
        assert!(text.contains(&format!("\ndestruction-entry {}\n", certificate.destruction_entry())));
    }
});
