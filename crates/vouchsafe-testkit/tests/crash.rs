//! A process is killed at random instants of enrolment, withdrawal and sweep; state, log and keys agree afterwards.
//!
//! `VOUCHSAFE_CRASH_POINTS` sets how many kills (12 when it is not set).
#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::print_stdout, reason = "a drill")]

use std::collections::BTreeMap;
use std::io::Cursor;
use std::path::Path;
use std::process::Command as Program;
use std::time::{Duration, Instant};

use jiff::tz::TimeZone;
use jiff::{Span, ToSpan};
use rusqlite::Connection;
use vouchsafe::{Timestamp, VirtualClock, types::Clock};
use vouchsafe_testkit::crash::{
    Answer, Command, Deed, Findings, Model, Person, Phase, Template, Testimony, Victim, inspect, serve,
    settle,
};
use vouchsafe_testkit::draws::Draws;
use vouchsafe_testkit::scene::{Scene, copy_folder, database};

const POINTS: &str = "VOUCHSAFE_CRASH_POINTS";
/// Set in the process that is going to be killed.
const FOLDER: &str = "VOUCHSAFE_CRASH_FOLDER";
const PEOPLE: u32 = 16;
/// A folder is left behind after so many kills, so that drills begin with an empty one now and then.
const KILLS_A_FOLDER: u64 = 25;
/// After how many years a folder is left for a new one.
const FOLDER_AGE: i64 = 3;
const SEED: u64 = 6;
const NOON: &str = "2026-06-01T12:00:00Z";

/// Promise: WB-5-revoke, WB-3-30days, WB-1.4-immutable
#[test]
fn what_was_acknowledged_survives_a_kill_at_any_point() {
    if is_victim() {
        return;
    }
    let points = std::env::var(POINTS).map_or(12, |points| points.parse().unwrap());
    let begun = Instant::now();
    let mut drill = Drill::new();
    while drill.kills < points {
        drill.strike();
    }
    drill.finish_folder();
    drill.report(begun.elapsed());
    println!(
        "kills={} disagreements={} lost={}",
        drill.kills,
        drill.findings.disagreements.len(),
        drill.findings.lost.len()
    );
    assert!(drill.findings.is_empty(), "{}", drill.findings);
}

/// The same process is killed while it makes its folder, its keys and its log.
#[test]
fn a_kill_while_a_folder_is_made_leaves_nothing_in_the_way() {
    let mut draws = Draws::seeded(SEED);
    let mut typical = Duration::from_millis(5);
    for kill in 0..12 {
        let home = tempfile::tempdir().unwrap();
        let (folder, mut model) = (home.path().join("folder"), Model::new(1, start()));
        // A second kill in the same folder hits what repairs the first.
        for _ in 0..=kill % 2 {
            let victim = Victim::start(program(&folder), start(), &[]).unwrap();
            let testimony = victim.kill_after(&Answer::Opening, within(&mut draws, typical)).unwrap();
            let opened = testimony.heard(|answer| *answer == Answer::Opening).unwrap();
            if let Some(ready) = testimony.heard(|answer| *answer == Answer::Ready) {
                typical = (typical + (ready - opened)) / 2;
            }
        }
        let findings = settle(&Scene::new(&folder, start()), &mut model, &[0]);
        assert!(findings.is_empty(), "{findings}");
    }
}

/// The checks can fail: each of these makes a folder that is whole disagree with itself or with what was said.
#[test]
fn a_folder_that_was_tampered_with_is_found() {
    let home = tempfile::tempdir().unwrap();
    let whole = home.path().join("whole");
    let mut model = Model::new(4, start());
    let mut clock = Calendar(start());
    let mut script = Vec::new();
    for person in 0..4 {
        script.extend([Deed::Consent(person), Deed::Enrol(person, 1), Deed::Verify(person, 1)]);
    }
    script.extend([Deed::Withdraw(1), Deed::Erase(2), Deed::Verify(1, 1), Deed::Consent(3)]);
    let script: Vec<_> = script.into_iter().map(|deed| clock.command(deed, 1.minute())).collect();
    let said = serve_here(&whole, &script);
    assert!(absorb(&mut model, &script, &said).is_empty());
    let look = |name: &str, tamper: &dyn Fn(&Connection)| {
        let folder = home.path().join(name);
        copy_folder(&whole, &folder).unwrap();
        let file = Connection::open(database(&folder)).unwrap();
        file.pragma_update(None, "foreign_keys", "OFF").unwrap();
        tamper(&file);
        drop(file);
        let mut model = model.clone();
        let mut findings = inspect(&folder, &mut model, None).unwrap().findings;
        findings.merge(settle(&Scene::new(&folder, start()), &mut model, &[0, 1, 2, 3]));
        findings
    };
    let findings = look("untouched", &|_| ());
    assert!(findings.is_empty(), "{findings}");

    let of = |status: &str| {
        format!("class = 1 AND subject IN (SELECT subject FROM consent WHERE newest = 1 AND status {status})")
    };
    let (ended, given) = (of("= 4"), of("<= 2"));
    for (name, lost, sql) in [
        ("destroyed-made-live", true, format!("UPDATE holding SET state = 1 WHERE {ended}")),
        (
            "live-made-destroyed",
            false,
            format!(
                "UPDATE holding SET state = 3, cause = 'x', changed_at = 0, destroyed_entry = 1 WHERE {given}"
            ),
        ),
        (
            "live-made-condemned",
            false,
            format!("UPDATE holding SET state = 2, cause = 'x', changed_at = 0 WHERE {given}"),
        ),
        ("withdrawal-undone", false, "UPDATE consent SET status = 1 WHERE newest = 1 AND status = 4".to_owned()),
        (
            "act-forgotten",
            true,
            "DELETE FROM consent WHERE status = 4; UPDATE consent SET newest = 1
             WHERE (SELECT max(sequence) FROM consent AS same WHERE same.subject = consent.subject) = sequence"
                .to_owned(),
        ),
        ("act-without-entry", false, "UPDATE consent SET entry = NULL WHERE sequence = 1".to_owned()),
        ("act-with-another-entry", false, "UPDATE consent SET entry = entry - 1".to_owned()),
        ("history-cut", false, "DELETE FROM consent WHERE newest = 0".to_owned()),
        ("ticket-unused", false, "UPDATE served SET used_sequence = NULL WHERE entry = 2".to_owned()),
        ("showing-gone", true, "DELETE FROM served WHERE entry = 2".to_owned()),
        ("showing-moved", false, "UPDATE served SET entry = entry + 1 WHERE entry = 2".to_owned()),
        (
            "refusal-of-a-permit-gone",
            true,
            "UPDATE entry SET bytes = (SELECT bytes FROM entry WHERE number = 3) \
             WHERE substr(bytes, 2, 2) = x'0701'"
                .to_owned(),
        ),
        ("record-gone", false, "DELETE FROM record WHERE rowid = 1".to_owned()),
        ("record-changed", false, "UPDATE record SET sealed = zeroblob(2158) WHERE rowid = 1".to_owned()),
        ("record-orphaned", false, "UPDATE record SET leaf = leaf + 60 WHERE rowid = 1".to_owned()),
        ("payload-changed", false, "UPDATE payload SET sealed = zeroblob(300) WHERE rowid = 1".to_owned()),
        ("payload-swapped", false, "UPDATE payload SET entry = 900 - entry".to_owned()),
        (
            "entry-changed",
            true,
            "UPDATE entry SET bytes = (SELECT bytes FROM entry WHERE number = 2) WHERE number = 3".to_owned(),
        ),
        ("entry-gone", true, "DELETE FROM entry WHERE number = (SELECT max(number) FROM entry)".to_owned()),
        (
            "entries-swapped",
            true,
            "UPDATE entry SET number = CASE number WHEN 2 THEN 900 ELSE 2 END WHERE number IN (2, 3)"
                .to_owned(),
        ),
    ] {
        let findings = look(name, &|file| {
            file.execute_batch(&sql).unwrap();
            assert!(file.total_changes() > 0, "{name}");
        });
        assert!(!findings.is_empty(), "{name} was not found");
        assert!(!lost || !findings.lost.is_empty(), "{name} is a loss: {findings}");
    }
}

/// A series of kills, and what they left.
struct Drill {
    draws: Draws,
    home: tempfile::TempDir,
    folders: u64,
    clock: Calendar,
    /// When the folder was begun.
    began: Timestamp,
    model: Model,
    /// Whether the last kill left a destruction for the next process to finish.
    unsettled: bool,
    kills: u64,
    misses: u64,
    half_written: u64,
    typical: BTreeMap<&'static str, Duration>,
    phases: BTreeMap<(&'static str, Phase), u64>,
    acknowledged: u64,
    findings: Findings,
}

impl Drill {
    fn new() -> Self {
        Self {
            draws: Draws::seeded(SEED),
            home: tempfile::tempdir().unwrap(),
            folders: 0,
            clock: Calendar(start()),
            began: start(),
            model: Model::new(PEOPLE, start()),
            unsettled: false,
            kills: 0,
            misses: 0,
            half_written: 0,
            typical: BTreeMap::new(),
            phases: BTreeMap::new(),
            acknowledged: 0,
            findings: Findings::default(),
        }
    }

    /// One process, one kill, one look at what is left.
    fn strike(&mut self) {
        let old = self.began.to_zoned_datetime(TimeZone::UTC).checked_add(FOLDER_AGE.years()).unwrap();
        let full = self.kills / KILLS_A_FOLDER >= self.folders || self.clock.0 > old.timestamp();
        if !self.unsettled && full {
            self.finish_folder();
            self.folders += 1;
            self.model = Model::new(PEOPLE, self.clock.0);
            self.began = self.clock.0;
        }
        let folder = self.home.path().join(self.folders.to_string());
        let (script, target) = self.script();
        let kind = script[target].deed.name();
        let typical = self.typical.get(kind).or(self.typical.get("withdraw")).copied();
        let typical = typical.unwrap_or(Duration::from_millis(6));
        let delay = within(&mut self.draws, typical);
        let victim = Victim::start(program(&folder), self.model.now(), &script).unwrap();
        let testimony = victim.kill_after(&Answer::Begun(target), delay).unwrap();
        self.learn(&script, &testimony);

        let said: Vec<_> = testimony.said.iter().map(|(_, answer)| answer.clone()).collect();
        assert!(said.contains(&Answer::Begun(target)), "the process did not get there: {:?}", said.last());
        self.findings.merge(absorb(&mut self.model, &script, &said));
        let in_flight = testimony.in_flight().map(|number| script[number]);
        let inspection = inspect(&folder, &mut self.model, in_flight).unwrap();
        self.findings.merge(inspection.findings);
        self.half_written += u64::from(inspection.half_written);
        match in_flight {
            Some(command) => {
                self.kills += 1;
                *self.phases.entry((command.deed.name(), inspection.phase)).or_default() += 1;
            }
            None => self.misses += 1,
        }
        // Now and then the process that repairs is killed too.
        self.unsettled = matches!(
            inspection.phase,
            Phase::Fenced | Phase::NextKeyMade | Phase::OldKeyLeft | Phase::Unrecorded
        ) && self.draws.chance(40);
        if !self.unsettled {
            let mut probes = vec![self.somebody(), self.somebody()];
            probes.extend(in_flight.and_then(|command| command.deed.person()));
            self.settle(&folder, &probes);
        }
    }

    fn finish_folder(&mut self) {
        if self.folders > 0 {
            let folder = self.home.path().join(self.folders.to_string());
            self.settle(&folder, &(0..PEOPLE).collect::<Vec<_>>());
            self.unsettled = false;
        }
    }

    fn settle(&mut self, folder: &Path, probes: &[u32]) {
        let scene = Scene::new(folder, self.model.now());
        self.findings.merge(settle(&scene, &mut self.model, probes));
    }

    /// What the process is told, and at which of the commands it is going to be killed.
    fn script(&mut self) -> (Vec<Command>, usize) {
        let mut script =
            Script { ahead: self.model.clone(), clock: self.clock.clone(), commands: Vec::new() };
        let mut target = script.put(Deed::Resume, 1.minute());
        if !self.unsettled {
            // Everybody without a template gets one, most of the time; some are verified.
            for (number, person) in self.model.people() {
                if person.template != Template::Live && self.draws.chance(70) {
                    if !person.given() {
                        script.put(Deed::Consent(number), 1.minute());
                    }
                    script.put(Deed::Enrol(number, person.enrolments + 1), 1.minute());
                }
            }
            for _ in 0..3 {
                let person = self.somebody();
                let newest = script.ahead.person(person).unwrap().enrolments;
                script.put(Deed::Verify(person, newest + u64::from(self.draws.chance(20))), 1.minute());
            }
            // A destruction is let through now and then: how long it takes says where to strike.
            if self.draws.chance(30) {
                self.put_target(&mut script);
            }
            target = self.put_target(&mut script);
        }
        // Where the call is over before the kill comes, the kill hits one of these.
        for _ in 0..6 {
            self.put_target(&mut script);
        }
        self.clock = script.clock;
        (script.commands, target)
    }

    fn put_target(&mut self, script: &mut Script) -> usize {
        let (deed, later) = self.target(&script.ahead);
        script.put(deed, later)
    }

    /// A call worth killing: a destruction most of the time.
    fn target(&mut self, ahead: &Model) -> (Deed, Span) {
        let living = |person: &Person| person.template == Template::Live;
        let live: Vec<_> = ahead.people().filter(|(_, person)| living(person)).collect();
        let bare: Vec<_> = ahead.people().filter(|(_, person)| !living(person)).collect();
        let (drawn, somebody) = (self.draws.below(100), self.somebody());
        let one_of_live = self.draws.pick(&live).copied();
        let one_of_bare = self.draws.pick(&bare).copied();
        match (drawn, one_of_live, one_of_bare) {
            (..35, Some((person, _)), _) => (Deed::Withdraw(person), 1.minute()),
            (..45, Some((person, _)), _) => (Deed::Erase(person), 1.minute()),
            (45..75, Some(_), _) => (Deed::Sweep, self.a_while()),
            (_, _, Some((person, found))) if found.given() => {
                (Deed::Enrol(person, found.enrolments + 1), 1.minute())
            }
            (_, Some((person, found)), _) if drawn < 85 => {
                (Deed::Verify(person, found.enrolments), 1.minute())
            }
            _ => (Deed::Consent(somebody), 1.minute()),
        }
    }

    /// Until something is due: verification logs after 90 days, templates after a year. Evidence, with which people are
    /// forgotten, is not: a folder does not get that old.
    fn a_while(&mut self) -> Span {
        match self.draws.below(100) {
            ..75 => 91.days(),
            _ => 1.year().days(1),
        }
    }

    fn somebody(&mut self) -> u32 {
        u32::try_from(self.draws.below(u64::from(PEOPLE))).unwrap()
    }

    /// Remembers how long calls take, so that kills spread over the whole of them.
    fn learn(&mut self, script: &[Command], testimony: &Testimony) {
        for (number, command) in script.iter().enumerate() {
            if let Some((said, took)) = testimony.outcome(number) {
                self.acknowledged += 1;
                if command.deed.destroys() && said.destroyed.is_empty() {
                    continue;
                }
                let typical = self.typical.entry(command.deed.name()).or_insert(took);
                *typical = (*typical * 3 + took) / 4;
            }
        }
    }

    fn report(&self, took: Duration) {
        println!("kills by call and phase:");
        for ((call, phase), count) in &self.phases {
            println!("  {count:4}  {call:8} {phase}");
        }
        let critical = self.phases.iter().filter(|((_, phase), _)| phase.is_critical());
        let critical: u64 = critical.map(|(_, count)| count).sum();
        println!("typical calls: {:?}", self.typical);
        println!(
            "critical={critical} half_written={} between_calls={} acknowledged={} folders={} seconds={:.1}",
            self.half_written,
            self.misses,
            self.acknowledged,
            self.folders,
            took.as_secs_f64()
        );
    }
}

/// Commands, and what will be true when all are carried out.
struct Script {
    ahead: Model,
    clock: Calendar,
    commands: Vec<Command>,
}

impl Script {
    /// Adds a command and gives its number.
    fn put(&mut self, deed: Deed, later: Span) -> usize {
        let command = self.clock.command(deed, later);
        self.ahead.apply(command);
        self.commands.push(command);
        self.commands.len() - 1
    }
}

/// A clock that moves with every command.
#[derive(Clone)]
struct Calendar(Timestamp);

impl Calendar {
    fn command(&mut self, deed: Deed, later: Span) -> Command {
        let clock = VirtualClock::starting_at(self.0);
        clock.advance(later).unwrap();
        self.0 = clock.now();
        Command { deed, at: self.0 }
    }
}

/// Carries out in the model what was acknowledged; the verdicts must be the model's.
fn absorb(model: &mut Model, script: &[Command], said: &[Answer]) -> Findings {
    let mut findings = Findings::default();
    for answer in said {
        match answer {
            Answer::Acknowledged(number, said) => {
                let expected = model.apply(script[*number]);
                let right = said.verdict == expected;
                findings
                    .check(right, || format!("{}: {} instead of {expected}", script[*number], said.verdict));
                model.acknowledge(said.clone());
            }
            Answer::Failed(number, error) => {
                findings.check(false, || format!("{}: {error}", script[*number]));
            }
            Answer::Opening | Answer::Ready | Answer::Begun(_) => {}
        }
    }
    findings
}

/// Becomes the victim if this process was started as one.
fn is_victim() -> bool {
    let Some(folder) = std::env::var_os(FOLDER) else { return false };
    let (input, output) = (std::io::stdin().lock(), std::io::stdout());
    serve(Path::new(&folder), input, output).unwrap();
    true
}

/// This test binary again, as the victim.
fn program(folder: &Path) -> Program {
    let mut program = Program::new(std::env::current_exe().unwrap());
    program.args(["--exact", "--nocapture", "--quiet", "what_was_acknowledged_survives_a_kill_at_any_point"]);
    program.env(FOLDER, folder);
    program
}

/// The same calls, in this process.
fn serve_here(folder: &Path, script: &[Command]) -> Vec<Answer> {
    let lines: String = script.iter().map(|command| format!("{command}\n")).collect();
    let mut output = Vec::new();
    serve(folder, Cursor::new(format!("{}\n{lines}", start())), &mut output).unwrap();
    String::from_utf8(output).unwrap().lines().map(|line| line.parse().unwrap()).collect()
}

/// A delay that falls somewhere in a call of this length, or a little behind.
fn within(draws: &mut Draws, typical: Duration) -> Duration {
    typical.mul_f64(draws.below(1_150_000) as f64 / 1e6)
}

fn start() -> Timestamp {
    NOON.parse().unwrap()
}
