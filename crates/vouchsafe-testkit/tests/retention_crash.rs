//! A process is killed at random points of a sweep and of the deletion of an account; whoever comes next ends both as if
//! nothing had happened.
//!
//! Each kill has its own copy of one folder: people with templates, facts, disclosures, open requests and legal holds.
//! What is left after the next process has ended the work is compared, row for row and key for key, with a copy in which
//! nobody was killed. Orphans are counted in every table of the data inventory.
//!
//! `VOUCHSAFE_RETENTION_KILLS` sets how many kills (24 when it is not set), half of them in deletions.
#![expect(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a drill")]

#[path = "retention_crash/shape.rs"]
mod shape;
#[path = "retention_crash/stage.rs"]
mod stage;
#[path = "retention_crash/victim.rs"]
mod victim;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use shape::{Shape, begun};
use stage::{PEOPLE, Work};
use victim::{Victim, is_one};
use vouchsafe_testkit::draws::Draws;
use vouchsafe_testkit::scene::{copy_folder, database, memory_folder};

const KILLS: &str = "VOUCHSAFE_RETENTION_KILLS";
const SEED: u64 = 5;

/// Promise: WB-3-30days, WB-5-delete, WB-4-face-user
#[test]
fn a_sweep_and_a_deletion_that_are_killed_at_any_point_end_whole() {
    if is_one() {
        return;
    }
    let kills: u32 = std::env::var(KILLS).map_or(24, |kills| kills.parse().unwrap());
    let clock = Instant::now();
    let home = memory_folder().unwrap();
    let [account, templates, evidence] = bases(home.path());
    let mut draws = Draws::seeded(SEED);
    let mut drill = Drill::default();
    while drill.kills < kills {
        let (base, work) = match drill.kills % 4 {
            0 => (&templates, Work::Templates),
            1 => (&evidence, Work::Evidence),
            _ => (&account, Work::Erase { person: u32::try_from(draws.below(u64::from(PEOPLE))).unwrap() }),
        };
        drill.strike(base, &home.path().join("struck"), work, &mut draws);
    }
    for (left, count) in &drill.left {
        println!("  {count:4}  {left}");
    }
    println!(
        "kills={} during={} resumed={} twice={} lost={} orphans={} disagreements={} seconds={:.0}",
        drill.kills,
        drill.during,
        drill.resumed,
        drill.twice,
        drill.lost,
        drill.orphans,
        drill.findings.len(),
        clock.elapsed().as_secs_f64()
    );
    assert!(drill.findings.is_empty(), "{:#?}", drill.findings);
    assert!(drill.during * 3 > drill.kills * 2, "most kills must fall inside the work");
}

/// The checks can fail: each of these is what a kill must not leave.
#[test]
fn what_a_kill_must_not_leave_is_found() {
    let home = memory_folder().unwrap();
    let [_, base, _] = bases(home.path());
    let (whole, work) = (home.path().join("whole"), Work::Templates);
    copy_folder(&base, &whole).unwrap();
    stage::perform(&whole, work);
    let sound = Shape::of(&whole, work);
    assert!(sound.findings().is_empty(), "{:?}", sound.findings());
    for (name, sql) in [
        (
            "destroyed twice",
            "UPDATE holding SET destroyed_entry = (SELECT max(destroyed_entry) FROM holding)",
        ),
        ("made live again", "UPDATE holding SET state = 1 WHERE state = 3 AND class = 1"),
        ("left condemned", "UPDATE holding SET state = 2 WHERE state = 3 AND class = 1"),
        ("sealed bytes left", "UPDATE payload SET leaf = (SELECT min(leaf) FROM holding WHERE state = 3)"),
        (
            "a holding lost",
            "DELETE FROM holding WHERE leaf = (SELECT max(leaf) FROM holding WHERE state = 3)",
        ),
        ("miscounted", "UPDATE holding_tally SET live = live + 1"),
        ("an act of nobody", "UPDATE life_event SET subject = zeroblob(32)"),
        (
            "a residence of nobody",
            "UPDATE residence SET subject = zeroblob(32) WHERE subject = (SELECT max(subject) FROM residence)",
        ),
        ("an entry lost", "DELETE FROM entry WHERE number = (SELECT max(number) FROM entry)"),
    ] {
        let folder = home.path().join(name);
        copy_folder(&whole, &folder).unwrap();
        let file = Connection::open(database(&folder)).unwrap();
        file.pragma_update(None, "foreign_keys", "OFF").unwrap();
        let changed = file.execute(sql, []).unwrap();
        assert!(changed > 0, "{name}");
        drop(file);
        let shape = Shape::of(&folder, work);
        assert!(!shape.findings().is_empty() || shape != sound, "{name} was not found");
    }
}

/// The folder before each kind of work: people have just come, are long gone, and are all but forgotten.
fn bases(home: &Path) -> [PathBuf; 3] {
    let bases = ["account", "templates", "evidence"].map(|name| home.join(name));
    stage::build(&bases[0]);
    for (base, work) in bases.iter().skip(1).zip([Work::Templates, Work::Evidence]) {
        copy_folder(&bases[0], base).unwrap();
        stage::wait_for(base, work);
    }
    bases
}

#[derive(Default)]
struct Drill {
    kills: u32,
    /// Kills that struck while the call had not returned.
    during: u32,
    /// Of those, how many left something that the next process had to end.
    resumed: u32,
    twice: usize,
    lost: usize,
    orphans: u64,
    left: BTreeMap<String, u32>,
    findings: Vec<String>,
    /// For each work, what it leaves when nobody is killed.
    whole: BTreeMap<Work, Reference>,
}

impl Drill {
    /// One copy, one process, one kill, one process that ends the work.
    fn strike(&mut self, base: &Path, folder: &Path, work: Work, draws: &mut Draws) {
        let Reference { before, whole, takes } =
            self.whole.entry(work).or_insert_with(|| Reference::of(base, folder, work)).clone();
        copy_folder(base, folder).unwrap();
        let delay = takes.mul_f64(draws.below(1_000_000) as f64 / 1e6);
        let done = Victim::start(folder, work).kill_after(delay);
        self.kills += 1;
        let stored = begun(folder, work, before);
        self.during += u32::from(!done);
        self.resumed += u32::from(!done && stored.is_unfinished());
        *self.left.entry(format!("{} {stored}", work.name())).or_default() += 1;
        if !stored.is_atomic() {
            self.findings.push(format!("{work:?}: a part of the account was fenced: {stored}"));
        }
        if done && stored.is_unfinished() {
            self.findings.push(format!("{work:?}: it was acknowledged, and is not done"));
        }
        if work.is_deletion() && stored.is_fenced_without_a_job() {
            self.findings.push(format!("{work:?}: what is fenced has no job"));
        }
        stage::finish(folder, work, stored.has_begun());
        let left = Shape::of(folder, work);
        self.twice += left.twice(&whole);
        self.lost += left.missing(&whole);
        self.orphans += left.orphans();
        self.findings.extend(left.findings().iter().map(|finding| format!("{work:?}: {finding}")));
        self.findings.extend(left.differences(&whole).into_iter().map(|said| format!("{work:?}: {said}")));
        std::fs::remove_dir_all(folder).unwrap();
    }
}

/// What the work leaves when nobody is killed.
#[derive(Clone)]
struct Reference {
    /// How many things were destroyed before.
    before: usize,
    whole: Shape,
    takes: Duration,
}

impl Reference {
    fn of(base: &Path, folder: &Path, work: Work) -> Self {
        copy_folder(base, folder).unwrap();
        let before = Shape::of(folder, work);
        let takes = Victim::start(folder, work).finish();
        let whole = Shape::of(folder, work);
        assert!(whole.findings().is_empty(), "{work:?}: {:?}", whole.findings());
        assert!(whole.destroyed() > before.destroyed() || work.is_deletion(), "{work:?} destroys nothing");
        assert_ne!(whole, before, "{work:?}");
        std::fs::remove_dir_all(folder).unwrap();
        Self { before: before.destroyed(), whole, takes }
    }
}
