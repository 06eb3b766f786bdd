//! A simulation of retention: synthetic lives on a virtual clock, swept daily through the crate's public API, and
//! judged by naive rules of their own.
//!
//! `cargo run -p vouchsafe-retention --example lives -- --people 1000000 --years 12 [--seed N] [--out DIR]`
#![forbid(unsafe_code)]
#![expect(clippy::indexing_slicing, reason = "the simulation indexes tables that it sized itself")]

#[path = "../../tests/it/model/calendar.rs"]
mod calendar;
mod certificates;
mod check;
#[path = "../../tests/it/model/naive.rs"]
#[expect(dead_code, reason = "shared with the model test, which reads more of it")]
mod naive;
mod people;
mod report;
mod world;

use std::error::Error;
use std::io::Write;
use std::path::PathBuf;
use std::time::Instant;
use std::{env, fmt, fs, io, thread};

use vouchsafe_retention::Policy;
use vouchsafe_types::Timestamp;

use crate::certificates::Certificates;
use crate::check::{Checker, Verdicts};
use crate::people::{DAY, Person};
use crate::world::{Counts, Era, World};

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// What should not happen.
#[derive(Debug)]
pub(crate) struct Failure(pub(crate) &'static str);

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl Error for Failure {}

/// The first day of the virtual clock.
const FIRST: (i32, u32, u32) = (2026, 1, 1);

/// The organisation of the last years: stricter than the notices, and it adopts what is not confirmed.
const OWN: &str = r#"
format = 1
id = "simulated"
version = "1"
title = "Simulated organisation"
kind = "organisation"

[[adopt]]
rule = "co-inactivity"
by = "counsel"
on = "2033-07-01"

[[rule]]
id = "own-inactivity"
class = "biometric"
role = "end_user"
trigger = "last_interaction"
kind = "ceiling"
period = "8 months"
clause = "own 1"
says = "Faces are destroyed after eight months without activity."
confidence = "confirmed"

[[rule]]
id = "own-account"
class = "account"
trigger = "last_interaction"
kind = "ceiling"
period = "5 years"
clause = "own 2"
says = "Accounts are closed after five years without activity."
confidence = "confirmed"
"#;

#[derive(Debug, Clone)]
struct Options {
    people: u32,
    years: u32,
    seed: u64,
    out: PathBuf,
}

/// What came of one half of the people.
pub(crate) struct Half {
    pub(crate) counts: Counts,
    pub(crate) verdicts: Verdicts,
    pub(crate) missing: u64,
}

fn main() -> Result<()> {
    let (options, begun) = (options()?, Instant::now());
    fs::create_dir_all(&options.out)?;
    let start: Timestamp = "2026-01-01T00:00:00Z".parse()?;
    let eras = eras()?;
    let days = options.years * 1461 / 4;
    let halves = thread::scope(|scope| {
        let halves = [0, 1].map(|half| {
            let (options, eras) = (&options, eras.as_slice());
            scope.spawn(move || live(half, options, eras, start, days))
        });
        halves.map(|half| half.join().map_err(|_| Failure("a thread died"))?)
    });
    let [first, second] = halves;
    let summary = report::Summary::of(&[first?, second?], options.people, options.years, begun.elapsed());
    summary.write(&options.out)?;
    let mut out = io::stdout().lock();
    writeln!(out, "{}", summary.details())?;
    writeln!(out, "{}", summary.line())?;
    if summary.is_clean() { Ok(()) } else { Err(Failure("the simulation broke a rule").into()) }
}

/// The notices alone; from the fourth year on the laws; from the middle of the eighth the organisation's own rules.
fn eras() -> Result<Vec<Era>> {
    let laws = Policy::shipped_packs();
    let own = [laws.as_slice(), &[OWN]].concat();
    Ok(vec![
        Era { from: 0, policy: Policy::default_notices()? },
        Era { from: 3 * 365 * DAY, policy: Policy::from_packs(&laws)? },
        Era { from: 7 * 365 * DAY + 182 * DAY + 30_000, policy: Policy::from_packs(&own)? },
    ])
}

fn live(half: u32, options: &Options, eras: &[Era], start: Timestamp, days: u32) -> Result<Half> {
    let numbers = (0..options.people).filter(|number| number % 2 == half);
    let people = numbers.map(|number| Person::draw(number, options.seed, days * DAY)).collect();
    let mut world = World::new(people, eras, start, days);
    let mut checker = Checker::new(eras, FIRST)?;
    let path = options.out.join(format!("certificates-{half}.tmp"));
    let mut certificates = Certificates::create(path, [u8::try_from(half)? + 1; 32])?;
    world.run(&mut checker, &mut certificates)?;
    checker.finish(&world, days as usize);
    let missing = certificates.missing(&world.destroyed, world::moment)?;
    Ok(Half { counts: world.counts, verdicts: checker.verdicts, missing })
}

fn options() -> Result<Options> {
    let mut options =
        Options { people: 100_000, years: 12, seed: 5, out: env::temp_dir().join("vouchsafe-lives") };
    let mut arguments = env::args().skip(1);
    while let Some(name) = arguments.next() {
        let value = arguments.next().ok_or(Failure("an option lacks its value"))?;
        match name.as_str() {
            "--people" => options.people = value.parse()?,
            "--years" => options.years = value.parse()?,
            "--seed" => options.seed = value.parse()?,
            "--out" => options.out = value.into(),
            _ => return Err(Failure("options are --people, --years, --seed, --out").into()),
        }
    }
    if (1..=40).contains(&options.years) && (1..=10_000_000).contains(&options.people) {
        Ok(options)
    } else {
        Err(Failure("1 to 40 years, 1 to 10,000,000 people").into())
    }
}
