use std::fmt;

use super::{needles::Needles, search::Counts};

/// One needle, met in one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    /// The needle's name.
    pub needle: String,
    /// The kind of memory region, or the file's path below the scanned folder.
    pub place: String,
    /// How many windows of the needle were met there.
    pub count: u64,
}

/// What a scan met, and how much it looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Findings {
    hits: Vec<Hit>,
    bytes: u64,
}

impl Findings {
    /// The hits, by place in the order of the scan.
    pub fn hits(&self) -> &[Hit] {
        &self.hits
    }

    /// How many windows were met in all.
    pub fn total(&self) -> u64 {
        self.hits.iter().map(|hit| hit.count).sum()
    }

    /// How many windows were met of the needles whose name starts with `prefix`.
    pub fn of(&self, prefix: &str) -> u64 {
        self.hits.iter().filter(|hit| hit.needle.starts_with(prefix)).map(|hit| hit.count).sum()
    }

    /// How many bytes were looked at.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Takes over what another scan met.
    pub fn merge(&mut self, other: Self) {
        self.bytes += other.bytes;
        for hit in other.hits {
            self.add(&hit.needle, &hit.place, hit.count);
        }
    }

    pub(super) fn record(&mut self, needles: &Needles, place: &str, bytes: u64, counts: &Counts) {
        self.bytes += bytes;
        for (&needle, &count) in counts {
            self.add(needles.name(needle), place, count);
        }
    }

    fn add(&mut self, needle: &str, place: &str, count: u64) {
        match self.hits.iter_mut().find(|hit| hit.needle == needle && hit.place == place) {
            Some(hit) => hit.count += count,
            None => self.hits.push(Hit { needle: needle.to_owned(), place: place.to_owned(), count }),
        }
    }
}

/// One line a hit, then the totals.
impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for hit in &self.hits {
            writeln!(f, "{} in {}: {}", hit.needle, hit.place, hit.count)?;
        }
        write!(f, "found={} bytes={}", self.total(), self.bytes)
    }
}
