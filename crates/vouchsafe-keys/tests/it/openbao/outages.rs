//! A server that is sealed, killed, silent or slow.
use std::time::{Duration, Instant};

use vouchsafe_envelope::KeyServiceError;
use vouchsafe_envelope::port::KeyService;
use vouchsafe_keys::{KeysError, OpenBao, OpenBaoConfig};
use vouchsafe_testkit::services::openbao::OpenBaoServer;

use super::fake::{Fake, Reply};
use super::{config, handle, open, secret, token};

#[test]
fn a_sealed_server_is_unavailable_and_comes_back() {
    let Some(server) = OpenBaoServer::launch() else { return };
    let (service, handle) = (open(&server), handle("sealed", 1));
    service.create(&handle).unwrap();
    let wrapped = service.wrap(&handle, &secret(1), b"").unwrap();
    server.seal();
    let error = service.unwrap(&handle, &wrapped, b"").unwrap_err();
    assert_eq!((error, error.is_retryable()), (KeyServiceError::Unavailable, true));
    assert_eq!(service.create(&handle), Err(KeyServiceError::Unavailable));
    assert_eq!(service.destroy(&handle).err(), Some(KeyServiceError::Unavailable));
    let connect = OpenBao::connect(config(&server, token(server.root_token())));
    assert_eq!(connect.err(), Some(KeysError::Unavailable));
    server.unseal();
    assert_eq!(service.unwrap(&handle, &wrapped, b"").unwrap().expose_secret(), &[1; 32]);
}

#[test]
fn a_killed_server_is_unavailable_and_comes_back() {
    let Some(server) = OpenBaoServer::launch() else { return };
    let (service, handle) = (open(&server), handle("killed", 1));
    service.create(&handle).unwrap();
    let wrapped = service.wrap(&handle, &secret(1), b"").unwrap();
    // Killed and started again between two calls: the connection that was kept is dead.
    server.stop();
    server.start();
    assert_eq!(service.unwrap(&handle, &wrapped, b"").unwrap().expose_secret(), &[1; 32]);
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let answers = (0..200_000).map(|_| service.unwrap(&handle, &wrapped, b""));
            answers.filter_map(Result::err).next()
        });
        std::thread::sleep(Duration::from_millis(100));
        server.stop();
        assert_eq!(reader.join().unwrap(), Some(KeyServiceError::Unavailable), "killed in the middle");
    });
    assert_eq!(service.list(handle.organisation()).err(), Some(KeyServiceError::Unavailable));
    server.start();
    assert_eq!(service.unwrap(&handle, &wrapped, b"").unwrap().expose_secret(), &[1; 32]);
}

/// What a call may take beyond its time-out on a busy machine.
const SLACK: Duration = Duration::from_secs(2);

fn within<T>(limit: Duration, act: impl FnOnce() -> T) -> T {
    let begun = Instant::now();
    let result = act();
    assert!(begun.elapsed() < limit + SLACK, "{:?}", begun.elapsed());
    result
}

#[test]
fn a_server_that_never_answers_costs_the_time_out_and_no_more() {
    let timeout = Duration::from_millis(300);
    for reply in [
        || Reply::Silence,
        || Reply::Drip("HTTP/1.1 200 OK\r\nX: "),
        || Reply::Drip("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"),
    ] {
        let fake = Fake::new(move |_, _, _| reply());
        let config = || fake.config().timeout(timeout);
        assert_eq!(within(timeout, || OpenBao::connect(config()).err()), Some(KeysError::Unavailable));
        // With TLS, the handshake gets no answer either.
        let tls = fake.address().replace("http:", "https:");
        if let Some(server) = OpenBaoServer::shared() {
            let config = OpenBaoConfig::new(&tls, &server.ca_certificate(), token("s.x")).timeout(timeout);
            assert!(within(timeout, || OpenBao::connect(config).err()).is_some());
        }
        let lively = Fake::welcoming(move |_, _, _| reply());
        let service = OpenBao::connect(lively.config().timeout(timeout)).unwrap();
        let handle = handle("acme", 1);
        let wrapped = format!("vault:v1:{}", "A".repeat(80));
        let unavailable = Some(KeyServiceError::Unavailable);
        assert_eq!(within(timeout, || service.unwrap(&handle, wrapped.as_bytes(), b"").err()), unavailable);
        assert_eq!(within(timeout, || service.create(&handle).err()), unavailable);
        assert_eq!(within(timeout, || service.destroy(&handle).err()), unavailable);
    }
}

/// The time-out is for the whole call, however many requests it makes.
#[test]
fn a_call_of_many_slow_requests_ends_with_its_time_out() {
    let fake = Fake::welcoming(|_, _, _| {
        std::thread::sleep(Duration::from_millis(100));
        Fake::key(0, 1)
    });
    let timeout = Duration::from_millis(500);
    let service = OpenBao::connect(fake.config().timeout(timeout)).unwrap();
    let created = within(timeout, || service.create(&handle("acme", 1000)));
    assert_eq!(created, Err(KeyServiceError::Unavailable));
    assert!(fake.requests().len() < 10);
}
