use std::net::{Ipv4Addr, TcpListener};
use std::time::{Duration, Instant};

use vouchsafe_ledger::witness::{MAX_ANSWER, SIZE_TYPE, add_checkpoint_body};
use vouchsafe_ledger::{Witness, WitnessError};
use vouchsafe_types::Digest;
use vouchsafe_witness::{HttpWitness, SetupError, WitnessConfig};

use crate::fake::{Server, Step, Verdict, answer};
use crate::log::{Log, ORIGIN, some_key};

const LINES: &str = "\u{2014} witness.example/w1 j/wtuw==\n";
const TEXT: &str = "text/plain";

fn note() -> String {
    Log::new(ORIGIN, 1).grow(3, 1).note().to_owned()
}

fn ask(client: &HttpWitness) -> Verdict {
    client.add_checkpoint(0, &[], &note())
}

fn check(bytes: impl Into<Vec<u8>>, expected: Verdict) {
    let bytes = bytes.into();
    let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(120)]).into_owned();
    assert_eq!(ask(&Server::answering(bytes).client()), expected, "{shown}");
}

#[test]
fn the_request_is_the_body_of_the_protocol_and_nothing_else() {
    let server = Server::answering(answer(200, TEXT, LINES));
    let (client, note) = (server.client(), note());
    let proof = [Digest::from_bytes([1; 32]), Digest::from_bytes([2; 32])];
    assert_eq!(client.add_checkpoint(7, &proof, &note).as_deref(), Ok(LINES));
    let requests = server.requests();
    let (head, body) = requests[0].split_once("\r\n\r\n").unwrap();
    assert_eq!(head.lines().next(), Some("POST /w1/add-checkpoint HTTP/1.1"));
    assert_eq!(body, add_checkpoint_body(7, &proof, &note).unwrap());
    let names = head.lines().skip(1).map(|line| line.split_once(':').unwrap().0.to_ascii_lowercase());
    for name in names {
        let known = ["accept", "content-length", "content-type", "host", "user-agent"];
        assert!(known.contains(&name.as_str()), "{name}");
    }
}

#[test]
fn each_status_has_its_meaning() {
    check(answer(200, TEXT, LINES), Ok(LINES.to_owned()));
    check(answer(200, TEXT, ""), Ok(String::new()));
    check(answer(409, SIZE_TYPE, "20852014\n"), Err(WitnessError::Conflict(20_852_014)));
    check(answer(404, TEXT, "unknown"), Err(WitnessError::UnknownLog));
    check(answer(422, TEXT, "no"), Err(WitnessError::Inconsistent));
    for status in [400, 401, 403, 405, 413, 451] {
        check(answer(status, TEXT, "no"), Err(WitnessError::Refused));
    }
    for status in [201, 204, 206, 300, 304, 408, 425, 429, 500, 502, 503, 504, 599] {
        check(answer(status, TEXT, ""), Err(WitnessError::Unavailable));
    }
}

#[test]
fn a_size_comes_with_its_media_type_and_in_one_spelling() {
    for media_type in [SIZE_TYPE, "Text/X.TLog.Size", "text/x.tlog.size; charset=utf-8"] {
        check(answer(409, media_type, "7\n"), Err(WitnessError::Conflict(7)));
    }
    for media_type in [TEXT, "", "text/x.tlog.sizes", "text/x.tlog", "text/html; text/x.tlog.size"] {
        check(answer(409, media_type, "7\n"), Err(WitnessError::Malformed));
    }
    check("HTTP/1.1 409 Conflict\r\nContent-Length: 2\r\n\r\n7\n", Err(WitnessError::Malformed));
    for body in
        ["", "7", "7\n\n", "07\n", "+7\n", "-1\n", " 7\n", "7\r\n", "18446744073709551616\n", "\u{0667}\n"]
    {
        check(answer(409, SIZE_TYPE, body), Err(WitnessError::Malformed));
    }
    check(answer(409, SIZE_TYPE, "18446744073709551615\n"), Err(WitnessError::Conflict(u64::MAX)));
}

#[test]
fn an_answer_is_read_to_its_limit() {
    check(answer(200, TEXT, "a".repeat(MAX_ANSWER)), Ok("a".repeat(MAX_ANSWER)));
    for status in [200, 409] {
        check(answer(status, SIZE_TYPE, "1".repeat(MAX_ANSWER + 1)), Err(WitnessError::Malformed));
        // A body of a terabyte, of which the first megabyte comes.
        let head = format!(
            "HTTP/1.1 {status} S\r\nContent-Type: {SIZE_TYPE}\r\nContent-Length: 1099511627776\r\n\r\n{}",
            "1".repeat(1 << 20)
        );
        check(head, Err(WitnessError::Malformed));
        let chunk = format!("10000\r\n{}\r\n", "1".repeat(1 << 16)).repeat(4);
        let head = "Content-Type: text/x.tlog.size\r\nTransfer-Encoding: chunked";
        check(format!("HTTP/1.1 {status} S\r\n{head}\r\n\r\n{chunk}"), Err(WitnessError::Malformed));
    }
    let head = format!("X-Long: {}\r\n", "a".repeat(20 << 10));
    check(format!("HTTP/1.1 200 S\r\n{head}\r\n"), Err(WitnessError::Malformed));
}

#[test]
fn a_malformed_answer_is_told_from_silence() {
    check(answer(200, TEXT, [0xff, 0xfe]), Err(WitnessError::Malformed));
    check("HTTP/9.9 200 S\r\n\r\n", Err(WitnessError::Malformed));
    check("no protocol at all\r\n\r\n", Err(WitnessError::Malformed));
    let bad_chunk = "HTTP/1.1 200 S\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n";
    check(bad_chunk, Err(WitnessError::Malformed));
    check("", Err(WitnessError::Unavailable));
    check("HTTP/1.1 200", Err(WitnessError::Unavailable));
    check("HTTP/1.1 200 S\r\nContent-Length: 99\r\n\r\nshort", Err(WitnessError::Unavailable));
}

#[test]
fn a_redirect_is_not_followed() {
    let other = Server::answering(answer(200, TEXT, LINES));
    for status in [301, 302, 303, 307, 308] {
        let location = format!("Location: http://{}/w1/add-checkpoint\r\n", other.address);
        let bytes = format!("HTTP/1.1 {status} S\r\n{location}Content-Length: 0\r\n\r\n");
        check(bytes, Err(WitnessError::Unavailable));
    }
    assert!(other.requests().is_empty());
}

#[test]
fn a_slow_answer_is_given_up_in_time() {
    let head = Step::Say(b"HTTP/1.1 200 S\r\nContent-Length: 9999\r\n\r\n".to_vec());
    let head_line = Step::Say(b"HTTP/1.1 200 S\r\n".to_vec());
    let scripts = [
        vec![Step::Wait],
        vec![Step::Read, Step::Wait],
        vec![Step::Read, Step::Trickle(b"H")],
        vec![Step::Read, head_line, Step::Trickle(b"X-A: b\r\n")],
        vec![Step::Read, head.clone(), Step::Wait],
        vec![Step::Read, head, Step::Trickle(b"a")],
    ];
    for (number, script) in scripts.into_iter().enumerate() {
        let (server, began) = (Server::playing(vec![script]), Instant::now());
        let verdict = ask(&server.hasty_client());
        assert!(began.elapsed() < Duration::from_secs(3), "script {number}");
        // A trickle of bytes that are no HTTP may be seen to be none before time is up.
        let silent = matches!(verdict, Err(WitnessError::Unavailable));
        assert!(
            silent || number == 2 && verdict == Err(WitnessError::Malformed),
            "script {number}: {verdict:?}"
        );
    }
}

#[test]
fn nobody_there_is_unavailable() {
    let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap();
    let client = HttpWitness::new(WitnessConfig::new(&format!("http://{address}"), some_key())).unwrap();
    assert_eq!(ask(&client), Err(WitnessError::Unavailable));
    assert!(WitnessError::Unavailable.is_retryable());
}

#[test]
fn a_connection_that_ended_since_is_made_anew() {
    let once = vec![Step::Read, Step::Say(answer(200, TEXT, LINES))];
    let server = Server::playing(vec![once]);
    let client = server.client();
    for _ in 0..3 {
        assert_eq!(ask(&client).as_deref(), Ok(LINES));
    }
    assert_eq!(server.requests().len(), 3);
}

#[test]
fn a_connection_that_ends_under_a_request_is_made_anew_once() {
    let turn = [Step::Read, Step::Say(answer(200, TEXT, LINES))];
    let ending = [&turn[..], &[Step::Read]].concat();
    let server = Server::playing(vec![ending.clone(), ending, vec![Step::Read], vec![Step::Wait]]);
    let client = server.client();
    assert_eq!(ask(&client).as_deref(), Ok(LINES));
    assert_eq!(ask(&client).as_deref(), Ok(LINES));
    assert_eq!(server.requests().len(), 3);
    assert_eq!(ask(&client), Err(WitnessError::Unavailable));
    assert_eq!(server.requests().len(), 5);
}

#[test]
fn one_connection_serves_several_calls() {
    let turn = [Step::Read, Step::Say(answer(200, TEXT, LINES))];
    let server = Server::playing(vec![[turn.clone(), turn].concat(), vec![Step::Wait]]);
    let client = server.client();
    assert_eq!(ask(&client).as_deref(), Ok(LINES));
    assert_eq!(ask(&client).as_deref(), Ok(LINES));
}

#[test]
fn what_no_witness_could_take_is_not_sent() {
    let server = Server::answering(answer(200, TEXT, LINES));
    let client = server.client();
    let proof = vec![Digest::from_bytes([0; 32]); 64];
    assert_eq!(client.add_checkpoint(1, &proof, &note()), Err(WitnessError::Refused));
    assert_eq!(client.add_checkpoint(0, &[], "no note"), Err(WitnessError::Refused));
    assert!(server.requests().is_empty());
}

#[test]
fn settings_are_refused_before_anything_is_sent() {
    let config = |prefix| WitnessConfig::new(prefix, some_key());
    let refused = |config: WitnessConfig| HttpWitness::new(config).err();
    assert_eq!(refused(config("http://witness.example")), Some(SetupError::Address));
    for millis in [0, 60_001] {
        let config = config("http://127.0.0.1").timeout(Duration::from_millis(millis));
        assert_eq!(refused(config), Some(SetupError::Timeout));
    }
    assert_eq!(refused(config("https://witness.example")), Some(SetupError::Certificates));
    let garbage = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let broken = b"-----BEGIN CERTIFICATE-----\nAAAA";
    for pem in [&garbage[..], broken] {
        let config = config("https://witness.example").ca_certificates(pem);
        assert_eq!(refused(config), Some(SetupError::Certificates));
    }
}

#[test]
fn what_is_printed_names_no_address() {
    let client = Server::answering("").client();
    assert!(
        format!("{client:?}").contains("witness.example/w1") && !format!("{client:?}").contains("127.0.0.1")
    );
    for error in [SetupError::Address, SetupError::Certificates, SetupError::Timeout] {
        assert!(!error.to_string().contains("://"));
    }
}
