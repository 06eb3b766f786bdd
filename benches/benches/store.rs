//! The acts of a person, each one committed and synced, beside what a bare commit of the database costs.
//!
//! Nearly all of each figure is the disk's: a sync can take 0.3 ms or 4 ms on one machine within minutes. Compare acts
//! by how many syncs they make (`strace -f -y -e trace=fsync,fdatasync`) before comparing their times.
#![expect(clippy::unwrap_used, reason = "a bench that cannot run says so")]

use std::cell::Cell;
use std::time::{Duration, Instant};

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use rusqlite::Connection;
use vouchsafe::Destruction;
use vouchsafe_benches::{SCOPE, consented, embedding, folder, give, notice, service};

/// The same settings as the store, one row as large as those of an act together.
fn bare_database(folder: &tempfile::TempDir) -> Connection {
    let database = Connection::open(folder.path().join("bare.sqlite")).unwrap();
    database
        .execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON;
             CREATE TABLE row (number INTEGER PRIMARY KEY, bytes BLOB NOT NULL);",
        )
        .unwrap();
    database
}

/// How long the first took, with the second run in between and not counted.
fn in_turns(times: u64, counted: impl Fn(), between: impl Fn()) -> Duration {
    let mut sum = Duration::ZERO;
    for _ in 0..times {
        let begun = Instant::now();
        counted();
        sum += begun.elapsed();
        between();
    }
    sum
}

fn acts(criterion: &mut Criterion) {
    let folder = folder(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let service = service(&folder).unwrap();
    let organisation = service.organisation("acme").unwrap();
    let notice = notice(&organisation).unwrap();
    let bare = bare_database(&folder);
    let count = Cell::new(0u32);
    let newcomer = || {
        count.set(count.get() + 1);
        consented(&organisation, &format!("person-{}", count.get())).unwrap()
    };

    let mut group = criterion.benchmark_group("act");
    group.sample_size(20).warm_up_time(Duration::from_secs(1));
    // A sync takes a fraction of a millisecond or several, and which may change within a run: both sides take turns
    // and each bench counts its own, so that they see the same disk.
    let (person, _) = newcomer();
    let consent = || drop(give(&person, &notice).unwrap());
    let insert = || {
        assert_eq!(bare.execute("INSERT INTO row (bytes) VALUES (zeroblob(1024))", []).unwrap(), 1);
    };
    group.bench_function("append a consent", |bencher| {
        bencher.iter_custom(|times| in_turns(times, consent, insert));
    });
    group.bench_function("append 1 KiB to a bare database", |bencher| {
        bencher.iter_custom(|times| in_turns(times, insert, consent));
    });
    group.bench_function("enrol an embedding", |bencher| {
        let setup = || {
            let (person, permit) = newcomer();
            let face = embedding(&permit, 1).unwrap();
            (person, permit, face)
        };
        bencher.iter_batched(
            setup,
            |(person, permit, face)| person.enrol_embedding(&permit, face).unwrap().or_refuse().unwrap(),
            BatchSize::PerIteration,
        );
    });
    group.bench_function("verify an embedding", |bencher| {
        let (person, permit) = newcomer();
        let enrolled = person.enrol_embedding(&permit, embedding(&permit, 1).unwrap()).unwrap();
        assert!(enrolled.done().is_some());
        bencher.iter_batched(
            || embedding(&permit, 1).unwrap(),
            |face| person.verify_embedding(&permit, face).unwrap().or_refuse().unwrap(),
            BatchSize::PerIteration,
        );
    });
    group.bench_function("withdraw and destroy", |bencher| {
        let setup = || {
            let (person, permit) = newcomer();
            let enrolled = person.enrol_embedding(&permit, embedding(&permit, 1).unwrap()).unwrap();
            assert!(enrolled.done().is_some());
            person
        };
        bencher.iter_batched(
            setup,
            |person| match person.withdraw(SCOPE).unwrap().destruction {
                Destruction::Done(certificates) => assert_eq!(certificates.len(), 1),
                Destruction::Pending(_) => unreachable!("nothing is in the way"),
            },
            BatchSize::PerIteration,
        );
    });
    group.finish();
}

criterion_group!(benches, acts);
criterion_main!(benches);
