//! What a process said that it had appended, compared with the log that it left.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use ring::digest::{SHA256, digest};

use crate::scene::Failure;

/// An entry whose append returned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a line of the drills' own protocol")]
pub struct Acknowledgement {
    /// Who appended it.
    pub writer: u32,
    /// To which of the logs.
    pub log: usize,
    /// The number of the entry.
    pub entry: u64,
    /// How many entries of the log were known to be acknowledged when the call began: the number is not below it.
    pub after: u64,
    /// SHA-256 of the leaf.
    pub leaf: [u8; 32],
}

impl Acknowledgement {
    /// The line of an entry that was appended.
    pub fn of(writer: u32, log: usize, after: u64, entry: u64, leaf: &[u8]) -> Self {
        Self { writer, log, entry, after, leaf: hash(leaf) }
    }
}

impl fmt::Display for Acknowledgement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "acknowledged {} {} {} {} ", self.writer, self.log, self.entry, self.after)?;
        self.leaf.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl FromStr for Acknowledgement {
    type Err = Failure;

    /// Reads a whole line; one that a kill cut short is an error.
    fn from_str(line: &str) -> Result<Self, Failure> {
        let words: Vec<_> = line.split(' ').collect();
        let ["acknowledged", writer, log, entry, after, leaf] = words.as_slice() else {
            return Err(format!("not an acknowledgement: {line}").into());
        };
        Ok(Self {
            writer: writer.parse()?,
            log: log.parse()?,
            entry: entry.parse()?,
            after: after.parse()?,
            leaf: unhex(leaf)?.try_into().map_err(|_| "not a digest")?,
        })
    }
}

/// Reads hexadecimal digits.
///
/// # Errors
/// For anything else.
pub fn unhex(text: &str) -> Result<Vec<u8>, Failure> {
    let byte = |at| Ok(u8::from_str_radix(text.get(at..at + 2).ok_or("odd length")?, 16)?);
    (0..text.len()).step_by(2).map(byte).collect()
}

/// What is wrong with a log, by what was said about it.
#[derive(Debug, Default, Clone)]
#[expect(clippy::exhaustive_structs, reason = "plain results of a drill")]
pub struct Judgement {
    /// Entries that were acknowledged and are nowhere.
    pub lost: Vec<String>,
    /// Entries that are not where they were acknowledged, or not in the order in which they were.
    pub reordered: Vec<String>,
    /// Numbers that were given twice, and leaves that stand twice.
    pub duplicated: Vec<String>,
}

impl Judgement {
    /// Whether nothing is wrong.
    pub const fn is_empty(&self) -> bool {
        self.lost.is_empty() && self.reordered.is_empty() && self.duplicated.is_empty()
    }

    /// Adds another judgement.
    pub fn merge(&mut self, other: Self) {
        self.lost.extend(other.lost);
        self.reordered.extend(other.reordered);
        self.duplicated.extend(other.duplicated);
    }
}

/// Compares one log with what was said about it, in the order in which each writer said it.
pub fn judge(said: &[Acknowledgement], entries: &[Vec<u8>]) -> Judgement {
    let mut judgement = Judgement::default();
    let hashes: Vec<[u8; 32]> = entries.iter().map(|leaf| hash(leaf)).collect();
    let mut places: BTreeMap<&[u8; 32], u64> = BTreeMap::new();
    for (number, leaf) in (0..).zip(&hashes) {
        if let Some(first) = places.insert(leaf, number) {
            judgement.duplicated.push(format!("entries {first} and {number} are the same"));
        }
    }
    let (mut given, mut newest) = (BTreeSet::new(), BTreeMap::new());
    for acknowledgement in said {
        let Acknowledgement { writer, entry, after, leaf, .. } = acknowledgement;
        let there = usize::try_from(*entry).ok().and_then(|entry| hashes.get(entry)) == Some(leaf);
        match places.get(leaf) {
            None => judgement.lost.push(format!("entry {entry} of writer {writer}")),
            Some(place) if !there => {
                judgement.reordered.push(format!("entry {entry} of writer {writer} is entry {place}"));
            }
            Some(_) => {}
        }
        if !given.insert(*entry) {
            judgement.duplicated.push(format!("number {entry} was acknowledged twice"));
        }
        let before = newest.insert(*writer, *entry);
        if entry < after || before.is_some_and(|before| before >= *entry) {
            judgement
                .reordered
                .push(format!("entry {entry} of writer {writer} after {before:?} and {after}"));
        }
    }
    judgement
}

fn hash(leaf: &[u8]) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.iter_mut().zip(digest(&SHA256, leaf).as_ref()).for_each(|(own, byte)| *own = *byte);
    hash
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log() -> (Vec<Acknowledgement>, Vec<Vec<u8>>) {
        let entries: Vec<Vec<u8>> = (0..20u8).map(|byte| vec![byte; 55]).collect();
        let said = (0..20u64).map(|number| {
            let leaf = &entries[usize::try_from(number).unwrap()];
            Acknowledgement::of(u32::try_from(number % 3).unwrap(), 0, number.saturating_sub(2), number, leaf)
        });
        (said.collect(), entries)
    }

    #[test]
    fn a_whole_log_is_whole_also_with_more_in_it_than_was_said() {
        let (mut said, entries) = log();
        assert!(judge(&said, &entries).is_empty());
        said.remove(7);
        assert!(judge(&said, &entries).is_empty());
        let line = said[3].to_string();
        assert_eq!(line.parse::<Acknowledgement>().unwrap(), said[3]);
        assert!(line[..line.len() - 1].parse::<Acknowledgement>().is_err());
    }

    #[test]
    fn every_fault_is_told_as_what_it_is() {
        type Fault = fn(&mut Vec<Acknowledgement>, &mut Vec<Vec<u8>>);
        let faults: [(Fault, [bool; 3]); 7] = [
            (|_, entries| drop(entries.pop()), [true, false, false]),
            (|_, entries| entries[5] = vec![99; 55], [true, false, false]),
            (|_, entries| drop(entries.remove(5)), [true, true, false]),
            (|_, entries| entries.swap(3, 11), [false, true, false]),
            (|_, entries| entries.push(entries[4].clone()), [false, false, true]),
            (|said, _| said.push(said[19]), [false, true, true]),
            (|said, _| said[10].after = 11, [false, true, false]),
        ];
        for (number, (fault, [lost, reordered, duplicated])) in faults.into_iter().enumerate() {
            let (mut said, mut entries) = log();
            fault(&mut said, &mut entries);
            let judgement = judge(&said, &entries);
            let found =
                [&judgement.lost, &judgement.reordered, &judgement.duplicated].map(|list| !list.is_empty());
            assert_eq!(found, [lost, reordered, duplicated], "fault {number}: {judgement:?}");
        }
    }
}
