//! What the cache of a key ring serves, how often it asks the key service, and what a hit costs.
//!
//! 1. On virtual ticks: whether anything is served 300 s after its unwrap or later.
//! 2. Eight threads over a thousand organisations: unwraps at a counting key service against the cache's misses.
//! 3. Processor time of a miss, beside few and beside many organisations.
//! 4. Processor time of a record of 2 KiB through the ring, its leaf's key derived each time.
//! 5. Processor time of a hit that reads one number, against a lookup in a plain sharded map, in turn, in one run.
#![expect(clippy::print_stdout, reason = "a program that measures speaks on standard output")]

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::env;
use std::hash::BuildHasher;
use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Barrier, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use vouchsafe_benches::figures::{Draws, Result, Spread, float, folder, spread, thread_nanoseconds};
use vouchsafe_benches::memory::Memory;
use vouchsafe_envelope::port::{FenceStore, KeyService, StateStore};
use vouchsafe_envelope::{CachePolicy, Context, KeyPorts, KeyRing, OrganisationState};
use vouchsafe_keys::{BootTicks, FolderFences, FolderStates, KeyFile, OsEntropy, ReplicatedStates};
use vouchsafe_types::{DataClass, Digest, OrganisationId, RecordId, Scope, Ticks, VirtualTicks, wipe_stack};

const ORGANISATIONS: usize = 1_000;
/// On a disk each provisioning takes some dozen syncs.
const ON_DISK: usize = 100;
const THREADS: u64 = 8;
const LIMIT: Duration = Duration::from_secs(300);
/// Lookups of one series.
const CALLS: u64 = 1_000;

fn main() -> Result<()> {
    let quick = env::args().any(|argument| argument == "--quick");
    expiry()?;
    calls(CachePolicy::default(), "all_fit")?;
    calls(CachePolicy { capacity: 100, ..CachePolicy::default() }, "tenth_fits")?;
    let series = if quick { 40 } else { 200 };
    misses(10, series)?;
    misses(ORGANISATIONS, series / 8)?;
    parts(series);
    let memory = Memory::default();
    let ring = warm(&memory.ports(Arc::new(BootTicks)), ORGANISATIONS)?;
    records(&ring, series)?;
    compare("memory", &ring, ORGANISATIONS, series)?;
    compare("one_organisation", &ring, 1, series)?;
    drop(ring);
    let folder = folder("key-cache")?;
    let ring = warm(&on_disk(folder.path())?, ON_DISK)?;
    compare("disk", &ring, ON_DISK, series)
}

/// The organisations' names.
fn names(count: usize) -> Result<Vec<OrganisationId>> {
    (0..count).map(|number| Ok(OrganisationId::parse(&format!("organisation-{number}"))?)).collect()
}

/// Serves a state at every age around the limit, and counts who was served without an unwrap.
fn expiry() -> Result<()> {
    let (memory, ticks) = (Memory::default(), Arc::new(VirtualTicks::default()));
    let policy = CachePolicy { ttl: Duration::MAX, refresh_ahead: Duration::ZERO, ..CachePolicy::default() };
    let ring = KeyRing::with_cache(memory.ports(Arc::<VirtualTicks>::clone(&ticks)), policy);
    let acme = OrganisationId::parse("acme")?;
    ring.provision(&acme)?;
    let around = (0..2_000).map(|step| LIMIT - Duration::from_millis(1_000) + Duration::from_millis(step));
    let edges = [LIMIT - Duration::from_nanos(1), LIMIT, LIMIT + Duration::from_nanos(1), LIMIT * 100];
    let (mut early, mut late) = ([0u32; 2], [0u32; 2]);
    for age in around.chain(edges) {
        ring.wipe();
        ring.with_state(&acme, OrganisationState::revision)?;
        let before = memory.service.unwraps();
        ticks.advance(age);
        ring.with_state(&acme, OrganisationState::revision)?;
        let served = memory.service.unwraps() == before;
        let [asked, lent] = if age < LIMIT { &mut early } else { &mut late };
        *asked += 1;
        *lent += u32::from(served);
    }
    ticks.advance(LIMIT);
    ring.sweep();
    let live = ring.cache_metrics().live;
    println!(
        "early_asked={} early_served={} late_asked={} late_served={}",
        early[0], early[1], late[0], late[1]
    );
    println!("live_after_sweep={live} ttl_asked_for=longer_than_300_s");
    Ok(())
}

/// Eight threads ask for every organisation in orders of their own: cold, warm, and after all have expired.
fn calls(policy: CachePolicy, name: &str) -> Result<()> {
    let (memory, ticks) = (Memory::default(), Arc::new(VirtualTicks::default()));
    let ports = memory.ports(Arc::<VirtualTicks>::clone(&ticks));
    let names = names(ORGANISATIONS)?;
    let before = KeyRing::new(ports.clone());
    names.iter().try_for_each(|name| before.provision(name))?;
    drop(before);
    let ring = KeyRing::with_cache(ports, policy);
    let provisioned = memory.service.unwraps();
    for round in ["cold", "warm", "expired"] {
        if round == "expired" {
            ticks.advance(LIMIT);
        }
        let failed = ask_all(&ring, &names);
        let metrics = ring.cache_metrics();
        let unwraps = memory.service.unwraps() - provisioned;
        println!(
            "{name}={round} threads={THREADS} organisations={ORGANISATIONS} unwraps={unwraps} misses={} hits={} \
             evicted={} failed={failed}",
            metrics.misses, metrics.hits, metrics.evicted
        );
    }
    let (unwraps, misses) = (memory.service.unwraps() - provisioned, ring.cache_metrics().misses);
    println!(
        "{name}_unwraps={unwraps} {name}_misses={misses} {name}_difference={}",
        unwraps.abs_diff(misses)
    );
    Ok(())
}

fn ask_all(ring: &KeyRing, names: &[OrganisationId]) -> u64 {
    let (start, failed) = (Barrier::new(threads()), AtomicU64::new(0));
    thread::scope(|scope| {
        for number in 0..THREADS {
            let (start, failed) = (&start, &failed);
            scope.spawn(move || {
                // Two threads share each order, so that they meet at every organisation.
                let mut order: Vec<&OrganisationId> = names.iter().collect();
                shuffle(&mut order, number / 2);
                start.wait();
                let wrong = order.iter().filter(|name| ring.with_state(name, |_| ()).is_err()).count();
                failed.fetch_add(u64::try_from(wrong).unwrap_or(u64::MAX), Ordering::Relaxed);
            });
        }
    });
    failed.into_inner()
}

fn threads() -> usize {
    usize::try_from(THREADS).unwrap_or(1)
}

fn shuffle<T>(list: &mut [T], seed: u64) {
    let mut draws = Draws::new(seed);
    for end in (1..list.len()).rev() {
        let other = draws.below(end as u64 + 1);
        list.swap(end, usize::try_from(other).unwrap_or(0));
    }
}

/// The folder adapters as `Ports::in_folder` has them.
fn on_disk(folder: &std::path::Path) -> Result<KeyPorts> {
    let place = |name: &str| -> Result<Arc<dyn StateStore>> {
        Ok(Arc::new(FolderStates::create_new(folder.join(name))?))
    };
    let service: Arc<dyn KeyService> = Arc::new(KeyFile::create_new(folder.join("service.keys"))?);
    let states = ReplicatedStates::new(vec![place("states")?, place("replica")?])?;
    let fences: Arc<dyn FenceStore> = Arc::new(FolderFences::at(folder.join("fences"))?);
    let entropy = Arc::new(OsEntropy::new());
    Ok(KeyPorts::new(service, Arc::new(states), fences, entropy, Arc::new(BootTicks)))
}

/// A ring whose organisations are all unsealed.
fn warm(ports: &KeyPorts, organisations: usize) -> Result<KeyRing> {
    let ring = KeyRing::new(ports.clone());
    names(organisations)?.iter().try_for_each(|name| ring.provision(name))?;
    Ok(ring)
}

/// A map in 16 parts, each behind a lock: what any cache of this shape pays at least.
struct Plain {
    parts: [Mutex<HashMap<OrganisationId, Arc<u64>>>; 16],
    hasher: RandomState,
}

impl Plain {
    fn filled(names: &[OrganisationId]) -> Self {
        let plain = Self { parts: Default::default(), hasher: RandomState::new() };
        for (name, number) in names.iter().zip(0..) {
            plain
                .part(name)
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .insert(name.clone(), Arc::new(number));
        }
        plain
    }

    fn part(&self, name: &OrganisationId) -> &Mutex<HashMap<OrganisationId, Arc<u64>>> {
        let [first, ..] = &self.parts;
        let place = usize::try_from(self.hasher.hash_one(name) % 16).unwrap_or(0);
        self.parts.get(place).unwrap_or(first)
    }

    fn number(&self, name: &OrganisationId) -> u64 {
        let part = self.part(name).lock().unwrap_or_else(PoisonError::into_inner);
        let found = part.get(name).map(Arc::clone);
        drop(part);
        found.map_or(0, |found| *found)
    }
}

/// Processor nanoseconds of a call.
fn each(calls: u64, mut act: impl FnMut()) -> f64 {
    let began = thread_nanoseconds();
    (0..calls).for_each(|_| act());
    (thread_nanoseconds() - began) / float(calls)
}

/// Processor time of a miss, ports in memory, when this many organisations are unsealed.
fn misses(organisations: usize, rounds: usize) -> Result<()> {
    let (memory, names) = (Memory::default(), names(organisations)?);
    let ring = warm(&memory.ports(Arc::new(BootTicks)), organisations)?;
    let mut spent = Vec::new();
    for _ in 0..rounds {
        ring.wipe();
        let mut next = names.iter();
        spent.push(each(names.len() as u64, || {
            black_box(next.next().map(|name| ring.with_state(name, OrganisationState::revision)));
        }));
    }
    println!("miss_us_of_{organisations}={:.2}", spread(spent).median / 1e3);
    Ok(())
}

/// A record through the ring: lent state, derived key, seal or open. Nothing is erased, so that the key lies as far
/// below its node as it can.
fn records(ring: &KeyRing, series: usize) -> Result<()> {
    let organisation = OrganisationId::parse("organisation-0")?;
    let (class, entropy) = (DataClass::Biometric, OsEntropy::new());
    let context = Context {
        organisation: organisation.clone(),
        leaf: ring.allocate(&organisation, class)?,
        class,
        scope: Some(Scope::FACE_VERIFICATION),
        record: RecordId::from_bytes([9; 16]),
        model: Some(Digest::from_bytes([0x11; 32])),
        dimension: Some(512),
        key_version: 1,
    };
    let seal = || ring.with_state(&organisation, |state| state.seal(&context, &[0x5a; 2048], &entropy));
    let sealed = seal()??;
    let open = || ring.with_state(&organisation, |state| state.open(&context, &sealed));
    open()??;
    let (mut seals, mut opens) = (Vec::new(), Vec::new());
    for _ in 0..series {
        seals.push(each(100, || drop(black_box(seal()))));
        opens.push(each(100, || drop(black_box(open()))));
    }
    let (seal, open) = (spread(seals).median / 1e3, spread(opens).median / 1e3);
    println!("ring_seal_us={seal:.2} ring_open_us={open:.2}");
    Ok(())
}

/// What a hit consists of, by itself.
fn parts(series: usize) {
    let median = |act: &dyn Fn()| spread((0..series).map(|_| each(CALLS, act)).collect()).median;
    let wipe = median(&wipe_stack);
    let ticks = median(&|| {
        black_box(BootTicks.elapsed());
    });
    println!("wipe_stack_ns={wipe:.1} ticks_ns={ticks:.1}");
}

/// Processor time of a hit and of a lookup, in series that take turns, by one thread and by eight.
fn compare(place: &str, ring: &KeyRing, organisations: usize, series: usize) -> Result<()> {
    let names = names(organisations)?;
    let plain = Plain::filled(&names);
    let before = ring.cache_metrics();
    for threads in [1, THREADS] {
        let (hit, lookup) = together(ring, &plain, &names, threads, series);
        let name = if threads == 1 { "one" } else { "eight" };
        println!(
            "place={place} threads={threads} hit_ns={:.1} lookup_ns={:.1} hit_ns_least={:.1} lookup_ns_least={:.1} \
             {place}_ratio_{name}={:.2} {place}_hit_ns_{name}={:.1}",
            hit.median,
            lookup.median,
            hit.least,
            lookup.least,
            hit.median / lookup.median,
            hit.median
        );
    }
    let after = ring.cache_metrics();
    println!("{place}_misses_while_measured={}", after.misses - before.misses);
    Ok(())
}

fn together(
    ring: &KeyRing,
    plain: &Plain,
    names: &[OrganisationId],
    threads: u64,
    series: usize,
) -> (Spread, Spread) {
    let measured = Mutex::new((Vec::new(), Vec::new()));
    thread::scope(|scope| {
        for number in 0..threads {
            let measured = &measured;
            scope.spawn(move || {
                let (hits, lookups) = in_turn(ring, plain, names, number, series);
                let mut all = measured.lock().unwrap_or_else(PoisonError::into_inner);
                all.0.extend(hits);
                all.1.extend(lookups);
            });
        }
    });
    let (hits, lookups) = measured.into_inner().unwrap_or_else(PoisonError::into_inner);
    (spread(hits), spread(lookups))
}

fn in_turn(
    ring: &KeyRing,
    plain: &Plain,
    names: &[OrganisationId],
    thread: u64,
    series: usize,
) -> (Vec<f64>, Vec<f64>) {
    let mut order: Vec<&OrganisationId> = names.iter().collect();
    shuffle(&mut order, thread);
    let mut next = order.iter().cycle();
    let mut turn = || {
        let hit = each(CALLS, || {
            let name = next.next().copied();
            black_box(name.map(|name| ring.with_state(name, OrganisationState::revision)));
        });
        let lookup = each(CALLS, || {
            black_box(next.next().map(|name| plain.number(name)));
        });
        (hit, lookup)
    };
    (0..series).map(|_| turn()).unzip()
}
