use vouchsafe_types::{Scope, Timestamp};

use super::terms::{Element, Passage, Release, Schedule, Term, Terms};
use super::{AttestedBy, Materiality, Notice, NoticeRef, Period, sha256};
use crate::{ConsentError, ExpressionKind};

/// A notice before it is checked.
///
/// The elements of a notice on biometric data are quoted from its text:
///
/// ```
/// use vouchsafe_consent::{AttestedBy, ExpressionKind, NoticeDraft};
/// use vouchsafe_types::{Scope, Timestamp};
///
/// let shown = "We collect and store a template of your face. We use it to confirm that it is you. \
///     We keep it for three years at most. By ticking the box you sign this release.";
/// let notice = NoticeDraft::new("face", "2026-04-01", "en", shown.as_bytes())
///     .effective(Timestamp::UNIX_EPOCH)
///     .covers(Scope::FACE_VERIFICATION)
///     .collected("We collect and store a template of your face.")
///     .purpose("We use it to confirm that it is you.")
///     .term("We keep it for three years at most.", "P3Y")
///     .release("By ticking the box you sign this release.", [ExpressionKind::Checkbox])
///     .schedule(b"Templates are destroyed after three years.")
///     .material(AttestedBy::PrivacyOfficer)
///     .finish()?;
/// assert!(notice.matches(shown.as_bytes()));
/// # Ok::<(), vouchsafe_consent::ConsentError>(())
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct NoticeDraft<'a> {
    id: &'a str,
    version: &'a str,
    locale: &'a str,
    shown: &'a [u8],
    effective: Option<Timestamp>,
    covers: Vec<Scope>,
    collected: Option<&'a str>,
    purpose: Option<&'a str>,
    term: Option<(&'a str, Option<&'a str>)>,
    release: Option<(&'a str, Vec<ExpressionKind>)>,
    schedule: Option<&'a [u8]>,
    materiality: Option<(Materiality, AttestedBy)>,
}

impl<'a> NoticeDraft<'a> {
    /// Describes the exact bytes that are shown: UTF-8, at most [`Notice::MAX_TEXT`].
    ///
    /// `locale` is a BCP 47 tag of the form `language[-Script][-REGION]`, `version` the publisher's own, for example
    /// the effective date.
    pub const fn new(id: &'a str, version: &'a str, locale: &'a str, shown: &'a [u8]) -> Self {
        Self {
            id,
            version,
            locale,
            shown,
            effective: None,
            covers: Vec::new(),
            collected: None,
            purpose: None,
            term: None,
            release: None,
            schedule: None,
            materiality: None,
        }
    }

    /// From when on it is in force; 1970 unless set.
    pub const fn effective(mut self, from: Timestamp) -> Self {
        self.effective = Some(from);
        self
    }

    /// Adds a scope that it covers.
    pub fn covers(mut self, scope: Scope) -> Self {
        self.covers.push(scope);
        self
    }

    /// Quotes where it says that biometric data is collected or stored.
    pub const fn collected(mut self, passage: &'a str) -> Self {
        self.collected = Some(passage);
        self
    }

    /// Quotes where it says for what purpose.
    pub const fn purpose(mut self, passage: &'a str) -> Self {
        self.purpose = Some(passage);
        self
    }

    /// Quotes where it says for how long, and gives that as a [`Period`] after which the consent ends by itself.
    pub const fn term(mut self, passage: &'a str, period: &'a str) -> Self {
        self.term = Some((passage, Some(period)));
        self
    }

    /// Quotes where it says what ends the keeping, when that is no day counted from the consent: withdrawal,
    /// inactivity, the end of the purpose. Retention policy enforces it; the consent has no end of its own.
    pub const fn until_destroyed(mut self, passage: &'a str) -> Self {
        self.term = Some((passage, None));
        self
    }

    /// The exact bytes that are shown.
    pub const fn shown(&self) -> &'a [u8] {
        self.shown
    }

    /// The exact bytes of the retention schedule, if it was given.
    pub const fn scheduled(&self) -> Option<&'a [u8]> {
        self.schedule
    }

    /// Quotes the release that the person signs, and says how it may be signed.
    pub fn release(mut self, passage: &'a str, accepted: impl IntoIterator<Item = ExpressionKind>) -> Self {
        self.release = Some((passage, accepted.into_iter().collect()));
        self
    }

    /// The retention schedule published with it.
    pub const fn schedule(mut self, bytes: &'a [u8]) -> Self {
        self.schedule = Some(bytes);
        self
    }

    /// Attests that consent to an older version must be renewed.
    pub const fn material(mut self, by: AttestedBy) -> Self {
        self.materiality = Some((Materiality::Material, by));
        self
    }

    /// Attests that consent to an older version stays good.
    pub const fn editorial(mut self, by: AttestedBy) -> Self {
        self.materiality = Some((Materiality::Editorial, by));
        self
    }

    /// Checks the draft. Without [`Self::material`] or [`Self::editorial`] there is no notice.
    ///
    /// # Errors
    /// [`ConsentError::NoticeLabel`], [`ConsentError::NoticeLocale`], [`ConsentError::NoticeEmpty`],
    /// [`ConsentError::NoticeText`], [`ConsentError::ScopesMissing`], [`ConsentError::MaterialityMissing`],
    /// [`ConsentError::ElementMissing`], [`ConsentError::PassageMissing`] or [`ConsentError::Term`].
    pub fn finish(self) -> Result<Notice, ConsentError> {
        check_text(self.shown)?;
        let terms = self.terms()?;
        if let Some(terms) = &terms {
            terms.stand_in(self.shown)?;
        }
        let (materiality, attested_by) = self.materiality.ok_or(ConsentError::MaterialityMissing)?;
        let reference = NoticeRef {
            id: self.id.to_owned(),
            version: self.version.to_owned(),
            locale: self.locale.to_owned(),
            digest: sha256(self.shown),
        };
        let effective = self.effective.unwrap_or(Timestamp::UNIX_EPOCH);
        Notice { reference, effective, materiality, attested_by, covers: self.covers, terms }.checked()
    }

    fn terms(&self) -> Result<Option<Terms>, ConsentError> {
        let biometric = self.covers.iter().any(|scope| scope.modality().is_some());
        let stated = self.collected.is_some()
            || self.purpose.is_some()
            || self.term.is_some()
            || self.release.is_some()
            || self.schedule.is_some();
        if !biometric && !stated {
            return Ok(None);
        }
        let missing = ConsentError::ElementMissing;
        let (term, period) = self.term.ok_or(missing(Element::Term))?;
        let (release, accepted) = self.release.as_ref().ok_or(missing(Element::Release))?;
        let quoted = |passage: Option<&str>, element| Passage::new(passage.unwrap_or_default(), element);
        Ok(Some(Terms {
            collected: quoted(self.collected, Element::Collected)?,
            purpose: quoted(self.purpose, Element::Purpose)?,
            term: Term {
                passage: Passage::new(term, Element::Term)?,
                period: period.map(Period::parse).transpose()?,
            },
            release: Release {
                passage: Passage::new(release, Element::Release)?,
                accepted: sorted(accepted.clone(), |kind| kind.code()),
            },
            schedule: Schedule::new(self.schedule.ok_or(missing(Element::Schedule))?)?,
        }))
    }
}

impl Notice {
    /// What holds of every notice, drafted or stored.
    pub(super) fn checked(mut self) -> Result<Self, ConsentError> {
        let label = |label: &str| {
            (1..=Self::MAX_LABEL).contains(&label.len()) && !label.chars().any(char::is_control)
        };
        if !label(self.id()) || !label(self.version()) {
            return Err(ConsentError::NoticeLabel);
        }
        if !is_locale(self.locale()) {
            return Err(ConsentError::NoticeLocale);
        }
        self.covers = sorted(self.covers, |scope| scope.code());
        if self.covers.is_empty() {
            return Err(ConsentError::ScopesMissing);
        }
        let biometric = self.covers.iter().any(|scope| scope.modality().is_some());
        match &self.terms {
            None if biometric => Err(ConsentError::ElementMissing(Element::Collected)),
            Some(terms) if terms.release.accepted.is_empty() => {
                Err(ConsentError::ElementMissing(Element::Release))
            }
            _ => Ok(self),
        }
    }
}

fn check_text(shown: &[u8]) -> Result<(), ConsentError> {
    let text = std::str::from_utf8(shown).map_err(|_| ConsentError::NoticeText)?;
    match text.len() {
        _ if text.trim().is_empty() => Err(ConsentError::NoticeEmpty),
        1..=Notice::MAX_TEXT => Ok(()),
        _ => Err(ConsentError::NoticeText),
    }
}

fn sorted<T, K: Ord>(mut values: Vec<T>, key: impl Fn(&T) -> K) -> Vec<T> {
    values.sort_by_key(&key);
    values.dedup_by_key(|value| key(value));
    values
}

/// `language[-Script][-REGION]` of BCP 47 (RFC 5646), in the case that it recommends.
fn is_locale(tag: &str) -> bool {
    let mut parts = tag.split('-').peekable();
    let language = |part: &str| matches!(part.len(), 2 | 3) && part.bytes().all(|b| b.is_ascii_lowercase());
    let script = |part: &str| {
        let mut bytes = part.bytes();
        part.len() == 4
            && bytes.next().is_some_and(|b| b.is_ascii_uppercase())
            && bytes.all(|b| b.is_ascii_lowercase())
    };
    let region = |part: &str| match part.len() {
        2 => part.bytes().all(|b| b.is_ascii_uppercase()),
        3 => part.bytes().all(|b| b.is_ascii_digit()),
        _ => false,
    };
    if !parts.next().is_some_and(language) {
        return false;
    }
    parts.next_if(|part| script(part));
    parts.next_if(|part| region(part));
    parts.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::is_locale;

    #[test]
    fn locales_have_one_spelling() {
        for good in ["en", "de-DE", "zh-Hant-TW", "sr-Latn", "es-419", "gsw"] {
            assert!(is_locale(good), "{good}");
        }
        for bad in
            ["", "EN", "en-", "-en", "en-us", "en-US-Latn", "en_US", "english", "en-US-x", "e", "en-Us"]
        {
            assert!(!is_locale(bad), "{bad}");
        }
    }
}
