//! Eight threads open sealed records while others are destroyed: nothing opens once its fence is acknowledged.
//!
//! Each thread notes before its call what was acknowledged about the leaf. A call that begins after the
//! acknowledgement and gives the plaintext is a late open. It runs twice:
//!
//! - the destructions are made in the same process, through the same key ring. The fence counts as acknowledged when
//!   its record is durable in the journal;
//! - they are made through a second key ring over the same folders, as another process has it. There the promise is
//!   that of `destroy`: once it returned `Ok`, no process opens the leaf. What opens between the durable fence and that
//!   answer is bounded by [`CachePolicy::recheck`], counted and shown.
//!
//! `VOUCHSAFE_RACE_OPENS` sets how many opens there are at least (20,000 when it is not set), of each of the two; each
//! goes on until there was a destruction for 1,000 of them, too.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a drill")]

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use vouchsafe_envelope::port::{FenceRecords, FenceStore};
use vouchsafe_envelope::{CachePolicy, Context, EnvelopeError, KeyRing, StateStoreError, Sweeper};
use vouchsafe_keys::{FolderFences, OsEntropy};
use vouchsafe_testkit::draws::Draws;
use vouchsafe_testkit::place::KeyPlace;
use vouchsafe_testkit::scene::{SCOPE, organisation_id};
use vouchsafe_types::{DataClass, LeafIndex, OrganisationId, RecordId};

const OPENS: &str = "VOUCHSAFE_RACE_OPENS";
const THREADS: u64 = 8;
/// Records that are going to be destroyed, in a drawn order, and records that are not.
const DOOMED: usize = 4096;
const SURVIVORS: usize = 512;
const OPENS_A_DESTRUCTION: u64 = 1000;
/// Between two destructions of the other process. Without it readers can wait longer for their lock than they may,
/// because a lock file gives no turns.
const PAUSE: Duration = Duration::from_millis(5);

/// Promise: WB-3-30days, WB-5-revoke
#[test]
fn nothing_opens_once_its_fence_is_acknowledged() {
    let opens = std::env::var(OPENS).map_or(20_000, |opens| opens.parse().unwrap());
    let home = tempfile::tempdir().unwrap();
    let threads = race(&home.path().join("threads"), opens, false);
    let processes = race(&home.path().join("processes"), opens, true);
    println!(
        "threads={THREADS} {} {}",
        threads.figures("", "late_opens"),
        processes.figures("process_", "unnoticed_opens")
    );
    for (tally, what) in [(&threads, "threads"), (&processes, "processes")] {
        assert_eq!(
            tally.after_destruction.load(Ordering::SeqCst),
            0,
            "{what}: opened after `destroy` was Ok"
        );
        assert_eq!(tally.survivors_refused.load(Ordering::SeqCst), 0, "{what}: {}", tally.errors());
        // Without both answers it was no race.
        assert!(tally.before_fence.load(Ordering::SeqCst) > 0, "{what}: no doomed record was ever open");
        assert!(tally.refused.load(Ordering::SeqCst) > 0, "{what}: no destroyed record was tried");
    }
    assert_eq!(threads.after_fence.load(Ordering::SeqCst), 0, "opened after the fence was durable");
}

/// What was acknowledged about a leaf.
const OPEN: u8 = 0;
const FENCED: u8 = 1;
const DESTROYED: u8 = 2;

struct Record {
    leaf: LeafIndex,
    sealed: Vec<u8>,
    acknowledged: Arc<AtomicU8>,
}

/// What came out of a race.
#[derive(Default)]
struct Tally {
    opens: AtomicU64,
    destructions: AtomicU64,
    /// Opened, and nothing was acknowledged about it before the call.
    before_fence: AtomicU64,
    /// Opened although its fence was durable before the call.
    after_fence: AtomicU64,
    /// Opened although its destruction had returned `Ok` before the call.
    after_destruction: AtomicU64,
    refused: AtomicU64,
    survivors_refused: AtomicU64,
    /// A lock of the folder was not had in time: no verdict, and the caller may ask again.
    unavailable: AtomicU64,
    error: std::sync::Mutex<Option<EnvelopeError>>,
    took: Duration,
    ended: AtomicBool,
}

/// A destroyer that fails does not leave the others behind.
struct Ends<'a>(&'a Tally);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.ended.store(true, Ordering::SeqCst);
    }
}

impl Tally {
    fn goes_on(&self, opens: u64) -> bool {
        !self.ended.load(Ordering::SeqCst) && self.is_short(opens)
    }

    fn is_short(&self, opens: u64) -> bool {
        let destructions = opens.div_ceil(OPENS_A_DESTRUCTION).min(DOOMED as u64 / 4);
        self.opens.load(Ordering::SeqCst) < opens || self.destructions.load(Ordering::SeqCst) < destructions
    }

    fn figures(&self, prefix: &str, fenced: &str) -> String {
        let read = |counter: &AtomicU64| counter.load(Ordering::SeqCst);
        let (fence, destruction) = (read(&self.after_fence), read(&self.after_destruction));
        let late = if prefix.is_empty() {
            format!("{fenced}={}", fence + destruction)
        } else {
            format!("{prefix}late_opens={destruction} {prefix}{fenced}={fence}")
        };
        format!(
            "{prefix}opens={} {prefix}destructions={} {late} {prefix}survivors_refused={} {prefix}unavailable={} \
             {prefix}opened_before={} {prefix}refused={} {prefix}opens_per_second={:.0}",
            read(&self.opens),
            read(&self.destructions),
            read(&self.survivors_refused),
            read(&self.unavailable),
            read(&self.before_fence),
            read(&self.refused),
            read(&self.opens) as f64 / self.took.as_secs_f64()
        )
    }

    fn errors(&self) -> String {
        format!("{:?}", self.error.lock().unwrap())
    }
}

fn race(folder: &Path, opens: u64, processes: bool) -> Tally {
    let organisation = organisation_id().unwrap();
    let place = KeyPlace::create(folder).unwrap();
    let recheck = Duration::from_millis(if processes { 20 } else { 500 });
    let policy = CachePolicy { recheck, ..CachePolicy::default() };
    let first = place.ring(policy).unwrap();
    first.provision(&organisation).unwrap();
    let records = seal_all(&first, &organisation);
    drop(first);

    let noting = || {
        let mut ports = place.ports().unwrap();
        let marks = records.iter().map(|record| (record.leaf.get(), Arc::clone(&record.acknowledged)));
        ports.fences = Arc::new(NotingFences { inner: place.fences().unwrap(), marks: marks.collect() });
        KeyRing::with_cache(ports, policy)
    };
    let (openers, destroyer) = if processes {
        (Arc::new(place.ring(policy).unwrap()), Arc::new(noting()))
    } else {
        let ring = Arc::new(noting());
        (Arc::clone(&ring), ring)
    };
    // As the facade has it: an idle process lets go of a superseded state.
    let _sweeper = Sweeper::start(&openers).unwrap();
    let mut tally = Tally::default();
    let (current, began) = (AtomicUsize::new(0), Instant::now());
    thread::scope(|scope| {
        let _ended = Ends(&tally);
        for number in 0..THREADS {
            let (tally, records, current, ring, organisation) =
                (&tally, &records, &current, &openers, &organisation);
            scope.spawn(move || open_all(ring, organisation, records, current, tally, (number, opens)));
        }
        let doomed: Vec<&Record> = records[..DOOMED].iter().collect();
        let mut draws = Draws::seeded(8);
        let mut at = 0;
        while at < DOOMED && tally.goes_on(opens) {
            let batch = &doomed[at..DOOMED.min(at + 1 + usize::try_from(draws.below(4)).unwrap())];
            current.store(at, Ordering::SeqCst);
            let leaves: Vec<_> = batch.iter().map(|record| record.leaf).collect();
            let report = destroyer.destroy(&organisation, &leaves).unwrap();
            batch.iter().for_each(|record| record.acknowledged.store(DESTROYED, Ordering::SeqCst));
            assert_eq!(report.punctured(), batch.len());
            tally.destructions.fetch_add(1, Ordering::SeqCst);
            at += batch.len();
            if processes {
                thread::sleep(PAUSE);
            }
        }
    });
    tally.took = began.elapsed();
    tally
}

/// One of the threads.
fn open_all(
    ring: &KeyRing,
    organisation: &OrganisationId,
    records: &[Record],
    current: &AtomicUsize,
    tally: &Tally,
    (number, opens): (u64, u64),
) {
    let mut draws = Draws::seeded(number);
    let count = |counter: &AtomicU64| counter.fetch_add(1, Ordering::SeqCst);
    while tally.goes_on(opens) {
        let survivor = draws.chance(30);
        let below = |draws: &mut Draws, bound: usize| usize::try_from(draws.below(bound as u64)).unwrap();
        let record = if survivor {
            &records[DOOMED + below(&mut draws, SURVIVORS)]
        } else {
            // Where it is about to happen, or has just happened.
            let near = current.load(Ordering::SeqCst) + below(&mut draws, 12);
            &records[near.saturating_sub(4).min(DOOMED - 1)]
        };
        let acknowledged = record.acknowledged.load(Ordering::SeqCst);
        let opened = ring.with_state(organisation, |state| {
            state.open(&context(organisation, record.leaf), &record.sealed).map(drop)
        });
        count(&tally.opens);
        match (opened.and_then(|opened| opened), survivor) {
            (Ok(()), true) => continue,
            (Ok(()), false) => count(match acknowledged {
                OPEN => &tally.before_fence,
                FENCED => &tally.after_fence,
                _ => &tally.after_destruction,
            }),
            (Err(EnvelopeError::Destroyed), false) => count(&tally.refused),
            (Err(error), _) if error.is_retryable() => count(&tally.unavailable),
            (Err(error), _) => {
                // Of a doomed record, too, no other refusal is right.
                *tally.error.lock().unwrap() = Some(error);
                count(&tally.survivors_refused)
            }
        };
    }
}

/// A record under each leaf: the doomed ones in a drawn order, then the survivors.
fn seal_all(ring: &KeyRing, organisation: &OrganisationId) -> Vec<Record> {
    let count = (DOOMED + SURVIVORS) as u64;
    let mut leaves = ring.allocate_many(organisation, DataClass::Biometric, count).unwrap();
    let mut draws = Draws::seeded(1);
    for place in (1..leaves.len()).rev() {
        leaves.swap(place, usize::try_from(draws.below(place as u64 + 1)).unwrap());
    }
    let entropy = OsEntropy::new();
    let seal = |leaf| {
        ring.with_state(organisation, |state| state.seal(&context(organisation, leaf), &[7; 256], &entropy))
    };
    leaves
        .into_iter()
        .map(|leaf| Record { leaf, sealed: seal(leaf).unwrap().unwrap(), acknowledged: Arc::default() })
        .collect()
}

fn context(organisation: &OrganisationId, leaf: LeafIndex) -> Context {
    Context {
        organisation: organisation.clone(),
        leaf,
        class: DataClass::Biometric,
        scope: Some(SCOPE),
        record: RecordId::from_bytes([3; 16]),
        model: None,
        dimension: None,
        key_version: 1,
    }
}

/// Notes of each leaf that its fence is durable, before the key ring hears of it.
struct NotingFences {
    inner: Arc<FolderFences>,
    marks: std::collections::HashMap<u64, Arc<AtomicU8>>,
}

impl FenceStore for NotingFences {
    fn read(&self, organisation: &OrganisationId, from: u64) -> Result<FenceRecords, StateStoreError> {
        self.inner.read(organisation, from)
    }

    fn append(&self, organisation: &OrganisationId, record: &[u8]) -> Result<u64, StateStoreError> {
        let end = self.inner.append(organisation, record)?;
        // As the journal's format has it: kind 1, six bytes a leaf, and 32 of a tag.
        if let [1, rest @ ..] = record {
            for leaf in rest[..rest.len() - 32].chunks(6) {
                let leaf = leaf.iter().fold(0, |leaf, byte| leaf << 8 | u64::from(*byte));
                self.marks[&leaf].store(FENCED, Ordering::SeqCst);
            }
        }
        Ok(end)
    }

    fn set_aside(&self, organisation: &OrganisationId) -> Result<(), StateStoreError> {
        self.inner.set_aside(organisation)
    }
}
