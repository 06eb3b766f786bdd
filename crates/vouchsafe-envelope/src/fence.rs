//! The fence journal: what an organisation condemned and destroyed, kept outside of what a restore replaces.
//!
//! ```text
//! record  = kind (1) || body || tag (32)
//! fenced  = 0x01 || (leaf (6))*                             these leaves open nothing from now on
//! done    = 0x02 || generation (8) || revision (8)          they are destroyed, and every older state key is
//! counted = 0x03 || generation (8) || revision (8) || class code (1) || next (8)
//! noted   = 0x04 || generation (8) || revision (8)          the journal begins here, or the state changed otherwise
//! tag     = HMAC-SHA-256(fence key, tag of the record before || kind || body)
//! tag of the record before the first = HMAC-SHA-256(fence key, "vouchsafe fence journal v1" || organisation)
//! ```
//!
//! The state knows how many records there were when it was sealed, and the journal knows which state was the
//! newest: each shows that the other was rolled back. When both were, together, only a third witness can tell.
use std::collections::{BTreeMap, BTreeSet};

use subtle::ConstantTimeEq;
use vouchsafe_types::{DataClass, LeafIndex, OrganisationId};

use crate::kdf::hmac_sha256;
use crate::port::{FenceStore, StateVersion};
use crate::reader::Reader;
use crate::{EnvelopeError, OrganisationState, StateStoreError};

const LABEL: &[u8] = b"vouchsafe fence journal v1";
const TAG_LEN: usize = 32;
/// The most leaves of one record.
const BATCH: usize = 1 << 16;

/// One entry of a journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Record {
    Fenced(Vec<u64>),
    Done(StateVersion),
    Counted(StateVersion, u8, u64),
    Noted(StateVersion),
}

/// What an organisation's journal says, as far as it was read.
pub(crate) struct Journal {
    tag: [u8; TAG_LEN],
    end: u64,
    count: u64,
    /// The newest state that is known to have been durable.
    pub(crate) version: StateVersion,
    /// Every state key below this generation was destroyed.
    pub(crate) live_from: u64,
    /// Condemned and not yet known to be destroyed.
    pub(crate) pending: BTreeSet<u64>,
    pub(crate) destroyed: BTreeSet<u64>,
    pub(crate) counters: BTreeMap<u8, u64>,
}

impl Journal {
    /// A journal of which nothing was read yet.
    pub(crate) fn new(organisation: &OrganisationId, key: &[u8; 32]) -> Self {
        let tag = hmac_sha256(key, &[LABEL, organisation.as_str().as_bytes()]);
        Self {
            tag: *tag.expose_secret(),
            end: 0,
            count: 0,
            version: StateVersion::default(),
            live_from: 0,
            pending: BTreeSet::new(),
            destroyed: BTreeSet::new(),
            counters: BTreeMap::new(),
        }
    }

    /// Reads what was appended since.
    pub(crate) fn catch_up(
        &mut self,
        fences: &dyn FenceStore,
        organisation: &OrganisationId,
        key: &[u8; 32],
    ) -> Result<(), EnvelopeError> {
        let read = fences.read(organisation, self.end).map_err(|error| match error {
            StateStoreError::Corrupt => EnvelopeError::FencesLost,
            other => EnvelopeError::StateStore(other),
        })?;
        for bytes in read.records {
            let (body, tag) = bytes.split_last_chunk::<TAG_LEN>().ok_or(EnvelopeError::FencesLost)?;
            let expected = hmac_sha256(key, &[&self.tag, body]);
            if !bool::from(expected.expose_secret().ct_eq(tag)) {
                return Err(EnvelopeError::FencesLost);
            }
            self.tag = *tag;
            self.count += 1;
            self.apply(&Record::decode(body)?);
        }
        self.end = read.end;
        if read.damaged { Err(EnvelopeError::FencesLost) } else { Ok(()) }
    }

    /// Makes a record durable. Leaves are split over as many records as they need.
    pub(crate) fn append(
        &mut self,
        fences: &dyn FenceStore,
        organisation: &OrganisationId,
        key: &[u8; 32],
        record: Record,
    ) -> Result<(), EnvelopeError> {
        match record {
            Record::Fenced(leaves) if leaves.len() > BATCH => leaves.chunks(BATCH).try_for_each(|part| {
                self.append_one(fences, organisation, key, &Record::Fenced(part.to_vec()))
            }),
            record => self.append_one(fences, organisation, key, &record),
        }
    }

    fn append_one(
        &mut self,
        fences: &dyn FenceStore,
        organisation: &OrganisationId,
        key: &[u8; 32],
        record: &Record,
    ) -> Result<(), EnvelopeError> {
        let body = record.encode();
        let tag = *hmac_sha256(key, &[&self.tag, &body]).expose_secret();
        let bytes = [body.as_slice(), &tag].concat();
        self.end = fences.append(organisation, &bytes).map_err(EnvelopeError::StateStore)?;
        self.tag = tag;
        self.count += 1;
        self.apply(record);
        Ok(())
    }

    /// How many records were read.
    pub(crate) const fn count(&self) -> u64 {
        self.count
    }

    /// Refuses a state that is older than the journal, and a journal that is older than the state.
    pub(crate) fn check(&self, state: &OrganisationState) -> Result<(), EnvelopeError> {
        if state.fences() > self.count {
            return Err(EnvelopeError::FencesLost);
        }
        if state.version() < self.version { Err(EnvelopeError::StateRolledBack) } else { Ok(()) }
    }

    /// The condemned leaves.
    pub(crate) fn pending_leaves(&self) -> Vec<LeafIndex> {
        leaves(&self.pending)
    }

    /// Every leaf that was ever condemned or destroyed.
    pub(crate) fn all_leaves(&self) -> Vec<LeafIndex> {
        leaves(self.destroyed.union(&self.pending))
    }

    fn apply(&mut self, record: &Record) {
        match record {
            Record::Fenced(leaves) => self.pending.extend(leaves),
            Record::Done(version) => {
                self.version = self.version.max(*version);
                self.live_from = self.live_from.max(version.generation);
                // One by one: `append` of the set would walk all that was ever destroyed.
                self.destroyed.extend(std::mem::take(&mut self.pending));
            }
            Record::Counted(version, class, next) => {
                self.version = self.version.max(*version);
                let counter = self.counters.entry(*class).or_insert(0);
                *counter = (*counter).max(*next);
            }
            Record::Noted(version) => self.version = self.version.max(*version),
        }
    }
}

impl Record {
    fn encode(&self) -> Vec<u8> {
        let version = |kind: u8, version: &StateVersion| {
            [&[kind][..], &version.generation.to_be_bytes(), &version.revision.to_be_bytes()].concat()
        };
        match self {
            Self::Fenced(leaves) => {
                let six = |leaf: &u64| leaf.to_be_bytes().into_iter().skip(2);
                std::iter::once(0x01).chain(leaves.iter().flat_map(six)).collect()
            }
            Self::Done(at) => version(0x02, at),
            Self::Counted(at, class, next) => {
                let mut out = version(0x03, at);
                out.push(*class);
                out.extend_from_slice(&next.to_be_bytes());
                out
            }
            Self::Noted(at) => version(0x04, at),
        }
    }

    fn decode(body: &[u8]) -> Result<Self, EnvelopeError> {
        let mut reader = Reader::new(body, "fence record");
        let kind = reader.u8()?;
        if kind == 0x01 {
            let mut leaves = Vec::new();
            while !reader.rest().is_empty() {
                leaves.push(reader.u48()?);
            }
            return Ok(Self::Fenced(leaves));
        }
        let version = StateVersion { generation: reader.u64()?, revision: reader.u64()? };
        let record = match kind {
            0x02 => Self::Done(version),
            0x03 => {
                let class = reader.u8()?;
                DataClass::from_code(class).map_err(|_| reader.malformed())?;
                Self::Counted(version, class, reader.u64()?)
            }
            0x04 => Self::Noted(version),
            _ => return Err(reader.malformed()),
        };
        reader.end()?;
        Ok(record)
    }
}

fn leaves<'a>(indices: impl IntoIterator<Item = &'a u64>) -> Vec<LeafIndex> {
    indices.into_iter().filter_map(|index| LeafIndex::new(*index).ok()).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::port::FenceRecords;

    #[derive(Default)]
    struct Shelf(Mutex<Vec<Vec<u8>>>);

    impl FenceStore for Shelf {
        fn read(&self, _: &OrganisationId, from: u64) -> Result<FenceRecords, StateStoreError> {
            let all = self.0.lock().unwrap();
            let from = usize::try_from(from).unwrap();
            let records = all.get(from..).ok_or(StateStoreError::Corrupt)?.to_vec();
            Ok(FenceRecords { records, end: all.len() as u64, damaged: false })
        }
        fn append(&self, _: &OrganisationId, record: &[u8]) -> Result<u64, StateStoreError> {
            let mut all = self.0.lock().unwrap();
            all.push(record.to_vec());
            Ok(all.len() as u64)
        }
        fn set_aside(&self, _: &OrganisationId) -> Result<(), StateStoreError> {
            self.0.lock().unwrap().clear();
            Ok(())
        }
    }

    fn acme() -> OrganisationId {
        OrganisationId::parse("acme").unwrap()
    }

    fn at(generation: u64, revision: u64) -> StateVersion {
        StateVersion { generation, revision }
    }

    fn written() -> Shelf {
        let (shelf, key) = (Shelf::default(), [7; 32]);
        let mut journal = Journal::new(&acme(), &key);
        for record in [
            Record::Noted(at(1, 1)),
            Record::Counted(at(1, 2), 1, 64),
            Record::Fenced(vec![1 << 40, (1 << 40) + 5]),
            Record::Done(at(2, 3)),
            Record::Fenced((0..70_000).map(|leaf| (1 << 40) + 100 + leaf).collect()),
        ] {
            journal.append(&shelf, &acme(), &key, record).unwrap();
        }
        shelf
    }

    fn read(shelf: &Shelf, organisation: &OrganisationId, key: [u8; 32]) -> Result<Journal, EnvelopeError> {
        let mut journal = Journal::new(organisation, &key);
        journal.catch_up(shelf, organisation, &key).map(|()| journal)
    }

    #[test]
    fn a_journal_says_what_is_pending_and_what_is_destroyed() {
        let journal = read(&written(), &acme(), [7; 32]).unwrap();
        assert_eq!((journal.count(), journal.version, journal.live_from), (6, at(2, 3), 2));
        assert_eq!(journal.destroyed, BTreeSet::from([1 << 40, (1 << 40) + 5]));
        assert_eq!((journal.pending.len(), journal.all_leaves().len()), (70_000, 70_002));
        assert_eq!(journal.counters, BTreeMap::from([(1, 64)]));
    }

    #[test]
    fn a_forged_moved_or_shortened_journal_is_refused() {
        let other = OrganisationId::parse("acme-2").unwrap();
        assert!(read(&written(), &other, [7; 32]).is_err());
        assert!(read(&written(), &acme(), [8; 32]).is_err());
        for record in 0..6 {
            for byte in [0, 1, 8] {
                let shelf = written();
                shelf.0.lock().unwrap()[record][byte] ^= 1;
                assert_eq!(read(&shelf, &acme(), [7; 32]).err(), Some(EnvelopeError::FencesLost));
            }
        }
        let shelf = written();
        shelf.0.lock().unwrap().swap(1, 2);
        assert!(read(&shelf, &acme(), [7; 32]).is_err());
        let mut journal = read(&shelf_with(6), &acme(), [7; 32]).unwrap();
        assert_eq!(journal.catch_up(&shelf_with(5), &acme(), &[7; 32]), Err(EnvelopeError::FencesLost));
    }

    fn shelf_with(records: usize) -> Shelf {
        let shelf = written();
        shelf.0.lock().unwrap().truncate(records);
        shelf
    }

    #[test]
    fn records_have_one_encoding() {
        for record in [Record::Noted(at(1, 2)), Record::Counted(at(3, 4), 9, 5), Record::Fenced(vec![3])] {
            let bytes = record.encode();
            assert_eq!(Record::decode(&bytes).unwrap(), record);
            assert!(Record::decode(&[bytes.as_slice(), &[0]].concat()).is_err());
            assert!(Record::decode(&bytes[..bytes.len() - 1]).is_err());
        }
        for bad in [&[][..], &[5; 17], &[0; 7]] {
            assert!(Record::decode(bad).is_err());
        }
    }
}
