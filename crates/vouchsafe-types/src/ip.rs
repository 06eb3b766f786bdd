use std::fmt;

/// A network address as evidence keeps it: a keyed hash, and the month whose key made it.
///
/// The envelope crate makes it, with a key that rotates every month and can be destroyed; from then on nobody can
/// compare it with an address. Raw addresses are never stored. A SHA-256 with a salt would not do: all 2^32 IPv4
/// addresses are tried in minutes, so whoever holds the salt holds the address.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct IpPseudonym {
    period: u32,
    bytes: [u8; 16],
}

impl IpPseudonym {
    /// Wraps the output of the keyed hash; `period` is the number of months since January 1970.
    pub const fn new(period: u32, bytes: [u8; 16]) -> Self {
        Self { period, bytes }
    }

    /// The month whose key made it, in months since January 1970.
    pub const fn period(&self) -> u32 {
        self.period
    }

    /// The 16 bytes of the keyed hash.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.bytes
    }

    /// The stored form: the period, 4 bytes, big-endian, then the keyed hash.
    pub fn to_bytes(&self) -> [u8; 20] {
        let mut out = [0; 20];
        let (period, bytes) = out.split_at_mut(4);
        period.copy_from_slice(&self.period.to_be_bytes());
        bytes.copy_from_slice(&self.bytes);
        out
    }

    /// Reads the stored form back.
    pub fn from_bytes(stored: &[u8; 20]) -> Self {
        let (mut period, mut bytes) = ([0; 4], [0; 16]);
        let (head, tail) = stored.split_at(4);
        period.copy_from_slice(head);
        bytes.copy_from_slice(tail);
        Self { period: u32::from_be_bytes(period), bytes }
    }
}

impl fmt::Debug for IpPseudonym {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IpPseudonym").field("period", &self.period).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stored_form_reads_back_and_the_hash_is_not_printed() {
        let ip = IpPseudonym::new(682, [0xab; 16]);
        assert_eq!(IpPseudonym::from_bytes(&ip.to_bytes()), ip);
        assert_eq!(ip.to_bytes().first_chunk(), Some(&[0, 0, 2, 0xaa]));
        assert_eq!(format!("{ip:?}"), "IpPseudonym { period: 682, .. }");
    }
}
