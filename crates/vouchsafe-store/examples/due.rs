//! What it costs to find the holdings that are due among those stored.
//!
//! `cargo run --release -p vouchsafe-store --features test-util --example due [folder] [stored] [due]`
#![forbid(unsafe_code)]

use std::error::Error;
use std::io::Write;
use std::path::Path;
use std::time::Instant;
use std::{env, fs, io};

use vouchsafe_store::{
    Holding, HoldingState, RecordRow, SqliteStore, StoreError, Transaction, load_holdings, read, write,
};
use vouchsafe_types::{
    DataClass, Digest, LeafIndex, OrganisationId, RecordId, Scope, SubjectPseudonym, Timestamp,
};

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

const PAGE: u32 = 500;
const NOW: i64 = 1_800_000_000;
const ROUNDS: usize = 5;

fn main() -> Result<()> {
    let mut arguments = env::args().skip(1);
    let folder = arguments.next().unwrap_or_else(|| env::temp_dir().to_string_lossy().into_owned());
    let stored: u64 = arguments.next().map_or(Ok(1_000_000), |text| text.parse())?;
    let due: u64 = arguments.next().map_or(Ok(10_000), |text| text.parse())?;
    let folder = tempfile::tempdir_in(&folder)?;
    let (file, acme) = (folder.path().join("db"), OrganisationId::parse("acme")?);
    let mut out = io::stdout().lock();

    write(&SqliteStore::open(&file)?, &acme, |rows| rows.insert_organisation(&acme, Timestamp::UNIX_EPOCH))?;
    let begun = Instant::now();
    load_holdings(&file, &acme, (0..stored).map_while(|number| holding(number, stored / due).ok()))?;
    writeln!(
        out,
        "{stored} stored in {:.1} s, {} MB",
        begun.elapsed().as_secs_f64(),
        fs::metadata(&file)?.len() >> 20
    )?;
    for round in 0..ROUNDS {
        measure(&mut out, &file, &acme, round)?;
    }
    Ok(())
}

/// One of `each` is due, in no order of leaves; the others in the years to come.
fn holding(number: u64, each: u64) -> Result<(Holding, RecordRow)> {
    let mut id = [0; 32];
    id[..8].copy_from_slice(&number.to_be_bytes());
    let spread = (number.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 37) as i64;
    let second = if number.is_multiple_of(each) { NOW - 1 - spread } else { NOW + 1 + spread };
    let leaf = LeafIndex::new(number)?;
    let held = Holding {
        leaf,
        class: DataClass::Biometric,
        subject: SubjectPseudonym::from_bytes(id),
        scope: Some(Scope::from_code([1, 1, 1])?),
        state: HoldingState::Live,
        created_at: Timestamp::UNIX_EPOCH,
        created_entry: None,
        review_at: Some(Timestamp::from_second(second)?),
    };
    let mut name = [0; 16];
    name[..8].copy_from_slice(&number.to_be_bytes());
    let record = RecordRow {
        id: RecordId::from_bytes(name),
        leaf,
        model: Digest::from_bytes([7; 32]),
        dimension: 512,
        sealed: vec![7; 64],
        key_version: 1,
    };
    Ok((held, record))
}

fn measure(out: &mut impl Write, file: &Path, acme: &OrganisationId, round: usize) -> Result<()> {
    let store = SqliteStore::open(file)?;
    let now = Timestamp::from_second(NOW)?;
    let begun = Instant::now();
    let found = read(&store, acme, |rows| all_due(rows, acme, now))?;
    let pages = begun.elapsed();
    let begun = Instant::now();
    let (live, late) = read(&store, acme, |rows| {
        Ok::<_, StoreError>((rows.live_count(acme)?, rows.late_count(acme, now)?))
    })?;
    let counts = begun.elapsed();
    let begun = Instant::now();
    write(&store, acme, |rows| {
        let due = rows.holdings_due(acme, now, None, PAGE)?;
        due.iter().try_for_each(|held| rows.set_review(acme, held.leaf, held.review_at))
    })?;
    writeln!(
        out,
        "round {round}: {found} due in pages of {PAGE}: {:.1} ms; {live} live and {late} late counted: {:.2} ms; \
         {PAGE} looked at again: {:.1} ms",
        pages.as_secs_f64() * 1e3,
        counts.as_secs_f64() * 1e3,
        begun.elapsed().as_secs_f64() * 1e3
    )?;
    Ok(())
}

fn all_due(
    rows: &mut dyn Transaction,
    acme: &OrganisationId,
    now: Timestamp,
) -> std::result::Result<usize, StoreError> {
    let (mut found, mut after) = (0, None);
    loop {
        let page = rows.holdings_due(acme, now, after, PAGE)?;
        let Some(last) = page.last() else { return Ok(found) };
        found += page.len();
        after = last.review_at.map(|at| (at, last.leaf));
    }
}
