use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use vouchsafe_types::Digest;

use super::{Notice, Period, sha256};
use crate::{ConsentError, ExpressionKind};

/// What 740 ILCS 14/15 requires of a notice on biometric data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Element {
    /// 14/15(b)(1): that a biometric identifier is collected or stored.
    Collected,
    /// 14/15(b)(2): for what specific purpose.
    Purpose,
    /// 14/15(b)(3): the written release, which may be an electronic signature (14/10).
    Release,
    /// 14/15(a): the public retention schedule and guidelines for destruction.
    Schedule,
    /// 14/15(b)(2): for what length of term.
    Term,
}

impl Element {
    /// Every element.
    pub const ALL: [Self; 5] = [Self::Collected, Self::Purpose, Self::Term, Self::Release, Self::Schedule];

    /// The stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Collected => "collected",
            Self::Purpose => "purpose",
            Self::Release => "release",
            Self::Schedule => "schedule",
            Self::Term => "term",
        }
    }
}

impl fmt::Display for Element {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A quotation that stands word for word in the bytes shown.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Passage(String);

impl Passage {
    /// The longest quotation, in bytes.
    pub const MAX_LEN: usize = 4096;
    /// The shortest quotation, in bytes: a word or two prove nothing.
    pub const MIN_LEN: usize = 12;

    pub(super) fn new(quotation: &str, element: Element) -> Result<Self, ConsentError> {
        let fits = (Self::MIN_LEN..=Self::MAX_LEN).contains(&quotation.len()) && !quotation.trim().is_empty();
        if fits { Ok(Self(quotation.to_owned())) } else { Err(ConsentError::ElementMissing(element)) }
    }

    /// The quotation.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn stands_in(&self, shown: &str, element: Element) -> Result<(), ConsentError> {
        if shown.contains(&self.0) { Ok(()) } else { Err(ConsentError::PassageMissing(element)) }
    }
}

/// For how long: the words of the notice, and what they mean for the consent.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Term {
    pub(super) passage: Passage,
    pub(super) period: Option<Period>,
}

impl Term {
    /// The words of the notice.
    pub const fn passage(&self) -> &Passage {
        &self.passage
    }

    /// After how long the consent ends by itself; `None` when the words give no such day, but say what ends the
    /// keeping: withdrawal, inactivity, the end of the purpose.
    pub const fn period(&self) -> Option<Period> {
        self.period
    }
}

/// The written release: the words of the notice, and how a person may sign it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Release {
    pub(super) passage: Passage,
    pub(super) accepted: Vec<ExpressionKind>,
}

impl Release {
    /// The words of the notice.
    pub const fn passage(&self) -> &Passage {
        &self.passage
    }

    /// The ways of expressing consent that are accepted: at least one, sorted by code, each once.
    pub fn accepted(&self) -> &[ExpressionKind] {
        &self.accepted
    }
}

/// The retention schedule published with a notice; two are equal when their digests are.
#[derive(Debug, Clone)]
pub struct Schedule {
    digest: Digest,
    bytes: Option<Arc<[u8]>>,
}

impl Schedule {
    pub(super) fn new(bytes: &[u8]) -> Result<Self, ConsentError> {
        match bytes.len() {
            0 => Err(ConsentError::ElementMissing(Element::Schedule)),
            1..=Notice::MAX_TEXT => Ok(Self { digest: sha256(bytes), bytes: Some(bytes.into()) }),
            _ => Err(ConsentError::NoticeText),
        }
    }

    pub(super) const fn stored(digest: Digest) -> Self {
        Self { digest, bytes: None }
    }

    /// SHA-256 of the exact bytes published.
    pub const fn digest(&self) -> Digest {
        self.digest
    }

    /// The bytes, for the store to keep; `None` when the notice itself came from the store.
    pub fn bytes(&self) -> Option<&[u8]> {
        self.bytes.as_deref()
    }

    /// Whether these are the bytes published.
    pub fn matches(&self, bytes: &[u8]) -> bool {
        sha256(bytes) == self.digest
    }
}

impl PartialEq for Schedule {
    fn eq(&self, other: &Self) -> bool {
        self.digest == other.digest
    }
}

impl Eq for Schedule {}

impl Hash for Schedule {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.digest.hash(state);
    }
}

/// The elements of 740 ILCS 14/15(b), each proven to stand in the bytes shown, and the schedule of 14/15(a).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Terms {
    pub(super) collected: Passage,
    pub(super) purpose: Passage,
    pub(super) term: Term,
    pub(super) release: Release,
    pub(super) schedule: Schedule,
}

impl Terms {
    /// That a biometric identifier is collected or stored.
    pub const fn collected(&self) -> &Passage {
        &self.collected
    }

    /// For what purpose.
    pub const fn purpose(&self) -> &Passage {
        &self.purpose
    }

    /// For how long.
    pub const fn term(&self) -> &Term {
        &self.term
    }

    /// How the person releases it.
    pub const fn release(&self) -> &Release {
        &self.release
    }

    /// The retention schedule published with it.
    pub const fn schedule(&self) -> &Schedule {
        &self.schedule
    }

    pub(super) fn stand_in(&self, shown: &[u8]) -> Result<(), ConsentError> {
        let shown = std::str::from_utf8(shown).map_err(|_| ConsentError::NoticeText)?;
        let stated = [
            (&self.collected, Element::Collected),
            (&self.purpose, Element::Purpose),
            (&self.term.passage, Element::Term),
            (&self.release.passage, Element::Release),
        ];
        stated.into_iter().try_for_each(|(passage, element)| passage.stands_in(shown, element))
    }
}
