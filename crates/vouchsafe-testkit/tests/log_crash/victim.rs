//! The handle of the process that is killed.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use vouchsafe_testkit::acknowledged::{Acknowledgement, unhex};

use super::writers::{FOLDER, RUN};

const TEST: &str = "every_acknowledged_entry_survives_a_kill";
/// The longest wait for anything.
const PATIENCE: Duration = Duration::from_secs(60);

/// After which word the kill is timed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cue {
    Opening,
    Ready,
    /// So many acknowledgements.
    Acknowledged(u64),
}

impl Cue {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Opening => "opening",
            Self::Ready => "running",
            Self::Acknowledged(_) => "batch",
        }
    }
}

pub(crate) struct Victim {
    child: Child,
    run: u64,
    words: Receiver<(Instant, String)>,
}

/// Everything that a killed process said, also what was still in the pipe.
#[derive(Default)]
pub(crate) struct Testimony {
    pub(crate) run: u64,
    pub(crate) acknowledgements: Vec<Acknowledgement>,
    /// The tickets of notices that were shown, with the number of the log.
    pub(crate) served: Vec<(usize, [u8; 16])>,
    pub(crate) failures: Vec<String>,
}

impl Victim {
    pub(crate) fn start(folder: &Path, run: u64) -> Self {
        let mut program = Command::new(std::env::current_exe().unwrap());
        program.args(["--exact", "--nocapture", "--quiet", TEST]);
        program.env(FOLDER, folder).env(RUN, run.to_string());
        let mut child = program.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let output = child.stdout.take().unwrap();
        let (sender, words) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if sender.send((Instant::now(), line)).is_err() {
                    break;
                }
            }
        });
        Self { child, run, words }
    }

    /// Kills it a while after the cue, or at once when it says nothing for a minute.
    pub(crate) fn kill_after(mut self, cue: Cue, delay: Duration) -> Testimony {
        let mut testimony = Testimony { run: self.run, ..Testimony::default() };
        let patience = Instant::now() + PATIENCE;
        let mut deadline = patience;
        while let Some((heard, said)) = self.listen(deadline) {
            if testimony.note(&said) == Some(cue) {
                deadline = heard + delay;
            }
            if Instant::now() >= deadline {
                break;
            }
        }
        // Child::kill sends SIGKILL.
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        while let Some((_, said)) = self.listen(patience) {
            testimony.note(&said);
        }
        testimony
    }

    fn listen(&self, deadline: Instant) -> Option<(Instant, String)> {
        self.words.recv_timeout(deadline.saturating_duration_since(Instant::now())).ok()
    }
}

impl Testimony {
    fn note(&mut self, said: &str) -> Option<Cue> {
        match said.split_once(' ').unwrap_or((said, "")) {
            ("opening", _) => return Some(Cue::Opening),
            ("ready", _) => return Some(Cue::Ready),
            ("acknowledged", _) => {
                self.acknowledgements.extend(said.parse::<Acknowledgement>());
                return Some(Cue::Acknowledged(self.acknowledgements.len() as u64));
            }
            ("served", rest) => {
                let (log, ticket) = rest.split_once(' ').unwrap();
                let ticket = unhex(ticket).unwrap().try_into().unwrap();
                self.served.push((log.parse().unwrap(), ticket));
            }
            ("failed", rest) => self.failures.push(rest.to_owned()),
            _ => {} // The test harness.
        }
        None
    }
}
