use std::collections::{BTreeMap, BTreeSet};

use ring::hmac::{HMAC_SHA256, Key, sign};
use vouchsafe_envelope::port::StateVersion;

use crate::FENCE_KEY;

/// The records of a fence journal: these bodies, each with the tag that it has in its place.
pub fn chain(organisation: &str, bodies: &[&[u8]]) -> Vec<Vec<u8>> {
    let key = Key::new(HMAC_SHA256, &FENCE_KEY);
    let mut tag = sign(&key, &[b"vouchsafe fence journal v1", organisation.as_bytes()].concat());
    let mut records = Vec::new();
    for body in bodies {
        tag = sign(&key, &[tag.as_ref(), body].concat());
        records.push([body, tag.as_ref()].concat());
    }
    records
}

/// What a fence journal says; read here a second time on purpose.
#[derive(Debug, Default)]
pub struct Said {
    /// The newest state that it knows.
    pub version: StateVersion,
    /// Every state key below this generation was destroyed.
    pub live_from: u64,
    /// Condemned, and destroyed.
    pub pending: BTreeSet<u64>,
    /// Destroyed.
    pub destroyed: BTreeSet<u64>,
    /// Counters by class.
    pub counters: BTreeMap<u8, u64>,
}

impl Said {
    /// Reads the bodies of records up to the first that is no record; tells whether there is one.
    pub fn read(bodies: &[&[u8]]) -> (Self, bool) {
        let mut said = Self::default();
        let whole = bodies.iter().all(|body| said.hear(body).is_some());
        (said, !whole)
    }

    fn hear(&mut self, body: &[u8]) -> Option<()> {
        let (kind, rest) = body.split_first()?;
        if *kind == 1 {
            let (leaves, rest) = rest.as_chunks::<6>();
            if !rest.is_empty() {
                return None;
            }
            self.pending.extend(leaves.iter().map(|leaf| number(leaf)));
            return Some(());
        }
        let (generation, rest) = rest.split_at_checked(8)?;
        let (revision, rest) = rest.split_at_checked(8)?;
        let version = StateVersion { generation: number(generation), revision: number(revision) };
        match (*kind, rest) {
            (2, []) => {
                self.live_from = self.live_from.max(version.generation);
                self.destroyed.append(&mut self.pending);
            }
            (3, [class @ 1..=11, next @ ..]) if next.len() == 8 => {
                let counter = self.counters.entry(*class).or_default();
                *counter = number(next).max(*counter);
            }
            (4, []) => {}
            _ => return None,
        }
        self.version = self.version.max(version);
        Some(())
    }
}

fn number(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte))
}
