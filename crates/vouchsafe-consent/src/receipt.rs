//! What a person keeps of their consent: one record for machines, one page for people. Neither names anybody.

use vouchsafe_types::{Modality, OrganisationId, Purpose, Scope, Timestamp};

use crate::{ConsentError, ConsentStatus, ExpressionKind, Notice};

mod html;
mod iso27560;

pub use html::html;
pub use iso27560::{
    Context, Event, Iso27560, Party, PiiInformation, PiiProcessing, PrivacyNotice, PurposeRecord,
    RECEIPT_SCHEMA,
};

/// One act on the line that a receipt tells of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "facts from rows; a forgotten one must not compile")]
pub struct ReceiptEvent {
    /// Where it left the line.
    pub status: ConsentStatus,
    /// When.
    pub at: Timestamp,
    /// Its entry in the log.
    pub entry: u64,
    /// How the person expressed it; `None` for what the controller or the clock did, and for a withdrawal by call.
    pub method: Option<ExpressionKind>,
    /// When a given consent ends of itself.
    pub expires: Option<Timestamp>,
}

/// Who answers for the processing, as they want to be named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_structs,
    reason = "the mandatory fields of ISO/IEC TS 27560 on a party and a place"
)]
pub struct Controller<'a> {
    /// The registered name.
    pub name: &'a str,
    /// The postal address.
    pub address: &'a str,
    /// Where to write on privacy.
    pub contact: &'a str,
    /// Under whose law, for example `US-IL`.
    pub jurisdiction: &'a str,
    /// Where the data is stored, for example `US`.
    pub storage_locations: &'a [&'a str],
    /// Who else receives the data; empty when nobody does.
    pub recipients: &'a [&'a str],
}

/// All that a receipt tells. It has no place for anything about the person.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::exhaustive_structs, reason = "facts from rows; a forgotten one must not compile")]
pub struct ReceiptFacts<'a> {
    /// Whose tenant.
    pub organisation: &'a OrganisationId,
    /// Who that is, where it is told.
    pub controller: Option<Controller<'a>>,
    /// The name of the log (C2SP tlog-checkpoint, origin).
    pub log_origin: &'a str,
    /// For what.
    pub scope: Scope,
    /// The notice that the newest act answered.
    pub notice: &'a Notice,
    /// The acts, oldest first: at least one.
    pub events: &'a [ReceiptEvent],
    /// How to withdraw, in words or as an `https` address.
    pub withdraw: &'a str,
    /// How to verify the receipt without the organisation, in words.
    pub verify: &'a str,
}

impl<'a> ReceiptFacts<'a> {
    /// The newest act.
    fn newest(&self) -> Result<&'a ReceiptEvent, ConsentError> {
        if !self.notice.covers(self.scope) {
            return Err(ConsentError::ScopeNotCovered);
        }
        self.events.last().ok_or(ConsentError::NoEvents)
    }

    /// The log and the entry: what names the record.
    fn record_id(&self, event: &ReceiptEvent) -> String {
        format!("{}#{}", self.log_origin, event.entry)
    }
}

/// The term of the Data Privacy Vocabulary 2 for a state.
const fn dpv_status(status: ConsentStatus) -> &'static str {
    match status {
        ConsentStatus::Expired => "dpv:ConsentExpired",
        ConsentStatus::Given => "dpv:ConsentGiven",
        ConsentStatus::Invalidated => "dpv:ConsentInvalidated",
        ConsentStatus::Refused => "dpv:ConsentRefused",
        ConsentStatus::Renewed => "dpv:RenewedConsentGiven",
        ConsentStatus::Revoked => "dpv:ConsentRevoked",
        ConsentStatus::Withdrawn => "dpv:ConsentWithdrawn",
    }
}

/// The term of the Data Privacy Vocabulary 2 for a purpose.
const fn dpv_purpose(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::Audit => "dpv:RecordManagement",
        Purpose::Communication => "dpv:CommunicationManagement",
        Purpose::FraudPrevention => "dpv:FraudPreventionAndDetection",
        Purpose::PresenceToken => "dpv:IdentityAuthentication",
        Purpose::ServiceSecurity => "dpv:EnforceSecurity",
        Purpose::Verification => "dpv:IdentityVerification",
    }
}

/// The term of the Data Privacy Vocabulary 2 for what is processed; it has none for a voice print.
const fn dpv_data(scope: Scope) -> &'static str {
    match (scope.modality(), scope.purpose()) {
        (Some(Modality::Face), _) => "pd:FacialPrint",
        (Some(_), _) => "pd:Biometric",
        (None, Purpose::Communication) => "pd:EmailAddress",
        (None, _) => "dpv:PersonalData",
    }
}

#[cfg(test)]
mod tests;
