//! What a logger is shown. It has a process of its own, because a logger is the process's.
#![expect(clippy::unwrap_used, reason = "a test may stop where it stands")]

use std::sync::Mutex;

use log::{LevelFilter, Log, Metadata, Record};
use vouchsafe_objects::{Bucket, BucketConfig, BucketCredentials, Condition, ObjectsError};
use vouchsafe_types::SecretBytes;

static LINES: Mutex<String> = Mutex::new(String::new());

struct Keeper;

impl Log for Keeper {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        LINES.lock().unwrap().push_str(&format!("{}: {}\n", record.target(), record.args()));
    }

    fn flush(&self) {}
}

#[test]
fn no_logger_sees_credentials_or_signatures() {
    log::set_logger(&Keeper).unwrap();
    let server = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", server.local_addr().unwrap());
    let answers = std::thread::spawn(move || {
        use std::io::{Read, Write};
        for stream in server.incoming().take(2) {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 4096]).unwrap();
            stream
                .write_all(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                .unwrap();
        }
    });
    let credentials = BucketCredentials::new("the-access-key", SecretBytes::new(b"the-secret".to_vec()));
    let credentials = credentials.session_token(SecretBytes::new(b"the-token".to_vec()));
    let bucket = Bucket::new(BucketConfig::new(&endpoint, "the-bucket", credentials)).unwrap();

    log::set_max_level(LevelFilter::Trace);
    assert_eq!(bucket.get("the-object"), Err(ObjectsError::Logged));
    log::set_max_level(LevelFilter::Debug);
    assert_eq!(bucket.get("the-object"), Err(ObjectsError::Denied));
    assert_eq!(bucket.put("the-object", b"the-content", &Condition::Always), Err(ObjectsError::Denied));
    answers.join().unwrap();
    let lines = LINES.lock().unwrap();
    assert!(lines.contains("ureq"), "nothing was logged: {lines}");
    for hidden in ["the-access-key", "the-secret", "the-token", "the-object", "the-content", "Signature"] {
        assert!(!lines.contains(hidden), "{hidden}: {lines}");
    }
}
