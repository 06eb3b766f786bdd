use ring::digest::{SHA256, digest};
use vouchsafe_types::{Digest, Scope, Timestamp};

use crate::{ConsentError, ExpressionKind};

mod draft;
mod period;
mod terms;
mod wire;

pub use draft::NoticeDraft;
pub use period::Period;
pub use terms::{Element, Passage, Release, Schedule, Term, Terms};

/// Whether a new version of a notice asks for new consent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "a change asks for new consent or it does not")]
pub enum Materiality {
    /// Wording only: consent to the version before stays good.
    Editorial,
    /// What is done with the data changes: consent must be renewed.
    Material,
}

impl Materiality {
    /// Every value.
    pub const ALL: [Self; 2] = [Self::Material, Self::Editorial];

    /// The stable name used in stored notices.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Editorial => "editorial",
            Self::Material => "material",
        }
    }
}

/// The role of the person who attests whether a change is material.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AttestedBy {
    /// GDPR Art 37.
    DataProtectionOfficer,
    /// A lawyer of the organisation.
    LegalCounsel,
    /// Who answers for privacy in the organisation.
    PrivacyOfficer,
}

impl AttestedBy {
    /// Every role.
    pub const ALL: [Self; 3] = [Self::DataProtectionOfficer, Self::LegalCounsel, Self::PrivacyOfficer];

    /// The stable code used in rows, from 1.
    pub const fn code(self) -> u8 {
        match self {
            Self::DataProtectionOfficer => 1,
            Self::LegalCounsel => 2,
            Self::PrivacyOfficer => 3,
        }
    }

    /// The stable name used in stored notices.
    pub const fn name(self) -> &'static str {
        match self {
            Self::DataProtectionOfficer => "data_protection_officer",
            Self::LegalCounsel => "legal_counsel",
            Self::PrivacyOfficer => "privacy_officer",
        }
    }
}

/// Which text, in which version and language.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_structs, reason = "the notice as rows and receipts name it")]
pub struct NoticeRef {
    /// Which notice.
    pub id: String,
    /// Which version of it.
    pub version: String,
    /// In which language (BCP 47).
    pub locale: String,
    /// SHA-256 of the bytes shown.
    pub digest: Digest,
}

/// What a person is shown before consenting.
///
/// It is made by [`NoticeDraft`], which checks that the structured fields stand in the exact bytes shown. The bytes
/// themselves are kept by the store; this value is what acts and permits refer to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Notice {
    reference: NoticeRef,
    effective: Timestamp,
    materiality: Materiality,
    attested_by: AttestedBy,
    covers: Vec<Scope>,
    terms: Option<Terms>,
}

impl Notice {
    /// The longest id or version, in bytes.
    pub const MAX_LABEL: usize = 64;
    /// The longest text shown, and the longest schedule, in bytes: 1 MiB.
    pub const MAX_TEXT: usize = 1 << 20;

    /// Which text, in which version and language.
    pub const fn reference(&self) -> &NoticeRef {
        &self.reference
    }

    /// Which notice.
    pub fn id(&self) -> &str {
        &self.reference.id
    }

    /// Which version of it.
    pub fn version(&self) -> &str {
        &self.reference.version
    }

    /// In which language (BCP 47).
    pub fn locale(&self) -> &str {
        &self.reference.locale
    }

    /// SHA-256 of the bytes shown.
    pub const fn digest(&self) -> Digest {
        self.reference.digest
    }

    /// From when on it is in force.
    pub const fn effective(&self) -> Timestamp {
        self.effective
    }

    /// Whether it asks for new consent of those who consented to an older version.
    pub const fn materiality(&self) -> Materiality {
        self.materiality
    }

    /// Who attests that.
    pub const fn attested_by(&self) -> AttestedBy {
        self.attested_by
    }

    /// What it covers: at least one scope, sorted, each once.
    pub fn scopes(&self) -> &[Scope] {
        &self.covers
    }

    /// Whether it covers a scope.
    pub fn covers(&self, scope: Scope) -> bool {
        self.covers.contains(&scope)
    }

    /// The elements of 740 ILCS 14/15(b); always there when a biometric scope is covered.
    pub const fn terms(&self) -> Option<&Terms> {
        self.terms.as_ref()
    }

    /// Whether consent may be expressed in this way. A notice without terms accepts every way.
    pub fn accepts(&self, kind: ExpressionKind) -> bool {
        self.terms.as_ref().is_none_or(|terms| terms.release().accepted().contains(&kind))
    }

    /// When consent given at an instant ends; `None` when the notice states no term.
    ///
    /// # Errors
    /// [`ConsentError::Term`] when that lies beyond the calendar.
    pub fn ends(&self, given: Timestamp) -> Result<Option<Timestamp>, ConsentError> {
        let period = self.terms.as_ref().and_then(|terms| terms.term().period());
        period.map(|period| period.after(given)).transpose()
    }

    /// Whether these are the bytes that were described, and hold every passage that the terms state.
    pub fn matches(&self, shown: &[u8]) -> bool {
        let stated = self.terms.as_ref().is_none_or(|terms| terms.stand_in(shown).is_ok());
        sha256(shown) == self.reference.digest && stated
    }
}

pub(crate) fn sha256(bytes: &[u8]) -> Digest {
    let mut out = [0u8; 32];
    out.copy_from_slice(digest(&SHA256, bytes).as_ref());
    Digest::from_bytes(out)
}

#[cfg(test)]
pub(crate) mod tests;
