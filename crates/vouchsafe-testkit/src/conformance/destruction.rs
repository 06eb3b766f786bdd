//! What is destroyed is gone, and nothing else is.
use vouchsafe_envelope::KeyServiceError;
use vouchsafe_envelope::port::KeyHandle;

use super::{Bench, assert_no_key, assert_secret, secret};

pub(super) fn a_destroyed_key_is_no_key(bench: &Bench<'_>) {
    let doomed = bench.doomed(1);
    let wrapped = bench.service.wrap(&doomed, &secret(1), b"").unwrap();
    let evidence = bench.service.destroy(&doomed).unwrap();
    assert_eq!(evidence.handle(), &doomed);
    assert_eq!(evidence.attestation().is_some(), bench.service.capabilities().attests, "attestation");
    if evidence.attestation().is_none() {
        assert_eq!(evidence.strength(), bench.service.strength());
    }
    assert_no_key(bench.service.unwrap(&doomed, &wrapped, b""), "unwrap");
    assert_no_key(bench.service.wrap(&doomed, &secret(1), b""), "wrap");
    assert!(!bench.held(doomed.organisation()).contains(&1));
}

/// The service may refuse to use the generation again; it must not open what the old key wrapped.
pub(super) fn a_destroyed_key_does_not_come_back(bench: &Bench<'_>) {
    let doomed = bench.doomed(1);
    let wrapped = bench.service.wrap(&doomed, &secret(1), b"").unwrap();
    for round in 0..3 {
        let _ = bench.service.destroy(&doomed).unwrap();
        let made = bench.service.create(&doomed);
        assert!(bench.service.unwrap(&doomed, &wrapped, b"").is_err(), "round {round}: the old wrap opens");
        assert!(bench.reopen().unwrap(&doomed, &wrapped, b"").is_err(), "round {round}: opens elsewhere");
        if made.is_ok() && !bench.only_older() {
            let fresh = bench.service.wrap(&doomed, &secret(2), b"").unwrap();
            assert_secret(bench.service.unwrap(&doomed, &fresh, b""), 2);
        }
    }
}

pub(super) fn destroying_again_changes_nothing(bench: &Bench<'_>) {
    let doomed = bench.doomed(1);
    let first = bench.service.destroy(&doomed).unwrap();
    let held = bench.held(doomed.organisation());
    for service in [bench.service.clone(), bench.reopen()] {
        let again = service.destroy(&doomed).unwrap();
        assert_eq!((again.handle(), again.strength()), (first.handle(), first.strength()));
        if first.attestation().is_none() {
            assert_eq!(again, first);
        }
    }
    assert_eq!(bench.held(doomed.organisation()), held);
}

pub(super) fn destroying_what_never_was_is_harmless(bench: &Bench<'_>) {
    let (missing, kept) = (bench.handle(1), KeyHandle::new(bench.organisation("a-1"), 1));
    bench.service.create(&kept).unwrap();
    match bench.service.destroy(&missing) {
        Ok(evidence) => assert_eq!(evidence.handle(), &missing),
        Err(error) => assert!(bench.only_older() && error == KeyServiceError::NewestKey, "{error}"),
    }
    assert_eq!(bench.held(kept.organisation()), [1]);
    assert!(bench.held(missing.organisation()).is_empty());
}

pub(super) fn the_newest_key_goes_as_declared(bench: &Bench<'_>) {
    let (older, newest) = (bench.key(1), bench.key(2));
    let wrapped = bench.service.wrap(&newest, &secret(1), b"").unwrap();
    let destroyed = bench.service.destroy(&newest);
    if bench.only_older() {
        assert_eq!(destroyed.err(), Some(KeyServiceError::NewestKey));
        assert_secret(bench.service.unwrap(&newest, &wrapped, b""), 1);
        assert_eq!(bench.held(older.organisation()), [1, 2]);
    } else {
        assert_eq!(destroyed.unwrap().handle(), &newest);
        assert_no_key(bench.service.unwrap(&newest, &wrapped, b""), "unwrap");
        assert_eq!(bench.held(older.organisation()), [1]);
    }
}

/// Older keys may go with a destroyed one where that is declared; newer ones never do.
pub(super) fn a_newer_key_survives(bench: &Bench<'_>) {
    let keys = [bench.key(1), bench.key(2), bench.key(3)];
    let wraps = keys.each_ref().map(|key| bench.service.wrap(key, &secret(1), b"").unwrap());
    let _ = bench.service.destroy(&keys[1]).unwrap();
    assert_secret(bench.service.unwrap(&keys[2], &wraps[2], b""), 1);
    assert_no_key(bench.service.unwrap(&keys[1], &wraps[1], b""), "the destroyed one");
    match bench.held(keys[0].organisation())[..] {
        [1, 3] => assert_secret(bench.service.unwrap(&keys[0], &wraps[0], b""), 1),
        [3] if bench.only_older() => {
            assert_no_key(bench.service.unwrap(&keys[0], &wraps[0], b""), "an older one")
        }
        ref held => assert_eq!(held, [1, 3]),
    }
}
