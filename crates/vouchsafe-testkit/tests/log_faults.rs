//! System calls of a process that appends and publishes fail with `EIO` or `ENOSPC`, one at a time or from one on:
//! nothing is acknowledged that is not there afterwards, and every error is a typed one.
//!
//! The calls fail by `strace`, which has to be installed and allowed to trace; without it the drill is skipped with one
//! line that says so. `VOUCHSAFE_LOG_FAULTS` sets how many points of each group of calls fail (8 when it is
//! not set); `full` is every point.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::print_stdout, reason = "a drill")]

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

use vouchsafe_testkit::acknowledged::judge;
use vouchsafe_testkit::scene::{Scene, copy_folder, memory_folder};
use vouchsafe_testkit::services::skip;

mod log_faults {
    pub(crate) mod appender;
    pub(crate) mod trace;
}

use log_faults::appender::{IDS, NOON, Report, is_one};
use log_faults::trace::{Errno, Fault, Group, Trace};

/// How many points of each group of calls fail, unless all of them do.
const POINTS: usize = 8;
const WORKERS: usize = 2;

/// Promise: WB-1.4-immutable
#[test]
fn nothing_is_acknowledged_that_a_fault_took() {
    if is_one() {
        return;
    }
    let home = memory_folder().unwrap();
    let base = home.path().join("base");
    prepare(&base);
    let work = |number: usize| -> PathBuf {
        let folder = home.path().join(number.to_string());
        copy_folder(&base, &folder).unwrap();
        folder
    };
    let whole = match Trace::count(&work(0)) {
        Ok(whole) => whole,
        Err(missing) => return skip("nothing_is_acknowledged_that_a_fault_took", &missing),
    };
    assert_eq!(whole.report.failed.len(), 0, "without a fault nothing fails: {:?}", whole.report.failed);
    let points = match std::env::var("VOUCHSAFE_LOG_FAULTS").as_deref() {
        Ok("full") => usize::MAX,
        Ok(points) => points.parse().unwrap(),
        Err(_) => POINTS,
    };
    let faults = faults(&whole.calls, points);
    let (rows, next, begun) = (Mutex::new(BTreeMap::new()), AtomicUsize::new(0), Instant::now());
    thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                while let number = next.fetch_add(1, Ordering::Relaxed)
                    && let Some(fault) = faults.get(number)
                {
                    let folder = work(number + 1);
                    let report = Trace::inject(&folder, *fault);
                    let after = look(&folder, &report);
                    let mut rows = rows.lock().unwrap();
                    let row: &mut Row = rows.entry(fault.row()).or_default();
                    row.add(*fault, &report, after);
                    std::fs::remove_dir_all(&folder).unwrap();
                }
            });
        }
    });
    let rows = rows.into_inner().unwrap();
    print(&rows, begun.elapsed().as_secs_f64(), &whole.calls);
    let wrong: Vec<_> = rows.values().flat_map(|row| &row.wrong).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    // The drill itself: each kind of call was made to fail, and that was felt.
    for group in Group::ALL {
        assert!(
            rows.iter().any(|((own, ..), row)| *own == group && row.failed > 0),
            "{group:?} was not felt"
        );
    }
    assert!(rows.values().all(|row| row.acknowledged > 0));
}

#[derive(Default)]
struct Row {
    runs: u64,
    /// Runs in which a call of the process failed as it was told to.
    hit: u64,
    failed: u64,
    acknowledged: u64,
    /// Acts that failed and whose entries are there all the same.
    stored_unacknowledged: u64,
    errors: BTreeSet<String>,
    wrong: Vec<String>,
}

impl Row {
    fn add(&mut self, fault: Fault, report: &Report, after: Result<u64, String>) {
        self.runs += 1;
        self.hit += u64::from(report.injected > 0);
        self.failed += report.failed.len() as u64;
        self.acknowledged += report.acknowledged.len() as u64;
        self.errors.extend(report.failed.iter().cloned());
        match after {
            Ok(stored) => self.stored_unacknowledged += stored,
            Err(says) => self.wrong.push(format!("{fault:?}: {says}")),
        }
        if !report.ended {
            self.wrong.push(format!("{fault:?}: the process died: {}", report.last_words));
        }
    }
}

fn print(rows: &BTreeMap<(Group, Errno, bool), Row>, took: f64, calls: &BTreeMap<Group, Range<usize>>) {
    println!("calls without a fault: {calls:?}");
    println!(
        "calls              errno   mode   runs  hit  failed  acknowledged  stored_unacknowledged  false"
    );
    for ((group, errno, lasting), row) in rows {
        println!(
            "{:<18} {:<7} {:<6}{:>5}{:>5}{:>8}{:>14}{:>23}{:>7}  {}",
            group.name(),
            errno.name(),
            if *lasting { "on" } else { "once" },
            row.runs,
            row.hit,
            row.failed,
            row.acknowledged,
            row.stored_unacknowledged,
            row.wrong.len(),
            row.errors.iter().cloned().collect::<Vec<_>>().join("; "),
        );
    }
    let sum = |part: fn(&Row) -> u64| rows.values().map(part).sum::<u64>();
    println!(
        "runs={} hit={} errors={} acknowledged={} stored_unacknowledged={} false={} seconds={took:.1}",
        sum(|row| row.runs),
        sum(|row| row.hit),
        sum(|row| row.failed),
        sum(|row| row.acknowledged),
        sum(|row| row.stored_unacknowledged),
        sum(|row| row.wrong.len() as u64),
    );
}

/// Points spread over all calls of each group, each with every errno, once and from there on.
fn faults(calls: &BTreeMap<Group, Range<usize>>, most: usize) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (group, calls) in calls {
        let points = most.min(calls.len());
        for point in 0..points {
            let when = calls.start + point * calls.len() / points;
            for errno in Errno::ALL {
                faults.extend([false, true].map(|lasting| Fault { group: *group, errno, when, lasting }));
            }
        }
    }
    faults
}

/// A folder with the organisations and notices that the process appends to.
fn prepare(folder: &Path) {
    let scene = Scene::new(folder, NOON.parse().unwrap());
    let vouchsafe = scene.open().unwrap();
    for id in IDS {
        let organisation = vouchsafe.organisation(id).unwrap();
        drop(vouchsafe_testkit::scene::notice(&organisation).unwrap());
        drop(organisation.publish_log().unwrap());
    }
}

/// Opens the folder without faults: what was acknowledged is there, and the log goes on. Gives how many entries are
/// there that nobody was told of.
fn look(folder: &Path, report: &Report) -> Result<u64, String> {
    let scene = Scene::new(folder, NOON.parse().unwrap());
    let vouchsafe = scene.open().map_err(|error| error.to_string())?;
    let mut unacknowledged = 0;
    for (log, id) in IDS.into_iter().enumerate() {
        let text = |error: vouchsafe::Error| format!("{id}: {error}");
        let organisation = vouchsafe.organisation(id).map_err(text)?;
        let head = organisation.publish_log().map_err(text)?.checkpoint().size();
        let published = report.published[log];
        if head < published {
            return Err(format!("{id}: {head} entries, but {published} were published"));
        }
        let sound = organisation.verify_log().map_err(text)?;
        if !sound.is_sound() {
            return Err(format!("{id}: {:?}", sound.findings()));
        }
        let payloads = organisation.verify_payloads().map_err(text)?;
        if !payloads.is_sound() {
            return Err(format!("{id}: {:?}", payloads.findings));
        }
        let entries = vouchsafe::store::SqliteStore::open(&scene.database()).and_then(|store| {
            vouchsafe::store::read(&store, organisation.id(), |rows| {
                rows.entries(organisation.id(), 0, u32::MAX)
            })
        });
        let entries = entries.map_err(|error| error.to_string())?;
        let said: Vec<_> = report.acknowledged.iter().filter(|said| said.log == log).copied().collect();
        let judgement = judge(&said, &entries);
        if !judgement.is_empty() {
            return Err(format!("{id}: {judgement:?}"));
        }
        let shown = report.shown[log];
        // Two entries of each organisation were there before.
        let told = 2 + said.len() as u64 + shown;
        unacknowledged +=
            (entries.len() as u64).checked_sub(told).ok_or(format!("{id}: showings are lost"))?;
    }
    Ok(unacknowledged)
}
