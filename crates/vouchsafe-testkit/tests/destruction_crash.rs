//! A process is killed at random instants inside destructions of a key ring; every restart ends whole.
//!
//! The facade's kill drill (`crash.rs`) spreads its kills over everything that a service does. Here the process does
//! nothing but destroy, batch after batch, and all kills fall into that or a moment behind it; some hit the process
//! that repairs what the one before left. In one of two places the key tree is so large that it is stored in shards.
//!
//! `VOUCHSAFE_DESTRUCTION_KILLS` sets how many kills (20 when it is not set).
#![expect(clippy::unwrap_used, reason = "a drill")]

#[path = "destruction_crash/check.rs"]
mod check;
#[path = "destruction_crash/keys.rs"]
mod keys;
#[path = "destruction_crash/phase.rs"]
mod phase;
#[path = "destruction_crash/victim.rs"]
mod victim;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use check::Findings;
use keys::Keys;
use phase::Phase;
use victim::{Cue, Victim};
use vouchsafe_testkit::draws::Draws;

const KILLS: &str = "VOUCHSAFE_DESTRUCTION_KILLS";
const SEED: u64 = 300;

/// Promise: WB-3-30days
#[test]
fn a_destruction_that_is_killed_at_any_point_ends_whole() {
    if victim::is_one() {
        return;
    }
    let kills: u32 = std::env::var(KILLS).map_or(20, |kills| kills.parse().unwrap());
    let begun = Instant::now();
    let home = tempfile::tempdir().unwrap();
    let large = kills * 2 / 5;
    let mut drills = [
        (Drill::new(Keys::small(&home.path().join("small")), SEED), kills - large),
        (Drill::new(Keys::large(&home.path().join("large")), SEED + 1), large),
    ];
    for (drill, kills) in &mut drills {
        while drill.kills < *kills {
            drill.strike();
        }
        drill.findings.merge(drill.keys.check_everything());
    }
    let [(small, _), (large, _)] = &drills;
    let phases = merged(&small.phases, &large.phases);
    phases.iter().for_each(|(phase, count)| println!("  {count:4}  {phase:?}"));
    let sum = |count: fn(&Drill) -> usize| count(small) + count(large);
    println!(
        "kills={} inside_destruction={} shard_writes_hit={} half_written={} repairs_killed={} destroyed={} given={} \
         survivors_lost={} destroyed_readable={} unfinished={} indices_reused={} kill_seconds={:.1}",
        small.kills + large.kills,
        sum(|drill| drill.inside),
        phases.iter().filter(|(phase, _)| phase.is_of_shards()).map(|(_, count)| count).sum::<usize>(),
        sum(|drill| drill.half_written),
        sum(|drill| drill.repairs),
        sum(|drill| drill.keys.destroyed()),
        sum(|drill| drill.keys.given()),
        sum(|drill| drill.findings.survivors_lost.len()),
        sum(|drill| drill.findings.destroyed_readable.len()),
        sum(|drill| drill.findings.unfinished.len()),
        sum(|drill| drill.findings.indices_reused.len()),
        begun.elapsed().as_secs_f64(),
    );
    for drill in [small, large] {
        assert!(drill.findings.is_empty(), "{:?}", drill.findings);
    }
    assert!(sum(|drill| drill.inside) * 2 > kills as usize, "most kills must fall inside a destruction");
}

/// The checks can fail: each of these is what a destruction must not leave.
#[test]
fn what_a_destruction_must_not_leave_is_found() {
    let home = tempfile::tempdir().unwrap();
    let begin = |name: &str| {
        let mut keys = Keys::tiny(&home.path().join(name));
        let batch = keys.draw(&mut Draws::seeded(1));
        (keys, batch)
    };
    let (mut keys, batch) = begin("whole");
    let findings = keys.settle(Some(&batch));
    assert!(findings.is_empty(), "{findings:?}");

    // An acknowledgement that is not true: the batch was never destroyed.
    let (mut keys, batch) = begin("never destroyed");
    keys.acknowledge(&batch);
    assert!(!keys.settle(None).destroyed_readable.is_empty());

    // A survivor goes with them.
    let (mut keys, batch) = begin("too many");
    keys.destroy_behind_its_back();
    assert!(!keys.settle(Some(&batch)).survivors_lost.is_empty());

    // An old state key is left at the service.
    let (mut keys, batch) = begin("key left");
    keys.bring_the_first_key_back(&batch);
    assert!(!keys.settle(None).unfinished.is_empty());

    // One of the places does not follow.
    let (mut keys, batch) = begin("place behind");
    keys.put_a_place_back(&batch);
    assert!(!keys.settle(None).unfinished.is_empty());
}

struct Drill {
    keys: Keys,
    draws: Draws,
    kills: u32,
    inside: usize,
    half_written: usize,
    repairs: usize,
    phases: BTreeMap<Phase, usize>,
    findings: Findings,
    /// How long a start and a destruction take.
    typical: [Duration; 2],
}

impl Drill {
    fn new(keys: Keys, seed: u64) -> Self {
        Self {
            keys,
            draws: Draws::seeded(seed),
            kills: 0,
            inside: 0,
            half_written: 0,
            repairs: 0,
            phases: BTreeMap::new(),
            findings: Findings::default(),
            typical: [Duration::from_millis(10); 2],
        }
    }

    /// One process, one kill; now and then a second one while the first is repaired; then the restart.
    fn strike(&mut self) {
        let batches: Vec<_> = (0..4).map(|_| self.keys.draw(&mut self.draws)).collect();
        // Some destructions are let through: how long they take says where to strike.
        let target = usize::try_from(self.draws.below(3)).unwrap();
        let before = phase::Before::of(self.keys.place());
        let victim = Victim::start(self.keys.place().folder(), &batches);
        let testimony = victim.kill_after(Cue::Begun(target), self.delay(1));
        self.learn(&testimony);
        self.kills += 1;
        testimony.given.iter().for_each(|given| self.findings.note_given(&mut self.keys, *given));
        for (number, failure) in &testimony.failed {
            self.findings.unfinished.push(format!("batch {number}: {failure}"));
        }
        batches.iter().take(testimony.ended()).for_each(|batch| self.keys.acknowledge(batch));
        let in_flight = testimony.in_flight();
        self.inside += usize::from(in_flight.is_some());
        let unused = testimony.begun.len().max(testimony.ended());
        batches.iter().skip(unused).for_each(|batch| self.keys.give_back(batch));
        let phase = before.phase(self.keys.place(), testimony.ended(), in_flight.is_some());
        *self.phases.entry(phase).or_default() += 1;
        self.half_written += usize::from(phase::is_half_written(self.keys.place().folder()));

        if in_flight.is_some() && self.draws.chance(25) {
            let repairer = Victim::start(self.keys.place().folder(), &[]);
            let testimony = repairer.kill_after(Cue::Opening, self.delay(0));
            self.learn(&testimony);
            self.repairs += 1;
        }
        let batch = in_flight.and_then(|number| batches.get(number));
        self.findings.merge(self.keys.settle(batch));
    }

    /// Somewhere in a start (0) or a destruction (1), or a little behind.
    fn delay(&mut self, what: usize) -> Duration {
        let typical = self.typical.get(what).copied().unwrap_or_default();
        typical.mul_f64(self.draws.below(1_100_000) as f64 / 1e6)
    }

    fn learn(&mut self, testimony: &victim::Testimony) {
        let [start, destruction] = &mut self.typical;
        let mix = |typical: &mut Duration, took: Duration| *typical = (*typical * 3 + took) / 4;
        testimony.started_in.into_iter().for_each(|took| mix(start, took));
        testimony.ended.values().for_each(|took| mix(destruction, *took));
    }
}

fn merged(a: &BTreeMap<Phase, usize>, b: &BTreeMap<Phase, usize>) -> BTreeMap<Phase, usize> {
    let mut sum = a.clone();
    b.iter().for_each(|(phase, count)| *sum.entry(*phase).or_default() += count);
    sum
}
