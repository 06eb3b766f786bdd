//! The disclosure register: what leaves the organisation is allowed by the policy and written down, or refused.

use vouchsafe_ledger::{ActorRole, EntryKind, EntryOutcome};
use vouchsafe_retention::RecipientId;
use vouchsafe_retention::disclosure::{Disclosure, DisclosureRefusal, LegalBasis};
use vouchsafe_types::{DataClass, RecordId};

use crate::consents::line;
use crate::payload::Payload;
use crate::sealed::{Beside, Kind};
use crate::{Error, Subject};

impl Subject<'_> {
    /// Asks whether data of the person may go to a recipient, and writes the disclosure down. Nothing is sent here.
    ///
    /// A consent that the basis names has to be given now, by this person, in this act.
    ///
    /// Returns: the register's line, or why the disclosure is refused; both are entries of the log.
    ///
    /// # Errors
    /// [`Error`] is no verdict: nothing may be disclosed.
    pub fn disclose(
        &self,
        recipient: &RecipientId,
        basis: LegalBasis,
        classes: &[DataClass],
    ) -> Result<Result<RecordId, DisclosureRefusal>, Error> {
        self.act(&[DataClass::Disclosure], |act| {
            self.make_known(act)?;
            let mut proposed = Disclosure::propose(
                &act.core.ports.retention,
                recipient,
                basis.clone(),
                classes.to_vec(),
                act.now,
            );
            if let LegalBasis::ExplicitConsent { scope, sequence } = basis {
                let line = line(act.rows, act.organisation, self.pseudonym, scope)?;
                let given =
                    line.sequence() == sequence && line.status().is_some_and(|status| status.is_open());
                if !given {
                    proposed = Err(DisclosureRefusal::NoConsent);
                }
            }
            let payload = Payload::by(ActorRole::Service, act.now)
                .classes(classes.iter().copied())
                .word("recipient", recipient.as_str());
            let disclosure = match proposed {
                Ok(disclosure) => disclosure,
                Err(refusal) => {
                    let payload = payload.outcome(EntryOutcome::Refused).cause(refusal.name());
                    act.record(
                        EntryKind::DisclosureRefused,
                        DataClass::Disclosure,
                        self.pseudonym,
                        &payload,
                    )?;
                    return Ok(Err(refusal));
                }
            };
            let id = act.record_id()?;
            let payload = payload.id(id).word("basis", disclosure.basis().name());
            let entry =
                act.record(EntryKind::DisclosureMade, DataClass::Disclosure, self.pseudonym, &payload)?.entry;
            let leaf = act.daily_holding(DataClass::Disclosure, self.pseudonym)?;
            let plain = disclosure.to_bytes()?;
            let beside = Beside { closed_at: Some(act.now), ..Beside::default() };
            act.put_document((id, leaf, DataClass::Disclosure), Kind::Disclosure, entry, &plain, beside)?;
            Ok(Ok(id))
        })
    }

    /// To whom data of the person went, oldest first.
    ///
    /// # Errors
    /// [`Error::Store`], [`Error::Envelope`].
    pub fn disclosures(&self) -> Result<Vec<Disclosure>, Error> {
        self.act(&[], |act| {
            let rows = act.documents(self.pseudonym, Kind::Disclosure)?;
            let mut lines =
                rows.iter().map(|row| Disclosure::parse(&row.plain)).collect::<Result<Vec<_>, _>>()?;
            lines.sort_by_key(Disclosure::at);
            Ok(lines)
        })
    }
}
