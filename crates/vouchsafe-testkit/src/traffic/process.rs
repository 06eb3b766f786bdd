use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command as Program, Stdio};
use std::sync::mpsc::Sender;
use std::thread;

use super::deed::{Deed, Said};
use crate::scene::Failure;

/// What is heard.
#[derive(Debug)]
pub(super) enum Event {
    /// A service has opened its stand.
    Ready { life: u64 },
    /// A deed is over.
    Said { life: u64, number: u64, said: Vec<Said> },
    /// A service is gone; it says nothing after this.
    Ended { life: u64 },
    /// A strike from outside is over.
    Struck(Result<(), String>),
}

/// One life of a service process.
#[derive(Debug)]
pub(super) struct Process {
    child: Child,
    orders: Option<ChildStdin>,
    pub(super) life: u64,
}

impl Process {
    pub(super) fn start(
        mut program: Program,
        life: u64,
        shift: i64,
        events: Sender<Event>,
    ) -> Result<Self, Failure> {
        let mut child = program.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let mut orders = child.stdin.take().ok_or("no input")?;
        let output = child.stdout.take().ok_or("no output")?;
        writeln!(orders, "{shift}")?;
        thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                // Lines of the test harness are no answers.
                if let Some(event) = line.strip_prefix("> ").and_then(|line| heard(line, life))
                    && events.send(event).is_err()
                {
                    break;
                }
            }
            let _ = events.send(Event::Ended { life });
        });
        Ok(Self { child, orders: Some(orders), life })
    }

    /// Gives a lane its next deed. Whoever is dead does not hear it.
    pub(super) fn order(&mut self, shift: i64, lane: usize, number: u64, deed: Deed) {
        if let Some(orders) = &mut self.orders {
            let _ = orders.write_all(format!("{shift} {lane} {number} {deed}\n").as_bytes());
            let _ = orders.flush();
        }
    }

    /// Lets it end.
    pub(super) fn leave(&mut self) {
        self.orders = None;
    }

    /// Kills it with SIGKILL.
    pub(super) fn kill(&mut self) {
        let _ = self.child.kill();
    }

    pub(super) fn wait(&mut self) {
        let _ = self.child.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
        self.wait();
    }
}

fn heard(line: &str, life: u64) -> Option<Event> {
    if line == "ready" {
        return Some(Event::Ready { life });
    }
    let mut words = line.strip_prefix("said ")?.split_whitespace();
    let number = words.next()?.parse().ok()?;
    let said = words.map(|word| word.parse().ok()).collect::<Option<Vec<_>>>()?;
    Some(Event::Said { life, number, said })
}
