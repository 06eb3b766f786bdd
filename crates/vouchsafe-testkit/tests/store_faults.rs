//! Faults beside the clients of a drill: whatever was acknowledged holds, and of what was not, nothing or all.
//!
//! `VOUCHSAFE_FAULTS` multiplies how many operations and faults of each kind there are (1 when it is not set).
#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::print_stdout, reason = "a drill")]

mod store_faults {
    pub(crate) mod disk;
    pub(crate) mod proxy;
}

use std::mem::ManuallyDrop;
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use store_faults::disk::{Disk, fill, free};
use store_faults::proxy::{Cut, Proxy};
use vouchsafe_store::test_util::Postgres;
use vouchsafe_testkit::scene::{Failure, memory_folder};
use vouchsafe_testkit::services::gate::{Fault, Gate};
use vouchsafe_testkit::services::objects::{ObjectServer, ObjectServerKind};
use vouchsafe_testkit::traffic::{BUCKETS, Drive, Setup, Stand, Trouble, is_service};

const SERVICE: &str = "as_a_service";
const PROCESSES: usize = 2;
const LANES: usize = 3;

/// The process that serves: this binary again.
#[test]
fn as_a_service() {
    is_service(LANES);
}

/// Promise: WB-5-revoke, WB-3-30days, WB-1.4-immutable
#[test]
fn a_killed_service_takes_nothing_with_it_that_it_acknowledged() {
    let folder = memory_folder().unwrap();
    let kind = Kind { name: "kill-process", strikes: 6, operations: 700 };
    kind.run(Stand::in_folder(folder.path().join("sqlite")), Trouble::Kill);
    let Some(server) = Postgres::start(&[]).unwrap() else { return };
    let kind = Kind { strikes: 4, operations: 300, ..kind };
    kind.run(on(&server, server.port().unwrap(), folder.path().join("postgres")), Trouble::Kill);
}

/// Promise: WB-5-revoke, WB-1.4-immutable
#[test]
fn a_killed_server_takes_nothing_with_it_that_it_acknowledged() {
    let Some(mut server) = Postgres::start(&[]).unwrap() else { return };
    let folder = memory_folder().unwrap();
    let stand = on(&server, server.port().unwrap(), folder.path().join("postgres"));
    let kind = Kind { name: "kill-server", strikes: 2, operations: 350 };
    kind.run(stand, outside(move |_| server.kill_and_restart()));
}

/// A commit is acknowledged when the replica has it too.
///
/// Promise: WB-5-revoke, WB-1.4-immutable
#[test]
fn a_promoted_replica_has_all_that_was_acknowledged() {
    (0..times()).for_each(fail_over);
}

fn fail_over(round: u64) {
    let Some(primary) = Postgres::start(&["wal_level=replica", "max_wal_senders=4"]).unwrap() else { return };
    let folder = memory_folder().unwrap();
    let database = ManuallyDrop::new(primary.database().unwrap());
    let standby = primary.standby().unwrap();
    for sql in ["ALTER SYSTEM SET synchronous_standby_names = '*'", "SELECT pg_reload_conf()"] {
        database.look(sql).unwrap();
    }
    // Whoever writes is found by the driver, among both.
    let ports = format!("{},{}", primary.port().unwrap(), standby.port().unwrap());
    let alone = format!("host=127.0.0.1 port={}", primary.port().unwrap());
    let both = format!("host=127.0.0.1,127.0.0.1 port={ports} target_session_attrs=read-write");
    let connection = database.through(primary.port().unwrap()).replace(&alone, &both);
    assert!(connection.starts_with(&both), "{connection}");
    let stand = Stand::in_folder(folder.path().join("postgres")).on_server(connection);
    let primary = Mutex::new(Some(primary));
    let strike = move |_| {
        if let Some(mut primary) = primary.lock().unwrap_or_else(PoisonError::into_inner).take() {
            primary.kill()?;
            thread::sleep(Duration::from_millis(100));
            standby.promote()?;
        }
        Ok(())
    };
    let kind = Kind { name: "failover", strikes: 1, operations: 350 };
    kind.run_once(stand, outside(strike), round);
}

/// Promise: WB-5-revoke, WB-1.4-immutable
#[test]
fn a_lost_answer_to_a_commit_loses_nothing_else() {
    let Some(server) = Postgres::start(&[]).unwrap() else { return };
    let folder = memory_folder().unwrap();
    let proxy = Proxy::before(server.port().unwrap());
    let stand = on(&server, proxy.port, folder.path().join("postgres"));
    let strike = move |number| {
        proxy.cut(&[Cut::Answer, Cut::Request, Cut::Answer][..1 + usize::try_from(number % 3)?]);
        while !proxy.is_idle() {
            thread::sleep(Duration::from_millis(5));
        }
        Ok(())
    };
    let kind = Kind { name: "cut-commit", strikes: 9, operations: 250 };
    kind.run(stand, outside(strike));
}

/// The log, the checkpoints and the second place of key states are in buckets; the rows are not.
///
/// Promise: WB-5-revoke, WB-3-30days
#[test]
fn a_sick_object_store_loses_nothing() {
    let servers = [ObjectServerKind::S3sFs, ObjectServerKind::Moto];
    let found = servers.into_iter().find_map(|kind| ObjectServer::start(kind, "store_faults"));
    let Some(server) = found else { return };
    BUCKETS.into_iter().for_each(|bucket| server.make_bucket(bucket));
    let (folder, gate) = (memory_folder().unwrap(), Gate::before(server.address()));
    let stand = Stand::in_folder(folder.path().join("sqlite")).with_objects(gate.endpoint());
    let strike = move |number| {
        let fault = match number % 4 {
            0 => Fault::LoseAnswer,
            1 => Fault::Busy,
            2 => Fault::LoseRequest,
            _ => Fault::Late(Duration::from_millis(40)),
        };
        gate.plan(move |_| fault);
        thread::sleep(Duration::from_millis(1200));
        gate.mend();
        Ok(())
    };
    let kind = Kind { name: "sick-objects", strikes: 4, operations: 150 };
    kind.run(stand, outside(strike));
    drop(server);
}

/// Promise: WB-5-revoke, WB-1.4-immutable
#[test]
fn a_full_disk_loses_nothing() {
    let Some(disk) = Disk::mount(48, "store_faults: full disk, SQLite") else { return };
    let full = |place: PathBuf| {
        move || {
            let ballast = fill(&place);
            thread::sleep(Duration::from_millis(250));
            free(&ballast).map_err(Failure::from)
        }
    };
    let fill_it = full(disk.path().to_owned());
    let kind = Kind { name: "full-disk", strikes: 4, operations: 500 };
    kind.run(Stand::in_folder(disk.path().join("sqlite")), outside(move |_| fill_it()));
    drop(disk);

    let Some(disk) = Disk::mount(256, "store_faults: full disk, PostgreSQL") else { return };
    let options = ["max_wal_size=64MB", "min_wal_size=32MB"];
    let Some(mut server) = Postgres::start_in(disk.path(), &options).unwrap() else { return };
    let folder = memory_folder().unwrap();
    let stand = on(&server, server.port().unwrap(), folder.path().join("postgres"));
    let fill_it = full(disk.path().to_owned());
    // A server that cannot write its log ends, and is started again when there is room.
    let strike = move |_| fill_it().and_then(|()| server.revive());
    let kind = Kind { strikes: 2, operations: 300, ..kind };
    kind.run(stand, outside(strike));
    drop(disk);
}

fn on(server: &Postgres, port: u16, folder: PathBuf) -> Stand {
    // The database goes with its server.
    let database = ManuallyDrop::new(server.database().unwrap());
    Stand::in_folder(folder).on_server(database.through(port))
}

fn outside(strike: impl FnMut(u64) -> Result<(), Failure> + Send + 'static) -> Trouble {
    Trouble::Outside(Box::new(strike))
}

/// One kind of fault.
#[derive(Clone, Copy)]
struct Kind {
    name: &'static str,
    strikes: u64,
    operations: u64,
}

impl Kind {
    fn run(self, stand: Stand, trouble: Trouble) {
        let Self { name, strikes, operations } = self;
        let (strikes, operations) = (strikes * times(), operations * times());
        Self { name, strikes, operations }.run_once(stand, trouble, 0);
    }

    fn run_once(self, stand: Stand, trouble: Trouble, round: u64) {
        let (engine, begun) = (stand.engine(), Instant::now());
        let setup = Setup {
            stand,
            program: Box::new(program),
            processes: PROCESSES,
            lanes: LANES,
            people: u32::try_from((self.operations / 10).clamp(20, 500)).unwrap(),
            operations: self.operations,
            seed: 6 + round,
            contended: 15,
            restarts: 0,
            strikes: self.strikes,
            trouble,
        };
        let report = Drive::run(setup).unwrap();
        println!(
            "store_faults kind={} engine={engine} faults={} operations={} acknowledged={} errors={} unknown={} {} \
             seconds={:.1}",
            self.name,
            report.faults,
            report.operations,
            report.acknowledged,
            report.errors,
            report.unknown,
            report.verdict(),
            begun.elapsed().as_secs_f64()
        );
        for (kind, times) in &report.kinds {
            println!("error in {} on {engine}: {kind} ({times} times)", self.name);
        }
        assert!(report.holds(), "{}: {report}", self.name);
    }
}

fn times() -> u64 {
    std::env::var("VOUCHSAFE_FAULTS").map_or(1, |times| times.parse().unwrap())
}

fn program() -> Command {
    let mut program = Command::new(std::env::current_exe().unwrap());
    program.args(["--exact", "--nocapture", "--quiet", SERVICE]);
    program
}
