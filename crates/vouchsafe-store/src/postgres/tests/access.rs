//! Who gets in, and what goes over the wire.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::*;

fn opened(config: &PostgresConfig) -> Result<(), StoreError> {
    PostgresStore::open(&config.clone().with_wait(Duration::from_millis(100)), now()).map(drop)
}

#[test]
fn a_wrong_password_user_or_database_is_denied_without_a_word_of_it() {
    with_store(|database, _| {
        let right = database.service().unwrap();
        for wrong in [
            right.clone().with_password(b"hunter22"),
            right.clone().with_user("hunter22"),
            right.clone().with_database("hunter22"),
        ] {
            let error = opened(&wrong).unwrap_err();
            assert_eq!(error, StoreError::Denied);
            assert!(!format!("{error:?} {error} {wrong:?}").contains("hunter22"));
        }
        opened(&right).unwrap();
    });
}

#[test]
fn tls_is_verified_against_the_roots_given() {
    let Some(server) = Postgres::start(&["ssl=on"]).unwrap() else { return };
    let database = server.database().unwrap();
    let (authority, stranger) = server.certificates().unwrap();
    let required =
        PostgresConfig::parse(&format!("{} sslmode=require", database.through(server.port().unwrap())));
    let required = required.unwrap();
    assert_eq!(opened(&required), Err(StoreError::UntrustedServer), "no roots");
    let strange = required.clone().with_roots(&stranger).unwrap();
    assert_eq!(opened(&strange), Err(StoreError::UntrustedServer));
    let trusted = required.with_roots(&authority).unwrap();
    let store = PostgresStore::open(&trusted, now()).unwrap();
    port::write(&store, &acme(), |rows| rows.insert_organisation(&acme(), now())).unwrap();
    let encrypted = database
        .look("SELECT count(*) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE ssl AND usename LIKE 'service_%'")
        .unwrap();
    assert_ne!(encrypted[0][0].as_deref(), Some("0"));
    // The certificate is for the address, not for this name.
    let named = format!("{} sslmode=require", database.through(server.port().unwrap()))
        .replace("host=127.0.0.1", "host=localhost");
    let named = PostgresConfig::parse(&named).unwrap().with_roots(&authority).unwrap();
    assert_eq!(opened(&named), Err(StoreError::UntrustedServer));
}

/// Promise: WB-3-transit
#[test]
fn a_server_of_tls_1_2_is_believed() {
    let Some(server) = Postgres::start(&["ssl=on", "ssl_max_protocol_version=TLSv1.2"]).unwrap() else {
        return;
    };
    let database = server.database().unwrap();
    let required = format!("{} sslmode=require", database.through(server.port().unwrap()));
    let (authority, _) = server.certificates().unwrap();
    let config = PostgresConfig::parse(&required).unwrap().with_roots(&authority).unwrap();
    let _store = PostgresStore::open(&config, now()).unwrap();
    let sql = "SELECT DISTINCT version FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) \
               WHERE ssl AND usename LIKE 'service_%'";
    assert_eq!(database.look(sql).unwrap(), [[Some("TLSv1.2".to_owned())]]);
}

/// Promise: WB-3-transit
#[test]
fn a_server_of_tls_1_1_is_refused_and_hears_no_word_of_the_user() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let _ = stream.read(&mut [0; 64]).unwrap();
        stream.write_all(b"S").unwrap();
        let _ = stream.read(&mut [0; 4096]).unwrap();
        // The hello of TLS 1.1, without extensions.
        let mut hello = vec![0x16, 3, 2, 0, 42, 2, 0, 0, 38, 3, 2];
        hello.extend([7; 32]);
        hello.extend([0, 0xc0, 0x09, 0]);
        stream.write_all(&hello).unwrap();
        let mut said = Vec::new();
        stream.read_to_end(&mut said).unwrap();
        said
    });
    let text = format!("host=127.0.0.1 port={port} user=u password=p dbname=d sslmode=require");
    let config = PostgresConfig::parse(&text).unwrap().with_roots(include_bytes!("root.pem")).unwrap();
    assert_eq!(opened(&config), Err(StoreError::UntrustedServer));
    let said = server.join().unwrap();
    assert!(matches!(said.as_slice(), [0x15, 3, _, 0, 2, 2, 70]), "an alert, protocol version: {said:?}");
}

/// Promise: WB-3-transit
#[test]
fn a_server_without_tls_gets_no_word_of_the_user() {
    with_store(|database, _| {
        let (port, heard) = listen();
        // Any certificate of an authority will do: it never comes to that.
        let root = include_bytes!("root.pem");
        let required = format!("{} sslmode=require", database.through(port));
        let required = PostgresConfig::parse(&required).unwrap().with_roots(root).unwrap();
        assert_eq!(opened(&required), Err(StoreError::PlaintextRefused));
        let heard = heard.lock().unwrap().clone();
        assert_eq!(heard, [0, 0, 0, 8, 4, 210, 22, 47], "the request for TLS and nothing else");
    });
}

/// Promise: WB-3-transit
#[test]
fn a_remote_host_without_tls_is_refused_before_anything_is_sent() {
    // No such host answers: the refusal comes first.
    for mode in ["disable", "prefer"] {
        let config =
            PostgresConfig::parse(&format!("host=192.0.2.1 user=u password=p sslmode={mode}")).unwrap();
        assert_eq!(opened(&config), Err(StoreError::PlaintextRefused));
        assert_eq!(PostgresStore::migrate(&config, "role"), Err(StoreError::PlaintextRefused));
    }
}

#[test]
fn a_server_that_is_not_there_is_given_up_after_the_bounded_wait() {
    let port = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
    let config = PostgresConfig::parse(&format!("host=127.0.0.1 port={port} user=u dbname=d")).unwrap();
    let begun = Instant::now();
    assert_eq!(opened(&config), Err(StoreError::Io));
    assert!(begun.elapsed() < Duration::from_secs(3));
}

/// A port whose first connection is answered "no TLS", and the bytes it got before and after that.
fn listen() -> (u16, Arc<Mutex<Vec<u8>>>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let (port, heard) = (listener.local_addr().unwrap().port(), Arc::new(Mutex::new(Vec::new())));
    let notes = Arc::clone(&heard);
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut bytes = [0; 64];
        let length = stream.read(&mut bytes).unwrap();
        notes.lock().unwrap().extend_from_slice(&bytes[..length]);
        stream.write_all(b"N").unwrap();
        let length = stream.read(&mut bytes).unwrap_or(0);
        notes.lock().unwrap().extend_from_slice(&bytes[..length]);
    });
    (port, heard)
}
