use std::fmt;
use std::str::{FromStr, SplitWhitespace};

use crate::scene::Failure;

/// What a client is told to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "the drill matches every deed on purpose")]
pub enum Deed {
    /// Verifies the log and its payloads.
    Check,
    /// Shows the notice and gives or renews consent.
    Consent(u32),
    /// Enrols a face, given as a variant of the person's.
    Enrol(u32, u64),
    /// Deletes the account.
    Erase(u32),
    /// Gives consent, then enrols.
    Join(u32, u64),
    /// Lifts a restriction.
    Lift(u32),
    /// Publishes the log.
    Publish,
    /// Restricts processing.
    Restrict(u32),
    /// Finishes interrupted destructions.
    Resume,
    /// Sweeps what is due.
    Sweep,
    /// Verifies a face.
    Verify(u32, u64),
    /// Withdraws consent.
    Withdraw(u32),
}

/// One call of the facade about one person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "the model matches every step on purpose")]
pub enum Step {
    /// Enrols.
    Enrol(u64),
    /// Deletes the account.
    Erase,
    /// Gives consent.
    Give,
    /// Lifts the restriction.
    Lift,
    /// Asks the gate.
    Permit,
    /// Restricts.
    Restrict,
    /// Shows the notice.
    Serve,
    /// Verifies.
    Verify(u64),
    /// Withdraws.
    Withdraw,
}

impl Deed {
    /// What kind it is.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Check => "check",
            Self::Consent(_) => "consent",
            Self::Enrol(..) => "enrol",
            Self::Erase(_) => "erase",
            Self::Join(..) => "join",
            Self::Lift(_) => "lift",
            Self::Publish => "publish",
            Self::Restrict(_) => "restrict",
            Self::Resume => "resume",
            Self::Sweep => "sweep",
            Self::Verify(..) => "verify",
            Self::Withdraw(_) => "withdraw",
        }
    }

    /// Whom it is about, if one person.
    pub const fn person(self) -> Option<u32> {
        match self {
            Self::Consent(person)
            | Self::Enrol(person, _)
            | Self::Erase(person)
            | Self::Join(person, _)
            | Self::Lift(person)
            | Self::Restrict(person)
            | Self::Verify(person, _)
            | Self::Withdraw(person) => Some(person),
            Self::Check | Self::Publish | Self::Resume | Self::Sweep => None,
        }
    }

    /// The calls that it consists of, in order; it ends early where one is refused.
    pub fn steps(self) -> Vec<Step> {
        match self {
            Self::Consent(_) => vec![Step::Serve, Step::Give],
            Self::Enrol(_, variant) => vec![Step::Permit, Step::Enrol(variant)],
            Self::Erase(_) => vec![Step::Erase],
            Self::Join(_, variant) => vec![Step::Serve, Step::Give, Step::Permit, Step::Enrol(variant)],
            Self::Lift(_) => vec![Step::Lift],
            Self::Restrict(_) => vec![Step::Restrict],
            Self::Verify(_, variant) => vec![Step::Permit, Step::Verify(variant)],
            Self::Withdraw(_) => vec![Step::Withdraw],
            Self::Check | Self::Publish | Self::Resume | Self::Sweep => Vec::new(),
        }
    }
}

impl fmt::Display for Deed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        match *self {
            Self::Enrol(person, variant) | Self::Join(person, variant) | Self::Verify(person, variant) => {
                write!(f, " {person} {variant}")
            }
            deed => deed.person().map_or(Ok(()), |person| write!(f, " {person}")),
        }
    }
}

impl FromStr for Deed {
    type Err = Failure;

    fn from_str(line: &str) -> Result<Self, Failure> {
        let mut words = line.split_whitespace();
        let name = words.next().ok_or("no deed")?;
        Ok(match name {
            "check" => Self::Check,
            "consent" => Self::Consent(next(&mut words)?),
            "enrol" => Self::Enrol(next(&mut words)?, next(&mut words)?),
            "erase" => Self::Erase(next(&mut words)?),
            "join" => Self::Join(next(&mut words)?, next(&mut words)?),
            "lift" => Self::Lift(next(&mut words)?),
            "publish" => Self::Publish,
            "restrict" => Self::Restrict(next(&mut words)?),
            "resume" => Self::Resume,
            "sweep" => Self::Sweep,
            "verify" => Self::Verify(next(&mut words)?, next(&mut words)?),
            "withdraw" => Self::Withdraw(next(&mut words)?),
            _ => return Err(format!("no such deed: {line}").into()),
        })
    }
}

fn next<T: FromStr>(words: &mut SplitWhitespace<'_>) -> Result<T, Failure>
where
    T::Err: Into<Failure>,
{
    words.next().ok_or("line is too short")?.parse().map_err(Into::into)
}

/// What one call answered.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "the model matches every word on purpose")]
pub enum Word {
    /// No template.
    Absent,
    /// The face is the person's.
    Accepted,
    /// Consent, marks or the age of the permit stand in the way.
    Closed,
    /// Nothing is left of what was condemned.
    Done,
    /// A template is stored.
    Enrolled,
    /// An error: whether the call may be repeated without harm, and which.
    Failed(bool, String),
    /// Consent is given.
    Given,
    /// The template is being destroyed, or is destroyed.
    Gone,
    /// Somebody else's act of consent came in between.
    Late,
    /// The mark is taken off.
    Lifted,
    /// The mark is set.
    Marked,
    /// There is no consent to withdraw.
    Nothing,
    /// Acknowledged, and not all of it is destroyed yet.
    Pending,
    /// A permit under this number of the line.
    Permitted(u64),
    /// The log is published up to this size.
    Published(u64),
    /// Consent is renewed.
    Renewed,
    /// The notice is shown.
    Served,
    /// Nothing is wrong.
    Sound,
    /// The consent ended after the showing.
    Stale,
    /// There is a template already.
    Taken,
    /// The face is another's.
    Unlike,
}

/// What one call answered, with the log entries that it names.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a word of the drill's own protocol")]
pub struct Said {
    /// The answer.
    pub word: Word,
    /// The entries of receipts and certificates.
    pub entries: Vec<u64>,
}

impl From<Word> for Said {
    fn from(word: Word) -> Self {
        Self { word, entries: Vec::new() }
    }
}

const PLAIN: [(&str, Word); 16] = [
    ("absent", Word::Absent),
    ("accepted", Word::Accepted),
    ("closed", Word::Closed),
    ("done", Word::Done),
    ("enrolled", Word::Enrolled),
    ("given", Word::Given),
    ("gone", Word::Gone),
    ("late", Word::Late),
    ("lifted", Word::Lifted),
    ("marked", Word::Marked),
    ("nothing", Word::Nothing),
    ("pending", Word::Pending),
    ("renewed", Word::Renewed),
    ("served", Word::Served),
    ("sound", Word::Sound),
    ("stale", Word::Stale),
];
const REST: [(&str, Word); 2] = [("taken", Word::Taken), ("unlike", Word::Unlike)];

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.word {
            Word::Failed(again, why) => {
                let why: String = why.chars().map(|c| if c.is_whitespace() { '_' } else { c }).collect();
                return write!(f, "failed:{}:{why}", u8::from(*again));
            }
            Word::Permitted(sequence) => write!(f, "permitted:{sequence}")?,
            Word::Published(size) => write!(f, "published:{size}")?,
            plain => {
                let name = PLAIN.iter().chain(&REST).find(|(_, word)| word == plain);
                f.write_str(name.map_or("", |(name, _)| name))?;
            }
        }
        self.entries.iter().try_for_each(|entry| write!(f, "@{entry}"))
    }
}

impl FromStr for Said {
    type Err = Failure;

    fn from_str(text: &str) -> Result<Self, Failure> {
        if let Some(rest) = text.strip_prefix("failed:") {
            let (again, why) = rest.split_once(':').ok_or("no reason")?;
            return Ok(Word::Failed(again == "1", why.to_owned()).into());
        }
        let mut parts = text.split('@');
        let name = parts.next().unwrap_or_default();
        let word = match name.split_once(':') {
            Some(("permitted", sequence)) => Word::Permitted(sequence.parse()?),
            Some(("published", size)) => Word::Published(size.parse()?),
            _ => {
                let found = PLAIN.iter().chain(&REST).find(|(known, _)| *known == name);
                found.ok_or("no such word")?.1.clone()
            }
        };
        let entries = parts.map(|entry| Ok(entry.parse()?)).collect::<Result<_, Failure>>()?;
        Ok(Self { word, entries })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_read_back() {
        for deed in [Deed::Check, Deed::Join(3, 7), Deed::Verify(1, 2), Deed::Withdraw(9), Deed::Sweep] {
            assert_eq!(deed.to_string().parse::<Deed>().unwrap(), deed);
        }
        let plain = PLAIN.into_iter().chain(REST).map(|(_, word)| word);
        let words = plain.chain([
            Word::Permitted(4),
            Word::Published(17),
            Word::Failed(true, "Store(Locked)".to_owned()),
        ]);
        for word in words {
            let entries = if matches!(word, Word::Failed(..)) { vec![] } else { vec![4, 11] };
            let said = Said { word, entries };
            assert_eq!(said.to_string().parse::<Said>().unwrap(), said);
        }
        for line in ["", "verify 1", "sing 2"] {
            assert!(line.parse::<Deed>().is_err(), "{line}");
        }
        assert!("permitted:x".parse::<Said>().is_err());
    }
}
