//! Restore drill and figures, printed with `--nocapture`.
use std::fs;
use std::time::Instant;

use vouchsafe_envelope::Context;
use vouchsafe_keys::OsEntropy;
use vouchsafe_types::{DataClass, Digest, RecordId, Scope};

use crate::setup::{Place, acme, allocate};

/// 37 of 1,000 destroyed, scattered; the database snapshot from before holds all 1,000 sealed records.
///
/// Promise: WB-3-30days
#[test]
fn of_1000_leaves_37_are_gone_and_963_are_not() {
    let place = Place::provisioned();
    let ring = place.ring();
    let leaves = allocate(&ring, 1000);
    let context = |leaf| Context {
        organisation: acme(),
        leaf,
        class: DataClass::Biometric,
        scope: Some(Scope::FACE_VERIFICATION),
        record: RecordId::from_bytes([7; 16]),
        model: Some(Digest::from_bytes([8; 32])),
        dimension: Some(512),
        key_version: 1,
    };
    let snapshot: Vec<_> = ring
        .with_state(&acme(), |state| {
            let seal = |leaf| state.seal(&context(leaf), &[0x5a; 2048], &OsEntropy::new()).unwrap();
            leaves.iter().map(|leaf| (*leaf, seal(*leaf))).collect()
        })
        .unwrap();
    let doomed: Vec<_> = leaves.iter().copied().enumerate().filter(|(i, _)| i * 379 % 1000 < 37).collect();
    let doomed: Vec<_> = doomed.into_iter().map(|(_, leaf)| leaf).collect();
    assert_eq!(doomed.len(), 37);
    let begun = Instant::now();
    let report = ring.destroy(&acme(), &doomed).unwrap();
    println!("destroy 37 of 1,000: {:.2} ms", begun.elapsed().as_secs_f64() * 1e3);
    assert_eq!(report.punctured(), 37);

    let opens = |leaf, sealed: &[u8]| {
        ring.with_state(&acme(), |state| state.open(&context(leaf), sealed).is_ok()).unwrap()
    };
    let (gone, kept): (Vec<_>, Vec<_>) = snapshot.iter().partition(|(leaf, _)| doomed.contains(leaf));
    assert_eq!(gone.iter().filter(|(leaf, sealed)| opens(*leaf, sealed)).count(), 0);
    assert_eq!(kept.iter().filter(|(leaf, sealed)| opens(*leaf, sealed)).count(), 963);
    let (nodes, len) = ring.with_state(&acme(), |state| (state.node_count(), state.encoded_len())).unwrap();
    let stored = fs::metadata(place.state_file()).unwrap().len();
    println!("state: {nodes} nodes, {len} bytes plain, {stored} bytes stored; 0 of 37 and 963 of 963 open");
    assert!(stored < 12_000);
}

#[test]
fn figures() {
    let place = Place::provisioned();
    let ring = place.ring();
    let leaves = allocate(&ring, 200);
    let micros = |name: &str, rounds: u32, act: &mut dyn FnMut(usize)| {
        let mut best = f64::INFINITY;
        for _ in 0..5 {
            let begun = Instant::now();
            (0..rounds as usize).for_each(&mut *act);
            best = best.min(begun.elapsed().as_secs_f64() * 1e6 / f64::from(rounds));
        }
        println!("{name}: {best:.1} us");
    };
    let context = Context {
        organisation: acme(),
        leaf: leaves[0],
        class: DataClass::Biometric,
        scope: Some(Scope::FACE_VERIFICATION),
        record: RecordId::from_bytes([7; 16]),
        model: Some(Digest::from_bytes([8; 32])),
        dimension: Some(512),
        key_version: 1,
    };
    let entropy = OsEntropy::new();
    ring.with_state(&acme(), |state| {
        micros("derive a template key", 200, &mut |i| drop(state.template_secret(leaves[i]).unwrap()));
        let sealed = state.seal(&context, &[0x5a; 2048], &entropy).unwrap();
        micros("derive and seal 2 KiB", 200, &mut |_| {
            drop(state.seal(&context, &[0x5a; 2048], &entropy).unwrap())
        });
        micros("derive and open 2 KiB", 200, &mut |_| drop(state.open(&context, &sealed).unwrap()));
        micros("pseudonym", 200, &mut |_| {
            let _ = state.pseudonym(b"alice@example.org");
        });
    })
    .unwrap();
    micros("wipe the stack", 200, &mut |_| vouchsafe_types::wipe_stack());
    micros("lend a state, unsealed before", 200, &mut |_| ring.with_state(&acme(), |_| ()).unwrap());
    micros("unseal a state and wipe it", 50, &mut |_| {
        ring.with_state(&acme(), |_| ()).unwrap();
        ring.wipe();
    });
    let mut live = leaves.iter();
    micros("destroy one leaf", 10, &mut |_| {
        let _ = ring.destroy(&acme(), &[*live.next().unwrap()]).unwrap();
    });
}
