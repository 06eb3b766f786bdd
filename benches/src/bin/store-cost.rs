//! What the storage parts of a verification and of a withdrawal cost, among more and more people, on both engines.
//!
//! For each size and engine there are three databases with the same rows. On the first one the acts run through the
//! port while their statements are written down; on the second they run through the port and are timed; on the third a
//! bare client (`rusqlite`, `tokio-postgres`) runs the written statements, with the same values, in the same
//! transactions with the same durability, and is timed. The two that are timed take turns in blocks, so that noise hits
//! both. Prints one line a size and engine, writes JSON and a plot below the target folder.
//!
//! A withdrawal is measured up to its commit, which is its acknowledgement; the destruction follows.
//!
//! `--quick` stops at 100,000.
#![expect(clippy::print_stdout, reason = "a program that measures speaks on standard output")]

#[path = "store-cost/acts.rs"]
mod acts;
#[path = "store-cost/bare.rs"]
mod bare;
#[path = "store-cost/stages.rs"]
mod stages;

use std::time::Instant;
use std::{env, fs};

use serde::Serialize;
use vouchsafe_benches::figures::{Result, evidence, float};
use vouchsafe_benches::plot::{Line, Plot, duration};
use vouchsafe_store::recorded::{Statement, recorded};

use crate::acts::{Kind, Person, act};
use crate::bare::Bare;
use crate::stages::{Postgresql, Sqlite, Stage};

const FULL: &[u64] = &[1_000, 100_000, 1_000_000];
const QUICK: &[u64] = &[1_000, 100_000];
/// How many acts of each kind are timed, each of another person.
const ROUNDS: u64 = 400;
/// How many run before the other client has its turn.
const BLOCK: usize = 20;

/// Microseconds, of one size and engine.
#[derive(Debug, Serialize)]
struct Row {
    engine: &'static str,
    subjects: u64,
    verify: Spans,
    withdraw: Spans,
}

#[derive(Debug, Clone, Copy, Serialize)]
struct Spans {
    p50: f64,
    p99: f64,
    bare_p50: f64,
    bare_p99: f64,
}

impl Spans {
    fn ratio(&self) -> f64 {
        self.p50 / self.bare_p50
    }
}

fn main() -> Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let sizes = match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["--quick"] => QUICK,
        [] => FULL,
        _ => return Err("give me nothing, or --quick".into()),
    };
    let mut rows = Vec::new();
    for subjects in sizes {
        rows.push(measure::<Sqlite>("sqlite", *subjects)?);
        if let Some(row) = Postgresql::is_there()?.then(|| measure::<Postgresql>("postgresql", *subjects)) {
            rows.push(row?);
        }
    }
    keep(&rows)?;
    for engine in ["sqlite", "postgresql"] {
        let of = rows.iter().filter(|row| row.engine == engine).collect::<Vec<_>>();
        let ([first, ..], [.., last]) = (of.as_slice(), of.as_slice()) else { continue };
        println!(
            "store-cost engine={engine} from={} to={} verify_flat={:.2} withdraw_flat={:.2} verify_ratio={:.2} \
             withdraw_ratio={:.2}",
            first.subjects,
            last.subjects,
            last.verify.p50 / first.verify.p50,
            last.withdraw.p50 / first.withdraw.p50,
            of.iter().map(|row| row.verify.ratio()).fold(0.0, f64::max),
            of.iter().map(|row| row.withdraw.ratio()).fold(0.0, f64::max)
        );
    }
    Ok(())
}

fn measure<S: Stage>(engine: &'static str, subjects: u64) -> Result<Row> {
    let (written, timed, mut bare, _place) = S::three(subjects)?;
    let mut spans = [Kind::Verify, Kind::Withdraw].into_iter().map(|kind| {
        // Spread over all, and nobody twice: the second half withdraws.
        let stride = subjects / (2 * ROUNDS);
        let from = if kind == Kind::Verify { 0 } else { subjects / 2 };
        let people = (0..ROUNDS).map(|round| Person::of(from + round * stride)).collect::<Vec<_>>();
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        for block in people.chunks(BLOCK) {
            let mut statements = Vec::new();
            for person in block {
                statements.push(transactions(|| act(&*written, kind, person))?);
            }
            for person in block {
                ours.push(microseconds(|| act(&*timed, kind, person))?);
            }
            for (read, write) in &statements {
                theirs.push(microseconds(|| both(&mut *bare, read, write))?);
            }
        }
        let ((p50, p99), (bare_p50, bare_p99)) = (middle_and_end(ours), middle_and_end(theirs));
        Ok::<_, Box<dyn std::error::Error>>(Spans { p50, p99, bare_p50, bare_p99 })
    });
    let (verify, withdraw) = (spans.next(), spans.next());
    let (Some(verify), Some(withdraw)) = (verify, withdraw) else { return Err("two kinds".into()) };
    let row: Row = Row { engine, subjects, verify: verify?, withdraw: withdraw? };
    println!(
        "store-cost engine={engine} subjects={subjects} verify_p50_us={:.0} verify_p99_us={:.0} verify_ratio={:.2} \
         withdraw_p50_us={:.0} withdraw_p99_us={:.0} withdraw_ratio={:.2}",
        row.verify.p50,
        row.verify.p99,
        row.verify.ratio(),
        row.withdraw.p50,
        row.withdraw.p99,
        row.withdraw.ratio()
    );
    Ok(row)
}

/// The statements of the transaction that reads, if there is one, and of the one that writes.
type Transactions = (Vec<Statement>, Vec<Statement>);

fn transactions(act: impl FnOnce() -> Result<usize>) -> Result<Transactions> {
    let (read, mut statements) = recorded(act);
    let write = statements.split_off(read?);
    // Both begin with the same question.
    let begin = |statements: &[Statement]| statements.first().map(|statement| statement.sql.clone());
    if !statements.is_empty() && begin(&statements) != begin(&write) {
        return Err("another number of statements".into());
    }
    Ok((statements, write))
}

fn both(bare: &mut dyn Bare, read: &[Statement], write: &[Statement]) -> Result<usize> {
    if !read.is_empty() {
        bare.read(read)?;
    }
    bare.write(write)?;
    Ok(read.len())
}

fn microseconds(act: impl FnOnce() -> Result<usize>) -> Result<f64> {
    let begun = Instant::now();
    act()?;
    Ok(begun.elapsed().as_secs_f64() * 1e6)
}

fn middle_and_end(mut spans: Vec<f64>) -> (f64, f64) {
    spans.sort_by(f64::total_cmp);
    let at = |share: usize| spans.get(spans.len() * share / 100).copied().unwrap_or_default();
    (at(50), at(99))
}

fn keep(rows: &[Row]) -> Result<()> {
    let folder = evidence()?;
    fs::write(folder.join("store-cost.json"), serde_json::to_string_pretty(rows)?)?;
    let line = |name, engine: &str, style, value: fn(&Row) -> f64| Line {
        name: Some(name),
        style,
        points: rows
            .iter()
            .filter(|row| row.engine == engine)
            .map(|row| (float(row.subjects.cast_signed()), value(row) * 1e3))
            .collect(),
    };
    let lines = [
        line("SQLite: verify", "sqlite", (0, false), |row| row.verify.p50),
        line("SQLite: withdraw", "sqlite", (2, false), |row| row.withdraw.p50),
        line("SQLite, bare: verify", "sqlite", (0, true), |row| row.verify.bare_p50),
        line("PostgreSQL: verify", "postgresql", (1, false), |row| row.verify.p50),
        line("PostgreSQL: withdraw", "postgresql", (3, false), |row| row.withdraw.p50),
        line("PostgreSQL, bare: verify", "postgresql", (1, true), |row| row.verify.bare_p50),
    ];
    let plot = Plot {
        title: "The storage part of an act, median",
        x: "people stored",
        y: "time",
        y_label: duration,
        lines: lines.into_iter().filter(|line| !line.points.is_empty()).collect(),
    };
    plot.draw(&folder.join("store-cost.svg"))
}
