//! The acts of a person, each one committed and synced, beside what a bare commit of the database costs.
#![expect(clippy::unwrap_used, reason = "a bench that cannot run says so")]

use std::cell::Cell;
use std::time::Duration;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use rusqlite::Connection;
use vouchsafe::{Act, Destruction};
use vouchsafe_benches::{SCOPE, consented, embedding, folder, notice, service};

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
    group.bench_function("append a consent", |bencher| {
        let (person, _) = newcomer();
        bencher.iter(|| person.give_consent(SCOPE, &notice, Act::Checkbox).unwrap());
    });
    group.bench_function("append 1 KiB to a bare database", |bencher| {
        bencher.iter(|| bare.execute("INSERT INTO row (bytes) VALUES (zeroblob(1024))", []).unwrap());
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
