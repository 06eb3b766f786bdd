//! A backup and a restore take the memory of a page, however many rows there are.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a test")]

use std::fs;
use std::path::Path;
use std::time::Instant;

use vouchsafe_store::test_util::Postgres;
use vouchsafe_store::{
    Backup, Holding, HoldingState, PostgresStore, RecordRow, SqliteStore, Store, StoreError, load_holdings,
    write,
};
use vouchsafe_types::{
    DataClass, Digest, LeafIndex, OrganisationId, RecordId, Scope, SubjectPseudonym, Timestamp,
};

/// Each is three rows: a person, a holding and a record.
const HOLDINGS: u64 = 100_000;
/// What the peak may grow by, in KiB; the rows themselves are some 200 MB.
const MOST: u64 = 64 << 10;

#[test]
fn memory_does_not_grow_with_the_rows() {
    let (home, id) = (tempfile::tempdir().unwrap(), OrganisationId::parse("acme").unwrap());
    let live = home.path().join("live");
    write::<_, StoreError>(&SqliteStore::open(&live).unwrap(), &id, |rows| {
        rows.insert_organisation(&id, Timestamp::UNIX_EPOCH)
    })
    .unwrap();
    assert_eq!(load_holdings(&live, &id, (0..HOLDINGS).map(holding)).unwrap(), HOLDINGS);

    let store = SqliteStore::open(&live).unwrap();
    let backup = measured("backup of sqlite", || take(&store, &home.path().join("one")));
    assert!(backup.manifest().bytes() > u64::from(u32::try_from(HOLDINGS).unwrap()) * 1500);
    measured("verify", || backup.verify().unwrap());
    measured("restore into sqlite", || {
        SqliteStore::restore(&home.path().join("restored"), &backup, Timestamp::UNIX_EPOCH).unwrap();
    });
    let Some(server) = Postgres::shared().unwrap() else { return };
    let database = server.database().unwrap();
    measured("restore into postgres", || {
        PostgresStore::restore(&database.owner().unwrap(), &backup, Timestamp::UNIX_EPOCH).unwrap();
    });
    let store = PostgresStore::open(&database.service().unwrap(), Timestamp::now()).unwrap();
    measured("backup of postgres", || take(&store, &home.path().join("two")));
}

fn take(store: &dyn Store, folder: &Path) -> Backup {
    Backup::take(store, folder, Timestamp::UNIX_EPOCH, &mut |_| Ok(None)).unwrap()
}

/// Runs it, and fails if the peak of resident memory grew by more than the bound.
fn measured<T>(what: &str, run: impl FnOnce() -> T) -> T {
    fs::write("/proc/self/clear_refs", "5").unwrap();
    let (before, begun) = (peak(), Instant::now());
    let done = run();
    let grown = peak().saturating_sub(before);
    println!("{what}: {} rows, {:.1} s, peak +{grown} KiB", 3 * HOLDINGS, begun.elapsed().as_secs_f64());
    assert!(grown < MOST, "{what}: {grown} KiB");
    done
}

/// `VmHWM`, in KiB.
fn peak() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

fn holding(number: u64) -> (Holding, RecordRow) {
    let mut name = [0; 32];
    name[..8].copy_from_slice(&number.to_be_bytes());
    let leaf = LeafIndex::new(number).unwrap();
    let holding = Holding {
        leaf,
        class: DataClass::Biometric,
        subject: SubjectPseudonym::from_bytes(name),
        scope: Some(Scope::from_code([1, 1, 1]).unwrap()),
        state: HoldingState::Live,
        created_at: Timestamp::UNIX_EPOCH,
        created_entry: None,
        review_at: None,
    };
    let mut id = [0; 16];
    id[..8].copy_from_slice(&number.to_be_bytes());
    let record = RecordRow {
        id: RecordId::from_bytes(id),
        leaf,
        model: Digest::from_bytes([7; 32]),
        dimension: 512,
        sealed: vec![7; 2048],
        key_version: 1,
    };
    (holding, record)
}
