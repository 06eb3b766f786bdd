//! What a person can read of their consent: a page, and a record for machines (ISO/IEC TS 27560).

use vouchsafe_consent::receipt::{Controller, Iso27560, ReceiptEvent, ReceiptFacts, html};
use vouchsafe_consent::{ConsentStatus, ExpressionKind, Notice};
use vouchsafe_ledger::{ActorRole, EntryKind, EntryOutcome};
use vouchsafe_store::{ConsentRow, StoreError};
use vouchsafe_types::{DataClass, Outcome, Reasons, Refusal, Scope};

use crate::act::Act;
use crate::consents::notice_of;
use crate::payload::Payload;
use crate::{Error, Subject, logs};

/// How the receipt is verified, in words that its reader needs nothing else for.
const VERIFY: &str = "Keep the receipt file that came with each act. With it and the public key of this log, \
    `vouchsafe receipt verify` or any C2SP tlog-proof verifier shows that the act is in the log.";

/// One consent, told twice. Neither names the person.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConsentDocuments {
    /// A self-contained page with the exact bytes that were shown.
    pub html: String,
    /// A consent receipt of ISO/IEC TS 27560 with terms of the Data Privacy Vocabulary, as JSON; its schema is
    /// [`RECEIPT_SCHEMA`](vouchsafe_consent::receipt::RECEIPT_SCHEMA).
    pub json: String,
}

impl Subject<'_> {
    /// Tells the person's consent for a scope, with every act on it. That it was told is an entry of the log.
    ///
    /// `controller` is how the organisation wants to be named, `withdraw` how consent is withdrawn.
    ///
    /// Returns [`Outcome::Refused`] with [`Refusal::ConsentMissing`] when there was no act.
    ///
    /// # Errors
    /// [`Error::Consent`] when the notice does not state its terms (a row of schema 2).
    pub fn consent_documents(
        &self,
        scope: Scope,
        controller: Option<Controller<'_>>,
        withdraw: &str,
    ) -> Result<Outcome<ConsentDocuments>, Error> {
        self.act(&[DataClass::ConsentEvidence], |act| {
            let rows = act.rows.consent_acts(act.organisation, self.pseudonym, scope)?;
            let Some(newest) = rows.last() else {
                return Ok(Outcome::Refused(Reasons::one(Refusal::ConsentMissing)));
            };
            let row = act.rows.notice(act.organisation, newest.notice)?.ok_or(StoreError::Damaged)?;
            let notice: Notice = notice_of(&row)?;
            let events = rows.iter().filter_map(|row| event(act, row).transpose());
            let events = events.collect::<Result<Vec<_>, Error>>()?;
            let origin = logs::origin(act.state);
            let facts = ReceiptFacts {
                organisation: act.organisation,
                controller,
                log_origin: &origin,
                scope,
                notice: &notice,
                events: &events,
                withdraw,
                verify: VERIFY,
            };
            let told =
                ConsentDocuments { html: html(&facts, &row.shown)?, json: Iso27560::new(&facts)?.to_json() };
            let payload = Payload::by(ActorRole::Person, act.now).scope(scope).outcome(EntryOutcome::Done);
            self.evidence(act, EntryKind::ConsentDisclosed, &payload)?;
            Ok(Outcome::Done(told))
        })
    }
}

/// One act as a receipt tells it; `None` for one that a recovery recorded, which has no entry.
fn event(act: &mut Act<'_>, row: &ConsentRow) -> Result<Option<ReceiptEvent>, Error> {
    let Some(entry) = row.entry else { return Ok(None) };
    let status = ConsentStatus::from_code(row.status).ok_or(Error::Format("consent row"))?;
    let named = act.payload(entry)?.and_then(|payload| payload.expression);
    let method = named.and_then(|name| ExpressionKind::ALL.into_iter().find(|kind| kind.name() == name));
    Ok(Some(ReceiptEvent { status, at: row.at, entry, method, expires: row.expires }))
}
