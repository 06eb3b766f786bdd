//! What a sweep costs that destroys 10,000 templates, among more and more that are stored.
//!
//! For each size a folder is filled with people whose rows and leaves are real and whose sealed bytes are not; a fresh
//! process then opens it, warms up, and lets one sweep through by an approved plan: decisions, condemnation, key tree,
//! evidence, log. Time and peak memory are those of that process. The due are spread over all leaves, which costs the
//! key tree most. Prints one line a size, writes JSON and a plot below the target folder.
//!
//! `--quick` stops at a million.
#![expect(clippy::print_stdout, reason = "a program that measures speaks on standard output")]

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Instant;
use std::{env, fs};

use serde::{Deserialize, Serialize};
use vouchsafe::{
    Approver, Destruction, OrganisationId, Pace, Ports, Scope, Timestamp, VirtualClock, Vouchsafe,
};
use vouchsafe_benches::figures::{Result, evidence, float, folder, process_seconds};
use vouchsafe_benches::plot::{Line, Plot, duration};
use vouchsafe_envelope::{KeyPorts, KeyRing};
use vouchsafe_store::{Holding, HoldingState, RecordRow, load_holdings};
use vouchsafe_types::{DataClass, Digest, LeafIndex, RecordId, Secret, SubjectPseudonym};

const DUE: u64 = 10_000;
const FULL: &[u64] = &[10_000, 100_000, 1_000_000, 10_000_000];
const QUICK: &[u64] = &[10_000, 100_000, 1_000_000];
const NOW: &str = "2026-06-01T12:00:00Z";
const DAY: i64 = 86_400;
/// The notices' period from a person's last act.
const PERIOD: i64 = 3 * 366 * DAY;

/// One sweep, in seconds and bytes.
#[derive(Debug, Serialize, Deserialize)]
struct Row {
    stored: u64,
    destroyed: u64,
    /// What the first act of a process costs: it compares all holdings with the keys.
    open_s: f64,
    plan_s: f64,
    run_s: f64,
    /// Processor time of plan and run, which other programs disturb less.
    cpu_s: f64,
    peak_bytes: f64,
}

fn main() -> Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["load", place, stored] => load(Path::new(place), stored.parse()?),
        ["sweep", place, stored] => {
            println!("{}", serde_json::to_string(&sweep(Path::new(place), stored.parse()?)?)?);
            Ok(())
        }
        ["--quick"] => report(QUICK),
        [] => report(FULL),
        _ => Err("give me nothing, or --quick".into()),
    }
}

fn report(sizes: &[u64]) -> Result<()> {
    let rows = sizes.iter().map(|stored| measure(*stored)).collect::<Result<Vec<_>>>()?;
    for row in &rows {
        println!(
            "stored={} destroyed={} open={:.2}s plan={:.2}s run={:.2}s cpu={:.2}s peak={:.0}MB",
            row.stored,
            row.destroyed,
            row.open_s,
            row.plan_s,
            row.run_s,
            row.cpu_s,
            row.peak_bytes / 1e6
        );
    }
    keep(&rows)?;
    let [.., before, last] = rows.as_slice() else { return Err("two sizes are compared".into()) };
    let all = rows.first().ok_or("no size")?;
    println!(
        "sweep_ratio={:.2} cpu_ratio={:.2} sweep_ratio_all_due={:.2} memory_ratio={:.2} sweep_seconds={:.1} destroyed={}",
        seconds(last) / seconds(before),
        last.cpu_s / before.cpu_s,
        seconds(last) / seconds(all),
        last.peak_bytes / before.peak_bytes,
        seconds(last),
        rows.iter().map(|row| row.destroyed).sum::<u64>()
    );
    Ok(())
}

const fn seconds(row: &Row) -> f64 {
    row.plan_s + row.run_s
}

/// Fills a folder and sweeps it, each in a process of its own.
fn measure(stored: u64) -> Result<Row> {
    let place = folder("sweep-cost")?;
    run("load", place.path(), stored)?;
    Ok(serde_json::from_str(&run("sweep", place.path(), stored)?)?)
}

fn run(what: &str, place: &Path, stored: u64) -> Result<String> {
    let output = Command::new(env::current_exe()?).arg(what).arg(place).arg(stored.to_string()).output()?;
    if output.status.success() {
        return Ok(String::from_utf8(output.stdout)?);
    }
    Err(format!("{what}: {}", String::from_utf8_lossy(&output.stderr)).into())
}

fn acme() -> Result<OrganisationId> {
    Ok(OrganisationId::parse("acme")?)
}

fn ports(place: &Path) -> Result<Ports> {
    let clock = Arc::new(VirtualClock::starting_at(NOW.parse()?));
    let mut ports = Ports::in_folder(place)?.with_clock(clock);
    ports.approvers.push(approver()?.key().clone());
    Ok(ports)
}

fn approver() -> Result<Approver> {
    Ok(Approver::from_seed("bench.example", &Secret::init_with(|seed| seed.fill(7)))?)
}

fn load(place: &Path, stored: u64) -> Result<()> {
    let service = Vouchsafe::open_with(ports(place)?);
    let _policy = service.organisation("acme")?.activate_policy()?;
    drop(service);
    // Nobody may have the file open while it is filled.
    let Ports { keys, states, fences, entropy, ticks, store, .. } = ports(place)?;
    drop(store);
    let ring = KeyRing::new(KeyPorts::new(keys, states, fences, entropy, ticks));
    let leaves = ring.allocate_many(&acme()?, DataClass::Biometric, stored)?;
    let each = stored / DUE;
    let rows = (0..).zip(leaves).map_while(|(number, leaf)| holding(number, leaf, each).ok());
    let loaded = load_holdings(&place.join("data/vouchsafe.sqlite"), &acme()?, rows)?;
    if loaded == stored { Ok(()) } else { Err("not everybody was stored".into()) }
}

/// One of `each` was last seen before the period, the others within two thirds of it.
fn holding(number: u64, leaf: LeafIndex, each: u64) -> Result<(Holding, RecordRow)> {
    let spread = i64::try_from(number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 1)? % (PERIOD * 2 / 3);
    let ago = if number.is_multiple_of(each) { PERIOD + DAY + spread % DAY } else { spread };
    let now: Timestamp = NOW.parse()?;
    let seen = Timestamp::from_second(now.as_second() - ago)?;
    let (mut person, mut id) = ([0; 32], [0; 16]);
    person[..8].copy_from_slice(&number.to_be_bytes());
    id[..8].copy_from_slice(&number.to_be_bytes());
    let holding = Holding {
        leaf,
        class: DataClass::Biometric,
        subject: SubjectPseudonym::from_bytes(person),
        scope: Some(Scope::FACE_VERIFICATION),
        state: HoldingState::Live,
        created_at: seen,
        created_entry: None,
        review_at: Some(Timestamp::from_second(seen.as_second() + PERIOD - 2 * DAY)?),
    };
    let record = RecordRow {
        id: RecordId::from_bytes(id),
        leaf,
        model: Digest::from_bytes([7; 32]),
        dimension: 512,
        sealed: vec![7; 64],
        key_version: 1,
    };
    Ok((holding, record))
}

fn sweep(place: &Path, stored: u64) -> Result<Row> {
    let service = Vouchsafe::open_with(ports(place)?);
    let organisation = service.organisation("acme")?;
    let begun = Instant::now();
    // The first act.
    let _head = organisation.publish_log()?;
    let open_s = begun.elapsed().as_secs_f64();
    let used = process_seconds();
    let begun = Instant::now();
    let plan = organisation.plan_retention()?;
    let plan_s = begun.elapsed().as_secs_f64();
    let approval = approver()?.approve(&plan)?;
    let begun = Instant::now();
    let destruction = organisation.run_plan(plan, &[&approval], Pace::default())?;
    let run_s = begun.elapsed().as_secs_f64();
    let cpu_s = process_seconds() - used;
    let Destruction::Done(certificates) = destruction else { return Err("a destruction is pending".into()) };
    let destroyed = certificates.len() as u64;
    if destroyed != DUE {
        return Err(format!("{destroyed} destroyed").into());
    }
    Ok(Row { stored, destroyed, open_s, plan_s, run_s, cpu_s, peak_bytes: peak()? })
}

/// The most memory that this process ever held.
fn peak() -> Result<f64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("no VmHWM")?;
    let kibibytes: u32 = line.trim().trim_end_matches(" kB").parse()?;
    Ok(f64::from(kibibytes) * 1024.0)
}

fn keep(rows: &[Row]) -> Result<()> {
    let folder = evidence()?;
    fs::write(folder.join("sweep-cost.json"), serde_json::to_string_pretty(rows)?)?;
    let line = |name, kind, value: fn(&Row) -> f64| Line {
        name: Some(name),
        style: (kind, false),
        points: rows.iter().map(|row| (float(row.stored.cast_signed()), value(row) * 1e9)).collect(),
    };
    let plot = Plot {
        title: "A sweep that destroys 10,000 templates",
        x: "templates stored",
        y: "time",
        y_label: duration,
        lines: vec![
            line("plan", 0, |row| row.plan_s),
            line("run", 1, |row| row.run_s),
            line("first act of a process", 2, |row| row.open_s),
        ],
    };
    plot.draw(&folder.join("sweep-cost.svg"))
}
