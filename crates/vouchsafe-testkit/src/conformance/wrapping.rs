//! Creating, wrapping, unwrapping and listing.
use vouchsafe_envelope::KeyServiceError;
use vouchsafe_envelope::port::KeyHandle;
use vouchsafe_types::OrganisationId;

use super::{Bench, assert_no_key, assert_refused, assert_secret, secret};

pub(super) fn create_is_idempotent(bench: &Bench<'_>) {
    let key = bench.key(1);
    let wrapped = bench.service.wrap(&key, &secret(1), b"context").unwrap();
    for _ in 0..3 {
        bench.service.create(&key).unwrap();
    }
    assert_secret(bench.service.unwrap(&key, &wrapped, b"context"), 1);
    assert_eq!(bench.held(key.organisation()), [1]);
}

pub(super) fn a_secret_comes_back(bench: &Bench<'_>) {
    let key = bench.key(1);
    for context in [&b""[..], b"\0", b"context", &[0xff; 64]] {
        let wrapped = bench.service.wrap(&key, &secret(7), context).unwrap();
        let plain = secret(7);
        assert!(!wrapped.windows(32).any(|part| part == plain.expose_secret()), "the wrap shows the secret");
        for _ in 0..2 {
            assert_secret(bench.service.unwrap(&key, &wrapped, context), 7);
        }
    }
}

pub(super) fn two_wraps_of_one_secret_differ(bench: &Bench<'_>) {
    let key = bench.key(1);
    let wrap = || bench.service.wrap(&key, &secret(1), b"context").unwrap();
    let mut wraps: Vec<_> = (0..16).map(|_| wrap()).collect();
    for wrapped in &wraps {
        assert_secret(bench.service.unwrap(&key, wrapped, b"context"), 1);
    }
    wraps.sort();
    wraps.dedup();
    assert_eq!(wraps.len(), 16);
}

pub(super) fn long_names_and_contexts_are_taken(bench: &Bench<'_>) {
    let rest = OrganisationId::MAX_LEN - bench.suffix.len() - 2;
    let longest = bench.organisation(&"z".repeat(rest));
    assert_eq!(longest.as_str().len(), OrganisationId::MAX_LEN);
    let key = KeyHandle::new(longest, 1);
    bench.service.create(&key).unwrap();
    let context: Vec<u8> = (0..1024u32).map(|at| at.to_be_bytes()[3]).collect();
    let wrapped = bench.service.wrap(&key, &secret(1), &context).unwrap();
    assert_secret(bench.service.unwrap(&key, &wrapped, &context), 1);
    assert_refused(bench.service.unwrap(&key, &wrapped, &context[..1023]), "a shorter context");
    assert_eq!(bench.held(key.organisation()), [1]);
}

pub(super) fn another_context_opens_nothing(bench: &Bench<'_>) {
    let key = bench.key(1);
    let wrapped = bench.service.wrap(&key, &secret(1), b"here").unwrap();
    for other in [&b""[..], b"there", b"her", b"here\0", b"\0here", b"Here"] {
        let opened = bench.service.unwrap(&key, &wrapped, other);
        assert_eq!(opened.err(), Some(KeyServiceError::NotAuthentic), "{} bytes", other.len());
    }
    assert_secret(bench.service.unwrap(&key, &wrapped, b"here"), 1);
}

pub(super) fn another_key_opens_nothing(bench: &Bench<'_>) {
    let (first, second) = (bench.key(1), bench.key(2));
    let other = KeyHandle::new(bench.organisation("b"), 1);
    bench.service.create(&other).unwrap();
    let keys = [first, second, other];
    let wraps = keys.each_ref().map(|key| bench.service.wrap(key, &secret(1), b"context").unwrap());
    for (at, key) in keys.iter().enumerate() {
        for (from, wrapped) in wraps.iter().enumerate() {
            let opened = bench.service.unwrap(key, wrapped, b"context");
            if at == from {
                assert_secret(opened, 1);
            } else {
                assert_eq!(opened.err(), Some(KeyServiceError::NotAuthentic), "key {at}, wrap {from}");
            }
        }
    }
}

pub(super) fn a_changed_byte_opens_nothing(bench: &Bench<'_>) {
    let key = bench.key(1);
    let wrapped = bench.service.wrap(&key, &secret(1), b"context").unwrap();
    for at in 0..wrapped.len() {
        for mask in [0x01, 0x80] {
            let mut changed = wrapped.clone();
            changed[at] ^= mask;
            let opened = bench.service.unwrap(&key, &changed, b"context");
            assert_refused(opened, &format!("byte {at} of {}, {mask:#x}", wrapped.len()));
        }
    }
    assert_secret(bench.service.unwrap(&key, &wrapped, b"context"), 1);
}

pub(super) fn another_length_opens_nothing(bench: &Bench<'_>) {
    let key = bench.key(1);
    let wrapped = bench.service.wrap(&key, &secret(1), b"context").unwrap();
    for len in 0..wrapped.len() {
        assert_refused(bench.service.unwrap(&key, &wrapped[..len], b"context"), &format!("cut at {len}"));
    }
    for more in [1, 16, 4096, 1 << 20] {
        let longer = [&wrapped[..], &vec![0; more]].concat();
        assert_refused(bench.service.unwrap(&key, &longer, b"context"), &format!("{more} bytes more"));
    }
    assert_refused(bench.service.unwrap(&key, &wrapped.repeat(2), b"context"), "twice");
    assert_refused(bench.service.unwrap(&key, &vec![0; wrapped.len()], b"context"), "zeros");
    assert_secret(bench.service.unwrap(&key, &wrapped, b"context"), 1);
}

pub(super) fn a_key_that_was_never_made_is_no_key(bench: &Bench<'_>) {
    let missing = bench.handle(1);
    assert_no_key(bench.service.wrap(&missing, &secret(1), b""), "wrap");
    let other = KeyHandle::new(bench.organisation("b"), 1);
    bench.service.create(&other).unwrap();
    let wrapped = bench.service.wrap(&other, &secret(1), b"").unwrap();
    assert_no_key(bench.service.unwrap(&missing, &wrapped, b""), "unwrap");
    assert!(bench.held(missing.organisation()).is_empty());
    // Asking made nothing either.
    assert_no_key(bench.service.wrap(&missing, &secret(1), b""), "wrap again");
    let later = KeyHandle::new(other.organisation().clone(), 2);
    assert_no_key(bench.service.wrap(&later, &secret(1), b""), "a generation to come");
}

pub(super) fn generations_may_have_gaps(bench: &Bench<'_>) {
    let keys = [bench.key(2), bench.key(5)];
    let wraps = keys.each_ref().map(|key| bench.service.wrap(key, &secret(1), b"").unwrap());
    for (key, wrapped) in keys.iter().zip(&wraps) {
        assert_secret(bench.service.unwrap(key, wrapped, b""), 1);
    }
    bench.assert_held(keys[0].organisation(), &[2, 5]);
    let never: &[u64] = if bench.only_older() { &[6] } else { &[1, 3, 4, 6] };
    for between in never {
        assert_no_key(bench.service.wrap(&bench.handle(*between), &secret(1), b""), &between.to_string());
    }
    bench.service.create(&keys[0]).unwrap();
    assert_secret(bench.service.unwrap(&keys[0], &wraps[0], b""), 1);
}

/// Names that are another's beginning, or another's beginning and a number, do not mix.
pub(super) fn a_list_names_one_organisations_keys(bench: &Bench<'_>) {
    let organisations = ["a", "a-1", "a-2", "a1", "aa"].map(|name| bench.organisation(name));
    for generation in [1, 2, 3, 10, 12] {
        for organisation in &organisations[..2] {
            bench.service.create(&KeyHandle::new(organisation.clone(), generation)).unwrap();
        }
    }
    for organisation in &organisations[..2] {
        bench.assert_held(organisation, &[1, 2, 3, 10, 12]);
    }
    for organisation in &organisations[2..] {
        assert!(bench.held(organisation).is_empty());
    }
}
