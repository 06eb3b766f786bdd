//! Several processes on one key, each with a connection and a token of its own.
use std::sync::Barrier;

use vouchsafe_envelope::KeyServiceError;
use vouchsafe_envelope::port::KeyService;
use vouchsafe_testkit::services::openbao::OpenBaoServer;

use super::{generations, handle, open, secret};

/// The server refuses one of two changes of a key at the same moment; the caller tries again.
fn persist<T>(act: impl Fn() -> Result<T, KeyServiceError>) -> T {
    let mut tries = (0..50).map(|_| act());
    tries.find(|tried| tried.as_ref().err() != Some(&KeyServiceError::Unavailable)).unwrap().unwrap()
}

/// Creators that race make every version asked for; each makes at most one too many, which the list shows.
#[test]
fn racing_creators_make_what_each_asked_for() {
    let Some(server) = OpenBaoServer::launch() else { return };
    for round in 0..5 {
        let organisation = format!("create-{round}");
        let (services, start) = ([(); 4].map(|()| open(&server)), Barrier::new(4));
        std::thread::scope(|scope| {
            for (service, wanted) in services.iter().zip([2, 3, 5, 5]) {
                let (start, organisation) = (&start, &organisation);
                scope.spawn(move || {
                    start.wait();
                    persist(|| service.create(&handle(organisation, wanted)));
                    service.wrap(&handle(organisation, wanted), &secret(1), b"").unwrap();
                });
            }
        });
        let held = generations(&services[0], &handle(&organisation, 1));
        let latest = *held.last().unwrap();
        assert!((5..=8).contains(&latest) && held.iter().copied().eq(1..=latest), "{held:?}");
        // What was shown is what is stored.
        if round == 0 {
            server.stop();
            server.start();
            assert_eq!(generations(&services[0], &handle(&organisation, 1)), held);
        }
        let _ = services[1].destroy(&handle(&organisation, latest - 1)).unwrap();
        assert_eq!(generations(&services[2], &handle(&organisation, 1)), [latest]);
    }
}

/// A destruction that began with an older view neither fails for long nor brings anything back.
#[test]
fn racing_destructions_all_hold() {
    let Some(server) = OpenBaoServer::shared() else { return };
    for round in 0..5 {
        let organisation = format!("destroy-{round}");
        let (services, start) = ([(); 4].map(|()| open(&server)), Barrier::new(4));
        services[0].create(&handle(&organisation, 6)).unwrap();
        std::thread::scope(|scope| {
            for (service, doomed) in services.iter().zip([1, 2, 4, 5]) {
                let (start, doomed) = (&start, handle(&organisation, doomed));
                scope.spawn(move || {
                    start.wait();
                    let mut tries = (0..10).map(|_| service.destroy(&doomed));
                    let last =
                        tries.find(|tried| tried.as_ref().err() != Some(&KeyServiceError::Unavailable));
                    assert_eq!(last.unwrap().unwrap().handle(), &doomed);
                    let held = generations(service, &doomed);
                    assert!(held.iter().all(|left| *left > doomed.generation()), "{held:?}");
                });
            }
        });
        assert_eq!(generations(&services[0], &handle(&organisation, 1)), [6]);
    }
}

/// Creating and destroying at once, as a retried and a fresh destruction of the key ring do.
#[test]
fn creators_and_destroyers_do_not_disturb_each_other() {
    let Some(server) = OpenBaoServer::shared() else { return };
    let (creator, destroyer) = (open(&server), open(&server));
    creator.create(&handle("both", 2)).unwrap();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for generation in 3..=20 {
                persist(|| creator.create(&handle("both", generation)));
                let wrapped = creator.wrap(&handle("both", generation), &secret(1), b"").unwrap();
                creator.unwrap(&handle("both", generation), &wrapped, b"").unwrap();
            }
        });
        let _ = persist(|| destroyer.destroy(&handle("both", 1)));
    });
    assert_eq!(generations(&creator, &handle("both", 1)), (2..=20).collect::<Vec<_>>());
}
