//! The process that is killed: eight writers on three organisations, and a publisher.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use ring::digest::{SHA256, digest};
use vouchsafe::ledger::{EntryKind, Leaf};
use vouchsafe::store::{Store, StoreError, write};
use vouchsafe::{Act, Error, Notice, Organisation, Receipt, Vouchsafe};
use vouchsafe_testkit::acknowledged::{Acknowledgement, unhex};
use vouchsafe_testkit::scene::{SCOPE, Scene, notice};

pub(crate) const IDS: [&str; 3] = ["acme", "umbra", "zenith"];
pub(crate) const WRITERS: u32 = 8;
/// The first of the writers whose acts are those of people; the others append and do nothing else.
const FIRST_OF_PEOPLE: u32 = 4;
/// Set in the process that is going to be killed.
pub(crate) const FOLDER: &str = "VOUCHSAFE_LOG_CRASH_FOLDER";
pub(crate) const RUN: &str = "VOUCHSAFE_LOG_CRASH_RUN";
const PUBLISH_EVERY: Duration = Duration::from_millis(50);
pub(crate) const NOON: &str = "2026-06-01T12:00:00Z";
/// What only the writers of this drill append: the facade makes none here.
pub(crate) const BARE: EntryKind = EntryKind::SubjectUnmarked;

/// Becomes the process to be killed if this one was started as one.
pub(crate) fn is_one() -> bool {
    let Some(folder) = std::env::var_os(FOLDER) else { return false };
    let run: u64 = std::env::var(RUN).unwrap().parse().unwrap();
    say("\nopening");
    let scene = Scene::new(Path::new(&folder), NOON.parse().unwrap());
    let ports = scene.ports().unwrap();
    let store = Arc::clone(&ports.store);
    let vouchsafe = Vouchsafe::open_with(ports);
    let organisations = IDS.map(|id| vouchsafe.organisation(id).unwrap());
    let notices = organisations.each_ref().map(|organisation| notice(organisation).unwrap());
    say("ready");
    let publishing = vouchsafe.publish_every(PUBLISH_EVERY).unwrap();
    let known = IDS.map(|_| AtomicU64::new(0));
    thread::scope(|scope| {
        for number in 0..WRITERS {
            let log = number as usize % IDS.len();
            let writer = Writer {
                number,
                log,
                run,
                organisation: &organisations[log],
                notice: &notices[log],
                store: &*store,
                known: &known[log],
            };
            scope.spawn(move || writer.run());
        }
    });
    drop(publishing);
    true
}

struct Writer<'a> {
    number: u32,
    log: usize,
    run: u64,
    organisation: &'a Organisation<'a>,
    notice: &'a Notice,
    store: &'a dyn Store,
    /// How many entries of the log are known to be acknowledged.
    known: &'a AtomicU64,
}

impl Writer<'_> {
    fn run(&self) {
        let origin = self.organisation.log_origin().unwrap();
        let pseudonym = unhex(origin.strip_prefix("vouchsafe/").unwrap()).unwrap().try_into().unwrap();
        for count in 0.. {
            let done = if self.number < FIRST_OF_PEOPLE {
                self.append(count, pseudonym).map_err(Error::from)
            } else {
                self.live(count)
            };
            if let Err(error) = done {
                say(&format!("failed {} {error:?}", self.number));
            }
        }
    }

    fn append(&self, count: u64, organisation: [u8; 16]) -> Result<(), StoreError> {
        let leaf = bare_leaf(self.run, self.number, count, organisation);
        let after = self.known.load(Ordering::SeqCst);
        let entry = write(self.store, self.organisation.id(), |rows| {
            rows.append_entry(self.organisation.id(), &leaf)
        })?;
        self.acknowledge(after, entry, &leaf);
        Ok(())
    }

    /// One person is shown the notice, consents and withdraws.
    fn live(&self, count: u64) -> Result<(), Error> {
        let person = self.organisation.subject(&format!("{}-{}-{count}", self.run, self.number))?;
        let served = person.serve_notice(SCOPE, self.notice)?;
        let ticket: String = served.ticket().as_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
        say(&format!("served {} {ticket}", self.log));
        let after = self.known.load(Ordering::SeqCst);
        let given = person.give_consent(served.ticket(), Act::checkbox().attesting_age(18))?;
        self.acknowledge_receipt(after, given.done().ok_or(Error::UnknownNotice)?.receipt());
        if count.is_multiple_of(2) {
            let after = self.known.load(Ordering::SeqCst);
            self.acknowledge_receipt(after, person.withdraw(SCOPE)?.receipt.receipt());
        }
        Ok(())
    }

    fn acknowledge_receipt(&self, after: u64, receipt: &Receipt) {
        self.acknowledge(after, receipt.entry(), receipt.leaf());
    }

    fn acknowledge(&self, after: u64, entry: u64, leaf: &[u8]) {
        self.known.fetch_max(entry + 1, Ordering::SeqCst);
        say(&Acknowledgement::of(self.number, self.log, after, entry, leaf).to_string());
    }
}

/// The entry that a writer makes as its so-manieth of a run.
pub(crate) fn bare_leaf(run: u64, writer: u32, count: u64, organisation: [u8; 16]) -> Vec<u8> {
    let hashed = digest(&SHA256, format!("{run} {writer} {count}").as_bytes());
    let commitment = hashed.as_ref().try_into().unwrap();
    Leaf { kind: BARE, hour: 494_000, organisation, commitment }.to_bytes().to_vec()
}

/// One write a line, so that the kill cannot cut it.
fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    out.write_all(format!("{line}\n").as_bytes()).unwrap();
    out.flush().unwrap();
}
