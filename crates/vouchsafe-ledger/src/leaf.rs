use vouchsafe_types::Timestamp;

use crate::LedgerError;

/// What a leaf says happened. The vocabulary is closed: codes and names are stable and never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum EntryKind {
    /// A person gave consent for one scope.
    ConsentGiven,
    /// A person withdrew consent for one scope.
    ConsentWithdrawn,
    /// A record that nothing legitimate opens was opened: somebody must look.
    HoneyTouched,
    /// Destroyed keys came back with a restore and were destroyed again.
    KeysRecovered,
    /// Keys of the organisation were rotated.
    KeysRotated,
    /// The log was continued after a restore; the payload names the gap.
    LogRecovered,
    /// The exact bytes of a notice came into force.
    NoticePublished,
    /// An organisation was created; the first leaf of its log.
    OrganisationCreated,
    /// The payload of an earlier leaf was destroyed on its own schedule; the leaf and its proofs remain.
    PayloadDestroyed,
    /// The consent gate refused a permit.
    PermitRefused,
    /// A retention plan was approved, before it acts.
    RetentionPlanApproved,
    /// The fence: from this leaf on the template is refused; its keys are about to be destroyed.
    TemplateDestroyRequested,
    /// The keys of a template are destroyed.
    TemplateDestroyed,
    /// A protected template was made and stored.
    TemplateEnrolled,
    /// A stored template was opened to compare it. Every opening is one leaf.
    TemplateOpened,
    /// A verification was refused: by liveness, by policy or for want of a template.
    VerificationRefused,
}

impl EntryKind {
    /// Every kind, in the order of its code.
    pub const ALL: [Self; 16] = [
        Self::ConsentGiven,
        Self::ConsentWithdrawn,
        Self::NoticePublished,
        Self::OrganisationCreated,
        Self::TemplateEnrolled,
        Self::TemplateOpened,
        Self::TemplateDestroyRequested,
        Self::TemplateDestroyed,
        Self::PayloadDestroyed,
        Self::VerificationRefused,
        Self::PermitRefused,
        Self::RetentionPlanApproved,
        Self::LogRecovered,
        Self::KeysRotated,
        Self::KeysRecovered,
        Self::HoneyTouched,
    ];

    /// The stable code: the upper byte is the thing, the lower one what happened to it.
    pub const fn code(self) -> u16 {
        match self {
            Self::ConsentGiven => 0x0101,
            Self::ConsentWithdrawn => 0x0102,
            Self::NoticePublished => 0x0201,
            Self::OrganisationCreated => 0x0301,
            Self::TemplateEnrolled => 0x0401,
            Self::TemplateOpened => 0x0402,
            Self::TemplateDestroyRequested => 0x0403,
            Self::TemplateDestroyed => 0x0404,
            Self::PayloadDestroyed => 0x0501,
            Self::VerificationRefused => 0x0601,
            Self::PermitRefused => 0x0701,
            Self::RetentionPlanApproved => 0x0801,
            Self::LogRecovered => 0x0901,
            Self::KeysRotated => 0x0a01,
            Self::KeysRecovered => 0x0a02,
            Self::HoneyTouched => 0x0a03,
        }
    }

    /// Reads a code back.
    ///
    /// # Errors
    /// [`LedgerError::LeafMalformed`] for a code outside the vocabulary.
    pub fn from_code(code: u16) -> Result<Self, LedgerError> {
        Self::ALL.into_iter().find(|kind| kind.code() == code).ok_or(LedgerError::LeafMalformed)
    }

    /// The stable name used in exports and reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ConsentGiven => "consent.given",
            Self::ConsentWithdrawn => "consent.withdrawn",
            Self::HoneyTouched => "honey.touched",
            Self::KeysRecovered => "keys.recovered",
            Self::KeysRotated => "keys.rotated",
            Self::LogRecovered => "log.recovered",
            Self::NoticePublished => "notice.published",
            Self::OrganisationCreated => "organisation.created",
            Self::PayloadDestroyed => "payload.destroyed",
            Self::PermitRefused => "permit.refused",
            Self::RetentionPlanApproved => "retention.plan_approved",
            Self::TemplateDestroyRequested => "template.destroy_requested",
            Self::TemplateDestroyed => "template.destroyed",
            Self::TemplateEnrolled => "template.enrolled",
            Self::TemplateOpened => "template.opened",
            Self::VerificationRefused => "verification.refused",
        }
    }
}

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
    use std::collections::BTreeSet;

    use super::*;

    const LEAF: Leaf = Leaf {
        kind: EntryKind::TemplateOpened,
        hour: 0x0102_0304,
        organisation: [5; 16],
        commitment: [6; 32],
    };

    #[test]
    fn codes_and_names_are_distinct_and_read_back() {
        let names: BTreeSet<_> = EntryKind::ALL.map(EntryKind::name).into();
        assert_eq!(names.len(), EntryKind::ALL.len());
        let known = (0..=u16::MAX).filter_map(|code| EntryKind::from_code(code).ok()).collect::<Vec<_>>();
        assert_eq!(known, EntryKind::ALL);
    }

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
