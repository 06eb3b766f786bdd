//! Random operations of eight clients in two processes agree with a sequential model, on both engines.
//!
//! `VOUCHSAFE_MODEL_OPS` sets how many operations on each engine (2,000 when it is not set), `VOUCHSAFE_MODEL_SEED` what
//! they are drawn from, `VOUCHSAFE_MODEL_ENGINE` on which engine alone (`sqlite` or `postgres`).
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a drill")]

use std::process::Command;
use std::time::Instant;

use vouchsafe_store::test_util::Postgres;
use vouchsafe_testkit::scene::memory_folder;
use vouchsafe_testkit::traffic::{Drive, Setup, Stand, Trouble, is_service};

const TEST: &str = "random_operations_agree_with_a_sequential_model";
const PROCESSES: usize = 2;
const LANES: usize = 4;

/// Promise: WB-5-revoke, WB-3-30days, WB-1.4-immutable, FP-9-restrict
#[test]
fn random_operations_agree_with_a_sequential_model() {
    if is_service(LANES) {
        return;
    }
    let folder = memory_folder().unwrap();
    let alone = std::env::var("VOUCHSAFE_MODEL_ENGINE").ok();
    let is_drilled = |engine: &str| alone.as_deref().is_none_or(|alone| alone == engine);
    if is_drilled("sqlite") {
        drill(Stand::in_folder(folder.path().join("sqlite")));
    }
    if !is_drilled("postgres") {
        return;
    }
    // Skips loudly, or fails where services are required.
    let Some(server) = Postgres::start(&[]).unwrap() else { return };
    let database = server.database().unwrap();
    let connection = database.through(server.port().unwrap());
    drill(Stand::in_folder(folder.path().join("postgres")).on_server(connection));
}

fn drill(stand: Stand) {
    let number = |name, default| std::env::var(name).map_or(default, |text| text.parse().unwrap());
    let operations = number("VOUCHSAFE_MODEL_OPS", 2_000);
    let (engine, begun) = (stand.engine(), Instant::now());
    let report = Drive::run(Setup {
        stand,
        program: Box::new(program),
        processes: PROCESSES,
        lanes: LANES,
        people: u32::try_from((operations / 12).clamp(40, 3_000)).unwrap(),
        operations,
        seed: number("VOUCHSAFE_MODEL_SEED", 6),
        contended: 12,
        restarts: 6,
        strikes: 0,
        trouble: Trouble::None,
    })
    .unwrap();
    println!(
        "store_model engine={engine} operations={} clients={} processes={PROCESSES} restarts={} contended={} sweeps={} \
         accepted={} errors={} {} seconds={:.1}",
        report.operations,
        PROCESSES * LANES,
        report.restarts,
        report.contended,
        report.sweeps,
        report.accepted,
        report.errors,
        report.verdict(),
        begun.elapsed().as_secs_f64()
    );
    for (kind, times) in &report.kinds {
        println!("error on {engine}: {kind} ({times} times)");
    }
    assert!(report.holds(), "{report}");
}

fn program() -> Command {
    let mut program = Command::new(std::env::current_exe().unwrap());
    program.args(["--exact", "--nocapture", "--quiet", TEST]);
    program
}
