//! The process whose system calls fail: it appends and publishes, and reports what came of it.

use std::io::Write;
use std::net::TcpStream;
use std::path::Path;

use vouchsafe::{Act, Destruction, Error, Notice, Organisation};
use vouchsafe_testkit::acknowledged::Acknowledgement;
use vouchsafe_testkit::scene::{Failure, SCOPE, Scene, notice};

pub(crate) const IDS: [&str; 2] = ["acme", "zenith"];
/// Set in the process whose calls fail.
pub(crate) const FOLDER: &str = "VOUCHSAFE_LOG_FAULTS_FOLDER";
pub(crate) const PORT: &str = "VOUCHSAFE_LOG_FAULTS_PORT";
pub(crate) const NOON: &str = "2026-06-01T12:00:00Z";
const ROUNDS: u32 = 12;

/// What such a process reported.
#[derive(Debug, Default)]
pub(crate) struct Report {
    pub(crate) acknowledged: Vec<Acknowledgement>,
    /// How many notices were shown in each log.
    pub(crate) shown: [u64; IDS.len()],
    /// Up to where each log was published.
    pub(crate) published: [u64; IDS.len()],
    /// The errors, by their types.
    pub(crate) failed: Vec<String>,
    /// Whether it went on to its end.
    pub(crate) ended: bool,
    /// How many of its calls failed by the fault.
    pub(crate) injected: usize,
    pub(crate) last_words: String,
}

impl Report {
    pub(crate) fn note(&mut self, line: &str) -> Result<(), Failure> {
        match line.split_once(' ').unwrap_or((line, "")) {
            ("acknowledged", _) => self.acknowledged.push(line.parse()?),
            ("shown", log) => self.shown[log.parse::<usize>()?] += 1,
            ("published", rest) => {
                let (log, size) = rest.split_once(' ').ok_or("published")?;
                self.published[log.parse::<usize>()?] = size.parse()?;
            }
            ("failed", error) => self.failed.push(error.to_owned()),
            ("ended", _) => self.ended = true,
            _ => return Err(format!("no such report: {line}").into()),
        }
        Ok(())
    }
}

/// Becomes that process if this one was started as one.
///
/// It reports over a socket, whose calls are no files' calls, and ends without closing anything, as a crash does.
pub(crate) fn is_one() -> bool {
    let Some(folder) = std::env::var_os(FOLDER) else { return false };
    let port: u16 = std::env::var(PORT).unwrap().parse().unwrap();
    let mut reports = Reports(TcpStream::connect(("127.0.0.1", port)).unwrap());
    let scene = Scene::new(Path::new(&folder), NOON.parse().unwrap());
    match scene.open() {
        Err(error) => reports.failed("open", &error),
        Ok(vouchsafe) => {
            for round in 0..ROUNDS {
                let log = round as usize % IDS.len();
                let done = vouchsafe.organisation(IDS[log]).and_then(|organisation| {
                    let notice = notice(&organisation)?;
                    reports.act(&organisation, &notice, log, round)
                });
                if let Err(error) = done {
                    reports.failed("act", &error);
                }
            }
            std::mem::forget(vouchsafe);
        }
    }
    reports.say("ended");
    std::process::exit(0)
}

struct Reports(TcpStream);

impl Reports {
    fn say(&mut self, line: &str) {
        self.0.write_all(format!("{line}\n").as_bytes()).unwrap();
    }

    fn failed(&mut self, act: &str, error: &Error) {
        let again = if error.is_retryable() { ", try again" } else { "" };
        self.say(&format!("failed {act}: {error:?}{again}"));
    }

    /// Shows somebody the notice, takes their consent, publishes, and ends it.
    fn act(
        &mut self,
        organisation: &Organisation<'_>,
        notice: &Notice,
        log: usize,
        round: u32,
    ) -> Result<(), Error> {
        let person = organisation.subject(&format!("person-{round}"))?;
        let ticket = person.serve_notice(SCOPE, notice)?.ticket();
        self.say(&format!("shown {log}"));
        let given = person.give_consent(ticket, Act::checkbox().attesting_age(18))?;
        let given = given.done().ok_or(Error::UnknownNotice)?;
        self.acknowledge(log, given.receipt());
        self.publish(organisation, log);
        let ended = person.withdraw(SCOPE)?;
        self.acknowledge(log, ended.receipt.receipt());
        // The withdrawal stands, whatever became of the publication that follows it.
        if let Destruction::Pending(left) = ended.destruction {
            self.failed("withdrawal's publication", left.cause());
        }
        Ok(())
    }

    fn publish(&mut self, organisation: &Organisation<'_>, log: usize) {
        match organisation.publish_log() {
            Ok(head) => self.say(&format!("published {log} {}", head.checkpoint().size())),
            Err(error) => self.failed("publication", &error),
        }
    }

    fn acknowledge(&mut self, log: usize, receipt: &vouchsafe::Receipt) {
        self.say(&Acknowledgement::of(0, log, 0, receipt.entry(), receipt.leaf()).to_string());
    }
}
