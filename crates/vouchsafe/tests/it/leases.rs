//! One process at a time sweeps: real processes, one of which is killed or stopped in the middle.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use jiff::ToSpan;
use vouchsafe::store::HoldingState;
use vouchsafe::types::RecordId;
use vouchsafe::{Clock, Destruction, Error, Organisation, OrganisationId, Pace, Timestamp, VirtualClock};

use crate::scene::{Scene, approver, consented, enrol, open};

const FOLDER: &str = "VOUCHSAFE_TEST_SWEEP_IN";
const NOW: &str = "VOUCHSAFE_TEST_SWEEP_AT";
/// How many people fall due together.
const PEOPLE: u64 = 12;
/// The code of retention in the rows.
const RETENTION: u8 = 1;
/// What [`vouchsafe::Ports`] has by default.
const LEASE_SECONDS: i64 = 60;

fn acme() -> OrganisationId {
    OrganisationId::parse("acme").unwrap()
}

fn approved(organisation: &Organisation<'_>, pace: Pace) -> Result<Destruction, Error> {
    let plan = organisation.plan_retention().unwrap();
    let approval = approver().approve(&plan).unwrap();
    organisation.run_plan(plan, &[&approval], pace)
}

fn until(destruction: Destruction) -> Option<Timestamp> {
    match destruction {
        Destruction::Pending(left) => left.elsewhere_until(),
        Destruction::Done(_) => None,
    }
}

/// Where several people fall due.
fn due() -> Scene {
    let scene = Scene::new();
    let organisation = scene.service.organisation("acme").unwrap();
    for number in 0..PEOPLE {
        enrol(&consented(&organisation, &format!("p{number}")), number);
    }
    scene.clock.advance(4.years()).unwrap();
    scene
}

fn condemned(scene: &Scene) -> usize {
    scene.rows(&acme(), |rows| {
        Ok(rows
            .holdings(&acme(), None, 10_000)?
            .iter()
            .filter(|holding| matches!(holding.state, HoldingState::Condemned { .. }))
            .count())
    })
}

/// Everything that a process that was fenced must leave as it is.
fn stored(scene: &Scene) -> String {
    scene.rows(&acme(), |rows| {
        let holdings = rows.holdings(&acme(), None, 10_000)?;
        Ok(format!("{:?} {:?} {:?}", rows.entry_count(&acme())?, rows.retention(&acme())?, holdings))
    })
}

#[test]
fn a_sweep_leaves_it_to_the_process_that_leads_until_its_lease_ends() {
    let scene = due();
    let organisation = scene.service.organisation("acme").unwrap();
    let now = scene.clock.now();
    let ends = now.checked_add(LEASE_SECONDS.seconds()).unwrap();
    let store = scene.ports().store;
    let taken: Result<_, Error> = vouchsafe::store::write(&*store, &acme(), |rows| {
        Ok(rows.take_lease(&acme(), RETENTION, RecordId::from_bytes([9; 16]), now, ends)?)
    });
    let token = taken.unwrap().token;
    let before = stored(&scene);
    assert_eq!(until(approved(&organisation, Pace::default()).unwrap()), Some(ends));
    assert_eq!(until(organisation.sweep().unwrap()), Some(ends));
    let purged = organisation.purge().unwrap();
    assert_eq!(purged.elsewhere_until, Some(ends));
    assert_eq!(stored(&scene), before, "nothing is changed");

    scene.pass(LEASE_SECONDS - 1);
    assert_eq!(until(organisation.sweep().unwrap()), Some(ends));
    scene.pass(1);
    assert!(matches!(approved(&organisation, Pace::default()).unwrap(), Destruction::Done(_)));
    let lease = scene.rows(&acme(), |rows| rows.lease(&acme(), RETENTION)).unwrap();
    assert_eq!(lease.until, None, "given back");
    assert!(lease.token > token);
    assert_eq!(organisation.purge().unwrap().elsewhere_until, None);
}

/// Not a test of its own: what a process does that publishes without end.
#[test]
fn a_process_that_publishes() {
    let (Ok(folder), Ok(now)) = (std::env::var(FOLDER), std::env::var(NOW)) else { return };
    let clock = Arc::new(VirtualClock::starting_at(now.parse().unwrap()));
    let service = open(Path::new(&folder), &clock);
    let organisation = service.organisation("acme").unwrap();
    for number in 0.. {
        consented(&organisation, &format!("q{number}"));
        organisation.publish_log().unwrap();
    }
}

/// The published log has its own lease: that of the place where it is published.
#[test]
fn a_log_whose_publisher_was_killed_is_published_by_another_process_at_once() {
    let scene = Scene::new();
    let organisation = scene.service.organisation("acme").unwrap();
    consented(&organisation, "first");
    for _ in 0..3 {
        let before = organisation.publish_log().unwrap().checkpoint().size();
        let publishing = Working::begin(&scene, "leases::a_process_that_publishes", || {
            let entries = scene.rows(&acme(), |rows| rows.entry_count(&acme()));
            entries > before + 10
        });
        publishing.signal("-KILL");
        let _ = publishing.said();
        consented(&organisation, "after");
        assert!(organisation.publish_log().unwrap().checkpoint().size() > before + 10);
        let report = organisation.verify_log().unwrap();
        assert!(report.is_sound(), "{report:?}");
    }
}

/// Not a test of its own: what the processes of the tests below run.
#[test]
fn a_process_that_sweeps() {
    let (Ok(folder), Ok(now)) = (std::env::var(FOLDER), std::env::var(NOW)) else { return };
    let clock = Arc::new(VirtualClock::starting_at(now.parse().unwrap()));
    let service = open(Path::new(&folder), &clock);
    let organisation = service.organisation("acme").unwrap();
    let pace = Pace { batch: 1, rest: Duration::from_millis(100), ..Pace::default() };
    match until(approved(&organisation, pace).unwrap()) {
        Some(_) => println!("swept elsewhere"),
        None => println!("swept here"),
    }
}

/// Another process at work.
struct Working(Option<Child>);

impl Working {
    /// Begins a sweep in another process, and returns once it is in the middle of it.
    fn sweeping(scene: &Scene) -> Self {
        Self::begin(scene, "leases::a_process_that_sweeps", || condemned(scene) >= 3)
    }

    /// Begins the work of another process, and returns once it is in the middle of it.
    fn begin(scene: &Scene, what: &str, middle: impl Fn() -> bool) -> Self {
        let child = Command::new(std::env::current_exe().unwrap())
            .args([what, "--exact", "--nocapture"])
            .env(FOLDER, scene.dir.path())
            .env(NOW, scene.clock.now().to_string())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let working = Self(Some(child));
        let begun = Instant::now();
        while !middle() {
            assert!(begun.elapsed() < Duration::from_secs(60), "the work does not begin");
            thread::sleep(Duration::from_millis(10));
        }
        working
    }

    fn signal(&self, name: &str) {
        let child = self.0.as_ref().unwrap();
        let sent = Command::new("kill").args([name, &child.id().to_string()]).status().unwrap();
        assert!(sent.success(), "{name}");
    }

    fn said(mut self) -> String {
        String::from_utf8(self.0.take().unwrap().wait_with_output().unwrap().stdout).unwrap()
    }
}

impl Drop for Working {
    fn drop(&mut self) {
        if let Some(mut child) = self.0.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

#[test]
fn after_a_process_that_swept_was_killed_another_one_goes_on_within_the_lease() {
    let scene = due();
    let sweeping = Working::sweeping(&scene);
    sweeping.signal("-KILL");
    let _ = sweeping.said();
    let left = condemned(&scene);
    assert!((3..PEOPLE).contains(&(left as u64)), "{left}: killed in the middle");
    let organisation = scene.service.organisation("acme").unwrap();
    let ends = until(organisation.sweep().unwrap()).unwrap();
    let waits = ends.as_second() - scene.clock.now().as_second();
    assert!((1..=LEASE_SECONDS).contains(&waits), "{waits}");
    scene.pass(waits);
    let Destruction::Done(certificates) = approved(&organisation, Pace::default()).unwrap() else { panic!() };
    assert_eq!(certificates.len() as u64, PEOPLE);
    assert_eq!(condemned(&scene), 0);
    assert!(
        organisation.verify_log().unwrap().is_sound() && organisation.verify_payloads().unwrap().is_sound()
    );
}

#[test]
fn a_process_that_was_stopped_and_wakes_after_another_one_took_over_changes_nothing() {
    let scene = due();
    let sweeping = Working::sweeping(&scene);
    let organisation = scene.service.organisation("acme").unwrap();
    scene.pass(LEASE_SECONDS + 1);
    // Stopped within a transaction it would keep every writer out: then it goes on for a moment.
    loop {
        sweeping.signal("-STOP");
        match organisation.expire_consents() {
            Err(Error::Store(error)) if error.is_retryable() => sweeping.signal("-CONT"),
            expired => break drop(expired.unwrap()),
        }
        thread::sleep(Duration::from_millis(30));
    }
    // The stopped process may still hold the former keys: destroyed is what it is not before it let go of them.
    assert_eq!(until(approved(&organisation, Pace::default()).unwrap()), None);
    let before = stored(&scene);
    sweeping.signal("-CONT");
    let said = sweeping.said();
    assert!(said.contains("swept elsewhere"), "{said}");
    assert_eq!(stored(&scene), before);
    let ended = organisation.resume_destructions();
    assert!(matches!(ended, Destruction::Done(_)), "{ended:?}");
    assert_eq!(condemned(&scene), 0);
    assert!(
        organisation.verify_log().unwrap().is_sound() && organisation.verify_payloads().unwrap().is_sound()
    );
}
