use ring::digest::{SHA256, digest};
use vouchsafe_envelope::StateStoreError;
use vouchsafe_envelope::port::{FenceRecords, FenceStore};
use vouchsafe_types::OrganisationId;

use crate::{Bucket, Condition, Object, ObjectsError, Put};

/// Fence journals as objects, in segments that only grow.
///
/// ```text
/// <organisation>/fences/<number, 8 digits>  = "vouchsafe fence\x02" || frame*
/// frame                                     = length of record (4) || first 8 bytes of SHA-256(record) || record
/// ```
///
/// A record goes into the newest segment by compare-and-swap; one of 64 KiB or more is closed, and the next begins
/// only where none is. So an append costs two or three requests, however long the journal is. An object is whole or not
/// there: what does not parse is damage, never a crash. The bucket belongs outside of what a restore of the
/// database, the states or the keys replaces. It holds no key and no personal data, and may keep versions.
#[derive(Debug)]
pub struct BucketFences {
    bucket: Bucket,
}

impl BucketFences {
    /// The journals below this prefix. The server is tried first: [`Bucket::require_conditions`].
    ///
    /// # Errors
    /// [`ObjectsError::ConditionIgnored`]; otherwise as [`Bucket::check`].
    pub fn open(bucket: Bucket) -> Result<Self, ObjectsError> {
        bucket.require_conditions()?;
        Ok(Self { bucket })
    }

    fn read_from(&self, organisation: &OrganisationId, from: u64) -> Result<FenceRecords, ObjectsError> {
        let (mut number, mut offset) = split(from)?;
        let mut records = Vec::new();
        let mut end = from;
        loop {
            let Some(segment) = self.segment(organisation, number)? else {
                // Behind a closed segment there may be none yet.
                return if offset == 0 {
                    Ok(FenceRecords { records, end, damaged: false })
                } else {
                    Err(ObjectsError::Contradiction)
                };
            };
            let body = segment.bytes.strip_prefix(MAGIC.as_slice());
            let start = offset.max(MAGIC.len());
            let tail = segment.bytes.get(start..).filter(|_| body.is_some());
            let (mut more, len) = parse(tail.ok_or(ObjectsError::Contradiction)?);
            records.append(&mut more);
            end = join(number, start + len)?;
            if start + len < segment.bytes.len() {
                return Ok(FenceRecords { records, end, damaged: true });
            }
            if segment.bytes.len() < CLOSED {
                return Ok(FenceRecords { records, end, damaged: false });
            }
            (number, offset) = (number.checked_add(1).ok_or(ObjectsError::TooLarge)?, 0);
        }
    }

    fn append_record(&self, organisation: &OrganisationId, record: &[u8]) -> Result<u64, ObjectsError> {
        if record.len() > MAX_RECORD {
            return Err(ObjectsError::TooLarge);
        }
        for _ in 0..MOST_ROUNDS {
            let (number, former) = self.newest(organisation)?;
            let (condition, mut bytes) = match former {
                Some(object) => (Condition::IfMatch(object.etag), object.bytes),
                None => (Condition::IfAbsent, MAGIC.to_vec()),
            };
            // What lies behind damage is not overwritten.
            let whole =
                bytes.strip_prefix(MAGIC.as_slice()).is_some_and(|frames| parse(frames).1 == frames.len());
            if !whole {
                return Err(ObjectsError::Contradiction);
            }
            bytes.extend_from_slice(&frame(record));
            if let Put::Done(_) = self.bucket.settle(&key(organisation, number), &bytes, &condition)? {
                return join(number, bytes.len());
            }
        }
        Err(ObjectsError::Unavailable(std::io::ErrorKind::ResourceBusy))
    }

    /// The segment that the next record goes into; `None` where it has to be begun.
    fn newest(&self, organisation: &OrganisationId) -> Result<(u32, Option<Object>), ObjectsError> {
        let keys = self.bucket.list(&folder(organisation))?;
        let Some(number) = keys.iter().filter_map(|key| number_of(key)).max() else { return Ok((0, None)) };
        let newest = self.segment(organisation, number)?.ok_or(ObjectsError::Contradiction)?;
        if newest.bytes.len() < CLOSED {
            return Ok((number, Some(newest)));
        }
        Ok((number.checked_add(1).ok_or(ObjectsError::TooLarge)?, None))
    }

    fn segment(&self, organisation: &OrganisationId, number: u32) -> Result<Option<Object>, ObjectsError> {
        self.bucket.get(&key(organisation, number))
    }

    /// Copies all segments before it removes the first: a crash in between is finished by the next call.
    fn move_aside(&self, organisation: &OrganisationId) -> Result<(), ObjectsError> {
        let mut keys = self.bucket.list(&folder(organisation))?;
        keys.retain(|key| number_of(key).is_some());
        keys.sort_unstable();
        for key in &keys {
            let object = self.bucket.get(key)?.ok_or(ObjectsError::Contradiction)?;
            self.copy_aside(organisation, key, &object.bytes)?;
        }
        keys.iter().rev().try_for_each(|key| self.bucket.delete(key))
    }

    fn copy_aside(&self, organisation: &OrganisationId, key: &str, bytes: &[u8]) -> Result<(), ObjectsError> {
        let name = key.rsplit_once('/').map_or(key, |(_, name)| name);
        let content: String =
            digest(&SHA256, bytes).as_ref().iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        // Under its content's name: whoever does it again, does the same.
        let aside = format!("{organisation}/fences-lost/{name}-{content}");
        self.bucket.settle(&aside, bytes, &Condition::IfAbsent).map(drop)
    }
}

impl FenceStore for BucketFences {
    fn read(&self, organisation: &OrganisationId, from: u64) -> Result<FenceRecords, StateStoreError> {
        self.read_from(organisation, from).map_err(ObjectsError::as_states)
    }

    fn append(&self, organisation: &OrganisationId, record: &[u8]) -> Result<u64, StateStoreError> {
        self.append_record(organisation, record).map_err(ObjectsError::as_states)
    }

    fn set_aside(&self, organisation: &OrganisationId) -> Result<(), StateStoreError> {
        self.move_aside(organisation).map_err(ObjectsError::as_states)
    }
}

fn folder(organisation: &OrganisationId) -> String {
    format!("{organisation}/fences")
}

fn key(organisation: &OrganisationId, number: u32) -> String {
    format!("{organisation}/fences/{number:08}")
}

fn number_of(key: &str) -> Option<u32> {
    let (_, name) = key.rsplit_once('/')?;
    let number = name.parse().ok()?;
    (format!("{number:08}") == name).then_some(number)
}

/// A place in the journal: the segment's number, and the offset in it.
fn split(place: u64) -> Result<(u32, usize), ObjectsError> {
    let number = u32::try_from(place >> 32).map_err(|_| ObjectsError::Contradiction)?;
    let offset = usize::try_from(place & u64::from(u32::MAX)).map_err(|_| ObjectsError::Contradiction)?;
    Ok((number, offset))
}

fn join(number: u32, offset: usize) -> Result<u64, ObjectsError> {
    let offset = u32::try_from(offset).map_err(|_| ObjectsError::TooLarge)?;
    Ok(u64::from(number) << 32 | u64::from(offset))
}

pub(crate) fn frame(record: &[u8]) -> Vec<u8> {
    let len = u32::try_from(record.len()).unwrap_or(u32::MAX);
    [&len.to_be_bytes(), sum(record).as_slice(), record].concat()
}

/// The whole frames, and their length.
pub(crate) fn parse(bytes: &[u8]) -> (Vec<Vec<u8>>, usize) {
    let (mut records, mut rest) = (Vec::new(), bytes);
    while let Some((record, after)) = next_frame(rest) {
        records.push(record.to_vec());
        rest = after;
    }
    (records, bytes.len() - rest.len())
}

fn next_frame(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (len, rest) = bytes.split_first_chunk()?;
    let (stored_sum, rest) = rest.split_first_chunk::<SUM_LEN>()?;
    let len = usize::try_from(u32::from_be_bytes(*len)).ok().filter(|len| *len <= MAX_RECORD)?;
    let (record, after) = rest.split_at_checked(len)?;
    (sum(record) == stored_sum).then_some((record, after))
}

fn sum(record: &[u8]) -> Vec<u8> {
    digest(&SHA256, record).as_ref().iter().copied().take(SUM_LEN).collect()
}

const MAGIC: &[u8; 16] = b"vouchsafe fence\x02";
const SUM_LEN: usize = 8;
/// The longest record, in bytes.
const MAX_RECORD: usize = 1 << 20;
/// A segment of this length takes no further record.
const CLOSED: usize = 64 << 10;
/// How often an append begins again because somebody else was faster.
const MOST_ROUNDS: usize = 8;
