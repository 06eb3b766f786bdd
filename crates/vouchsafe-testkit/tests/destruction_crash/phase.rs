//! How far a killed destruction came, read from the files alone.

use std::fs;
use std::path::Path;

use vouchsafe_envelope::port::{FenceStore, StateStore, StateVersion};
use vouchsafe_testkit::place::{KeyPlace, STATES};
use vouchsafe_testkit::scene::organisation_id;

/// Where the kill struck, in the order of the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Phase {
    /// No destruction was under way.
    Between,
    BeforeFence,
    Fenced,
    NextKeyMade,
    /// Shards of the new state are in one place.
    ShardsInOnePlace,
    /// Shards of the new state are in both places, and its head in none.
    ShardsInBothPlaces,
    HeadInOnePlace,
    HeadInBothPlaces,
    OldKeyGone,
    /// All is done, and nobody was told.
    Unanswered,
}

impl Phase {
    pub(crate) const fn is_of_shards(self) -> bool {
        matches!(self, Self::ShardsInOnePlace | Self::ShardsInBothPlaces)
    }
}

/// The files before a process was started.
pub(crate) struct Before {
    fences: usize,
    shards: [usize; 2],
}

impl Before {
    pub(crate) fn of(place: &KeyPlace) -> Self {
        Self { fences: fences(place).0, shards: shards(place) }
    }

    pub(crate) fn phase(&self, place: &KeyPlace, ended: usize, inside: bool) -> Phase {
        let (fenced, pending) = fences(place);
        if !inside {
            return Phase::Between;
        }
        if fenced <= self.fences + ended {
            return Phase::BeforeFence;
        }
        if !pending {
            return Phase::Unanswered;
        }
        let held = place.held(&organisation_id().unwrap()).unwrap();
        let newest = held.iter().copied().max().unwrap_or(0);
        let written = STATES.map(|name| version(place, name).generation == newest);
        let grown = |which: fn([bool; 2]) -> bool| {
            let shards = shards(place);
            which([shards[0] > self.shards[0], shards[1] > self.shards[1]])
        };
        match (held.len(), written) {
            (1, [true, true]) if self.is_rolled(&held, place) => Phase::OldKeyGone,
            (1, _) => Phase::Fenced,
            (_, [true, true]) => Phase::HeadInBothPlaces,
            (_, [true, false] | [false, true]) => Phase::HeadInOnePlace,
            _ if grown(|[first, second]| first && second) => Phase::ShardsInBothPlaces,
            _ if grown(|[first, second]| first || second) => Phase::ShardsInOnePlace,
            _ => Phase::NextKeyMade,
        }
    }

    /// Each destruction moves on by one generation, which the journal's fences count, too.
    fn is_rolled(&self, held: &[u64], place: &KeyPlace) -> bool {
        let done = place.fences().unwrap().read(&organisation_id().unwrap(), 0).unwrap().records;
        let newest = done.iter().rev().find_map(|record| match record.as_slice() {
            [2, generation @ ..] => generation.first_chunk().map(|bytes| u64::from_be_bytes(*bytes)),
            _ => None,
        });
        held.first().copied() > newest.or(Some(1))
    }
}

/// How many fences the journal has, and whether the last destruction is not noted as done.
fn fences(place: &KeyPlace) -> (usize, bool) {
    let journal = place.fences().unwrap().read(&organisation_id().unwrap(), 0).unwrap().records;
    let of_kind = |kind: u8| journal.iter().filter(move |record| record.first() == Some(&kind)).count();
    let last =
        journal.iter().rev().find_map(|record| record.first().copied().filter(|kind| [1, 2].contains(kind)));
    (of_kind(1), last == Some(1))
}

fn shards(place: &KeyPlace) -> [usize; 2] {
    let count = |name| place.place(name).unwrap().shards(&organisation_id().unwrap()).unwrap().len();
    STATES.map(count)
}

fn version(place: &KeyPlace, name: &str) -> StateVersion {
    place.place(name).unwrap().version(&organisation_id().unwrap()).unwrap().unwrap_or_default()
}

/// Whether the kill left a file that was about to replace another.
pub(crate) fn is_half_written(folder: &Path) -> bool {
    fs::read_dir(folder).unwrap().any(|entry| {
        let path = entry.unwrap().path();
        let temporary = path.extension().is_some_and(|ending| ending == "tmp");
        temporary || (path.is_dir() && is_half_written(&path))
    })
}
