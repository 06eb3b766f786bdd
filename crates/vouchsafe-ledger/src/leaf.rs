use vouchsafe_types::Timestamp;

use crate::{EntryKind, LedgerError};

/// One entry of the log, as outsiders may see it: no name, no free text, no raw identifier.
///
/// Until the opening of its commitment is destroyed a leaf is pseudonymous data, not anonymous (GDPR Art 4(5)).
///
/// ```
/// use vouchsafe_ledger::{EntryKind, Leaf};
///
/// let leaf = Leaf { kind: EntryKind::ConsentGiven, hour: 498_764, organisation: [7; 16], commitment: [9; 32] };
/// let bytes = leaf.to_bytes();
/// assert_eq!(bytes[..7], [0x01, 0x01, 0x01, 0x00, 0x07, 0x9c, 0x4c]);
/// assert_eq!(Leaf::from_bytes(&bytes), Ok(leaf));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Leaf {
    /// What happened.
    pub kind: EntryKind,
    /// When, coarsely: whole hours since 1970-01-01T00:00Z.
    pub hour: u32,
    /// The pseudonym of the organisation, 16 bytes made by a keyed hash.
    pub organisation: [u8; 16],
    /// The [`commitment`](crate::commitment) to a payload that lies elsewhere.
    pub commitment: [u8; 32],
}

impl Leaf {
    /// The length of the encoding, in bytes.
    pub const LEN: usize = 55;
    /// The version that the first byte names.
    pub const VERSION: u8 = 0x01;

    /// The one valid encoding: version, kind, hour (both big-endian), organisation, commitment.
    pub fn to_bytes(&self) -> [u8; Self::LEN] {
        let mut bytes = [0; Self::LEN];
        let version = [Self::VERSION];
        let (kind, hour) = (self.kind.code().to_be_bytes(), self.hour.to_be_bytes());
        let fields: [&[u8]; 5] = [&version, &kind, &hour, &self.organisation, &self.commitment];
        for (out, byte) in bytes.iter_mut().zip(fields.into_iter().flatten()) {
            *out = *byte;
        }
        bytes
    }

    /// Reads an encoding back.
    ///
    /// # Errors
    /// [`LedgerError::LeafMalformed`] for another version or length, or a kind outside the vocabulary.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, LedgerError> {
        Self::split(bytes).ok_or(LedgerError::LeafMalformed)
    }

    /// The coarse time of an instant: the whole hours since 1970-01-01T00:00Z, rounded down.
    ///
    /// # Errors
    /// [`LedgerError::OutOfRange`] for an instant before 1970.
    pub fn hour_of(instant: Timestamp) -> Result<u32, LedgerError> {
        u32::try_from(instant.as_second().div_euclid(3600)).map_err(|_| LedgerError::OutOfRange)
    }

    fn split(bytes: &[u8]) -> Option<Self> {
        let (version, rest) = bytes.split_first()?;
        let (kind, rest) = rest.split_first_chunk()?;
        let (hour, rest) = rest.split_first_chunk()?;
        let (organisation, rest) = rest.split_first_chunk()?;
        let commitment = rest.try_into().ok()?;
        let kind = EntryKind::from_code(u16::from_be_bytes(*kind)).ok()?;
        let hour = u32::from_be_bytes(*hour);
        (*version == Self::VERSION).then_some(Self { kind, hour, organisation: *organisation, commitment })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEAF: Leaf = Leaf {
        kind: EntryKind::TemplateOpened,
        hour: 0x0102_0304,
        organisation: [5; 16],
        commitment: [6; 32],
    };

    #[test]
    fn the_encoding_is_the_one_of_the_spec() {
        let mut expected = vec![0x01, 0x04, 0x02, 0x01, 0x02, 0x03, 0x04];
        expected.extend([5; 16]);
        expected.extend([6; 32]);
        assert_eq!(LEAF.to_bytes().as_slice(), expected);
        assert_eq!(Leaf::from_bytes(&expected), Ok(LEAF));
    }

    #[test]
    fn another_version_length_or_kind_is_refused() {
        let bytes = LEAF.to_bytes();
        let refused = |bytes: &[u8]| assert_eq!(Leaf::from_bytes(bytes), Err(LedgerError::LeafMalformed));
        for length in 0..Leaf::LEN {
            refused(&bytes[..length]);
        }
        refused(&[bytes.as_slice(), &[0]].concat());
        for version in (0..=u8::MAX).filter(|version| *version != Leaf::VERSION) {
            refused(&[&[version], &bytes[1..]].concat());
        }
        refused(&[&[1, 0, 0], &bytes[3..]].concat());
        refused(&[&[1, 0xff, 0xff], &bytes[3..]].concat());
    }

    #[test]
    fn time_is_coarse() {
        let hour = |second| Leaf::hour_of(Timestamp::from_second(second).unwrap());
        assert_eq!(hour(0), Ok(0));
        assert_eq!(hour(3599), Ok(0));
        assert_eq!(hour(3600), Ok(1));
        assert_eq!(hour(-1), Err(LedgerError::OutOfRange));
    }
}
