use std::fmt;

use crate::{TypeError, hex};

/// An organisation: the tenant that every key, row, cache slot and log stream is partitioned by.
///
/// 1 to 64 bytes of `a-z`, `0-9`, `-`; it starts with a letter or digit. It never names a person.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OrganisationId(String);

impl OrganisationId {
    /// The longest identifier, in bytes.
    pub const MAX_LEN: usize = 64;

    /// Parses an identifier.
    ///
    /// # Errors
    /// [`TypeError::Identifier`] when it is empty, too long or outside the alphabet.
    pub fn parse(text: &str) -> Result<Self, TypeError> {
        let alphabet = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        let starts_well = text.bytes().next().is_some_and(|b| b != b'-');
        let fits = starts_well && text.len() <= Self::MAX_LEN && text.bytes().all(alphabet);
        if fits { Ok(Self(text.to_owned())) } else { Err(TypeError::Identifier) }
    }

    /// The identifier as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for OrganisationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A person as the store knows them: HMAC-SHA-256 of the caller's own id under a key of the organisation.
///
/// Whoever lacks the key learns nothing from it; whoever holds key and id can recompute it, so it is
/// pseudonymous data, not anonymous (GDPR Art 4(5)).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SubjectPseudonym([u8; 32]);

impl SubjectPseudonym {
    /// Wraps the output of the keyed hash.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for SubjectPseudonym {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SubjectPseudonym").finish_non_exhaustive()
    }
}

/// A sealed record: 16 random bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RecordId([u8; 16]);

impl RecordId {
    /// Wraps 16 random bytes.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The 16 bytes.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Display for RecordId {
    /// Writes 32 lower-case hexadecimal digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// One notice shown to one person for one scope: 16 random bytes. The act that answers it names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TicketId([u8; 16]);

impl TicketId {
    /// Wraps 16 random bytes.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Reads 32 lower-case hexadecimal digits.
    ///
    /// # Errors
    /// [`TypeError::Identifier`] for any other text.
    pub fn parse(text: &str) -> Result<Self, TypeError> {
        hex::read(text).map(Self)
    }

    /// The 16 bytes.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Display for TicketId {
    /// Writes 32 lower-case hexadecimal digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// The number of a leaf of an organisation's key tree, `0..2^48`. It is allocated once and never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LeafIndex(u64);

impl LeafIndex {
    /// Bits of an index; also the depth of the tree.
    pub const BITS: u32 = 48;

    /// Checks the range.
    ///
    /// # Errors
    /// [`TypeError::Identifier`] when the number needs more than [`Self::BITS`] bits.
    pub const fn new(value: u64) -> Result<Self, TypeError> {
        if value >> Self::BITS == 0 { Ok(Self(value)) } else { Err(TypeError::Identifier) }
    }

    /// The number.
    pub const fn get(self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn organisation_ids_have_one_alphabet() {
        for good in ["acme", "a", "0-9", &"x".repeat(64)] {
            assert!(OrganisationId::parse(good).is_ok(), "{good}");
        }
        for bad in ["", "-a", "Acme", "a/b", "a b", "é", &"x".repeat(65)] {
            assert_eq!(OrganisationId::parse(bad), Err(TypeError::Identifier), "{bad}");
        }
    }

    #[test]
    fn a_ticket_has_one_spelling() {
        let ticket = TicketId::from_bytes(std::array::from_fn(|i| u8::try_from(i * 17).unwrap()));
        let text = ticket.to_string();
        assert_eq!(TicketId::parse(&text), Ok(ticket));
        for bad in [text.to_uppercase(), format!("{text}0"), format!(" {text}"), text.replace('0', "é")] {
            assert_eq!(TicketId::parse(&bad), Err(TypeError::Identifier), "{bad}");
        }
    }

    #[test]
    fn leaf_indices_have_48_bits() {
        assert!(LeafIndex::new((1 << 48) - 1).is_ok());
        assert!(LeafIndex::new(1 << 48).is_err());
    }

    #[test]
    fn a_pseudonym_is_not_printed() {
        let text = format!("{:?}", SubjectPseudonym::from_bytes([7; 32]));
        assert_eq!(text, "SubjectPseudonym { .. }");
    }
}
