//! The process that destroys and is killed: this test binary again.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use vouchsafe_envelope::CachePolicy;
use vouchsafe_testkit::place::KeyPlace;
use vouchsafe_testkit::scene::organisation_id;
use vouchsafe_types::{DataClass, LeafIndex};

/// Set in the process that is going to be killed.
const FOLDER: &str = "VOUCHSAFE_DESTRUCTION_FOLDER";
const TEST: &str = "a_destruction_that_is_killed_at_any_point_ends_whole";
/// The longest wait for anything.
const PATIENCE: Duration = Duration::from_secs(60);

/// After which word the kill is timed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cue {
    Opening,
    Begun(usize),
}

pub(crate) struct Victim {
    child: Child,
    // Open until the end: a process that runs out of batches waits instead of ending well.
    _batches: ChildStdin,
    words: Receiver<(Instant, String)>,
}

/// What a killed process said.
#[derive(Default)]
pub(crate) struct Testimony {
    /// How long it took from its first word until it was ready.
    pub(crate) started_in: Option<Duration>,
    /// The batches whose destruction was begun, with the instant.
    pub(crate) begun: Vec<Instant>,
    /// How long those took that ended.
    pub(crate) ended: BTreeMap<usize, Duration>,
    pub(crate) failed: BTreeMap<usize, String>,
    /// Indices that were allocated.
    pub(crate) given: Vec<u64>,
    opening: Option<Instant>,
}

impl Victim {
    /// Starts it in a folder of keys; it destroys these batches, one after the other.
    pub(crate) fn start(folder: &Path, batches: &[Vec<LeafIndex>]) -> Self {
        let mut program = Command::new(std::env::current_exe().unwrap());
        program.args(["--exact", "--nocapture", "--quiet", TEST]).env(FOLDER, folder);
        let mut child = program.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut input = child.stdin.take().unwrap();
        let output = child.stdout.take().unwrap();
        let (sender, words) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if sender.send((Instant::now(), line)).is_err() {
                    break;
                }
            }
        });
        let number = |leaf: &LeafIndex| leaf.get().to_string();
        let line = |batch: &Vec<LeafIndex>| batch.iter().map(number).collect::<Vec<_>>().join(" ") + "\n";
        input.write_all(batches.iter().map(line).collect::<String>().as_bytes()).unwrap();
        input.flush().unwrap();
        Self { child, _batches: input, words }
    }

    /// Kills it a while after a word, or at once when it says nothing for a minute.
    pub(crate) fn kill_after(mut self, cue: Cue, delay: Duration) -> Testimony {
        let mut testimony = Testimony::default();
        let patience = Instant::now() + PATIENCE;
        let mut deadline = patience;
        while let Some((heard, said)) = self.listen(deadline) {
            if testimony.note(&said, heard) == Some(cue) {
                deadline = heard + delay;
            }
        }
        // Child::kill sends SIGKILL.
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        while let Some((heard, said)) = self.listen(patience) {
            testimony.note(&said, heard);
        }
        testimony
    }

    fn listen(&self, deadline: Instant) -> Option<(Instant, String)> {
        self.words.recv_timeout(deadline.saturating_duration_since(Instant::now())).ok()
    }
}

impl Testimony {
    fn note(&mut self, said: &str, heard: Instant) -> Option<Cue> {
        let (word, rest) = said.split_once(' ').unwrap_or((said, ""));
        match word {
            "opening" => {
                self.opening = Some(heard);
                return Some(Cue::Opening);
            }
            "ready" => self.started_in = self.opening.map(|opening| heard - opening),
            "given" => self.given.push(rest.parse().unwrap()),
            "begin" => {
                self.begun.push(heard);
                return Some(Cue::Begun(self.begun.len() - 1));
            }
            "end" => {
                let last = self.begun.len() - 1;
                self.ended.extend(self.begun.last().map(|begun| (last, heard - *begun)));
            }
            "failed" => drop(self.failed.insert(self.begun.len() - 1, rest.to_owned())),
            _ => {} // The test harness.
        }
        None
    }

    /// How many batches were destroyed.
    pub(crate) fn ended(&self) -> usize {
        self.ended.len()
    }

    /// The batch that was begun and not answered.
    pub(crate) fn in_flight(&self) -> Option<usize> {
        let last = self.begun.len().checked_sub(1)?;
        (!self.ended.contains_key(&last)).then_some(last)
    }
}

/// Becomes the victim if this process was started as one.
pub(crate) fn is_one() -> bool {
    let Some(folder) = std::env::var_os(FOLDER) else { return false };
    // One write a line, so that the kill cannot cut it.
    let say = |word: String| {
        let mut out = std::io::stdout().lock();
        out.write_all(format!("{word}\n").as_bytes()).unwrap();
        out.flush().unwrap();
    };
    let (place, organisation) = (KeyPlace::at(Path::new(&folder)), organisation_id().unwrap());
    say("\nopening".to_owned());
    let ring = place.ring(CachePolicy::default()).unwrap();
    ring.provision(&organisation).unwrap();
    say("ready".to_owned());
    for line in std::io::stdin().lines() {
        let leaves: Vec<LeafIndex> =
            line.unwrap().split(' ').map(|leaf| LeafIndex::new(leaf.parse().unwrap()).unwrap()).collect();
        let given = ring.allocate(&organisation, DataClass::Biometric).unwrap();
        say(format!("given {}", given.get()));
        say("begin".to_owned());
        say(match ring.destroy(&organisation, &leaves) {
            Ok(_) => "end".to_owned(),
            Err(error) => format!("failed {error:?}"),
        });
    }
    true
}
