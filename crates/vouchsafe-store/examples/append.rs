//! Acknowledged appends a second, against a commit per row on the same disk.
//!
//! `cargo run --release -p vouchsafe-store --example append [folder] [seconds]`
#![forbid(unsafe_code)]

use std::error::Error;
use std::io::Write;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use std::{env, io, thread};

use rusqlite::{Connection, params};
use vouchsafe_store::{SqliteStore, StoreError, write};
use vouchsafe_types::{OrganisationId, Timestamp};

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

const LEAF: [u8; 80] = [7; 80];
/// Writers and organisations.
const RUNS: [(usize, usize); 4] = [(1, 1), (8, 1), (64, 1), (64, 64)];

fn main() -> Result<()> {
    let mut arguments = env::args().skip(1);
    let folder = arguments.next().unwrap_or_else(|| env::temp_dir().to_string_lossy().into_owned());
    let span = Duration::from_secs(arguments.next().map_or(Ok(3), |text| text.parse())?);
    let mut out = io::stdout().lock();
    for (writers, organisations) in RUNS {
        let folder = tempfile::tempdir_in(&folder)?;
        let bare = commit_per_row(&folder.path().join("bare"), span)?;
        let group = group_commit(&folder.path().join("group"), writers, organisations, span)?;
        writeln!(
            out,
            "{writers:>3} writers, {organisations:>3} organisations: {group:>8.0}/s; \
             commit per row: {bare:>6.0}/s; ratio {:.1}",
            group / bare
        )?;
    }
    Ok(())
}

/// One writer, the plainest table, one commit for each row.
fn commit_per_row(file: &Path, span: Duration) -> Result<f64> {
    let connection = Connection::open(file)?;
    connection.query_row("PRAGMA journal_mode=WAL", [], |row| row.get::<_, String>(0))?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection
        .execute_batch("CREATE TABLE entry (number INTEGER PRIMARY KEY, bytes BLOB NOT NULL) STRICT")?;
    let mut insert = connection.prepare("INSERT INTO entry (number, bytes) VALUES (?1, ?2)")?;
    let (begun, mut count) = (Instant::now(), 0_u32);
    while begun.elapsed() < span {
        insert.execute(params![count, LEAF])?;
        count += 1;
    }
    Ok(f64::from(count) / begun.elapsed().as_secs_f64())
}

fn group_commit(file: &Path, writers: usize, organisations: usize, span: Duration) -> Result<f64> {
    let store = SqliteStore::open(file)?;
    let ids: Vec<OrganisationId> = (0..organisations)
        .map(|n| OrganisationId::parse(&format!("o{n}")))
        .collect::<std::result::Result<_, _>>()?;
    ids.iter()
        .try_for_each(|id| write(&store, id, |rows| rows.insert_organisation(id, Timestamp::UNIX_EPOCH)))?;
    let (acknowledged, stop) = (AtomicU64::new(0), AtomicBool::new(false));
    let begun = Instant::now();
    let failed: Option<StoreError> = thread::scope(|scope| {
        let threads: Vec<_> = ids
            .iter()
            .cycle()
            .take(writers)
            .map(|id| scope.spawn(|| append(&store, id, &acknowledged, &stop)))
            .collect();
        thread::sleep(span);
        stop.store(true, Ordering::Relaxed);
        threads
            .into_iter()
            .filter_map(|thread| thread.join().unwrap_or(Err(StoreError::Aborted)).err())
            .last()
    });
    if let Some(error) = failed {
        return Err(error.into());
    }
    Ok(acknowledged.into_inner() as f64 / begun.elapsed().as_secs_f64())
}

fn append(
    store: &SqliteStore,
    id: &OrganisationId,
    acknowledged: &AtomicU64,
    stop: &AtomicBool,
) -> std::result::Result<(), StoreError> {
    while !stop.load(Ordering::Relaxed) {
        write(store, id, |rows| rows.append_entry(id, &LEAF))?;
        acknowledged.fetch_add(1, Ordering::Relaxed);
    }
    Ok(())
}
