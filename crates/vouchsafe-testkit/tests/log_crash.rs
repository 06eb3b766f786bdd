//! A process with eight writers and a publisher is killed at random instants: every entry that it acknowledged is
//! there, at its number and with its bytes, in the order of the acknowledgements, and none is there twice.
//!
//! `VOUCHSAFE_LOG_KILLS` sets how many kills (30 when it is not set), `VOUCHSAFE_LOG_SEED` the seed of their instants.
//! A kill takes the process and leaves the operating system: it says nothing about a power cut.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a drill")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rusqlite::{Connection, named_params};
use vouchsafe_testkit::acknowledged::judge;
use vouchsafe_testkit::draws::Draws;
use vouchsafe_testkit::scene::{copy_folder, database};

mod log_crash {
    pub(crate) mod check;
    pub(crate) mod victim;
    pub(crate) mod wal;
    pub(crate) mod writers;
}

use log_crash::check::{Known, Left, entries};
use log_crash::victim::{Cue, Testimony, Victim};
use log_crash::writers::{IDS, is_one};

/// A folder is left behind after so many kills, so that drills begin with an empty one now and then.
const KILLS_A_FOLDER: u64 = 25;

/// Promise: WB-1.4-immutable
#[test]
fn every_acknowledged_entry_survives_a_kill() {
    if is_one() {
        return;
    }
    let number =
        |name, otherwise| std::env::var(name).map_or(otherwise, |value: String| value.parse().unwrap());
    let (kills, seed) = (number("VOUCHSAFE_LOG_KILLS", 30), number("VOUCHSAFE_LOG_SEED", 4));
    let mut drill = Drill::new(seed);
    let begun = Instant::now();
    (0..kills).for_each(|kill| drill.strike(kill));
    let (known, left) = (&drill.known, &drill.left);
    println!("kills by cue, and of them in the middle of a commit: {:?}", drill.cues);
    println!(
        "torn_batches={} stored_unacknowledged={} half_written_files={} cut_publications={} published={} \
         largest_log={} seconds={:.1}",
        left.torn,
        left.unacknowledged,
        left.half_written,
        left.cut,
        left.published,
        left.largest,
        begun.elapsed().as_secs_f64()
    );
    let judgement = &drill.judgement;
    println!(
        "kills={kills} acknowledged={} lost={} reordered={} duplicated={} midcommit={}",
        drill.acknowledged,
        judgement.lost.len(),
        judgement.reordered.len(),
        judgement.duplicated.len(),
        left.midcommit,
    );
    assert!(judgement.is_empty(), "{judgement:#?}");
    assert!(drill.findings.is_empty(), "{:#?}", drill.findings);
    assert!(
        known.said() > 0 && drill.acknowledged > 10 * kills && left.published > 0,
        "the drill did nothing"
    );
    assert!(left.midcommit * 5 > kills, "too few kills hit a commit");
}

/// The check can fail: each of these makes a log that is whole contradict what was said about it.
#[test]
fn what_is_removed_moved_or_doubled_is_noticed() {
    let mut drill = Drill::new(1);
    while drill.known.said() < 100 {
        drill.strike(1);
    }
    assert!(drill.judgement.is_empty() && drill.findings.is_empty());
    let said = drill.known.acknowledgements(0).to_vec();
    let (first, last) = (said[3].entry, said[said.len() - 1].entry);
    let look = |name: &str, sql: &[&str]| {
        let folder = drill.home.path().join(name);
        copy_folder(&drill.folder(), &folder).unwrap();
        let file = Connection::open(database(&folder)).unwrap();
        file.pragma_update(None, "foreign_keys", "OFF").unwrap();
        for sql in sql {
            let named = named_params! { ":log": IDS[0], ":first": first, ":last": last };
            let named: Vec<_> = named.iter().filter(|(name, _)| sql.contains(name)).copied().collect();
            assert!(file.execute(sql, named.as_slice()).unwrap() > 0, "{name}");
        }
        drop(file);
        judge(&said, &entries(&folder, IDS[0]).unwrap())
    };
    assert!(look("untouched", &[]).is_empty());
    let removed = look("removed", &["DELETE FROM entry WHERE organisation = :log AND number >= :last"]);
    assert!(!removed.lost.is_empty(), "{removed:?}");
    let changed = look(
        "changed",
        &["UPDATE entry SET bytes = zeroblob(55) WHERE organisation = :log AND number = :first"],
    );
    assert!(!changed.lost.is_empty(), "{changed:?}");
    let moved = look(
        "moved",
        &[
            "UPDATE entry SET number = 1000000 WHERE organisation = :log AND number = :first",
            "UPDATE entry SET number = :first WHERE organisation = :log AND number = :last",
            "UPDATE entry SET number = :last WHERE organisation = :log AND number = 1000000",
        ],
    );
    assert!(moved.lost.is_empty() && !moved.reordered.is_empty(), "{moved:?}");
    let doubled = look(
        "doubled",
        &["INSERT INTO entry (organisation, number, bytes) SELECT organisation,
           (SELECT max(number) + 1 FROM entry WHERE organisation = :log), bytes
           FROM entry WHERE organisation = :log AND number = :first"],
    );
    assert!(doubled.lost.is_empty() && !doubled.duplicated.is_empty(), "{doubled:?}");
}

struct Drill {
    draws: Draws,
    home: tempfile::TempDir,
    folders: u64,
    runs: u64,
    known: Known,
    left: Left,
    cues: BTreeMap<&'static str, (u64, u64)>,
    acknowledged: u64,
    judgement: vouchsafe_testkit::acknowledged::Judgement,
    findings: Vec<String>,
}

impl Drill {
    fn new(seed: u64) -> Self {
        Self {
            draws: Draws::seeded(seed),
            home: tempfile::tempdir().unwrap(),
            folders: 0,
            runs: 0,
            known: Known::default(),
            left: Left::default(),
            cues: BTreeMap::new(),
            acknowledged: 0,
            judgement: Default::default(),
            findings: Vec::new(),
        }
    }

    fn folder(&self) -> PathBuf {
        self.home.path().join(self.folders.to_string())
    }

    /// One process, one kill, one look at what is left.
    fn strike(&mut self, kill: u64) {
        if kill.is_multiple_of(KILLS_A_FOLDER) {
            self.folders += 1;
            self.known = Known::default();
        }
        self.runs += 1;
        let folder = self.folder();
        let (cue, delay) = self.instant();
        let testimony = Victim::start(&folder, self.runs).kill_after(cue, delay);
        self.take_in(&folder, cue, testimony);
    }

    /// While it opens, at any time, among the first batches, or about when a publication is under way.
    fn instant(&mut self) -> (Cue, Duration) {
        let micros = |draws: &mut Draws, bound| Duration::from_micros(draws.below(bound));
        match self.draws.below(100) {
            ..10 => (Cue::Opening, micros(&mut self.draws, 60_000)),
            10..45 => (Cue::Ready, micros(&mut self.draws, 150_000)),
            45..75 => (Cue::Acknowledged(1 + self.draws.below(200)), micros(&mut self.draws, 2_000)),
            _ => {
                let round = self.draws.below(4);
                (Cue::Ready, Duration::from_millis(50 * round) + micros(&mut self.draws, 12_000))
            }
        }
    }

    fn take_in(&mut self, folder: &Path, cue: Cue, testimony: Testimony) {
        self.acknowledged += testimony.acknowledgements.len() as u64;
        self.findings
            .extend(testimony.failures.iter().map(|failure| format!("run {}: {failure}", self.runs)));
        let midcommit = self.left.midcommit;
        let judged = self.known.inspect(folder, testimony, &mut self.left, &mut self.findings);
        self.judgement.merge(judged);
        let row = self.cues.entry(cue.name()).or_default();
        *row = (row.0 + 1, row.1 + self.left.midcommit - midcommit);
    }
}
