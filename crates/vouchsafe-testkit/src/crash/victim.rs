use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command as Program, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use vouchsafe::Timestamp;

use super::deed::{Answer, Command, Said};
use crate::scene::Failure;

/// A process that runs [`serve`](super::serve) and is going to be killed.
#[derive(Debug)]
pub struct Victim {
    child: Child,
    // Open until the end: a process that runs out of commands waits instead of ending well.
    _commands: ChildStdin,
    answers: Receiver<(Instant, Answer)>,
    said: Vec<(Instant, Answer)>,
}

/// Everything that a killed process said, with the instant at which it was heard.
#[derive(Debug)]
#[expect(clippy::exhaustive_structs, reason = "plain results of a drill")]
pub struct Testimony {
    /// The answers, in order; those still in the pipe when the kill struck are among them.
    pub said: Vec<(Instant, Answer)>,
}

impl Victim {
    /// Starts the program, which must run [`serve`](super::serve) on its input and output, and hands it the script.
    ///
    /// # Errors
    /// The operating system's own.
    pub fn start(mut program: Program, now: Timestamp, script: &[Command]) -> Result<Self, Failure> {
        let mut child = program.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let mut commands = child.stdin.take().ok_or("no input")?;
        let output = child.stdout.take().ok_or("no output")?;
        let (sender, answers) = channel();
        std::thread::spawn(move || {
            // Lines of the test harness are not answers; the last one ends with the process.
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if let Ok(answer) = line.parse()
                    && sender.send((Instant::now(), answer)).is_err()
                {
                    break;
                }
            }
        });
        let lines: String = script.iter().map(|command| format!("{command}\n")).collect();
        commands.write_all(format!("{now}\n{lines}").as_bytes())?;
        commands.flush()?;
        Ok(Self { child, _commands: commands, answers, said: Vec::new() })
    }

    /// Kills the process a while after it said something, or at once when it says nothing for a minute.
    ///
    /// # Errors
    /// The operating system's own.
    pub fn kill_after(mut self, cue: &Answer, delay: Duration) -> Result<Testimony, Failure> {
        let patience = Instant::now() + PATIENCE;
        let mut deadline = patience;
        while self.listen(deadline) {
            if let Some((heard, answer)) = self.said.last()
                && answer == cue
            {
                deadline = *heard + delay;
            }
        }
        // Child::kill sends SIGKILL.
        self.child.kill()?;
        self.child.wait()?;
        while self.listen(patience) {}
        Ok(Testimony { said: self.said })
    }

    /// Waits for one more answer; `false` when time is up or there is none to come.
    fn listen(&mut self, deadline: Instant) -> bool {
        match self.answers.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(heard) => {
                self.said.push(heard);
                true
            }
            Err(RecvTimeoutError::Disconnected | RecvTimeoutError::Timeout) => false,
        }
    }
}

impl Testimony {
    /// When something was said.
    pub fn heard(&self, what: impl Fn(&Answer) -> bool) -> Option<Instant> {
        self.said.iter().find(|(_, answer)| what(answer)).map(|(heard, _)| *heard)
    }

    /// What a command returned, and how long it took; `None` when it was not acknowledged.
    pub fn outcome(&self, number: usize) -> Option<(&Said, Duration)> {
        let begun = self.heard(|answer| *answer == Answer::Begun(number))?;
        self.said.iter().find_map(|(heard, answer)| match answer {
            Answer::Acknowledged(ended, said) if *ended == number => {
                Some((said, heard.saturating_duration_since(begun)))
            }
            _ => None,
        })
    }

    /// The command that was begun and not answered.
    pub fn in_flight(&self) -> Option<usize> {
        match self.said.last() {
            Some((_, Answer::Begun(number))) => Some(*number),
            _ => None,
        }
    }
}

/// The longest wait for anything.
const PATIENCE: Duration = Duration::from_secs(60);
