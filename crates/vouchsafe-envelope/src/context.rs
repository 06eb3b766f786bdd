use vouchsafe_types::{DataClass, Digest, LeafIndex, OrganisationId, RecordId, Scope};

/// What a sealed record is bound to: only what never changes, and nothing secret.
///
/// Grant ids are left out on purpose: renewing a consent would lock the record.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a further part is another context version")]
pub struct Context {
    /// Whose record it is.
    pub organisation: OrganisationId,
    /// The leaf that the record's key comes from.
    pub leaf: LeafIndex,
    /// The kind of data.
    pub class: DataClass,
    /// What was consented, where the class has a scope.
    pub scope: Option<Scope>,
    /// The record's own id.
    pub record: RecordId,
    /// The model that made the data, where one did.
    pub model: Option<Digest>,
    /// The number of components, where the data is a vector.
    pub dimension: Option<u16>,
    /// The version of the keys' derivation and of the organisation's data key, from 1.
    pub key_version: u32,
}

/// The first part; it also carries the version of the record format.
const LABEL: &[u8] = b"vouchsafe record context v1";

impl Context {
    /// The one encoding: every part with a two-byte big-endian length before it; a part that is not there
    /// has length zero.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(192);
        push(&mut out, LABEL);
        push(&mut out, self.organisation.as_str().as_bytes());
        push(&mut out, &self.leaf.get().to_be_bytes());
        push(&mut out, &[self.class.code()]);
        push_option(&mut out, self.scope.map(Scope::code));
        push(&mut out, self.record.as_bytes());
        push_option(&mut out, self.model.map(|model| *model.as_bytes()));
        push_option(&mut out, self.dimension.map(u16::to_be_bytes));
        push(&mut out, &self.key_version.to_be_bytes());
        out
    }
}

/// Appends a part behind its length.
// INVARIANT (part length): every part is at most 64 bytes, the longest organisation id.
pub(crate) fn push(out: &mut Vec<u8>, part: &[u8]) {
    let len = u16::try_from(part.len()).unwrap_or(u16::MAX);
    out.extend_from_slice(&len.to_be_bytes());
    out.extend_from_slice(part);
}

fn push_option<const N: usize>(out: &mut Vec<u8>, part: Option<[u8; N]>) {
    push(out, part.as_ref().map_or(&[], |bytes| bytes.as_slice()));
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn sample() -> Context {
        Context {
            organisation: OrganisationId::parse("acme").unwrap(),
            leaf: LeafIndex::new(0x0100_0000_0007).unwrap(),
            class: DataClass::Biometric,
            scope: Some(Scope::FACE_VERIFICATION),
            record: RecordId::from_bytes(*b"0123456789abcdef"),
            model: Some(Digest::from_bytes([0x11; 32])),
            dimension: Some(512),
            key_version: 1,
        }
    }

    #[test]
    fn every_part_changes_the_bytes() {
        let base = sample();
        let organisation = OrganisationId::parse("acme-2").unwrap();
        let variants = [
            Context { organisation, ..base.clone() },
            Context { leaf: LeafIndex::new(8).unwrap(), ..base.clone() },
            Context { class: DataClass::Account, ..base.clone() },
            Context { scope: None, ..base.clone() },
            Context { scope: Some(Scope::ADMIN_FACE_VERIFICATION), ..base.clone() },
            Context { record: RecordId::from_bytes([0; 16]), ..base.clone() },
            Context { model: None, ..base.clone() },
            Context { model: Some(Digest::from_bytes([0x12; 32])), ..base.clone() },
            Context { dimension: None, ..base.clone() },
            Context { dimension: Some(192), ..base.clone() },
            Context { key_version: 2, ..base.clone() },
        ];
        let mut seen = vec![base.to_bytes()];
        for variant in variants {
            let bytes = variant.to_bytes();
            assert!(!seen.contains(&bytes), "{variant:?}");
            seen.push(bytes);
        }
    }

    #[test]
    fn the_encoding_is_fixed() {
        let bytes = sample().to_bytes();
        let head =
            [&[0, 27], LABEL, &[0, 4], b"acme", &[0, 8], &[0, 0, 1, 0, 0, 0, 0, 7], &[0, 1, 1]].concat();
        assert_eq!(bytes.get(..head.len()).unwrap(), head);
        assert_eq!(bytes.len(), 29 + 6 + 10 + 3 + 5 + 18 + 34 + 4 + 6);
    }
}
