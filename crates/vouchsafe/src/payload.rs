//! What a log entry commits to: versioned JSON, sealed beside the log under the leaf of its data class.

use serde::{Deserialize, Serialize};
use vouchsafe_consent::{Act, Notice};
use vouchsafe_types::{Scope, Timestamp};

use crate::Error;

/// Version 1 of every payload. One valid encoding: fields in this order, absent ones left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Payload {
    v: u8,
    /// The number of the entry that commits to it.
    pub(crate) entry: u64,
    pub(crate) at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) scope: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) sequence: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) notice: Option<NoticeLabel>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) act: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) outcome: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cause: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) enrolment: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) gap: Option<(u64, u64)>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NoticeLabel {
    pub(crate) id: String,
    pub(crate) version: String,
    pub(crate) locale: String,
    pub(crate) sha256: String,
}

impl Payload {
    pub(crate) fn at(now: Timestamp) -> Self {
        Self {
            v: 1,
            entry: 0,
            at: now.to_string(),
            scope: None,
            sequence: None,
            notice: None,
            act: None,
            outcome: None,
            cause: None,
            enrolment: None,
            gap: None,
        }
    }

    pub(crate) fn scope(mut self, scope: Scope) -> Self {
        let [modality, role, purpose] = scope.code();
        self.scope = Some(format!("{modality}.{role}.{purpose}"));
        self
    }

    pub(crate) fn sequence(mut self, sequence: u64) -> Self {
        self.sequence = Some(sequence);
        self
    }

    pub(crate) fn notice(mut self, notice: &Notice) -> Self {
        self.notice = Some(NoticeLabel {
            id: notice.id().to_owned(),
            version: notice.version().to_owned(),
            locale: notice.locale().to_owned(),
            sha256: notice.digest().to_string(),
        });
        self
    }

    pub(crate) fn act(mut self, act: Act) -> Self {
        self.act = Some(act.code());
        self
    }

    pub(crate) fn outcome(mut self, outcome: &str) -> Self {
        self.outcome = Some(outcome.to_owned());
        self
    }

    pub(crate) fn cause(mut self, cause: &str) -> Self {
        self.cause = Some(cause.to_owned());
        self
    }

    pub(crate) fn enrolment(mut self, entry: Option<u64>) -> Self {
        self.enrolment = entry;
        self
    }

    pub(crate) fn gap(mut self, from: u64, to: u64) -> Self {
        self.gap = Some((from, to));
        self
    }

    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, Error> {
        let payload: Self = serde_json::from_slice(bytes).map_err(|_| Error::Format("payload"))?;
        if payload.v == 1 { Ok(payload) } else { Err(Error::Format("payload")) }
    }

    /// The bytes that the entry with this number commits to.
    pub(crate) fn to_bytes(&self, entry: u64) -> Result<Vec<u8>, Error> {
        serde_json::to_vec(&Self { entry, ..self.clone() }).map_err(|_| Error::Format("payload"))
    }
}
