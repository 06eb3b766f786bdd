//! Several handles, several threads.
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};

use vouchsafe_envelope::KeyServiceError;
use vouchsafe_envelope::port::{KeyHandle, KeyService};
use vouchsafe_types::OrganisationId;

use super::{Bench, assert_no_key, assert_secret, generations, patiently, secret};

const THREADS: u8 = 8;
const CALLS: u64 = 50;

pub(super) fn a_later_handle_sees_the_same_keys(bench: &Bench<'_>) {
    let keys = [bench.key(1), bench.key(2), bench.key(3)];
    let wraps = keys.each_ref().map(|key| bench.service.wrap(key, &secret(1), b"context").unwrap());
    let _ = bench.service.destroy(&keys[0]).unwrap();
    let later = bench.reopen();
    assert_eq!(generations(&*later, keys[0].organisation()), [2, 3]);
    assert_no_key(later.unwrap(&keys[0], &wraps[0], b"context"), "destroyed");
    for at in [1, 2] {
        later.create(&keys[at]).unwrap();
        assert_secret(later.unwrap(&keys[at], &wraps[at], b"context"), 1);
    }
    assert_eq!(
        (later.strength(), later.capabilities()),
        (bench.service.strength(), bench.service.capabilities())
    );
}

pub(super) fn two_handles_agree(bench: &Bench<'_>) {
    let (one, two) = (&bench.service, &bench.reopen());
    let (first, second) = (bench.handle(1), bench.handle(2));
    one.create(&first).unwrap();
    two.create(&second).unwrap();
    two.create(&first).unwrap();
    let wraps = [one.wrap(&first, &secret(1), b"").unwrap(), two.wrap(&second, &secret(2), b"").unwrap()];
    assert_secret(two.unwrap(&first, &wraps[0], b""), 1);
    assert_secret(one.unwrap(&second, &wraps[1], b""), 2);
    for service in [one, two] {
        assert_eq!(generations(&**service, first.organisation()), [1, 2]);
    }
    let _ = two.destroy(&first).unwrap();
    assert_no_key(one.unwrap(&first, &wraps[0], b""), "destroyed through the other handle");
    assert_no_key(one.wrap(&first, &secret(1), b""), "destroyed through the other handle");
    assert_secret(one.unwrap(&second, &wraps[1], b""), 2);
}

/// Half of the threads have a handle of their own, as other processes do.
pub(super) fn racing_creations_make_one_key(bench: &Bench<'_>) {
    let key = bench.handle(1);
    let start = Barrier::new(usize::from(THREADS));
    let handles: Vec<_> =
        (0..THREADS).map(|n| if n % 2 == 0 { bench.reopen() } else { bench.service.clone() }).collect();
    let race = |service: &dyn KeyService, byte| {
        start.wait();
        patiently(|| service.create(&key));
        (byte, patiently(|| service.wrap(&key, &secret(byte), b"")))
    };
    let wraps: Vec<_> = std::thread::scope(|scope| {
        let (race, numbered) = (&race, handles.iter().zip(0u8..));
        let threads: Vec<_> =
            numbered.map(|(service, byte)| scope.spawn(move || race(&**service, byte))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(bench.held(key.organisation()), [1]);
    for service in &handles {
        for (byte, wrapped) in &wraps {
            assert_secret(service.unwrap(&key, wrapped, b""), *byte);
        }
    }
}

pub(super) fn eight_threads_share_one_handle(bench: &Bench<'_>) {
    let shared = bench.key(1);
    let own: Vec<_> = (0..THREADS).map(|n| bench.organisation(&format!("own-{n}"))).collect();
    std::thread::scope(|scope| {
        for (organisation, byte) in own.iter().zip(0u8..) {
            let (service, shared) = (&*bench.service, &shared);
            scope.spawn(move || mixed_calls(service, shared, organisation, byte));
        }
    });
    assert_eq!(bench.held(shared.organisation()), [1]);
}

/// 50 calls, five kinds in turn: on the shared key, and on keys that this thread makes and destroys.
fn mixed_calls(service: &dyn KeyService, shared: &KeyHandle, organisation: &OrganisationId, byte: u8) {
    let mut wrapped = Vec::new();
    for call in 0..CALLS {
        let own = KeyHandle::new(organisation.clone(), 1 + call / 5);
        match call % 5 {
            0 => patiently(|| service.create(&own)),
            1 => wrapped = patiently(|| service.wrap(shared, &secret(byte), &[byte])),
            2 => assert_secret(Ok(patiently(|| service.unwrap(shared, &wrapped, &[byte]))), byte),
            3 => assert_eq!(patiently(|| service.list(organisation)).last(), Some(&own)),
            // The newest key of some services cannot go; the one before it can.
            _ if call > 5 => {
                let older = KeyHandle::new(organisation.clone(), own.generation() - 1);
                assert_eq!(patiently(|| service.destroy(&older)).handle(), &older);
            }
            _ => patiently(|| service.create(shared)),
        }
    }
}

/// Readers may win or lose while the destruction runs; once it returned, none wins.
pub(super) fn nothing_opens_after_a_destruction_returned(bench: &Bench<'_>) {
    let doomed = bench.doomed(1);
    let wrapped = bench.service.wrap(&doomed, &secret(1), b"").unwrap();
    let (gone, start) = (AtomicBool::new(false), Barrier::new(5));
    let handles: Vec<_> =
        (0..4).map(|n| if n % 2 == 0 { bench.reopen() } else { bench.service.clone() }).collect();
    std::thread::scope(|scope| {
        for service in &handles {
            let (doomed, wrapped, gone, start) = (&doomed, &wrapped, &gone, &start);
            scope.spawn(move || {
                start.wait();
                for _ in 0..CALLS {
                    let late = gone.load(Ordering::SeqCst);
                    match service.unwrap(doomed, wrapped, b"") {
                        Ok(_) => assert!(!late, "opened after the destruction returned"),
                        Err(error) => {
                            assert!(error == KeyServiceError::NoSuchKey || error.is_retryable(), "{error}")
                        }
                    }
                }
            });
        }
        start.wait();
        assert_eq!(patiently(|| bench.service.destroy(&doomed)).handle(), &doomed);
        gone.store(true, Ordering::SeqCst);
    });
}
