//! What a server really does, found by trying.
use std::fmt;
use std::thread;

use ring::rand::{SecureRandom, SystemRandom};

use crate::answer::element;
use crate::{Bucket, Condition, ObjectsError, Put};

/// A conditional write of the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "the protocol knows these two")]
pub enum Conditional {
    /// `If-None-Match: *`: only where nothing is stored.
    IfAbsent,
    /// `If-Match`: only in the place of this content.
    IfMatch,
}

impl Conditional {
    /// All, in the order of their names.
    pub const ALL: [Self; 2] = [Self::IfAbsent, Self::IfMatch];

    /// Its name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::IfAbsent => "if-none-match",
            Self::IfMatch => "if-match",
        }
    }
}

/// How a server treats a condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "an operator acts on each")]
pub enum Verdict {
    /// Of all that wrote at once, one took place in every round.
    Honoured,
    /// The write takes place although the condition does not hold, or does not although it holds.
    Ignored,
    /// Alone it holds; of those that wrote at once, more than one took place in so many of the rounds.
    Racy {
        /// Rounds in which more than one write was acknowledged.
        doubled: u32,
        /// Rounds tried.
        rounds: u32,
    },
    /// The server says that it does not know it.
    Unsupported,
}

impl Verdict {
    /// Whether what relies on the condition can be kept there.
    pub const fn is_honoured(self) -> bool {
        matches!(self, Self::Honoured)
    }
}

/// Whether a bucket keeps old versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "the protocol knows these")]
pub enum Versioning {
    /// It does, of every write.
    Enabled,
    /// It never did.
    Never,
    /// It did, and may still have some.
    Suspended,
    /// The server knows no versions.
    Unsupported,
}

impl Versioning {
    /// Whether an object that was replaced or removed is gone.
    pub const fn forgets(self) -> bool {
        matches!(self, Self::Never | Self::Unsupported)
    }

    pub(crate) fn read(status: u16, body: &[u8]) -> Result<Self, ObjectsError> {
        let text = std::str::from_utf8(body).unwrap_or_default();
        match (status, element(body, "Status")) {
            (501, _) => Ok(Self::Unsupported),
            (200, Some("Enabled")) => Ok(Self::Enabled),
            (200, Some("Suspended")) => Ok(Self::Suspended),
            // The second is what `moto` calls it.
            (200, None)
                if ["VersioningConfiguration", "GetBucketVersioningResponse"]
                    .iter()
                    .any(|name| text.contains(name)) =>
            {
                Ok(Self::Never)
            }
            _ => Err(ObjectsError::Answer),
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Enabled => "enabled",
            Self::Never => "never enabled",
            Self::Suspended => "suspended",
            Self::Unsupported => "not known to the server",
        }
    }
}

/// What [`Bucket::check`] found. A race that did not show is no proof that there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub struct BucketReport {
    if_absent: Verdict,
    if_match: Verdict,
    reads_writes: bool,
    lists_writes: bool,
    versioning: Option<Versioning>,
}

impl BucketReport {
    /// How the server treats a condition.
    pub const fn verdict(&self, conditional: Conditional) -> Verdict {
        match conditional {
            Conditional::IfAbsent => self.if_absent,
            Conditional::IfMatch => self.if_match,
        }
    }

    /// Whether each write was read at once, and each removal.
    pub const fn reads_writes(&self) -> bool {
        self.reads_writes
    }

    /// Whether each write was listed at once, and each removal.
    pub const fn lists_writes(&self) -> bool {
        self.lists_writes
    }

    /// Whether the bucket keeps old versions; `None` where these credentials may not ask.
    pub const fn versioning(&self) -> Option<Versioning> {
        self.versioning
    }
}

impl fmt::Display for BucketReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for conditional in Conditional::ALL {
            write!(f, "{}: ", conditional.name())?;
            match self.verdict(conditional) {
                Verdict::Honoured => writeln!(f, "honoured, also when {WRITERS} write at once")?,
                Verdict::Ignored => writeln!(f, "ignored")?,
                Verdict::Racy { doubled, rounds } => {
                    writeln!(
                        f,
                        "not honoured when {WRITERS} write at once: two took place in {doubled} of {rounds} rounds"
                    )?;
                }
                Verdict::Unsupported => writeln!(f, "not known to the server")?,
            }
        }
        let told = |seen| if seen { "at once" } else { "late" };
        writeln!(f, "reads see writes: {}", told(self.reads_writes))?;
        writeln!(f, "listings see writes: {}", told(self.lists_writes))?;
        write!(f, "old versions: {}", self.versioning.map_or("not told", Versioning::name))
    }
}

pub(crate) fn check(bucket: &Bucket, rounds: u32) -> Result<BucketReport, ObjectsError> {
    let place = Place::new(bucket, rounds)?;
    let report = place.run();
    place.clear();
    report
}

/// A prefix of its own.
struct Place<'a> {
    bucket: &'a Bucket,
    prefix: String,
    rounds: u32,
}

impl<'a> Place<'a> {
    fn new(bucket: &'a Bucket, rounds: u32) -> Result<Self, ObjectsError> {
        let mut name = [0; 8];
        let drawn = SystemRandom::new().fill(&mut name);
        drawn.map_err(|_| ObjectsError::Unavailable(std::io::ErrorKind::Other))?;
        Ok(Self { bucket, prefix: format!(".probe/{:016x}", u64::from_be_bytes(name)), rounds })
    }

    fn key(&self, name: impl fmt::Display) -> String {
        format!("{}/{name}", self.prefix)
    }

    fn run(&self) -> Result<BucketReport, ObjectsError> {
        // A bucket that is not there shows here; some servers would make it at the first write.
        self.bucket.list(&self.prefix)?;
        let (reads_writes, lists_writes) = self.consistency()?;
        let if_absent = self.verdict(Self::absent_alone, Conditional::IfAbsent)?;
        let if_match = self.verdict(Self::match_alone, Conditional::IfMatch)?;
        let versioning = match self.bucket.versioning() {
            Ok(versioning) => Some(versioning),
            Err(ObjectsError::Denied | ObjectsError::Answer) => None,
            Err(error) => return Err(error),
        };
        Ok(BucketReport { if_absent, if_match, reads_writes, lists_writes, versioning })
    }

    fn verdict(
        &self,
        alone: fn(&Self) -> Result<bool, ObjectsError>,
        conditional: Conditional,
    ) -> Result<Verdict, ObjectsError> {
        match alone(self) {
            Ok(true) => {}
            Ok(false) => return Ok(Verdict::Ignored),
            Err(ObjectsError::ConditionIgnored(_)) => return Ok(Verdict::Unsupported),
            Err(error) => return Err(error),
        }
        let mut doubled = 0;
        for round in 0..self.rounds {
            doubled += u32::from(self.race(conditional, round)? > 1);
        }
        Ok(if doubled == 0 { Verdict::Honoured } else { Verdict::Racy { doubled, rounds: self.rounds } })
    }

    fn absent_alone(&self) -> Result<bool, ObjectsError> {
        let key = self.key("absent");
        let first = self.bucket.put(&key, b"1", &Condition::IfAbsent)?;
        let second = self.bucket.put(&key, b"2", &Condition::IfAbsent)?;
        Ok(first != Put::Refused && second == Put::Refused && self.holds(&key, b"1")?)
    }

    fn match_alone(&self) -> Result<bool, ObjectsError> {
        let key = self.key("match");
        let Put::Done(first) = self.bucket.put(&key, b"1", &Condition::Always)? else { return Ok(false) };
        let Put::Done(second) = self.bucket.put(&key, b"2", &Condition::IfMatch(first.clone()))? else {
            return Ok(false);
        };
        let stale = self.bucket.put(&key, b"3", &Condition::IfMatch(first))?;
        let nowhere = self.bucket.put(&self.key("nowhere"), b"4", &Condition::IfMatch(second))?;
        Ok(stale == Put::Refused && nowhere == Put::Refused && self.holds(&key, b"2")?)
    }

    /// How many of those that write at once are told that they did.
    fn race(&self, conditional: Conditional, round: u32) -> Result<u32, ObjectsError> {
        let key = self.key(format_args!("{}-{round}", conditional.name()));
        let condition = match conditional {
            Conditional::IfAbsent => Condition::IfAbsent,
            Conditional::IfMatch => match self.bucket.put(&key, b"0", &Condition::Always)? {
                Put::Done(etag) => Condition::IfMatch(etag),
                Put::Refused => return Err(ObjectsError::Answer),
            },
        };
        let answers: Vec<_> = thread::scope(|scope| {
            let write = |writer: u32| self.bucket.put(&key, &writer.to_be_bytes(), &condition);
            let writers: Vec<_> = (1..=WRITERS).map(|writer| scope.spawn(move || write(writer))).collect();
            writers.into_iter().map(thread::ScopedJoinHandle::join).collect()
        });
        let mut done = 0;
        for answer in answers {
            match answer.map_err(|_| ObjectsError::Unavailable(std::io::ErrorKind::Other))? {
                Ok(Put::Done(_)) => done += 1,
                // Busy or cut off: no acknowledgement.
                Ok(Put::Refused) | Err(ObjectsError::Unavailable(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(done)
    }

    fn consistency(&self) -> Result<(bool, bool), ObjectsError> {
        let (mut read, mut listed) = (true, true);
        for round in 0..4_u8 {
            let key = self.key("seen/a");
            for bytes in [[round, 0], [round, 1]] {
                let _ = self.bucket.put(&key, &bytes, &Condition::Always)?;
                read &= self.holds(&key, &bytes)?;
                listed &= self.bucket.list(&self.key("seen"))? == [key.as_str()];
            }
            self.bucket.delete(&key)?;
            read &= self.bucket.get(&key)?.is_none();
            listed &= self.bucket.list(&self.key("seen"))?.is_empty();
        }
        Ok((read, listed))
    }

    fn holds(&self, key: &str, bytes: &[u8]) -> Result<bool, ObjectsError> {
        Ok(self.bucket.get(key)?.is_some_and(|object| object.bytes == bytes))
    }

    /// As far as the server lets it: what is left is a few bytes.
    fn clear(&self) {
        for key in self.bucket.list(&self.prefix).unwrap_or_default() {
            let _ = self.bucket.delete(&key);
        }
    }
}

/// How many write at once.
const WRITERS: u32 = 8;
/// How often, for a report.
pub(crate) const ROUNDS: u32 = 8;
/// How often, before an adapter opens.
pub(crate) const FEW_ROUNDS: u32 = 3;
