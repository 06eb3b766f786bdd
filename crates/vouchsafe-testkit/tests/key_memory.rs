//! No key of a key ring outlives its end: this process's own memory is searched after each way in which one ends.
//!
//! Searched are halves of every lasting key and every node of the key tree, of the keys that were derived for a record
//! and its template, of the keys that sealed the state, and of the state key in the key file; each as it is and as
//! HMAC pads it. Before the end the lasting keys and nodes must be found, in locked pages that no core dump holds and
//! nowhere else; after it nothing may be found, until a copy is planted on the heap.
//!
//! The search runs in a thread of its own, so that it does not overwrite the dead stack of the one that used the keys.
//! There is no other test in this binary, so that nothing else is in its memory.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::print_stdout, reason = "a drill")]

#[path = "key_memory/needles.rs"]
mod needles;
#[path = "key_memory/stand.rs"]
mod stand;

use std::collections::BTreeSet;
use std::time::Duration;

use needles::{Found, Needles};
use stand::Stand;
use vouchsafe_envelope::{CachePolicy, FenceLoss, MAX_TTL};
use vouchsafe_types::{DataClass, OrganisationId};

/// Promise: WB-3-key-cache, WB-3-encryption
#[test]
fn no_key_outlives_its_end() {
    let mut report = Report::default();
    expiry(&mut report);
    eviction(&mut report);
    refresh(&mut report);
    puncture(&mut report);
    rotation(&mut report);
    other_writes(&mut report);
    drop_of_the_ring(&mut report);
    println!("stages={} keys_found={}", report.stages, report.found);
    assert!(report.wrong.is_empty(), "{:#?}", report.wrong);
}

fn expiry(report: &mut Report) {
    let stand = Stand::new(CachePolicy::default());
    let needles = stand.needles("acme");
    let before = needles.find();
    stand.ticks.advance(MAX_TTL - Duration::from_nanos(1));
    stand.ring.sweep();
    assert_eq!(stand.ring.cache_metrics().live, 1, "not yet");
    stand.ticks.advance(Duration::from_nanos(1));
    stand.ring.sweep();
    report.stage("expiry", &needles, &before, &needles.find(), &BTreeSet::new());
    assert_eq!(stand.ring.cache_metrics().live, 0);
}

/// The least recently used of two organisations makes room for the other.
fn eviction(report: &mut Report) {
    let stand = Stand::new(CachePolicy { capacity: 1, ..CachePolicy::default() });
    let needles = stand.needles("acme");
    let before = needles.find();
    stand.provision("other");
    assert_eq!((stand.ring.cache_metrics().evicted, stand.ring.cache_metrics().live), (1, 1));
    report.stage("eviction", &needles, &before, &needles.find(), &BTreeSet::new());
    let kept = stand.held_needles("other").find();
    assert!(!kept.locked.is_empty() && kept.bare.is_empty(), "{kept:?}");
}

/// A state in use is unwrapped again by a thread that ends, and its copy replaces the older one.
fn refresh(report: &mut Report) {
    let stand = Stand::new(CachePolicy::default());
    let needles = stand.needles("acme");
    let before = needles.find();
    stand.ticks.advance(MAX_TTL - Duration::from_secs(25));
    stand.ring.with_state(&acme(), |_| ()).unwrap();
    stand.ring.sweep();
    assert_eq!(stand.ring.cache_metrics().refreshes, 1);
    let after = needles.find();
    let kept = stand.kept(&needles);
    report.stage("refresh", &needles, &before, &after, &kept);
}

fn puncture(report: &mut Report) {
    let stand = Stand::new(CachePolicy::default());
    let needles = stand.needles("acme");
    let before = needles.find();
    stand.destroy_a_leaf();
    let after = needles.find();
    let kept = stand.kept(&needles);
    report.stage("puncture", &needles, &before, &after, &kept);
    assert_eq!(needles.held().difference(&kept).count(), 1, "the root is gone");

    // What is held now, to the last node, is in locked pages; a second puncture replaces some of it.
    let needles = stand.held_needles("acme");
    let before = needles.find();
    stand.destroy_a_leaf();
    let after = needles.find();
    let kept = stand.kept(&needles);
    report.stage("puncture_again", &needles, &before, &after, &kept);
    assert_eq!(needles.held().difference(&kept).count(), 1, "the node above the leaf is gone");
}

/// A data key ends in two steps: another one seals, then it is forgotten. A state key ends with every rotation.
fn rotation(report: &mut Report) {
    let stand = Stand::new(CachePolicy::default());
    let needles = stand.needles("acme");
    let before = needles.find();
    assert_eq!(stand.ring.add_data_key(&acme(), 1), Ok(2));
    let after = needles.find();
    report.stage("data_key_added", &needles, &before, &after, &stand.kept(&needles));

    let needles = stand.held_needles("acme");
    let before = needles.find();
    let _report = stand.ring.retire_data_keys(&acme(), 2).unwrap();
    let after = needles.find();
    let kept = stand.kept(&needles);
    report.stage("data_key_retired", &needles, &before, &after, &kept);
    assert_eq!(needles.held().difference(&kept).count(), 1, "one data key is gone, all others stay");

    let needles = stand.held_needles("acme");
    let before = needles.find();
    let _report = stand.ring.rotate_state_key(&acme()).unwrap();
    let after = needles.find();
    let kept = stand.kept(&needles);
    report.stage("state_key_rotated", &needles, &before, &after, &kept);
    assert_eq!(needles.held().difference(&kept).count(), 0, "what is held stays");
}

/// Acts that end no key: nothing leaves the locked pages.
fn other_writes(report: &mut Report) {
    let stand = Stand::new(CachePolicy::default());
    let acts: [(&str, &dyn Fn()); 5] = [
        ("allocation", &|| drop(stand.ring.allocate_many(&acme(), DataClass::Account, 64).unwrap())),
        ("honey", &|| stand.mark_honey()),
        ("check", &|| stand.ring.check(&acme()).unwrap()),
        ("key_report", &|| drop(stand.ring.report_keys(&acme()).unwrap())),
        ("recovery", &|| drop(stand.ring.recover(&acme(), FenceLoss::Refused).unwrap())),
    ];
    for (name, act) in acts {
        let needles = stand.held_needles("acme");
        let before = needles.find();
        act();
        let after = needles.find();
        report.stage(name, &needles, &before, &after, &stand.kept(&needles));
    }
}

fn drop_of_the_ring(report: &mut Report) {
    let stand = Stand::new(CachePolicy::default());
    let needles = stand.needles("acme");
    let before = needles.find();
    drop(stand);
    report.stage("drop", &needles, &before, &needles.find(), &BTreeSet::new());
}

#[derive(Default)]
struct Report {
    stages: usize,
    found: usize,
    wrong: Vec<String>,
}

impl Report {
    /// Prints the figures of a stage and holds them to what they must be; `kept` are the keys that live on.
    fn stage(
        &mut self,
        stage: &str,
        needles: &Needles,
        before: &Found,
        after: &Found,
        kept: &BTreeSet<usize>,
    ) {
        let held = needles.held();
        let ended: BTreeSet<usize> = after.locked.difference(kept).copied().collect();
        let found = after.bare.len() + ended.len();
        let kept_held: BTreeSet<usize> = kept.intersection(held).copied().collect();
        let kept_locked = kept_held.intersection(&after.locked).count();
        let control = before.locked.intersection(held).count();
        let planted = needles.plant_and_find();
        println!(
            "stage={stage} keys={} found={found} control={control}/{} control_outside_locked_pages={} \
             planted_found={planted}/{} kept_in_locked_pages={kept_locked}/{}",
            needles.keys(),
            held.len(),
            before.bare.len(),
            needles.keys(),
            kept_held.len()
        );
        self.stages += 1;
        self.found += found + before.bare.len();
        let mut check = |holds: bool, what: String| {
            if !holds {
                self.wrong.push(format!("{stage}: {what}"));
            }
        };
        let locked = BTreeSet::new();
        check(found == 0, format!("after: {}", needles.describe(&after.bare, &ended)));
        check(before.bare.is_empty(), format!("before: {}", needles.describe(&before.bare, &locked)));
        check(before.locked == *held, format!("{control} of {} held keys were found before", held.len()));
        check(kept_locked == kept_held.len(), "a kept key is gone".to_owned());
        check(planted == needles.keys(), format!("{planted} planted copies found"));
    }
}

fn acme() -> OrganisationId {
    OrganisationId::parse("acme").unwrap()
}
