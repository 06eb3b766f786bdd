//! The process that does the work and is killed: this test binary again.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use vouchsafe_testkit::scene::ORGANISATION;

use crate::stage::{self, Work};

/// Set in the process that is going to be killed.
const FOLDER: &str = "VOUCHSAFE_RETENTION_FOLDER";
const WORK: &str = "VOUCHSAFE_RETENTION_WORK";
const TEST: &str = "a_sweep_and_a_deletion_that_are_killed_at_any_point_end_whole";
/// The longest wait for anything.
const PATIENCE: Duration = Duration::from_secs(120);

pub(crate) struct Victim {
    child: Child,
    words: Receiver<(Instant, String)>,
}

impl Victim {
    pub(crate) fn start(folder: &Path, work: Work) -> Self {
        let mut program = Command::new(std::env::current_exe().unwrap());
        program.args(["--exact", "--nocapture", "--quiet", TEST]).env(FOLDER, folder).env(WORK, work.word());
        let mut child = program.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let output = child.stdout.take().unwrap();
        let (sender, words) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if sender.send((Instant::now(), line)).is_err() {
                    break;
                }
            }
        });
        Self { child, words }
    }

    /// Kills it a while after it began; whether it had said before that it was done.
    pub(crate) fn kill_after(mut self, delay: Duration) -> bool {
        let begun = self.hear("begin", Instant::now() + PATIENCE).expect("it did not begin").0;
        let done = self.hear("took", begun + delay).is_some();
        // Child::kill sends SIGKILL.
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        done || self.hear("took", Instant::now() + PATIENCE).is_some()
    }

    /// Lets it do its work; how long that took.
    pub(crate) fn finish(mut self) -> Duration {
        let taken = self.hear("took", Instant::now() + PATIENCE).expect("it did not end").1;
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        Duration::from_micros(taken)
    }

    /// When it said a word, and the number behind it.
    fn hear(&self, word: &str, deadline: Instant) -> Option<(Instant, u64)> {
        loop {
            let (heard, said) =
                self.words.recv_timeout(deadline.saturating_duration_since(Instant::now())).ok()?;
            if let Some((found, number)) = said.split_once(' ')
                && found == word
            {
                return Some((heard, number.parse().unwrap()));
            }
        }
    }
}

/// Becomes the victim if this process was started as one.
pub(crate) fn is_one() -> bool {
    let Some(folder) = std::env::var_os(FOLDER) else { return false };
    let work = Work::parse(&std::env::var(WORK).unwrap()).unwrap();
    // One write a line, so that the kill cannot cut it.
    let say = |word: &str, number: u128| {
        let mut out = std::io::stdout().lock();
        out.write_all(format!("\n{word} {number}\n").as_bytes()).unwrap();
        out.flush().unwrap();
    };
    let vouchsafe = stage::open(Path::new(&folder));
    let organisation = vouchsafe.organisation(ORGANISATION).unwrap();
    say("begin", 0);
    let begun = Instant::now();
    stage::work_in(&organisation, work);
    say("took", begun.elapsed().as_micros());
    // Waits to be killed.
    let _ = std::io::stdin().lock().read_line(&mut String::new());
    true
}
