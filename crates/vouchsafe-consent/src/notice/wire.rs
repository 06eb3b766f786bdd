//! Version 1 of the stored notice: JSON without white space, members in the order below.

use serde::{Deserialize, Serialize};
use vouchsafe_types::{Digest, Scope};

use super::terms::{Element, Passage, Release, Schedule, Term, Terms};
use super::{AttestedBy, Materiality, Notice, NoticeRef, Period};
use crate::{ConsentError, ExpressionKind};

const VERSION: u8 = 1;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct NoticeV1 {
    v: u8,
    id: String,
    version: String,
    locale: String,
    effective: String,
    sha256: String,
    materiality: String,
    attested_by: String,
    covers: Vec<String>,
    terms: Option<TermsV1>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct TermsV1 {
    collected: String,
    purpose: String,
    term: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    period: Option<String>,
    release: String,
    accepted: Vec<String>,
    schedule_sha256: String,
}

impl Notice {
    /// The longest encoding, in bytes.
    pub const MAX_JSON: usize = 128 * 1024;

    /// Everything but the bytes shown and the bytes of the schedule, as canonical JSON, version 1.
    pub fn to_json(&self) -> String {
        serde_json::to_string(&NoticeV1::from(self)).unwrap_or_default()
    }

    /// Reads [`Self::to_json`] back. Each notice has one valid encoding.
    ///
    /// That the passages stand in the bytes shown was checked when the notice was drafted; [`Self::matches`] checks
    /// it again.
    ///
    /// # Errors
    /// [`ConsentError::NoticeEncoding`], or what [`NoticeDraft::finish`](super::NoticeDraft::finish) gives.
    pub fn from_json(json: &str) -> Result<Self, ConsentError> {
        if json.len() > Self::MAX_JSON {
            return Err(ConsentError::NoticeEncoding);
        }
        let wire: NoticeV1 = serde_json::from_str(json).map_err(|_| ConsentError::NoticeEncoding)?;
        let notice = wire.read()?.checked()?;
        if notice.to_json() == json { Ok(notice) } else { Err(ConsentError::NoticeEncoding) }
    }
}

impl From<&Notice> for NoticeV1 {
    fn from(notice: &Notice) -> Self {
        Self {
            v: VERSION,
            id: notice.id().to_owned(),
            version: notice.version().to_owned(),
            locale: notice.locale().to_owned(),
            effective: notice.effective.to_string(),
            sha256: notice.digest().to_string(),
            materiality: notice.materiality.name().to_owned(),
            attested_by: notice.attested_by.name().to_owned(),
            covers: notice.covers.iter().map(|scope| scope.name()).collect(),
            terms: notice.terms.as_ref().map(TermsV1::from),
        }
    }
}

impl From<&Terms> for TermsV1 {
    fn from(terms: &Terms) -> Self {
        Self {
            collected: terms.collected.as_str().to_owned(),
            purpose: terms.purpose.as_str().to_owned(),
            term: terms.term.passage.as_str().to_owned(),
            period: terms.term.period.map(|period| period.to_string()),
            release: terms.release.passage.as_str().to_owned(),
            accepted: terms.release.accepted.iter().map(|kind| kind.name().to_owned()).collect(),
            schedule_sha256: terms.schedule.digest().to_string(),
        }
    }
}

const MALFORMED: ConsentError = ConsentError::NoticeEncoding;

impl NoticeV1 {
    fn read(self) -> Result<Notice, ConsentError> {
        if self.v != VERSION {
            return Err(MALFORMED);
        }
        let materiality = Materiality::ALL.into_iter().find(|value| value.name() == self.materiality);
        let attested_by = AttestedBy::ALL.into_iter().find(|role| role.name() == self.attested_by);
        let covers: Result<_, _> = self.covers.iter().map(|name| Scope::parse(name)).collect();
        Ok(Notice {
            reference: NoticeRef {
                id: self.id,
                version: self.version,
                locale: self.locale,
                digest: Digest::parse(&self.sha256).map_err(|_| MALFORMED)?,
            },
            effective: self.effective.parse().map_err(|_| MALFORMED)?,
            materiality: materiality.ok_or(MALFORMED)?,
            attested_by: attested_by.ok_or(MALFORMED)?,
            covers: covers.map_err(|_| MALFORMED)?,
            terms: self.terms.map(TermsV1::read).transpose()?,
        })
    }
}

impl TermsV1 {
    fn read(self) -> Result<Terms, ConsentError> {
        let kind =
            |name: &String| ExpressionKind::ALL.into_iter().find(|kind| kind.name() == name).ok_or(MALFORMED);
        let mut accepted = self.accepted.iter().map(kind).collect::<Result<Vec<_>, _>>()?;
        accepted.sort_by_key(|kind| kind.code());
        accepted.dedup();
        Ok(Terms {
            collected: Passage::new(&self.collected, Element::Collected)?,
            purpose: Passage::new(&self.purpose, Element::Purpose)?,
            term: Term {
                passage: Passage::new(&self.term, Element::Term)?,
                period: self.period.as_deref().map(Period::parse).transpose()?,
            },
            release: Release { passage: Passage::new(&self.release, Element::Release)?, accepted },
            schedule: Schedule::stored(Digest::parse(&self.schedule_sha256).map_err(|_| MALFORMED)?),
        })
    }
}
