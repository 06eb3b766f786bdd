//! The tamper matrix: every edit of a log or its evidence is found, and which check finds it; histories that nobody
//! edited raise no alarm, whatever was shredded in them.
//!
//! What is edited is what a verifier claims to cover: the rows of entries and of payloads, the published checkpoint,
//! the copy kept outside, and the tiles and bundles that the published checkpoint needs. Left alone are partial tiles
//! that a later one replaced, rows behind the published checkpoint (there are none here), and rows that are no
//! evidence of the log: templates, holdings, lines of consent. A holding says whether a payload may be gone, so an edit
//! of a holding can hide one of a payload.
//!
//! `VOUCHSAFE_TAMPER_EDITS` sets how many edits (400 when it is not set), `VOUCHSAFE_HISTORIES` how many histories
//! (60), `VOUCHSAFE_TAMPER_SEED` the seed of both. Temporary folders lie where `TMPDIR` says, otherwise in memory where there is `/dev/shm`.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::print_stdout, reason = "a drill")]

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Instant;

use vouchsafe_testkit::draws::Draws;

mod tamper {
    pub(crate) mod base;
    pub(crate) mod checks;
    pub(crate) mod edit;
    pub(crate) mod history;
    pub(crate) mod matrix;
}

use tamper::base::Base;
use tamper::checks::{Check, examine};
use tamper::edit::{Kind, edit};
use tamper::history::{Tally, live};
use tamper::matrix::Matrix;
use vouchsafe_testkit::scene::{copy_folder, memory_folder};

const WORKERS: u64 = 2;
/// Every so often nothing is edited.
const CONTROL: u64 = 25;

/// Promise: WB-1.4-immutable
#[test]
fn every_edit_is_found() {
    let edits = number("VOUCHSAFE_TAMPER_EDITS", 400);
    let home = memory_folder().unwrap();
    let base = Base::build(home.path());
    let (matrix, begun) = (Mutex::new(Matrix::default()), Instant::now());
    in_parallel(edits, |trial, draws| {
        let work = home.path().join(format!("trial-{trial}"));
        if trial % CONTROL == 0 {
            copy_folder(base.folder(), &work).unwrap();
            for organisation in base.organisations() {
                let alarms = examine(&work, &base, organisation);
                matrix.lock().unwrap().control(&alarms);
            }
            std::fs::remove_dir_all(&work).unwrap();
        }
        let kind = Kind::ALL[usize::try_from(trial).unwrap() % Kind::ALL.len()];
        let (organisation, what) = edit(kind, &base, &work, draws);
        let alarms = examine(&work, &base, &base.organisations()[organisation]);
        // What was done to one tenant is no alarm of the other, unless the folder was set back as a whole.
        if trial % CONTROL == 1 && !what.is_wide() {
            let others = examine(&work, &base, &base.organisations()[1 - organisation]);
            matrix.lock().unwrap().control(&others);
        }
        matrix.lock().unwrap().add(kind, what, &alarms);
        std::fs::remove_dir_all(&work).unwrap();
    });
    let (matrix, took) = (matrix.into_inner().unwrap(), begun.elapsed().as_secs_f64());
    matrix.print();
    let (controls, false_alarms) = matrix.controls();
    println!(
        "edits={edits} detected={} undetected={} controls={controls} false_alarms={false_alarms} entries={} \
         seconds={took:.1} seconds_per_1000={:.1}",
        matrix.detected(),
        edits - matrix.detected(),
        base.entries(),
        took * 1000.0 / edits as f64,
    );
    assert_eq!(false_alarms, 0);
    assert!(matrix.missed().is_empty(), "not found: {:?}", matrix.missed());
    if edits >= 400 {
        // The rules of the drill itself: each kind was drawn, and each check earns its place. That of the unaccounted
        // need not: it finds what no other does, or nothing.
        assert!(Kind::ALL.iter().all(|kind| matrix.drawn(*kind) >= edits / 8));
        assert!(Check::ALL.iter().all(|check| *check == Check::Unaccounted || matrix.found_by(*check) > 0));
    }
}

/// Promise: WB-1.4-immutable
#[test]
fn no_honest_history_is_an_alarm() {
    let histories = number("VOUCHSAFE_HISTORIES", 60);
    let (tally, begun) = (Mutex::new(Tally::default()), Instant::now());
    // Each folder holds a few organisations, one a history.
    let folders = histories.div_ceil(HISTORIES_A_FOLDER);
    in_parallel(folders, |folder, draws| {
        let lives = HISTORIES_A_FOLDER.min(histories - folder * HISTORIES_A_FOLDER);
        let lived = live(lives, draws);
        tally.lock().unwrap().merge(lived);
    });
    let (tally, took) = (tally.into_inner().unwrap(), begun.elapsed().as_secs_f64());
    tally.print();
    println!(
        "histories={} alarms={} failures={} seconds={took:.1} seconds_per_1000={:.1}",
        tally.histories,
        tally.alarms.len(),
        tally.failures.len(),
        took * 1000.0 / histories as f64,
    );
    assert_eq!(tally.histories, histories);
    assert!(tally.alarms.is_empty(), "{:#?}", tally.alarms);
    assert!(tally.failures.is_empty(), "{:#?}", tally.failures);
    assert!(tally.shredded > 0 && tally.templates_destroyed > 0, "nothing was ever shredded");
}

const HISTORIES_A_FOLDER: u64 = 10;

/// Runs the trials of `0..count`, each with draws of its own, whatever the order.
fn in_parallel(count: u64, trial: impl Fn(u64, &mut Draws) + Sync) {
    let seed = number("VOUCHSAFE_TAMPER_SEED", 4);
    let next = AtomicU64::new(0);
    thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                while let number = next.fetch_add(1, Ordering::Relaxed)
                    && number < count
                {
                    trial(number, &mut Draws::seeded(seed << 32 | number));
                }
            });
        }
    });
}

fn number(variable: &str, otherwise: u64) -> u64 {
    std::env::var(variable).map_or(otherwise, |value| value.parse().unwrap())
}
