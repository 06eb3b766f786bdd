use std::fmt;
use std::str::{FromStr, SplitWhitespace};

use vouchsafe::Timestamp;

use crate::scene::Failure;

/// One call that the process is told to make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "the drill matches every call on purpose")]
pub enum Deed {
    /// Gives or renews consent.
    Consent(u32),
    /// Enrols a face, given as a variant of the person's.
    Enrol(u32, u64),
    /// Verifies a face.
    Verify(u32, u64),
    /// Withdraws consent.
    Withdraw(u32),
    /// Deletes the account.
    Erase(u32),
    /// Sweeps what is due.
    Sweep,
    /// Finishes interrupted destructions.
    Resume,
}

impl Deed {
    /// What kind of call it is.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Consent(_) => "consent",
            Self::Enrol(..) => "enrol",
            Self::Verify(..) => "verify",
            Self::Withdraw(_) => "withdraw",
            Self::Erase(_) => "erase",
            Self::Sweep => "sweep",
            Self::Resume => "resume",
        }
    }

    /// Whom it is about, if one person.
    pub const fn person(self) -> Option<u32> {
        match self {
            Self::Consent(person)
            | Self::Enrol(person, _)
            | Self::Verify(person, _)
            | Self::Withdraw(person)
            | Self::Erase(person) => Some(person),
            Self::Sweep | Self::Resume => None,
        }
    }

    /// Whether it may destroy keys.
    pub const fn destroys(self) -> bool {
        matches!(self, Self::Withdraw(_) | Self::Erase(_) | Self::Sweep | Self::Resume)
    }
}

/// A call, and the instant that the clock shows when it is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a line of the drill's own protocol")]
pub struct Command {
    /// The call.
    pub deed: Deed,
    /// The instant.
    pub at: Timestamp,
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.at, self.deed.name())?;
        match self.deed {
            Deed::Consent(person) | Deed::Withdraw(person) | Deed::Erase(person) => write!(f, " {person}"),
            Deed::Enrol(person, variant) | Deed::Verify(person, variant) => write!(f, " {person} {variant}"),
            Deed::Sweep | Deed::Resume => Ok(()),
        }
    }
}

impl FromStr for Command {
    type Err = Failure;

    fn from_str(line: &str) -> Result<Self, Failure> {
        let mut words = line.split_whitespace();
        let at = next::<Timestamp>(&mut words)?;
        let deed = match words.next() {
            Some("consent") => Deed::Consent(next(&mut words)?),
            Some("enrol") => Deed::Enrol(next(&mut words)?, next(&mut words)?),
            Some("verify") => Deed::Verify(next(&mut words)?, next(&mut words)?),
            Some("withdraw") => Deed::Withdraw(next(&mut words)?),
            Some("erase") => Deed::Erase(next(&mut words)?),
            Some("sweep") => Deed::Sweep,
            Some("resume") => Deed::Resume,
            _ => return Err(format!("no such command: {line}").into()),
        };
        Ok(Self { deed, at })
    }
}

/// What a call returned.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a line of the drill's own protocol")]
pub struct Said {
    /// The verdict, in one word.
    pub verdict: String,
    /// The number and bytes of the log entry on the receipt, if the call gives one.
    pub receipt: Option<(u64, Vec<u8>)>,
    /// The log entries of destructions that were certified.
    pub destroyed: Vec<u64>,
}

/// A line of the process's output.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a line of the drill's own protocol")]
pub enum Answer {
    /// The process is about to open the folder.
    Opening,
    /// The folder is open.
    Ready,
    /// The command with this number, from 0, is about to be carried out.
    Begun(usize),
    /// The call returned. Only now is it acknowledged.
    Acknowledged(usize, Said),
    /// The call returned an error.
    Failed(usize, String),
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Opening => f.write_str("> opening"),
            Self::Ready => f.write_str("> ready"),
            Self::Begun(number) => write!(f, "> begun {number}"),
            Self::Failed(number, error) => write!(f, "> failed {number} {error}"),
            Self::Acknowledged(number, Said { verdict, receipt, destroyed }) => {
                write!(f, "> acknowledged {number} {verdict} {}", destroyed.len())?;
                destroyed.iter().try_for_each(|entry| write!(f, " {entry}"))?;
                let Some((entry, leaf)) = receipt else { return Ok(()) };
                write!(f, " {entry} ")?;
                leaf.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }
    }
}

impl FromStr for Answer {
    type Err = Failure;

    /// Reads a whole line; one that the kill cut short is an error.
    fn from_str(line: &str) -> Result<Self, Failure> {
        let line = line.strip_prefix("> ").ok_or("not an answer")?;
        let mut words = line.split_whitespace();
        Ok(match words.next() {
            Some("opening") => Self::Opening,
            Some("ready") => Self::Ready,
            Some("begun") => Self::Begun(next(&mut words)?),
            Some("failed") => Self::Failed(next(&mut words)?, words.collect::<Vec<_>>().join(" ")),
            Some("acknowledged") => {
                let number = next(&mut words)?;
                let verdict = next(&mut words)?;
                let certified: usize = next(&mut words)?;
                let destroyed = (0..certified).map(|_| next(&mut words)).collect::<Result<_, _>>()?;
                let receipt = match words.next() {
                    Some(entry) => Some((entry.parse()?, unhex(words.next().ok_or("no leaf")?)?)),
                    None => None,
                };
                Self::Acknowledged(number, Said { verdict, receipt, destroyed })
            }
            _ => return Err(format!("no such answer: {line}").into()),
        })
    }
}

fn next<T: FromStr>(words: &mut SplitWhitespace<'_>) -> Result<T, Failure>
where
    T::Err: Into<Failure>,
{
    words.next().ok_or("line is too short")?.parse().map_err(Into::into)
}

fn unhex(text: &str) -> Result<Vec<u8>, Failure> {
    let byte = |at| Ok(u8::from_str_radix(text.get(at..at + 2).ok_or("odd length")?, 16)?);
    (0..text.len()).step_by(2).map(byte).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_read_back() {
        let at = "2026-06-01T12:00:00Z".parse().unwrap();
        for deed in [
            Deed::Consent(1),
            Deed::Enrol(2, 3),
            Deed::Verify(4, 5),
            Deed::Withdraw(6),
            Deed::Erase(7),
            Deed::Sweep,
            Deed::Resume,
        ] {
            let command = Command { deed, at };
            assert_eq!(command.to_string().parse::<Command>().unwrap(), command);
        }
        let said = |receipt, destroyed| Said { verdict: "done".to_owned(), receipt, destroyed };
        for answer in [
            Answer::Opening,
            Answer::Ready,
            Answer::Begun(7),
            Answer::Failed(8, "storage does not answer".to_owned()),
            Answer::Acknowledged(9, said(None, vec![])),
            Answer::Acknowledged(9, said(Some((4, vec![0, 255])), vec![5, 6])),
        ] {
            assert_eq!(answer.to_string().parse::<Answer>().unwrap(), answer);
        }
    }
}
