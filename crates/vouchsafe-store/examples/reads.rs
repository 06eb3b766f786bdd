//! What a point read costs, and a transaction around it.
//!
//! `cargo run --release -p vouchsafe-store --features test-util --example reads [folder] [stored] [reads]`
#![forbid(unsafe_code)]

use std::error::Error;
use std::io::Write;
use std::time::Instant;
use std::{env, io};

use vouchsafe_store::{
    Holding, HoldingState, RecordRow, SqliteStore, StoreError, Transaction, load_holdings, read, write,
};
use vouchsafe_types::{
    DataClass, Digest, LeafIndex, OrganisationId, RecordId, Scope, SubjectPseudonym, Timestamp,
};

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

const ROUNDS: usize = 5;

fn main() -> Result<()> {
    let mut arguments = env::args().skip(1);
    let folder = arguments.next().unwrap_or_else(|| env::temp_dir().to_string_lossy().into_owned());
    let stored: u64 = arguments.next().map_or(Ok(100_000), |text| text.parse())?;
    let reads: u64 = arguments.next().map_or(Ok(100_000), |text| text.parse())?;
    let folder = tempfile::tempdir_in(&folder)?;
    let (file, acme) = (folder.path().join("db"), OrganisationId::parse("acme")?);
    write(&SqliteStore::open(&file)?, &acme, |rows| rows.insert_organisation(&acme, Timestamp::UNIX_EPOCH))?;
    load_holdings(&file, &acme, (0..stored).map_while(|number| holding(number).ok()))?;
    let store = SqliteStore::open(&file)?;
    let leaves: Vec<LeafIndex> = (0..reads)
        .map(|number| LeafIndex::new(number.wrapping_mul(0x9E37_79B9_7F4A_7C15) % stored))
        .collect::<std::result::Result<_, _>>()?;
    for round in 0..ROUNDS {
        let begun = Instant::now();
        read(&store, &acme, |rows| leaves.iter().try_for_each(|leaf| found(rows, &acme, *leaf)))?;
        let one = begun.elapsed();
        let begun = Instant::now();
        leaves.iter().try_for_each(|leaf| read(&store, &acme, |rows| found(rows, &acme, *leaf)))?;
        let each = begun.elapsed();
        let per = |span: std::time::Duration| span.as_secs_f64() * 1e6 / reads as f64;
        writeln!(
            io::stdout(),
            "round {round}: {reads} pairs of reads: {:.2} us in one transaction, {:.2} us in one each",
            per(one),
            per(each)
        )?;
    }
    Ok(())
}

/// The holding and the sealed template under a leaf.
fn found(
    rows: &mut dyn Transaction,
    acme: &OrganisationId,
    leaf: LeafIndex,
) -> std::result::Result<(), StoreError> {
    match (rows.holding(acme, leaf)?, rows.record(acme, leaf)?) {
        (Some(_), Some(_)) => Ok(()),
        _ => Err(StoreError::Damaged),
    }
}

fn holding(number: u64) -> Result<(Holding, RecordRow)> {
    let mut id = [0; 32];
    id[..8].copy_from_slice(&number.to_be_bytes());
    let leaf = LeafIndex::new(number)?;
    let held = Holding {
        leaf,
        class: DataClass::Biometric,
        subject: SubjectPseudonym::from_bytes(id),
        scope: Some(Scope::from_code([1, 1, 1])?),
        state: HoldingState::Live,
        created_at: Timestamp::UNIX_EPOCH,
        created_entry: None,
        review_at: None,
    };
    let mut name = [0; 16];
    name[..8].copy_from_slice(&number.to_be_bytes());
    let record = RecordRow {
        id: RecordId::from_bytes(name),
        leaf,
        model: Digest::from_bytes([7; 32]),
        dimension: 512,
        sealed: vec![7; 1024],
        key_version: 1,
    };
    Ok((held, record))
}
