//! How a state key looks on a token.
//!
//! | attribute | value |
//! |---|---|
//! | `CKA_CLASS`, `CKA_KEY_TYPE`, `CKA_VALUE_LEN` | `CKO_SECRET_KEY`, `CKK_AES`, 32 |
//! | `CKA_LABEL` | `"vouchsafe state key "`, then the organisation's id |
//! | `CKA_ID` | `"vouchsafe" \|\| 0x01 \|\| length (1) \|\| organisation \|\| generation (8)`, big-endian |
//! | `CKA_TOKEN`, `CKA_PRIVATE`, `CKA_SENSITIVE`, `CKA_ENCRYPT`, `CKA_DECRYPT`, `CKA_DESTROYABLE` | true |
//! | `CKA_EXTRACTABLE`, `CKA_MODIFIABLE`, `CKA_COPYABLE`, and every other use of a key | false |
//!
//! The label is the same for an organisation's generations, so that the token finds them with one exact search.
//! Nobody can copy a key, or hide it under another id, behind the back of its destruction.
use cryptoki::object::{Attribute, KeyType, ObjectClass};
use vouchsafe_envelope::port::KeyHandle;
use vouchsafe_types::OrganisationId;

use crate::binding;

const LABEL: &str = "vouchsafe state key ";
const ID: &[u8; 10] = b"vouchsafe\x01";
const GENERATION_LEN: usize = 8;

/// The `CKA_ID` of a state key.
pub(super) fn id(handle: &KeyHandle) -> Vec<u8> {
    [ID.to_vec(), binding::handle_bytes(handle)].concat()
}

/// Reads a `CKA_ID`; `None` for bytes that [`id`] never gives.
pub(super) fn parse_id(id: &[u8]) -> Option<KeyHandle> {
    let (len, rest) = id.strip_prefix(ID)?.split_first()?;
    let (organisation, generation) = rest.split_at_checked(usize::from(*len))?;
    let generation: &[u8; GENERATION_LEN] = generation.try_into().ok()?;
    let organisation = OrganisationId::parse(std::str::from_utf8(organisation).ok()?).ok()?;
    Some(KeyHandle::new(organisation, u64::from_be_bytes(*generation)))
}

/// What a fresh key is made with.
pub(super) fn template(handle: &KeyHandle) -> Vec<Attribute> {
    let forbidden = [
        Attribute::Copyable(false),
        Attribute::Derive(false),
        Attribute::Extractable(false),
        Attribute::Modifiable(false),
        Attribute::Sign(false),
        Attribute::Unwrap(false),
        Attribute::Verify(false),
        Attribute::Wrap(false),
    ];
    let granted = [
        Attribute::Class(ObjectClass::SECRET_KEY),
        Attribute::KeyType(KeyType::AES),
        Attribute::ValueLen(32.into()),
        Attribute::Decrypt(true),
        Attribute::Destroyable(true),
        Attribute::Encrypt(true),
        Attribute::Private(true),
        Attribute::Sensitive(true),
        Attribute::Token(true),
        Attribute::Id(id(handle)),
        label(handle.organisation()),
    ];
    granted.into_iter().chain(forbidden).collect()
}

/// Finds the keys of a handle that are fit for use.
pub(super) fn usable(handle: &KeyHandle) -> Vec<Attribute> {
    [vec![Attribute::Id(id(handle))], usable_of(handle.organisation())].concat()
}

/// Finds the keys of an organisation that are fit for use: made on the token, never to leave it, behind the PIN.
///
/// A key that somebody imported under one of our names has a value that somebody knows; it is none of ours.
pub(super) fn usable_of(organisation: &OrganisationId) -> Vec<Attribute> {
    vec![
        Attribute::Class(ObjectClass::SECRET_KEY),
        Attribute::KeyType(KeyType::AES),
        Attribute::AlwaysSensitive(true),
        Attribute::Local(true),
        Attribute::NeverExtractable(true),
        Attribute::Private(true),
        Attribute::Token(true),
        label(organisation),
    ]
}

/// Finds everything that bears the id of a handle, fit for use or not.
pub(super) fn every(handle: &KeyHandle) -> Vec<Attribute> {
    vec![Attribute::Class(ObjectClass::SECRET_KEY), Attribute::Id(id(handle))]
}

fn label(organisation: &OrganisationId) -> Attribute {
    Attribute::Label([LABEL, organisation.as_str()].concat().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn handle(organisation: &str, generation: u64) -> KeyHandle {
        KeyHandle::new(OrganisationId::parse(organisation).unwrap(), generation)
    }

    #[test]
    fn an_id_has_one_encoding() {
        let longest = "z".repeat(64);
        for handle in [handle("acme", 1), handle("a", u64::MAX), handle(&longest, 0x0102_0304_0506_0708)] {
            let bytes = id(&handle);
            assert_eq!(parse_id(&bytes), Some(handle));
            for cut in 0..bytes.len() {
                assert_eq!(parse_id(&bytes[..cut]), None, "{cut}");
            }
            assert_eq!(parse_id(&[&bytes[..], &[0]].concat()), None);
        }
        assert_eq!(id(&handle("acme", 2)), b"vouchsafe\x01\x04acme\0\0\0\0\0\0\0\x02");
        for other in
            [&b"vouchsafe\x02\x04acme\0\0\0\0\0\0\0\x02"[..], b"vouchsafe\x01\x04ACME\0\0\0\0\0\0\0\x02"]
        {
            assert_eq!(parse_id(other), None);
        }
        assert_eq!(parse_id(b"vouchsafe\x01\0\0\0\0\0\0\0\0\x02"), None);
        assert_eq!(parse_id(b"vouchsafe\x01\x01\xff\0\0\0\0\0\0\0\x02"), None);
    }
}
