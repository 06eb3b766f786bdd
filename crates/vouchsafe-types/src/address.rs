use std::fmt;
use std::net::IpAddr;

use zeroize::Zeroize;

/// The network address that a request came from, until a keyed hash has taken its place.
///
/// It cannot be printed, copied or serialised, and is wiped on drop: what is stored is a pseudonym under a key that
/// rotates and can be destroyed. A salted SHA-256 would not do, since all IPv4 addresses are tried in minutes.
pub struct ClientAddress([u8; 16]);

impl ClientAddress {
    /// Takes an address over. An IPv4 address and the IPv6 address that maps it (RFC 4291 section 2.5.5.2) are one.
    pub fn new(address: IpAddr) -> Self {
        Self(match address {
            IpAddr::V4(v4) => v4.to_ipv6_mapped().octets(),
            IpAddr::V6(v6) => v6.octets(),
        })
    }

    /// The 16 bytes of the IPv6 form, for the keyed hash.
    pub const fn expose_address(&self) -> &[u8; 16] {
        &self.0
    }
}

impl Drop for ClientAddress {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for ClientAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientAddress").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_one_form_and_is_not_printed() {
        let [v4, mapped] = ["192.0.2.7", "::ffff:192.0.2.7"].map(|text| text.parse::<IpAddr>().unwrap());
        let [v4, mapped] = [v4, mapped].map(ClientAddress::new);
        assert_eq!(v4.expose_address(), mapped.expose_address());
        assert_eq!(format!("{v4:?}"), "ClientAddress { .. }");
    }
}
