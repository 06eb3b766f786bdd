//! How many appends a second the log acknowledges, and what a long log costs.
//!
//! 1. In rounds, in turn, on one disk: bare syncs of 4 KiB; rows of a bare SQLite database with a commit each, with
//!    `synchronous=FULL`, as SQLite comes (a rollback journal) and with a write-ahead log as here; appends of 1, 8 and 64 writers on one organisation, and of 64 writers on 64. An append is acknowledged when its commit
//!    is durable. A writer waits for each before the next, so that no sync serves more appends than there are
//!    writers: the bound is syncs a second times writers. On a virtual machine a sync can take 0.1 ms or 4 ms, as the
//!    processor that waits for it is awake or asleep, and many writers keep it awake. So what one thread does alone is
//!    measured twice, the second time beside a thread that does nothing but yield, and the faster one counts.
//! 2. One log of a thousand to ten million entries (one with `--quick`), published as it grows: resident memory, the
//!    size of a proof of inclusion and the processor time of its verification. Not with `--rates`.
//!
//! Prints one line a case, writes JSON and two plots below the target folder, and with `--docs` the plot of the rates
//! into the ledger's docs.
#![expect(clippy::print_stdout, reason = "a program that measures speaks on standard output")]

use std::fs::{self, File};
use std::hint::black_box;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use std::{env, thread};

use rusqlite::Connection;
use serde::Serialize;
use tempfile::TempDir;
use vouchsafe::ledger::{
    Leaf, LeafSource, LedgerError, LogSigner, Publisher, Receipt, Trust, prove_inclusion,
};
use vouchsafe::store::{FolderLock, FolderTiles, Lease, SqliteStore, StoreError, read, write};
use vouchsafe::types::Secret;
use vouchsafe::{OrganisationId, Timestamp};
use vouchsafe_benches::figures::{Result, evidence, float, folder, root, spread, thread_nanoseconds};
use vouchsafe_benches::plot::{self, Line, Plot};

/// Writers and organisations.
const CASES: [(usize, usize); 4] = [(1, 1), (8, 1), (64, 1), (64, 64)];
const LEAF: [u8; Leaf::LEN] = [7; Leaf::LEN];
const ORIGIN: &str = "vouchsafe/append";

/// How much is measured.
struct Effort {
    rounds: usize,
    /// Of each measurement in a round.
    span: Duration,
    entries: u64,
}

const QUICK: Effort = Effort { rounds: 9, span: Duration::from_millis(400), entries: 1_000_000 };
const FULL: Effort = Effort { rounds: 9, span: Duration::from_secs(2), entries: 10_000_000 };

/// The rates of one round, a second.
#[derive(Debug, Serialize)]
struct Round {
    syncs: f64,
    /// Of SQLite as it comes, with a rollback journal.
    commit_per_row: f64,
    /// Of SQLite with a write-ahead log.
    commit_per_row_wal: f64,
    appends: Vec<f64>,
}

/// One case: medians over the rounds, each compared with its own round's.
#[derive(Debug, Serialize)]
struct Case {
    writers: usize,
    organisations: usize,
    appends: f64,
    /// Times the commits per row of SQLite as it comes.
    ratio: f64,
    ratio_least: f64,
    /// Times those with a write-ahead log.
    ratio_wal: f64,
    /// Of syncs a second times writers.
    share_of_bound: f64,
}

/// A log of this size.
#[derive(Debug, Serialize)]
struct Size {
    entries: u64,
    resident_bytes: u64,
    proof_hashes: usize,
    proof_bytes: usize,
    verify_ns: f64,
    /// Entries appended in transactions of a thousand and published, a second.
    published_per_s: f64,
}

fn main() -> Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let given = |flag: &str| arguments.iter().any(|argument| argument == flag);
    let effort = if given("--quick") { QUICK } else { FULL };
    let rounds = rates(&effort)?;
    let cases = cases(&rounds);
    for case in &cases {
        println!("{case}");
    }
    let sizes = if given("--rates") { Vec::new() } else { growth(effort.entries)? };
    keep(&rounds, &cases, &sizes, given("--docs"))?;
    println!("{}", summary(&rounds, &cases, &sizes));
    Ok(())
}

fn rates(effort: &Effort) -> Result<Vec<Round>> {
    let folder = folder("log-append")?;
    let bare = Bare::open(folder.path())?;
    let logs = CASES.into_iter().map(|case| Log::open(&folder, case)).collect::<Result<Vec<_>>>()?;
    (0..effort.rounds)
        .map(|_| {
            Ok(Round {
                syncs: faster(|| bare.syncs(effort.span))?,
                commit_per_row: faster(|| Bare::commits(&bare.journal, effort.span))?,
                commit_per_row_wal: faster(|| Bare::commits(&bare.wal, effort.span))?,
                appends: logs.iter().map(|log| log.appends(effort.span)).collect::<Result<_>>()?,
            })
        })
        .collect()
}

/// The faster of two measurements: alone, and on a processor that is kept awake.
fn faster(measure: impl Fn() -> Result<f64>) -> Result<f64> {
    let asleep = measure()?;
    let done = AtomicBool::new(false);
    let awake = thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                thread::yield_now();
            }
        });
        let measured = measure();
        done.store(true, Ordering::Relaxed);
        measured
    })?;
    Ok(asleep.max(awake))
}

/// How often a second the act is done, one after the other.
fn rate<E>(span: Duration, mut act: impl FnMut(u64) -> Result<(), E>) -> Result<f64, E> {
    let (begun, mut done) = (Instant::now(), 0);
    while begun.elapsed() < span {
        act(done)?;
        done += 1;
    }
    Ok(float(done) / begun.elapsed().as_secs_f64())
}

/// What the disk and the database do without this project.
struct Bare {
    file: File,
    journal: Connection,
    wal: Connection,
}

impl Bare {
    const PAGE: [u8; 4096] = [7; 4096];

    fn open(folder: &Path) -> Result<Self> {
        let file = File::create(folder.join("syncs"))?;
        // Laid down before: a sync that also lengthens the file would cost more.
        file.write_all_at(&vec![0; Self::PAGE.len() * 256], 0)?;
        file.sync_all()?;
        let database = |mode: &str| {
            let database = Connection::open(folder.join(format!("bare-{mode}.sqlite")))?;
            database.execute_batch(&format!(
                "PRAGMA journal_mode = {mode}; PRAGMA synchronous = FULL;
                 CREATE TABLE entry (number INTEGER PRIMARY KEY, bytes BLOB NOT NULL) STRICT;",
            ))?;
            Ok::<_, rusqlite::Error>(database)
        };
        Ok(Self { file, journal: database("DELETE")?, wal: database("WAL")? })
    }

    fn syncs(&self, span: Duration) -> Result<f64> {
        Ok(rate(span, |number| {
            self.file.write_all_at(&Self::PAGE, number % 256 * Self::PAGE.len() as u64)?;
            self.file.sync_data()
        })?)
    }

    fn commits(database: &Connection, span: Duration) -> Result<f64> {
        let mut insert = database.prepare("INSERT INTO entry (bytes) VALUES (?1)")?;
        Ok(rate(span, |_| insert.execute([LEAF]).map(drop))?)
    }
}

/// A database of its own for a case.
struct Log {
    store: SqliteStore,
    organisations: Vec<OrganisationId>,
    writers: usize,
}

impl Log {
    fn open(folder: &TempDir, (writers, organisations): (usize, usize)) -> Result<Self> {
        let store = SqliteStore::open(&folder.path().join(format!("{writers}-{organisations}.sqlite")))?;
        let organisations = (0..organisations)
            .map(|number| Ok(OrganisationId::parse(&format!("organisation-{number}"))?))
            .collect::<Result<Vec<_>>>()?;
        organisations.iter().try_for_each(|id| {
            write(&store, id, |rows| rows.insert_organisation(id, Timestamp::UNIX_EPOCH))
        })?;
        Ok(Self { store, organisations, writers })
    }

    /// Acknowledged appends a second.
    fn appends(&self, span: Duration) -> Result<f64> {
        if self.writers == 1 { faster(|| self.together(span)) } else { self.together(span) }
    }

    fn together(&self, span: Duration) -> Result<f64> {
        let (stopped, acknowledged) = (AtomicBool::new(false), AtomicU64::new(0));
        let begun = Instant::now();
        let failed = thread::scope(|scope| {
            let of_writers = self.organisations.iter().cycle().take(self.writers);
            let writers: Vec<_> =
                of_writers.map(|id| scope.spawn(|| self.write_until(id, &stopped, &acknowledged))).collect();
            thread::sleep(span);
            stopped.store(true, Ordering::Relaxed);
            let ended = writers.into_iter().map(|writer| writer.join().unwrap_or(Err(StoreError::Aborted)));
            ended.filter_map(|ended| ended.err()).next_back()
        });
        let spent = begun.elapsed().as_secs_f64();
        match failed {
            Some(error) => Err(error.into()),
            None => Ok(float(acknowledged.into_inner()) / spent),
        }
    }

    fn write_until(
        &self,
        id: &OrganisationId,
        stopped: &AtomicBool,
        acknowledged: &AtomicU64,
    ) -> Result<(), StoreError> {
        while !stopped.load(Ordering::Relaxed) {
            write(&self.store, id, |rows| rows.append_entry(id, &LEAF))?;
            acknowledged.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    }
}

fn cases(rounds: &[Round]) -> Vec<Case> {
    let of = |value: &dyn Fn(&Round) -> f64| spread(rounds.iter().map(value).collect());
    let case = |(number, (writers, organisations)): (usize, (usize, usize))| {
        let appends = |round: &Round| round.appends.get(number).copied().unwrap_or_default();
        let ratio = of(&|round| appends(round) / round.commit_per_row);
        let ratio_wal = of(&|round| appends(round) / round.commit_per_row_wal);
        let share = of(&|round| appends(round) / (round.syncs * float(writers)));
        Case {
            writers,
            organisations,
            appends: of(&appends).median,
            ratio: ratio.median,
            ratio_least: ratio.least,
            ratio_wal: ratio_wal.median,
            share_of_bound: share.median,
        }
    };
    CASES.into_iter().enumerate().map(case).collect()
}

/// One log as it grows and is published.
struct Growing {
    store: SqliteStore,
    id: OrganisationId,
    _lease: Lease,
    tiles: FolderTiles,
    lock: FolderLock,
    signer: LogSigner,
    publisher: Publisher,
    entries: u64,
}

impl LeafSource for Growing {
    fn len(&self) -> Result<u64, LedgerError> {
        read(&self.store, &self.id, |rows| rows.entry_count(&self.id)).map_err(unavailable)
    }

    fn leaves(&self, from: u64, limit: usize) -> Result<Vec<Vec<u8>>, LedgerError> {
        let limit = u32::try_from(limit).unwrap_or(u32::MAX);
        read(&self.store, &self.id, |rows| rows.entries(&self.id, from, limit)).map_err(unavailable)
    }
}

fn unavailable(_: StoreError) -> LedgerError {
    LedgerError::SourceUnavailable
}

impl Growing {
    /// Entries of one transaction, and of one publication.
    const BATCH: (u64, u64) = (1_000, 20_000);

    fn open(folder: &Path) -> Result<Self> {
        let store = SqliteStore::open(&folder.join("log.sqlite"))?;
        let id = OrganisationId::parse("acme")?;
        write(&store, &id, |rows| rows.insert_organisation(&id, Timestamp::UNIX_EPOCH))?;
        let tiles = FolderTiles::at(folder.join("tiles"));
        Ok(Self {
            store,
            id,
            _lease: tiles.lease()?,
            tiles,
            lock: FolderLock::at(folder.join("outside")),
            signer: LogSigner::from_seed(ORIGIN, &Secret::init_with(|seed| seed.fill(7)))?,
            publisher: Publisher::new(ORIGIN),
            entries: 0,
        })
    }

    fn grow_to(&mut self, entries: u64) -> Result<()> {
        while self.entries < entries {
            let upto = entries.min(self.entries + Self::BATCH.1);
            while self.entries < upto {
                let more = Self::BATCH.0.min(upto - self.entries);
                let numbers = self.entries..self.entries + more;
                write(&self.store, &self.id, |rows| {
                    numbers.into_iter().try_for_each(|number| {
                        let mut leaf = LEAF;
                        leaf.iter_mut().zip(number.to_be_bytes()).for_each(|(byte, of)| *byte = of);
                        rows.append_entry(&self.id, &leaf).map(drop)
                    })
                })?;
                self.entries += more;
            }
            let mut publisher = std::mem::replace(&mut self.publisher, Publisher::new(ORIGIN));
            publisher.publish(&[&self.signer], &*self, &self.tiles, &self.lock)?;
            self.publisher = publisher;
        }
        Ok(())
    }

    /// A proof in the middle of the log, and how long it takes to verify.
    fn measure(&self, since: (u64, Instant)) -> Result<Size> {
        let (key, index) = (self.signer.verifier(), self.entries / 3);
        let text = prove_inclusion(&self.tiles, index, &Trust::new(key, ORIGIN))?.to_string();
        let leaf = self.leaves(index, 1)?.pop().ok_or("the entry is gone")?;
        let verify = || Receipt::parse(&text)?.verify(&leaf, key, ORIGIN);
        let mut spent = Vec::new();
        for _ in 0..51 {
            let began = thread_nanoseconds();
            black_box(verify()?);
            spent.push(thread_nanoseconds() - began);
        }
        let grown = float(self.entries - since.0) / since.1.elapsed().as_secs_f64();
        Ok(Size {
            entries: self.entries,
            resident_bytes: resident()?,
            proof_hashes: Receipt::parse(&text)?.proof().len(),
            proof_bytes: text.len(),
            verify_ns: spread(spent).median,
            published_per_s: grown,
        })
    }
}

fn growth(most: u64) -> Result<Vec<Size>> {
    let folder = folder("log-append")?;
    let mut log = Growing::open(folder.path())?;
    let (mut sizes, mut size) = (Vec::new(), 1_000);
    while size <= most {
        let since = (log.entries, Instant::now());
        log.grow_to(size)?;
        let measured = log.measure(since)?;
        println!("{measured}");
        sizes.push(measured);
        size *= 10;
    }
    Ok(sizes)
}

/// Bytes of this process in memory now.
fn resident() -> Result<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS")?;
    let kilobytes: u64 = line.trim().trim_end_matches(" kB").parse()?;
    Ok(kilobytes * 1024)
}

fn keep(rounds: &[Round], cases: &[Case], sizes: &[Size], docs: bool) -> Result<()> {
    let folder = evidence()?;
    let json = serde_json::json!({ "rounds": rounds, "cases": cases, "sizes": sizes });
    fs::write(folder.join("append.json"), serde_json::to_vec_pretty(&json)?)?;
    rate_plot(rounds, cases).draw(&folder.join("append.svg"))?;
    if !sizes.is_empty() {
        size_plot(sizes).draw(&folder.join("append-size.svg"))?;
    }
    if docs {
        fs::copy(folder.join("append.svg"), root()?.join("crates/vouchsafe-ledger/docs/append.svg"))?;
    }
    Ok(())
}

fn rate_plot(rounds: &[Round], cases: &[Case]) -> Plot<'static> {
    let of = |value: fn(&Round) -> f64| spread(rounds.iter().map(value).collect()).median;
    let (syncs, bare) = (of(|round| round.syncs), of(|round| round.commit_per_row));
    let wal = of(|round| round.commit_per_row_wal);
    let line = |name, style, rate: &dyn Fn(&Case) -> f64, across: bool| Line {
        name: Some(name),
        style,
        points: cases
            .iter()
            .filter(|case| (case.organisations > 1) == across)
            .map(|case| (float(case.writers), rate(case)))
            .collect(),
    };
    Plot {
        title: "Acknowledged appends of 55 bytes, one disk, one run",
        x: "writers",
        y: "a second, median",
        y_label: plot::count,
        lines: vec![
            line(
                "bound: syncs a second times writers",
                (2, true),
                &|case| syncs * float(case.writers),
                false,
            ),
            line("one organisation", (0, false), &|case| case.appends, false),
            line("an organisation for each writer", (3, false), &|case| case.appends, true),
            line("SQLite, a commit for each row", (1, false), &|_| bare, false),
            line("the same with a write-ahead log", (1, true), &|_| wal, false),
        ],
    }
}

fn size_plot(sizes: &[Size]) -> Plot<'static> {
    let line = |name, kind, value: fn(&Size) -> f64| Line {
        name: Some(name),
        style: (kind, false),
        points: sizes.iter().map(|size| (float(size.entries), value(size))).collect(),
    };
    Plot {
        title: "One log as it grows, published as it does",
        x: "entries",
        y: "bytes",
        y_label: plot::bytes,
        lines: vec![
            line("resident memory", 0, |size| float(size.resident_bytes)),
            line("a proof of inclusion with its checkpoint", 1, |size| float(size.proof_bytes)),
        ],
    }
}

/// The figures that a claim looks at.
fn summary(rounds: &[Round], cases: &[Case], sizes: &[Size]) -> String {
    let of = |value: fn(&Round) -> f64| spread(rounds.iter().map(value).collect()).median;
    let mut text = vec![
        format!("syncs_per_s={:.0}", of(|round| round.syncs)),
        format!("row_commits_per_s={:.0}", of(|round| round.commit_per_row)),
        format!("wal_row_commits_per_s={:.0}", of(|round| round.commit_per_row_wal)),
    ];
    for case in cases {
        let name = match case {
            Case { writers, organisations: 1, .. } => format!("writers{writers}"),
            Case { writers, organisations, .. } => format!("writers{writers}_orgs{organisations}"),
        };
        text.push(format!("{name}={:.2} {name}_per_s={:.0}", case.ratio, case.appends));
        text.push(format!("{name}_wal={:.2}", case.ratio_wal));
        text.push(format!("{name}_share_of_bound={:.2}", case.share_of_bound));
    }
    if let (Some(first), Some(last)) = (sizes.first(), sizes.last()) {
        let grown = float(last.resident_bytes) / float(first.resident_bytes);
        text.push(format!("entries={} memory_growth={grown:.2}", last.entries));
        text.push(format!("proof_hashes={} proof_bytes={}", last.proof_hashes, last.proof_bytes));
        text.push(format!("verify_us={:.1}", last.verify_ns / 1e3));
    }
    text.join(" ")
}

impl std::fmt::Display for Case {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "writers={} organisations={} ", self.writers, self.organisations)?;
        write!(f, "per_s={:.0} ratio={:.2} ratio_wal={:.2} ", self.appends, self.ratio, self.ratio_wal)?;
        write!(f, "ratio_least={:.2} share_of_bound={:.2}", self.ratio_least, self.share_of_bound)
    }
}

impl std::fmt::Display for Size {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let megabytes = float(self.resident_bytes) / 1e6;
        write!(f, "entries={} resident_mb={megabytes:.1} ", self.entries)?;
        write!(f, "proof_hashes={} proof_bytes={} ", self.proof_hashes, self.proof_bytes)?;
        write!(f, "verify_us={:.1} published_per_s={:.0}", self.verify_ns / 1e3, self.published_per_s)
    }
}
