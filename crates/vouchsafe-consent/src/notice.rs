use ring::digest::{SHA256, digest};
use vouchsafe_types::Digest;

use crate::ConsentError;

/// What a person was shown before consenting: id, version, locale and SHA-256 of the exact bytes.
///
/// The bytes themselves are kept by the store; this value is what acts and permits refer to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Notice {
    id: String,
    version: String,
    locale: String,
    digest: Digest,
}

impl Notice {
    /// The longest id, version or locale, in bytes.
    pub const MAX_LABEL: usize = 64;

    /// Describes the exact bytes that are shown.
    ///
    /// `locale` is a BCP 47 language tag, `version` the publisher's own, for example the effective date.
    ///
    /// # Errors
    /// [`ConsentError::NoticeLabel`] or [`ConsentError::NoticeEmpty`].
    pub fn new(id: &str, version: &str, locale: &str, shown: &[u8]) -> Result<Self, ConsentError> {
        if shown.is_empty() {
            return Err(ConsentError::NoticeEmpty);
        }
        Self::with_digest(id, version, locale, sha256(shown))
    }

    /// Rebuilds the description of a stored notice.
    ///
    /// # Errors
    /// [`ConsentError::NoticeLabel`].
    pub fn with_digest(id: &str, version: &str, locale: &str, digest: Digest) -> Result<Self, ConsentError> {
        let labels = [id, version, locale];
        let fits = |label: &&str| {
            (1..=Self::MAX_LABEL).contains(&label.len()) && !label.chars().any(char::is_control)
        };
        if !labels.iter().all(fits) {
            return Err(ConsentError::NoticeLabel);
        }
        Ok(Self { id: id.to_owned(), version: version.to_owned(), locale: locale.to_owned(), digest })
    }

    /// Which notice.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Which version of it.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// In which language (BCP 47).
    pub fn locale(&self) -> &str {
        &self.locale
    }

    /// SHA-256 of the bytes shown.
    pub const fn digest(&self) -> Digest {
        self.digest
    }

    /// Whether these are the bytes that were described.
    pub fn matches(&self, shown: &[u8]) -> bool {
        sha256(shown) == self.digest
    }
}

fn sha256(bytes: &[u8]) -> Digest {
    let mut out = [0u8; 32];
    out.copy_from_slice(digest(&SHA256, bytes).as_ref());
    Digest::from_bytes(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_changed_byte_is_another_notice() {
        let notice = Notice::new("face", "2026-04-01", "en", b"text").unwrap();
        assert!(notice.matches(b"text"));
        assert!(!notice.matches(b"texu"));
    }

    #[test]
    fn labels_and_text_are_checked() {
        for (id, version, locale) in [("", "1", "en"), ("a", "", "en"), ("a", "1", ""), ("a\n", "1", "en")] {
            assert_eq!(Notice::new(id, version, locale, b"x"), Err(ConsentError::NoticeLabel));
        }
        assert_eq!(Notice::new("a", "1", "en", b""), Err(ConsentError::NoticeEmpty));
    }
}
