//! A stored notice: what is read has one encoding, covers something, and states terms for biometric scopes.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vouchsafe::consent::Notice;

fuzz_target!(|text: &str| {
    let Ok(notice) = Notice::from_json(text) else { return };
    assert_eq!(notice.to_json(), text);
    assert!(!notice.scopes().is_empty());
    let biometric = notice.scopes().iter().any(|scope| scope.modality().is_some());
    assert!(!biometric || notice.terms().is_some_and(|terms| !terms.release().accepted().is_empty()));
    let _ = notice.ends(vouchsafe::Timestamp::UNIX_EPOCH);
    let _ = notice.matches(text.as_bytes());
});
