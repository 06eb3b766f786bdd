use serde::{Deserialize, Serialize};

use super::{Controller, ReceiptEvent, ReceiptFacts, dpv_data, dpv_purpose, dpv_status};
use crate::{ConsentError, ConsentStatus, Notice};

/// The JSON Schema (draft 2020-12) of [`Iso27560`].
pub const RECEIPT_SCHEMA: &str = include_str!("../../schema/consent-receipt-v1.schema.json");

const SCHEMA_VERSION: &str = "vouchsafe-consent-receipt/v1";
const CONSENT_TYPE: &str = "dpv:ExplicitlyExpressedConsent";
const PRINCIPAL: &str = "pii_principal";

/// A consent receipt with the structure of ISO/IEC TS 27560:2023, section 6, and terms of the Data Privacy Vocabulary.
///
/// DIFFERENCE: `pii_principal_id` is left out, so that a receipt reveals nothing by itself. The person ties the receipt
/// to themselves by the opening of the log entry that `record_id` names. The mandatory fields on the controller and on
/// places are left out where the organisation did not state them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Iso27560 {
    /// The vocabularies.
    #[serde(rename = "@context")]
    pub context: Context,
    /// Which version of this structure.
    pub schema_version: String,
    /// The log and the entry of the newest act.
    pub receipt_id: String,
    /// The log and the entry of the oldest act.
    pub record_id: String,
    /// What is processed.
    pub pii_processing: PiiProcessing,
    /// Who takes part.
    pub parties: Vec<Party>,
    /// What was done, oldest first.
    pub events: Vec<Event>,
}

/// The vocabularies that the terms are taken from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Context {
    /// Data Privacy Vocabulary.
    pub dpv: String,
    /// Its extension for personal data.
    pub pd: String,
}

/// What is processed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct PiiProcessing {
    /// What was shown.
    pub privacy_notice: PrivacyNotice,
    /// In which language (BCP 47).
    pub language: String,
    /// For what: one purpose, since one act is for one scope.
    pub purposes: Vec<PurposeRecord>,
}

/// What was shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct PrivacyNotice {
    /// Which notice.
    pub id: String,
    /// Which version of it.
    pub version: String,
    /// SHA-256 of the exact bytes, 64 hexadecimal digits.
    pub sha256: String,
    /// From when on it is in force (RFC 3339).
    pub effective: String,
}

/// For what, on which basis, what, and for how long.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct PurposeRecord {
    /// In the words of the notice, or the name of the purpose.
    pub purpose: String,
    /// The vocabulary's term.
    pub purpose_type: String,
    /// The scope by name: modality, role, purpose.
    pub scope: String,
    /// The vocabulary's term.
    pub lawful_basis: String,
    /// Which data.
    pub pii_information: Vec<PiiInformation>,
    /// Whose ids among the parties.
    pub pii_controllers: Vec<String>,
    /// Where.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub storage_locations: Option<Vec<String>>,
    /// For how long (ISO 8601).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retention_period: Option<String>,
    /// SHA-256 of the retention schedule published with the notice.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retention_schedule_sha256: Option<String>,
    /// Under whose law.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jurisdiction: Option<String>,
    /// Who else receives it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recipient_third_parties: Option<Vec<String>>,
    /// How to withdraw.
    pub withdrawal_method: String,
}

/// Which data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct PiiInformation {
    /// The vocabulary's term.
    pub pii_type: String,
    /// Whether it is of a special category (GDPR Art 9).
    pub special_pii_category: bool,
}

/// Who takes part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Party {
    /// The organisation's identifier.
    pub party_id: String,
    /// The vocabulary's term.
    pub party_role: String,
    /// The registered name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub party_name: Option<String>,
    /// The postal address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub party_address: Option<String>,
    /// Where to write on privacy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub party_contact: Option<String>,
}

/// What was done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Event {
    /// When (RFC 3339).
    pub event_time: String,
    /// The vocabulary's term for the type of consent.
    pub event_type: String,
    /// The vocabulary's term for the state after it.
    pub event_state: String,
    /// By whom: `pii_principal`, or a party.
    pub entity_id: String,
    /// How it was expressed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// Until when a given consent holds (RFC 3339).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub valid_until: Option<String>,
    /// The entry in the log.
    pub log_entry: u64,
}

impl Iso27560 {
    /// The longest encoding, in bytes.
    pub const MAX_JSON: usize = 256 * 1024;

    /// The receipt of these facts.
    ///
    /// # Errors
    /// [`ConsentError::NoEvents`], or [`ConsentError::ScopeNotCovered`] when the notice is another's.
    pub fn new(facts: &ReceiptFacts<'_>) -> Result<Self, ConsentError> {
        let newest = facts.newest()?;
        let oldest = facts.events.first().ok_or(ConsentError::NoEvents)?;
        Ok(Self {
            context: Context {
                dpv: "https://w3id.org/dpv#".to_owned(),
                pd: "https://w3id.org/dpv/pd#".to_owned(),
            },
            schema_version: SCHEMA_VERSION.to_owned(),
            receipt_id: facts.record_id(newest),
            record_id: facts.record_id(oldest),
            pii_processing: PiiProcessing {
                privacy_notice: PrivacyNotice::from(facts.notice),
                language: facts.notice.locale().to_owned(),
                purposes: vec![PurposeRecord::new(facts)],
            },
            parties: vec![Party::new(facts)],
            events: facts.events.iter().map(|event| Event::new(facts, event)).collect(),
        })
    }

    /// As JSON, indented by two spaces, with a line break at the end.
    pub fn to_json(&self) -> String {
        let mut json = serde_json::to_string_pretty(self).unwrap_or_default();
        json.push('\n');
        json
    }

    /// Reads [`Self::to_json`] back. Each receipt has one valid encoding.
    ///
    /// # Errors
    /// [`ConsentError::ReceiptEncoding`].
    pub fn from_json(json: &str) -> Result<Self, ConsentError> {
        let malformed = ConsentError::ReceiptEncoding;
        if json.len() > Self::MAX_JSON {
            return Err(malformed);
        }
        let receipt: Self = serde_json::from_str(json).map_err(|_| malformed)?;
        let known = receipt.schema_version == SCHEMA_VERSION && receipt.to_json() == json;
        if known { Ok(receipt) } else { Err(malformed) }
    }
}

impl From<&Notice> for PrivacyNotice {
    fn from(notice: &Notice) -> Self {
        Self {
            id: notice.id().to_owned(),
            version: notice.version().to_owned(),
            sha256: notice.digest().to_string(),
            effective: notice.effective().to_string(),
        }
    }
}

fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|&text| text.to_owned()).collect()
}

impl PurposeRecord {
    fn new(facts: &ReceiptFacts<'_>) -> Self {
        let (scope, terms, controller) = (facts.scope, facts.notice.terms(), facts.controller);
        let named = scope.purpose().name();
        Self {
            purpose: terms.map_or(named, |terms| terms.purpose().as_str()).to_owned(),
            purpose_type: dpv_purpose(scope.purpose()).to_owned(),
            scope: scope.name(),
            lawful_basis: CONSENT_TYPE.to_owned(),
            pii_information: vec![PiiInformation {
                pii_type: dpv_data(scope).to_owned(),
                special_pii_category: scope.modality().is_some(),
            }],
            pii_controllers: vec![facts.organisation.as_str().to_owned()],
            storage_locations: controller.map(|controller| owned(controller.storage_locations)),
            retention_period: terms.map(|terms| match terms.term().period() {
                Some(period) => period.to_string(),
                None => terms.term().passage().as_str().to_owned(),
            }),
            retention_schedule_sha256: terms.map(|terms| terms.schedule().digest().to_string()),
            jurisdiction: controller.map(|controller| controller.jurisdiction.to_owned()),
            recipient_third_parties: controller.map(|controller| owned(controller.recipients)),
            withdrawal_method: facts.withdraw.to_owned(),
        }
    }
}

impl Party {
    fn new(facts: &ReceiptFacts<'_>) -> Self {
        let told = |field: fn(&Controller<'_>) -> String| facts.controller.as_ref().map(field);
        Self {
            party_id: facts.organisation.as_str().to_owned(),
            party_role: "dpv:DataController".to_owned(),
            party_name: told(|controller| controller.name.to_owned()),
            party_address: told(|controller| controller.address.to_owned()),
            party_contact: told(|controller| controller.contact.to_owned()),
        }
    }
}

impl Event {
    fn new(facts: &ReceiptFacts<'_>, event: &ReceiptEvent) -> Self {
        let entity = match event.status {
            ConsentStatus::Given
            | ConsentStatus::Refused
            | ConsentStatus::Renewed
            | ConsentStatus::Withdrawn => PRINCIPAL,
            ConsentStatus::Expired | ConsentStatus::Invalidated | ConsentStatus::Revoked => {
                facts.organisation.as_str()
            }
        };
        Self {
            event_time: event.at.to_string(),
            event_type: CONSENT_TYPE.to_owned(),
            event_state: dpv_status(event.status).to_owned(),
            entity_id: entity.to_owned(),
            method: event.method.map(|kind| kind.name().to_owned()),
            valid_until: event.expires.map(|end| end.to_string()),
            log_entry: event.entry,
        }
    }
}
