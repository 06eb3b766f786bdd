//! An audit bundle of many entries: how long its writing and its check take, by this workspace and by the script that
//! shares no code with it.
//!
//! `VOUCHSAFE_AUDIT_EVENTS` sets how many entries the log has at the least (2,000 when it is not set).
#![expect(clippy::unwrap_used, reason = "a drill")]

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use jiff::ToSpan;
use vouchsafe::ledger::Trust;
use vouchsafe::{Destruction, Notice, Organisation, verify_bundle};
use vouchsafe_testkit::scene::{
    ORGANISATION, SCOPE, Scene, approved_sweep, caller_id, embedding, give, memory_folder, notice,
};
use vouchsafe_testkit::services::skip;

const EVENTS: &str = "VOUCHSAFE_AUDIT_EVENTS";
const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../vouchsafe/tests/interop/check_bundle.py");
/// From here on the check has to end in time.
const MANY: u64 = 100_000;
const SECONDS: f64 = 10.0;
/// Somebody who enrolled, verified and was destroyed takes seven entries; the rest is for those who stay.
const ENTRIES_EACH: u64 = 8;

/// Promise: WB-6-audit
#[test]
fn bundle_of_many() {
    let events: u64 = std::env::var(EVENTS).map_or(2_000, |events| events.parse().unwrap());
    let home = memory_folder().unwrap();
    let scene = Scene::new(home.path().join("store"), "2026-04-01T12:00:00Z".parse().unwrap());
    let service = scene.open().unwrap();
    let organisation = service.organisation(ORGANISATION).unwrap();
    let notice = notice(&organisation).unwrap();
    let begun = Instant::now();
    let people = u32::try_from(events / ENTRIES_EACH).unwrap();
    (0..people).for_each(|person| live(&organisation, &notice, person));
    scene.clock().advance(4.years()).unwrap();
    assert!(matches!(approved_sweep(&organisation).unwrap(), Destruction::Done(_)));
    // Those who are still there.
    let mut newcomer = people;
    while organisation.publish_log().unwrap().checkpoint().size() < events {
        (newcomer..newcomer + 100).for_each(|person| live(&organisation, &notice, person));
        newcomer += 100;
    }
    let live_seconds = begun.elapsed().as_secs_f64();

    let folder = home.path().join("bundle");
    let begun = Instant::now();
    let bundle = organisation.audit_bundle(&folder).unwrap();
    let write_seconds = begun.elapsed().as_secs_f64();
    let key = organisation.verifier_key().unwrap();
    let begun = Instant::now();
    let report = verify_bundle(&folder, &Trust::new(&key, key.name())).unwrap();
    let verify_seconds = begun.elapsed().as_secs_f64();
    assert!(report.is_sound(), "{:?}", report.findings());
    let counts = report.counts();
    assert!(counts.destroyed == u64::from(people) && counts.held > 0, "{counts}");
    let python_seconds = second(&folder, &key.to_string(), &counts.to_string());
    println!(
        "events={} certificates={} bytes={} files={} live_seconds={live_seconds:.1} write_seconds={write_seconds:.2} \
         verify_seconds={verify_seconds:.2} python_seconds={}\n{counts}",
        counts.entries,
        counts.certificates,
        bundle.bytes(),
        bundle.files(),
        python_seconds.map_or_else(|| "none".to_owned(), |seconds| format!("{seconds:.2}")),
    );
    if counts.entries >= MANY {
        assert!(verify_seconds < SECONDS && python_seconds.is_none_or(|seconds| seconds < SECONDS));
    }
}

fn live(organisation: &Organisation<'_>, notice: &Notice, person: u32) {
    let subject = organisation.subject(&caller_id(person)).unwrap();
    let _ = give(&subject, SCOPE, notice).unwrap();
    let permit = subject.permit(SCOPE).unwrap().done().unwrap();
    let _ = subject.enrol_embedding(&permit, embedding(&permit, person, 0).unwrap()).unwrap();
    let permit = subject.permit(SCOPE).unwrap().done().unwrap();
    let _ = subject.verify_embedding(&permit, embedding(&permit, person, 0).unwrap()).unwrap();
}

/// How long the script took; it must find the same.
fn second(folder: &Path, key: &str, counts: &str) -> Option<f64> {
    let probe = Command::new("python3").args(["-c", "import cryptography"]).output();
    if !probe.is_ok_and(|output| output.status.success()) {
        skip("bundle_of_many", "no python3 with the package `cryptography`");
        return None;
    }
    let begun = Instant::now();
    let said = Command::new("python3")
        .args(["-B", SCRIPT])
        .arg(folder)
        .args([key, "2100-01-01T00:00:00Z"])
        .output()
        .unwrap();
    let seconds = begun.elapsed().as_secs_f64();
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    assert_eq!(String::from_utf8_lossy(&said.stdout).trim_end(), counts);
    Some(seconds)
}
