//! Two instances on one folder: what one acknowledges, the other obeys.

use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use std::sync::Arc;

use vouchsafe::types::VirtualTicks;
use vouchsafe::{Decision, Refusal, Vouchsafe};

use crate::pause::{Place, Stop, stopping};
use crate::scene::{FACE, Scene, consented, enrol, face, permit, verify};

/// Promise: WB-5-revoke
#[test]
fn a_withdrawal_in_one_is_refused_by_the_other_at_once() {
    let scene = Scene::new();
    let organisation = scene.service.organisation("acme").unwrap();
    let person = consented(&organisation, "4711");
    enrol(&person, 1);

    let second = scene.again();
    let there = second.organisation("acme").unwrap();
    let same = there.subject("4711").unwrap();
    assert!(verify(&same, 1).is_accepted());
    let in_flight = permit(&same);
    let probe = face(&in_flight, 1);
    let _ = person.withdraw(FACE).unwrap();
    match same.verify_embedding(&in_flight, probe).unwrap() {
        Decision::Rejected(reasons) => assert!(reasons.contains(Refusal::ConsentWithdrawn)),
        other => panic!("{other:?}"),
    }
}

/// Promise: WB-5-revoke
#[test]
fn nothing_is_accepted_after_the_withdrawal_is_acknowledged() {
    let scene = Scene::new();
    let organisation = scene.service.organisation("acme").unwrap();
    let person = consented(&organisation, "4711");
    enrol(&person, 1);
    let second = scene.again();
    let start = Barrier::new(2);
    let acknowledged = AtomicBool::new(false);
    let (before, after) = thread::scope(|scope| {
        let verifier = scope.spawn(|| {
            let there = second.organisation("acme").unwrap();
            let same = there.subject("4711").unwrap();
            let permit = permit(&same);
            start.wait();
            let (mut before, mut after) = (0, Vec::new());
            while after.len() < 20 {
                let late = acknowledged.load(Ordering::SeqCst);
                let accepted = same.verify_embedding(&permit, face(&permit, 1)).unwrap().is_accepted();
                if late {
                    after.push(accepted);
                } else {
                    before += u32::from(accepted);
                }
            }
            (before, after)
        });
        start.wait();
        thread::yield_now();
        let _ = person.withdraw(FACE).unwrap();
        acknowledged.store(true, Ordering::SeqCst);
        verifier.join().unwrap()
    });
    println!("{before} accepted before the acknowledgement, {} asked after it", after.len());
    assert!(after.iter().all(|accepted| !accepted));
}

#[test]
fn both_write_and_the_log_stays_one() {
    let scene = Scene::new();
    let organisation = scene.service.organisation("acme").unwrap();
    consented(&organisation, "first");
    let second = scene.again();
    thread::scope(|scope| {
        for service in [&scene.service, &second] {
            scope.spawn(move || {
                let organisation = service.organisation("acme").unwrap();
                for i in 0..20 {
                    let person = consented(&organisation, &format!("{service:p}-{i}"));
                    enrol(&person, i);
                    organisation.publish_log().unwrap();
                }
            });
        }
    });
    organisation.publish_log().unwrap();
    let report = organisation.verify_log().unwrap();
    assert!(report.is_sound(), "{report:?}");
    assert_eq!(report.leaves(), 2 + 2 + 2 * 20 * 3);
}

/// Within half a second one process does not know the leaves that another one reserved.
///
/// Promise: WB-5-revoke
#[test]
fn a_leaf_that_another_process_reserved_stands_in_nobodys_way() {
    let scene = Scene::new();
    let mut ports = scene.ports();
    // For this one the half second never ends.
    ports.ticks = Arc::new(VirtualTicks::default());
    let first = Vouchsafe::open_with(ports);
    let organisation = first.organisation("acme").unwrap();
    let _ = consented(&organisation, "warm").withdraw(FACE).unwrap();
    let second = scene.again();
    let there = second.organisation("acme").unwrap();
    let same = consented(&there, "4711");
    enrol(&same, 1);
    let _ = organisation.subject("4711").unwrap().withdraw(FACE).unwrap();
    assert!(matches!(same.permit(FACE).unwrap(), vouchsafe::Outcome::Refused(_)));

    consented(&scene.again().organisation("acme").unwrap(), "4712");
    assert!(organisation.verify_payloads().unwrap().is_sound(), "no false alarm");
}

/// Promise: WB-5-revoke
#[test]
fn a_template_that_another_process_enrols_meanwhile_is_verified() {
    let scene = Scene::new();
    let organisation = scene.service.organisation("acme").unwrap();
    let person = consented(&organisation, "4711");
    let stop = Arc::new(Stop::default());
    let second = Vouchsafe::open_with(stopping(scene.ports(), &stop));
    thread::scope(|scope| {
        let verified = scope.spawn(|| {
            let there = second.organisation("acme").unwrap();
            let same = there.subject("4711").unwrap();
            let permit = permit(&same);
            // With the keys of now, and the rows of later.
            stop.here_at(Place::Read);
            same.verify_embedding(&permit, face(&permit, 1)).unwrap().is_accepted()
        });
        stop.reached();
        enrol(&person, 1);
        stop.release();
        assert!(verified.join().unwrap());
    });
}
