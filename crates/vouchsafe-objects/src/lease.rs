use std::time::Duration;

use ring::rand::{SecureRandom, SystemRandom};
use vouchsafe_types::Timestamp;

use crate::{Bucket, Condition, ETag, ObjectsError, Put};

/// The right of one process at a time, in one object, with a fencing token.
///
/// ```text
/// object = "vouchsafe lease\x01" || token (8) || end (8, milliseconds since 1970, 0 when released) || owner (16)
/// ```
///
/// Whoever takes it writes a token greater than every one before. The object is never removed, so tokens never
/// begin again. Time is the caller's: a lease ends by its holder's clock at its end, and may be taken over by another's
/// clock a stated skew later. Where clocks differ by more than that, two may hold it; what they write must then
/// be guarded by conditions of its own, as that of [`BucketTiles`](crate::BucketTiles) and
/// [`BucketLock`](crate::BucketLock) is.
#[derive(Debug, Clone)]
pub struct BucketLease {
    bucket: Bucket,
    terms: LeaseTerms,
}

/// How long a lease lasts, and how far clocks may be apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeaseTerms {
    length: i64,
    skew: i64,
}

impl LeaseTerms {
    /// Terms in whole milliseconds: a length of 1 s to 300 s, a skew of at most half of it.
    ///
    /// # Errors
    /// [`ObjectsError::Setting`] outside of these.
    pub fn new(length: Duration, skew: Duration) -> Result<Self, ObjectsError> {
        let fits =
            (Duration::from_secs(1)..=Duration::from_secs(300)).contains(&length) && skew * 2 <= length;
        let millis = |time: Duration| i64::try_from(time.as_millis()).map_err(|_| ObjectsError::Setting);
        if fits {
            Ok(Self { length: millis(length)?, skew: millis(skew)? })
        } else {
            Err(ObjectsError::Setting)
        }
    }
}

impl Default for LeaseTerms {
    /// 30 s, and clocks that differ by 5 s at the most.
    fn default() -> Self {
        Self { length: 30_000, skew: 5_000 }
    }
}

impl BucketLease {
    /// The lease below this prefix. The server is tried first: [`Bucket::require_conditions`].
    ///
    /// # Errors
    /// [`ObjectsError::ConditionIgnored`]; otherwise as [`Bucket::check`].
    pub fn open(bucket: Bucket, terms: LeaseTerms) -> Result<Self, ObjectsError> {
        bucket.require_conditions()?;
        Ok(Self { bucket, terms })
    }

    /// Takes the lease, without waiting.
    ///
    /// # Errors
    /// [`ObjectsError::Leased`] while another holds it; [`ObjectsError::Answer`] when the object is none of this form.
    pub fn acquire(&self, now: Timestamp) -> Result<HeldLease, ObjectsError> {
        let stored = self.bucket.get(LEASE)?;
        let (condition, former) = match stored {
            None => (Condition::IfAbsent, 0),
            Some(object) => {
                let record = Record::parse(&object.bytes).ok_or(ObjectsError::Answer)?;
                if record.end != RELEASED
                    && now.as_millisecond() <= record.end.saturating_add(self.terms.skew)
                {
                    return Err(ObjectsError::Leased);
                }
                (Condition::IfMatch(object.etag), record.token)
            }
        };
        let token = former.checked_add(1).ok_or(ObjectsError::Answer)?;
        let record = Record { token, end: self.end(now), owner: owner()? };
        match self.bucket.settle(LEASE, &record.bytes(), &condition)? {
            Put::Done(etag) => Ok(HeldLease { lease: self.clone(), record, etag, over: false }),
            Put::Refused => Err(ObjectsError::Leased),
        }
    }

    fn end(&self, now: Timestamp) -> i64 {
        now.as_millisecond().saturating_add(self.terms.length)
    }
}

/// A lease that is held until its end; released on drop.
#[derive(Debug)]
#[must_use = "the lease ends when it is dropped"]
pub struct HeldLease {
    lease: BucketLease,
    record: Record,
    etag: ETag,
    over: bool,
}

impl HeldLease {
    /// Greater than that of every holder before.
    pub const fn token(&self) -> u64 {
        self.record.token
    }

    /// Whether nobody else may hold it by now.
    pub fn is_held(&self, now: Timestamp) -> bool {
        !self.over && now.as_millisecond() < self.record.end
    }

    /// Makes it last its full length from now on.
    ///
    /// # Errors
    /// [`ObjectsError::LeaseLost`] when it ended or somebody took it over; it is then not held any more.
    /// [`ObjectsError::Unavailable`] when nobody knows; it then ends as before.
    pub fn renew(&mut self, now: Timestamp) -> Result<(), ObjectsError> {
        if !self.is_held(now) {
            self.over = true;
            return Err(ObjectsError::LeaseLost);
        }
        let record = Record { end: self.lease.end(now), ..self.record };
        let condition = Condition::IfMatch(self.etag.clone());
        match self.lease.bucket.settle(LEASE, &record.bytes(), &condition)? {
            Put::Done(etag) => {
                (self.record, self.etag) = (record, etag);
                Ok(())
            }
            Put::Refused => {
                self.over = true;
                Err(ObjectsError::LeaseLost)
            }
        }
    }

    /// Makes sure that it is held, and renews it when half of it is over.
    ///
    /// # Errors
    /// [`ObjectsError::LeaseLost`]; as [`Self::renew`].
    pub fn keep(&mut self, now: Timestamp) -> Result<(), ObjectsError> {
        let half = self.record.end.saturating_sub(self.lease.terms.length / 2);
        if self.is_held(now) && now.as_millisecond() < half {
            return Ok(());
        }
        match self.renew(now) {
            // It still lasts.
            Err(ObjectsError::Unavailable(_)) if self.is_held(now) => Ok(()),
            renewed => renewed,
        }
    }
}

impl Drop for HeldLease {
    fn drop(&mut self) {
        if !self.over {
            let record = Record { end: RELEASED, ..self.record };
            // One attempt: where it is lost, the lease ends by itself.
            let _ = self.lease.bucket.put(LEASE, &record.bytes(), &Condition::IfMatch(self.etag.clone()));
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) token: u64,
    pub(crate) end: i64,
    pub(crate) owner: [u8; 16],
}

impl Record {
    pub(crate) fn bytes(&self) -> Vec<u8> {
        [MAGIC.as_slice(), &self.token.to_be_bytes(), &self.end.to_be_bytes(), &self.owner].concat()
    }

    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        let (token, rest) = bytes.strip_prefix(MAGIC.as_slice())?.split_first_chunk()?;
        let (end, owner) = rest.split_first_chunk()?;
        let record = Self {
            token: u64::from_be_bytes(*token),
            end: i64::from_be_bytes(*end),
            owner: owner.try_into().ok()?,
        };
        (record.token > 0 && record.end >= 0).then_some(record)
    }
}

/// Tells this taking from every other, so that a lost answer can be looked up.
fn owner() -> Result<[u8; 16], ObjectsError> {
    let mut owner = [0; 16];
    let drawn = SystemRandom::new().fill(&mut owner);
    drawn.map_err(|_| ObjectsError::Unavailable(std::io::ErrorKind::Other)).map(|()| owner)
}

const MAGIC: &[u8; 16] = b"vouchsafe lease\x01";
const LEASE: &str = "lease";
const RELEASED: i64 = 0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_has_one_form() {
        let record = Record { token: 7, end: 1_700_000_000_000, owner: [9; 16] };
        let bytes = record.bytes();
        assert_eq!(Record::parse(&bytes), Some(record));
        for len in 0..bytes.len() {
            assert_eq!(Record::parse(&bytes[..len]), None);
        }
        assert_eq!(Record::parse(&[bytes.as_slice(), b"0"].concat()), None);
        assert_eq!(Record::parse(&Record { token: 0, ..record }.bytes()), None);
        assert_eq!(Record::parse(&Record { end: -1, ..record }.bytes()), None);
        assert_eq!(Record::parse(&[b"vouchsafe lease\x02".as_slice(), &bytes[16..]].concat()), None);
    }

    #[test]
    fn terms_leave_room_for_the_skew() {
        let terms =
            |length, skew| LeaseTerms::new(Duration::from_millis(length), Duration::from_millis(skew));
        assert!(terms(1000, 500).is_ok() && terms(300_000, 0).is_ok());
        for (length, skew) in [(999, 0), (300_001, 0), (1000, 501)] {
            assert_eq!(terms(length, skew), Err(ObjectsError::Setting));
        }
        assert_eq!(terms(30_000, 5_000), Ok(LeaseTerms::default()));
    }
}
