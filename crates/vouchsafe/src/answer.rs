//! What was consented at an instant, and what an act rested on, with the evidence.
//!
//! Withdrawal leaves what happened before it lawful (GDPR Art 7(3)), so it must be possible to say later what was
//! consented then. The answer names the act that decided, the act that followed it, and proves both; the numbers of the
//! two acts show that none lies between them. That no act followed the newest one is the controller's statement: a log
//! of pseudonymous leaves cannot prove an absence.

use vouchsafe_consent::{ConsentError, ConsentStatus};
use vouchsafe_ledger::{ActorRole, EntryKind, EntryOutcome};
use vouchsafe_store::ConsentRow;
use vouchsafe_types::{DataClass, Digest, Scope, Timestamp};

use crate::act::Act;
use crate::payload::Payload;
use crate::receipt::Receipt;
use crate::{ConsentReceipt, Error, Subject};

/// What was consented for one scope at one instant.
#[derive(Debug)]
#[non_exhaustive]
pub struct ConsentAnswer {
    /// For what.
    pub scope: Scope,
    /// When.
    pub at: Timestamp,
    /// Where the line stood: an expired consent counts as [`ConsentStatus::Expired`] from its date on; `None` before
    /// the first act.
    pub status: Option<ConsentStatus>,
    /// The act that decided.
    pub deciding: Option<EvidencedAct>,
    /// The act that followed it, if any has.
    pub next: Option<EvidencedAct>,
}

impl ConsentAnswer {
    /// Whether there was consent, as it is known now: one that was found invalid later never was.
    ///
    /// Whether the gate was open is another question: a changed notice, a restriction or an objection closes it while
    /// consent stands.
    pub fn was_given(&self) -> bool {
        let invalid = self.next.as_ref().is_some_and(|next| next.status == ConsentStatus::Invalidated);
        self.status.is_some_and(ConsentStatus::is_open) && !invalid
    }
}

/// One act of consent with its evidence.
#[derive(Debug)]
#[non_exhaustive]
pub struct EvidencedAct {
    /// The number of the act on its line, from 1.
    pub sequence: u64,
    /// Where it led.
    pub status: ConsentStatus,
    /// SHA-256 of the notice that it refers to.
    pub notice: Digest,
    /// When.
    pub at: Timestamp,
    /// The log entry, its payload, its opening and the proof that it is in the log; `None` once its evidence was
    /// destroyed after its seven years, or for an act that a recovery recorded.
    pub receipt: Option<ConsentReceipt>,
}

impl Subject<'_> {
    /// What the person had consented to at an instant. That it was asked of a known person is an entry of the log.
    ///
    /// # Errors
    /// [`Error::Consent`] for an instant that is not past; [`Error::Store`], [`Error::Envelope`], [`Error::Ledger`].
    pub fn consent_at(
        &self,
        scope: Scope,
        at: Timestamp,
        asked_by: ActorRole,
    ) -> Result<ConsentAnswer, Error> {
        let answer = self.act(&[DataClass::ConsentEvidence], |act| {
            if at > act.now {
                return Err(Error::Consent(ConsentError::FromTheFuture));
            }
            let rows = act.rows.consent_acts(act.organisation, self.pseudonym, scope)?;
            let after = rows.partition_point(|row| row.at <= at);
            let deciding = after.checked_sub(1).and_then(|before| rows.get(before));
            self.answer(act, scope, at, (deciding, rows.get(after)), asked_by)
        })?;
        self.proven(answer)
    }

    /// The consent that a recorded act of the person rested on: an enrolment or an opening of the template, by the
    /// number of its entry.
    ///
    /// # Errors
    /// As [`Self::consent_at`]; [`Error::Format`] when the entry is none of this person's acts, or its payload was
    /// destroyed.
    pub fn consent_behind(&self, entry: u64, asked_by: ActorRole) -> Result<ConsentAnswer, Error> {
        const UNKNOWN: Error = Error::Format("entry");
        let answer = self.act(&[DataClass::ConsentEvidence], |act| {
            if act.payload_owner(entry)? != Some(self.pseudonym) {
                return Err(UNKNOWN);
            }
            let payload = act.payload(entry)?.ok_or(UNKNOWN)?;
            let scope = payload.scope.as_deref().and_then(|name| Scope::parse(name).ok()).ok_or(UNKNOWN)?;
            let sequence = payload.sequence.ok_or(UNKNOWN)?;
            let at = payload.at.parse().map_err(|_| UNKNOWN)?;
            let rows = act.rows.consent_acts(act.organisation, self.pseudonym, scope)?;
            let deciding = rows.iter().find(|row| row.sequence == sequence);
            let next = rows.iter().find(|row| row.sequence == sequence + 1);
            self.answer(act, scope, at, (deciding, next), asked_by)
        })?;
        self.proven(answer)
    }

    fn answer(
        &self,
        act: &mut Act<'_>,
        scope: Scope,
        at: Timestamp,
        (deciding, next): (Option<&ConsentRow>, Option<&ConsentRow>),
        asked_by: ActorRole,
    ) -> Result<ConsentAnswer, Error> {
        let deciding = deciding.map(|row| Ok::<_, Error>((evidenced(act, row)?, row.expires))).transpose()?;
        let next = next.map(|row| evidenced(act, row)).transpose()?;
        let status = deciding.as_ref().map(|(decided, expires)| {
            let over = decided.status.is_open() && expires.is_some_and(|expires| expires <= at);
            if over { ConsentStatus::Expired } else { decided.status }
        });
        if act.rows.last_interaction(act.organisation, self.pseudonym)?.is_some() {
            let payload = Payload::by(asked_by, act.now).scope(scope).outcome(EntryOutcome::Done);
            self.evidence(act, EntryKind::ConsentDisclosed, &payload)?;
        }
        Ok(ConsentAnswer { scope, at, status, deciding: deciding.map(|(act, _)| act), next })
    }

    /// Adds the proofs, which need a published log.
    fn proven(&self, mut answer: ConsentAnswer) -> Result<ConsentAnswer, Error> {
        for act in [&mut answer.deciding, &mut answer.next].into_iter().flatten() {
            if let Some(receipt) = &mut act.receipt {
                self.organisation.prove_receipt(&mut receipt.0)?;
            }
        }
        Ok(answer)
    }
}

fn evidenced(act: &mut Act<'_>, row: &ConsentRow) -> Result<EvidencedAct, Error> {
    let receipt = match row.entry {
        Some(entry) => act.recorded(entry)?.map(|recorded| ConsentReceipt(Receipt::new(recorded))),
        None => None,
    };
    let status = ConsentStatus::from_code(row.status).ok_or(Error::Format("consent row"))?;
    Ok(EvidencedAct { sequence: row.sequence, status, notice: row.notice, at: row.at, receipt })
}
