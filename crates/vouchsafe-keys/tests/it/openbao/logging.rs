//! The HTTP library logs what is on the wire; nobody gets to see it.
use std::cell::Cell;
use std::sync::Mutex;

use log::{LevelFilter, Log, Metadata, Record};
use vouchsafe_envelope::KeyServiceError;
use vouchsafe_envelope::port::KeyService;
use vouchsafe_keys::{KeysError, OpenBao};

use super::fake::Fake;
use super::{handle, secret};

thread_local! {
    /// Which targets this thread's logger takes.
    static TAKES: Cell<fn(&str) -> bool> = const { Cell::new(|_| false) };
}

/// What was logged.
static LINES: Mutex<String> = Mutex::new(String::new());

struct Logger;

impl Log for Logger {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        TAKES.get()(metadata.target())
    }

    fn log(&self, record: &Record<'_>) {
        if self.enabled(record.metadata()) {
            LINES.lock().unwrap().push_str(&format!("{} {}\n", record.target(), record.args()));
        }
    }

    fn flush(&self) {}
}

#[test]
fn a_logger_that_would_see_the_wire_stops_every_call() {
    let fake = Fake::welcoming(|_, _, _| Fake::key(0, 1));
    let service = OpenBao::connect(fake.config()).unwrap();
    log::set_logger(&Logger).unwrap();
    log::set_max_level(LevelFilter::Trace);
    let before = fake.requests().len();
    let takers: [fn(&str) -> bool; 2] = [|_| true, |target| target.starts_with("ureq_proto")];
    for taker in takers {
        TAKES.set(taker);
        let handle = handle("acme", 1);
        assert_eq!(service.wrap(&handle, &secret(1), b"").err(), Some(KeyServiceError::Denied));
        assert_eq!(service.list(handle.organisation()).err(), Some(KeyServiceError::Denied));
        assert_eq!(OpenBao::connect(fake.config()).err(), Some(KeysError::TooOpen));
    }
    assert_eq!(fake.requests().len(), before);
    // A logger of everything else sees no secret: the library shows the wire nowhere else.
    TAKES.set(|target| target != "ureq_proto::util");
    let _ = service.wrap(&handle("acme", 1), &secret(b'A'), b"");
    TAKES.set(|_| false);
    assert!(fake.requests().len() > before);
    let lines = LINES.lock().unwrap();
    assert!(lines.contains("ureq_proto") && !lines.contains("s.fake") && !lines.contains("QUFB"), "{lines}");
}
