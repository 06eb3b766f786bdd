//! What a log entry commits to: versioned JSON, sealed beside the log under the leaf of its data class.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use vouchsafe_consent::{Act, Binding, ConsentLine, Notice};
use vouchsafe_ledger::{ActorRole, EntryOutcome};
use vouchsafe_types::{DataClass, Digest, IpPseudonym, RecordId, Scope, Timestamp};

use crate::Error;

/// Version 1 of every payload. One valid encoding: fields in this order, absent ones left out.
///
/// Every value is a number, an instant, a digest or a word of a closed vocabulary; the ids of notices and rules are
/// the organisation's own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Payload {
    v: u8,
    /// The number of the entry that commits to it.
    pub(crate) entry: u64,
    pub(crate) at: String,
    /// In which capacity somebody acted.
    pub(crate) actor: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) scope: Option<String>,
    /// The number of the act of consent, or of the act that something rests on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) sequence: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) notice: Option<NoticeLabel>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) terms: Option<serde_json::Value>,
    /// SHA-256 of the notice whose consent something rests on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) consented: Option<String>,
    /// The entry of the notice that was served before the act.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) served: Option<u64>,
    /// How consent was expressed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) expression: Option<String>,
    /// When the act took place, where that was before it was recorded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) acted_at: Option<String>,
    /// When the consent ends by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) expires: Option<String>,
    /// The pseudonym of the network address: 20 bytes in hexadecimal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ip: Option<String>,
    /// The age that the person attested to have reached.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) age: Option<u8>,
    /// Which mark was set or lifted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) mark: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) outcome: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cause: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) strength: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) enrolment: Option<u64>,
    /// The entries whose payloads were destroyed with it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) entries: Vec<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) gap: Option<(u64, u64)>,
    /// The rule of the retention policy that decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) rule: Option<String>,
    /// SHA-256 of the retention policy that it was decided under.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) policy: Option<String>,
    /// The classes of data that it is about.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) classes: Vec<String>,
    /// By when something has to happen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) due: Option<String>,
    /// The id of a request, a disclosure, an order or a hold: 16 random bytes in hexadecimal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) id: Option<String>,
    /// Words of closed vocabularies and ids of the organisation's own, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) words: BTreeMap<String, String>,
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
    /// What somebody did, in this capacity.
    pub(crate) fn by(actor: ActorRole, now: Timestamp) -> Self {
        Self {
            v: 1,
            entry: 0,
            at: now.to_string(),
            actor: actor.name().to_owned(),
            scope: None,
            sequence: None,
            notice: None,
            terms: None,
            consented: None,
            served: None,
            expression: None,
            acted_at: None,
            expires: None,
            ip: None,
            age: None,
            mark: None,
            outcome: None,
            cause: None,
            strength: None,
            enrolment: None,
            entries: Vec::new(),
            gap: None,
            rule: None,
            policy: None,
            classes: Vec::new(),
            due: None,
            id: None,
            words: BTreeMap::new(),
        }
    }

    pub(crate) fn scope(mut self, scope: Scope) -> Self {
        self.scope = Some(scope.name().to_owned());
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

    /// The act of consent that something rests on.
    pub(crate) fn binding(self, binding: &Binding) -> Self {
        let sha256 = Some(binding.notice().to_string());
        Self { consented: sha256, ..self.scope(binding.scope()).sequence(binding.sequence()) }
    }

    /// What a notice states, covers and changes.
    pub(crate) fn terms(mut self, notice: &Notice) -> Result<Self, Error> {
        let terms = serde_json::from_str(&notice.to_json()).map_err(|_| Error::Format("notice"))?;
        self.terms = Some(terms);
        Ok(self)
    }

    /// Where a line of consent stands after an act.
    pub(crate) fn line(mut self, line: &ConsentLine) -> Self {
        self.expires = line.last().and_then(|act| act.expires).map(|at| at.to_string());
        self.scope(line.scope()).sequence(line.sequence())
    }

    /// How the person acted, on which showing of the notice.
    pub(crate) fn act(mut self, act: &Act, served: u64) -> Self {
        self.served = Some(served);
        self.expression = Some(act.expression().kind().name().to_owned());
        self.acted_at = act.acted_at().map(|at| at.to_string());
        self.age = act.age().map(|age| age.at_least);
        self
    }

    pub(crate) fn ip(mut self, ip: Option<IpPseudonym>) -> Self {
        self.ip = ip.map(|ip| hex(&ip.to_bytes()));
        self
    }

    pub(crate) fn mark(mut self, mark: &str) -> Self {
        self.mark = Some(mark.to_owned());
        self
    }

    pub(crate) fn outcome(mut self, outcome: EntryOutcome) -> Self {
        self.outcome = Some(outcome.name().to_owned());
        self
    }

    /// The rule, the reason or the digest that decided.
    pub(crate) fn cause(mut self, cause: &str) -> Self {
        self.cause = Some(cause.to_owned());
        self
    }

    /// How strong a destruction is, as the key service declares.
    pub(crate) fn strength(mut self, strength: &str) -> Self {
        self.strength = Some(strength.to_owned());
        self
    }

    pub(crate) fn enrolment(mut self, entry: Option<u64>) -> Self {
        self.enrolment = entry;
        self
    }

    pub(crate) fn entries(mut self, entries: Vec<u64>) -> Self {
        self.entries = entries;
        self
    }

    pub(crate) fn gap(mut self, from: u64, to: u64) -> Self {
        self.gap = Some((from, to));
        self
    }

    pub(crate) fn rule(mut self, rule: Option<&str>) -> Self {
        self.rule = rule.map(str::to_owned);
        self
    }

    pub(crate) fn policy(mut self, policy: Digest) -> Self {
        self.policy = Some(policy.to_string());
        self
    }

    pub(crate) fn classes(mut self, classes: impl IntoIterator<Item = DataClass>) -> Self {
        self.classes = classes.into_iter().map(|class| class.name().to_owned()).collect();
        self
    }

    pub(crate) fn due(mut self, due: Option<Timestamp>) -> Self {
        self.due = due.map(|due| due.to_string());
        self
    }

    pub(crate) fn id(mut self, id: RecordId) -> Self {
        self.id = Some(id.to_string());
        self
    }

    /// One more word, under a name that says what it is.
    pub(crate) fn word(mut self, name: &str, word: &str) -> Self {
        self.words.insert(name.to_owned(), word.to_owned());
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

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
