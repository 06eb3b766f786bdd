//! A trust policy: its limits hold, and a quorum that demands somebody is not made by nobody.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vouchsafe_fuzz::{ORIGIN, cosigner, signer};
use vouchsafe_ledger::{Checkpoint, LedgerError, Policy, SignedCheckpoint, merkle};

fuzz_target!(|text: &[u8]| {
    let Ok(policy) = Policy::parse(text) else { return };
    assert!(policy.logs().len() <= Policy::MAX_LOGS && policy.witnesses().len() <= Policy::MAX_WITNESSES);
    for log in policy.logs() {
        let _ = policy.log_url(log);
    }
    for witness in policy.witnesses() {
        let _ = policy.witness_url(witness);
    }
    assert!(!policy.demands_witnesses() || !policy.witnesses().is_empty());
    let (signer, cosigner) = (signer(), cosigner());
    let checkpoint = Checkpoint::new(ORIGIN, 0, merkle::tree_hash(&[])).expect("an origin");
    let note = signer.sign(&checkpoint.to_string()).expect("a text");
    let signed = SignedCheckpoint::open(&note, signer.verifier(), ORIGIN).expect("its own note");
    let expected = if policy.demands_witnesses() { Err(LedgerError::QuorumMissing) } else { Ok(()) };
    assert_eq!(policy.check_quorum(&signed), expected);
    let line = cosigner.cosign(&checkpoint.to_string(), 1).expect("a seed");
    let cosigned = signed.with_signature_lines(&line, &[cosigner.key().clone()]).expect("its own line");
    let met = policy.check_quorum(&cosigned);
    assert!(met.is_ok() || expected.is_err());
    assert!(met.is_err() || expected.is_ok() || policy.witnesses().contains(cosigner.key()));
    if policy.check(cosigned.note()).is_ok() {
        assert!(met.is_ok() && policy.logs().contains(signer.verifier()));
    }
});
