//! A naive model of lives: it walks through each day by day with a calendar and rules of its own, and shares no code
//! with the resolver.

pub(crate) mod calendar;
mod draft;
mod executor;
mod generate;
mod life;
mod naive;

use std::cell::Cell;
use std::{env, thread};

use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};
use vouchsafe_retention::{Policy, RetentionError};

use self::draft::{Draft, Rules};
use self::executor::Seen;
use self::life::Life;
use self::naive::{Fate, fate, not_before};

/// As many lives as `VOUCHSAFE_LIVES` says, of the seed that `VOUCHSAFE_SEED` says.
///
/// Promise: WB-4-face-user
#[test]
fn the_resolver_agrees_with_a_day_by_day_walk() {
    let number = |name: &str, default: u32| env::var(name).map_or(default, |text| text.parse().unwrap());
    let (lives, seed) = (number("VOUCHSAFE_LIVES", 10_000), number("VOUCHSAFE_SEED", 5));
    let halves = [(lives / 2, 2 * seed), (lives - lives / 2, 2 * seed + 1)];
    let halves = thread::scope(|scope| {
        let halves = halves.map(|(lives, seed)| scope.spawn(move || live(lives, seed)));
        halves.map(|half| half.join().unwrap())
    });
    let sum = |of: fn(&Counts) -> &Cell<u32>| halves.iter().map(|(counts, _)| of(counts).get()).sum::<u32>();
    let disagreements: Vec<_> = halves.iter().filter_map(|(_, disagreement)| disagreement.as_ref()).collect();
    println!(
        "lives={lives} destroyed={} kept={} decisions={} held={} gaps={} contradictions={} disagreements={}",
        sum(|counts| &counts.destroyed),
        sum(|counts| &counts.kept),
        sum(|counts| &counts.decisions),
        sum(|counts| &counts.held),
        sum(|counts| &counts.gaps),
        sum(|counts| &counts.contradictions),
        disagreements.len()
    );
    assert!(disagreements.is_empty(), "{}", disagreements[0]);
    assert!(sum(|counts| &counts.destroyed) > lives / 3, "many lives have to end");
}

#[derive(Debug, Default)]
struct Counts {
    destroyed: Cell<u32>,
    kept: Cell<u32>,
    decisions: Cell<u32>,
    held: Cell<u32>,
    gaps: Cell<u32>,
    contradictions: Cell<u32>,
}

/// Compares that many lives; the smallest one that shows a disagreement.
fn live(lives: u32, seed: u32) -> (Counts, Option<String>) {
    let config = Config { cases: lives, failure_persistence: None, ..Config::default() };
    let mut bytes = [0; 32];
    bytes[..4].copy_from_slice(&seed.to_be_bytes());
    let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes));
    let counts = Counts::default();
    let outcome = runner.run(&generate::life(), |life| compare(life, &counts));
    let disagreement = outcome.err().map(|error| match error {
        TestError::Fail(why, life) => format!("{why}\n{}", told(&life)),
        TestError::Abort(why) => why.to_string(),
    });
    (counts, disagreement)
}

/// The same contradictions refused, the same answers on the way, the same destruction, the same rule.
fn compare(life: Life, counts: &Counts) -> Result<(), TestCaseError> {
    let (mut rules, mut policies) = (Vec::new(), Vec::new());
    for (_, draft) in &life.policies {
        let (plain, policy) = load(draft, &life, counts)?;
        rules.push(plain);
        policies.push(policy);
    }
    let mut disagreement = None;
    let mut compared = 0;
    let mut watch = |seen: Seen| {
        compared += 1;
        if compared <= MOST_COMPARED && disagreement.is_none() {
            let expected = expected(&life, &rules, &seen);
            add(&counts.decisions);
            if seen.verdict == "held" {
                add(&counts.held);
            }
            if seen.verdict == "gap" {
                add(&counts.gaps);
            }
            disagreement = (seen != expected).then_some((seen, expected));
        }
    };
    let destroyed = executor::run(&life, &policies, &mut watch);
    if let Some((seen, expected)) = disagreement {
        return Err(TestCaseError::fail(format!("crate: {seen:?}\nmodel: {expected:?}")));
    }
    let expected = life.walk(&rules);
    if destroyed != expected {
        return Err(TestCaseError::fail(format!(
            "destroyed by crate: {destroyed:?}\nby model: {expected:?}"
        )));
    }
    add(if destroyed.is_some() { &counts.destroyed } else { &counts.kept });
    Ok(())
}

/// Loads a policy as drafted if it has no contradiction; expects a refusal, and mends it, if it has.
fn load(draft: &Draft, life: &Life, counts: &Counts) -> Result<(Rules, Policy), TestCaseError> {
    let contradictions = draft.contradictions();
    let mended = draft.without(&contradictions);
    if !contradictions.is_empty() {
        add(&counts.contradictions);
        let refused = executor::load(draft, life.east);
        if !matches!(refused, Err(RetentionError::Contradiction(_))) {
            return Err(TestCaseError::fail(format!(
                "model refuses {contradictions:?}, crate gives {refused:?}"
            )));
        }
    }
    match executor::load(&mended, life.east) {
        Ok(policy) => Ok((mended.plain(), policy)),
        Err(error) => Err(TestCaseError::fail(format!("crate refuses a policy: {error}"))),
    }
}

/// What the naive rules say at the moment of an answer.
fn expected(life: &Life, rules: &[Rules], seen: &Seen) -> Seen {
    let now = seen.now;
    let rules = &rules[life.policy_at(now)];
    let known = life.known_at(now);
    let periods = known.periods(&rules.clauses);
    let fate = fate(periods.as_deref());
    let (mut held, mut refused) = known.held(&rules.honours, &life.matters_at(now), now);
    let verdict = match &fate {
        Fate::Gap => "gap",
        Fate::Open => "open",
        Fate::Due(at, _) if *at > now => "later",
        Fate::Due(..) if known.frozen || !held.is_empty() => "held",
        Fate::Due(..) => "due",
    };
    let not_before = match (&fate, &periods) {
        (Fate::Due(_, id), Some(periods)) => not_before(periods, id),
        _ => None,
    };
    if fate == Fate::Gap {
        (held, refused) = (Vec::new(), Vec::new());
    }
    Seen { now, fate, not_before, held, refused, verdict }
}

/// A life with the packs it is lived under.
fn told(life: &Life) -> String {
    let packs =
        life.policies.iter().map(|(from, draft)| format!("from {from:?}:\n{}", draft.packs().join("\n")));
    format!("{life:#?}\n{}", packs.collect::<Vec<_>>().join("\n"))
}

fn add(count: &Cell<u32>) {
    count.set(count.get() + 1);
}

/// Answers compared in one life; a hold without an end is looked at daily.
const MOST_COMPARED: u32 = 60;
