//! Consent: what was shown, what the person did about it, and the gate that follows from both.

use vouchsafe_consent::{
    Act as ConsentAct, ConsentError, ConsentLine, ConsentStatus, Consented, LastAct, Marks, Notice, Permit,
    Served, Standing, danger,
};
use vouchsafe_ledger::{ActorRole, EntryKind, EntryOutcome};
use vouchsafe_retention::PersonalAct;
use vouchsafe_store::{ConsentRow, MarkRow, NoticeRow, ServedRow, StoreError, Transaction};
use vouchsafe_types::{
    DataClass, Digest, IpPseudonym, OrganisationId, Outcome, Reasons, Refusal, Scope, SubjectPseudonym,
    TicketId, Timestamp,
};

use crate::act::{Act, NO_ACT, Recorded};
use crate::payload::Payload;
use crate::receipt::Receipt;
use crate::{ConsentReceipt, Error, Subject};

/// A notice as it is to be shown to one person for one scope, now.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct ServedNotice {
    ticket: TicketId,
    shown: Vec<u8>,
}

impl ServedNotice {
    /// Names this showing; the person's act hands it back. It is good for one act, for one scope, for 24 hours.
    pub const fn ticket(&self) -> TicketId {
        self.ticket
    }

    /// The exact bytes to show.
    pub fn shown(&self) -> &[u8] {
        &self.shown
    }
}

impl Subject<'_> {
    /// Serves the notice in force to the person, for one scope: records what is shown, apart from what they then do.
    ///
    /// # Errors
    /// [`Error::UnknownNotice`] when the notice is not published by this organisation, not yet or no longer in force;
    /// [`Error::Consent`] when it does not cover the scope.
    pub fn serve_notice(&self, scope: Scope, notice: &Notice) -> Result<ServedNotice, Error> {
        self.act(&[DataClass::ConsentEvidence], |act| {
            let row = in_force(act, notice.digest())?;
            // What is recorded is the published notice, whatever the caller's says.
            let notice = notice_of(&row)?;
            let ticket = TicketId::from_bytes(*act.record_id()?.as_bytes());
            let served = Served::new(ticket, self.pseudonym, scope, &notice, act.now)?;
            self.make_known(act)?;
            let payload = Payload::by(ActorRole::Service, act.now).scope(scope).notice(&notice);
            let recorded = self.evidence(act, EntryKind::NoticeServed, &payload)?;
            act.rows.insert_served(
                act.organisation,
                &ServedRow {
                    ticket: *ticket.as_bytes(),
                    subject: self.pseudonym,
                    scope,
                    notice: row.digest,
                    served_at: served.served_at(),
                    entry: recorded.entry,
                    used_sequence: None,
                },
            )?;
            Ok(ServedNotice { ticket, shown: row.shown })
        })
    }

    /// Records that the person consented to the scope that the ticket's notice was served for; also renews.
    ///
    /// Returns [`Outcome::Refused`] with [`Refusal::AgeNotAttested`] or [`Refusal::Minor`].
    ///
    /// # Errors
    /// [`Error::Replayed`] for a ticket that was used; [`Error::Foreign`] for a ticket of somebody else;
    /// [`Error::UnknownNotice`] when another version came into force since; [`Error::Consent`] for an act that is
    /// dated before the showing, or expressed as the notice does not accept, and for a showing that is older than a
    /// day or than the end of a consent.
    pub fn give_consent(
        &self,
        ticket: TicketId,
        consent: ConsentAct,
    ) -> Result<Outcome<ConsentReceipt>, Error> {
        self.act(&[DataClass::ConsentEvidence], |act| self.give_in(act, ticket, consent))
    }

    /// What [`Self::give_consent`] does within its transaction.
    pub(crate) fn give_in(
        &self,
        act: &mut Act<'_>,
        ticket: TicketId,
        consent: ConsentAct,
    ) -> Result<Outcome<ConsentReceipt>, Error> {
        let shown = self.take(act, ticket)?;
        let acted_at = shown.served.check_act(&shown.notice, &consent, act.now)?;
        let passkeys = &*self.organisation.core.ports.passkeys;
        shown.served.check_signature(act.organisation, &consent, passkeys)?;
        if let Some(refusal) = self.unfit(act, &consent)? {
            if refusal == Refusal::Minor {
                // Used up: whoever said twelve does not say eighteen in the next breath.
                self.use_up(act, &shown, shown.line.sequence() + 1)?;
            }
            let payload = Payload::by(ActorRole::Person, act.now)
                .scope(shown.served.scope())
                .outcome(EntryOutcome::Refused)
                .cause(refusal.name());
            self.evidence(act, EntryKind::ConsentNotTaken, &payload)?;
            return refuse(refusal);
        }
        self.acted(act, PersonalAct::ConsentGiven)?;
        let line = shown.line.give(&shown.notice, acted_at)?;
        let kind = match line.status() {
            Some(ConsentStatus::Renewed) => EntryKind::ConsentRenewed,
            _ => EntryKind::ConsentGiven,
        };
        self.conclude(act, kind, &line, &shown, &consent).map(Outcome::Done)
    }

    /// Records that the person was shown the ticket's notice and refused.
    ///
    /// # Errors
    /// As [`Self::give_consent`]; [`Error::Consent`] while a consent is given: withdraw it instead.
    pub fn refuse_consent(&self, ticket: TicketId, refusal: ConsentAct) -> Result<ConsentReceipt, Error> {
        self.act(&[DataClass::ConsentEvidence], |act| self.refuse_in(act, ticket, refusal))
    }

    /// What [`Self::refuse_consent`] does within its transaction.
    pub(crate) fn refuse_in(
        &self,
        act: &mut Act<'_>,
        ticket: TicketId,
        refusal: ConsentAct,
    ) -> Result<ConsentReceipt, Error> {
        let shown = self.take(act, ticket)?;
        self.acted(act, PersonalAct::RightExercised)?;
        let line = shown.served.refuse(&shown.line, &shown.notice, act.now)?;
        self.conclude(act, EntryKind::ConsentRefused, &line, &shown, &refusal)
    }

    /// Asks the consent gate for a permit. A refusal is an entry of the log.
    ///
    /// # Errors
    /// [`Error`] is no verdict; a refusal is [`Outcome::Refused`].
    pub fn permit(&self, scope: Scope) -> Result<Outcome<Permit<Consented>>, Error> {
        let core = self.organisation.core;
        core.ensure_not_behind(&self.organisation.id)?;
        let seen = core.seen(&self.organisation.id);
        let asked = vouchsafe_store::read(&*core.ports.store, &self.organisation.id, |rows| {
            core.ensure_continued(&self.organisation.id, rows, seen)?;
            self.permit_from(rows, scope, core.now())
        })?;
        if let Outcome::Refused(reasons) = &asked {
            self.act(&[DataClass::VerificationLog], |act| {
                self.log_refusal(act, EntryKind::PermitRefused, scope, reasons).map(drop)
            })?;
        }
        Ok(asked)
    }

    /// What the gate says of the rows as this transaction sees them.
    pub(crate) fn permit_from(
        &self,
        rows: &mut dyn Transaction,
        scope: Scope,
        now: Timestamp,
    ) -> Result<Outcome<Permit<Consented>>, Error> {
        let organisation = &self.organisation.id;
        let line = line(rows, organisation, self.pseudonym, scope)?;
        let (mut given, mut since) = (None, Vec::new());
        if let Some(last) = line.last() {
            given = rows.notice(organisation, last.notice)?.and_then(|row| notice_of(&row).ok());
            // Also those that are not in force yet: a permit does not outlive the day on which one is.
            let newer = rows.notices_since(organisation, last.notice, Timestamp::MAX)?;
            since = newer.iter().map(notice_of).collect::<Result<_, _>>()?;
        }
        let marks = marks(&rows.marks(organisation, self.pseudonym)?);
        let standing = Standing { line: &line, given: given.as_ref(), since: &since, marks };
        Ok(self.organisation.core.ports.gate.permit(&standing, now))
    }

    /// Appends the entry of a refused attempt of the person, or of somebody unknown.
    pub(crate) fn log_refusal(
        &self,
        act: &mut Act<'_>,
        kind: EntryKind,
        scope: Scope,
        reasons: &Reasons,
    ) -> Result<Recorded, Error> {
        let cause = reasons.as_slice().first().map_or("", |refusal| refusal.name());
        let payload =
            Payload::by(ActorRole::Person, act.now).scope(scope).outcome(EntryOutcome::Refused).cause(cause);
        // Nobody becomes known by being refused, and no attempt extends a period.
        let known = act.rows.last_interaction(act.organisation, self.pseudonym)?.is_some();
        let subject = if known { self.pseudonym } else { act.nobody()? };
        act.record(kind, DataClass::VerificationLog, subject, &payload)
    }

    /// Appends an entry of consent evidence about the person.
    pub(crate) fn evidence(
        &self,
        act: &mut Act<'_>,
        kind: EntryKind,
        payload: &Payload,
    ) -> Result<Recorded, Error> {
        act.record(kind, DataClass::ConsentEvidence, self.pseudonym, payload)
    }

    pub(crate) fn make_known(&self, act: &mut Act<'_>) -> Result<(), Error> {
        if act.rows.last_interaction(act.organisation, self.pseudonym)?.is_none() {
            act.rows.touch_subject(act.organisation, self.pseudonym, act.now, NO_ACT)?;
        }
        Ok(())
    }

    /// The person acted: the only thing that extends a period of inactivity.
    pub(crate) fn acted(&self, act: &mut Act<'_>, what: PersonalAct) -> Result<(), Error> {
        Ok(act.rows.touch_subject(act.organisation, self.pseudonym, act.now, what.code())?)
    }

    /// The showing that an act answers, while it can be answered.
    fn take(&self, act: &mut Act<'_>, ticket: TicketId) -> Result<Shown, Error> {
        let row = act.rows.served(act.organisation, *ticket.as_bytes())?.ok_or(Error::UnknownTicket)?;
        if row.subject != self.pseudonym {
            return Err(Error::Foreign);
        }
        if row.used_sequence.is_some() {
            return Err(Error::Replayed);
        }
        let notice = notice_of(&in_force(act, row.notice)?)?;
        let reference = notice.reference().clone();
        let served = danger::stored_served(ticket, row.subject, row.scope, reference, row.served_at);
        let line = line(act.rows, act.organisation, self.pseudonym, row.scope)?;
        // What was shown before a consent ended does not bring it back.
        if line.last().is_some_and(|last| !last.status.is_open() && last.at > row.served_at) {
            return Err(Error::Consent(ConsentError::ServedStale));
        }
        Ok(Shown { served, notice, line, entry: row.entry })
    }

    /// Why the person's consent cannot be taken, if so.
    fn unfit(&self, act: &mut Act<'_>, consent: &ConsentAct) -> Result<Option<Refusal>, Error> {
        if marks(&act.rows.marks(act.organisation, self.pseudonym)?).minor {
            return Ok(Some(Refusal::Minor));
        }
        Ok(self.organisation.core.ports.age.check(consent.age()).err())
    }

    /// Uses the ticket up, moves the line and appends the evidence.
    fn conclude(
        &self,
        act: &mut Act<'_>,
        kind: EntryKind,
        line: &ConsentLine,
        shown: &Shown,
        consent: &ConsentAct,
    ) -> Result<ConsentReceipt, Error> {
        let payload = Payload::by(ActorRole::Person, act.now)
            .line(line)
            .notice(&shown.notice)
            .act(consent, shown.entry)
            .ip(consent.ip());
        let recorded = self.evidence(act, kind, &payload)?;
        put_line(act, line, Some(recorded.entry))?;
        self.use_up(act, shown, line.sequence())?;
        Ok(ConsentReceipt(Receipt::new(recorded)))
    }

    fn use_up(&self, act: &mut Act<'_>, shown: &Shown, sequence: u64) -> Result<(), Error> {
        match act.rows.use_served(act.organisation, *shown.served.ticket().as_bytes(), sequence) {
            Err(StoreError::Conflict) => Err(Error::Replayed),
            used => Ok(used?),
        }
    }
}

impl crate::Organisation<'_> {
    /// The pseudonym of a network address, under the key of the current month (UTC). The address is not kept.
    ///
    /// Pseudonyms of one month can be compared for as long as that month's key is kept: seven years, as the consent
    /// records that hold them. Afterwards nobody can tell which address one stood for.
    ///
    /// # Errors
    /// [`Error::Envelope`], [`Error::Store`].
    pub fn pseudonymise(&self, address: vouchsafe_types::ClientAddress) -> Result<IpPseudonym, Error> {
        self.core.act(&self.id, &[DataClass::ConsentEvidence], |act| {
            let (period, leaf) = act.address_key()?;
            Ok(IpPseudonym::new(period, act.state.address_pseudonym(leaf, &address)?))
        })
    }
}

/// A showing, its notice and its entry.
struct Shown {
    served: Served,
    notice: Notice,
    line: ConsentLine,
    entry: u64,
}

pub(crate) fn refuse<T>(refusal: Refusal) -> Result<Outcome<T>, Error> {
    Ok(Outcome::Refused(Reasons::one(refusal)))
}

/// The line of consent as it is stored.
pub(crate) fn line(
    rows: &mut dyn Transaction,
    organisation: &OrganisationId,
    subject: SubjectPseudonym,
    scope: Scope,
) -> Result<ConsentLine, Error> {
    Ok(match rows.consent(organisation, subject, scope)? {
        None => ConsentLine::absent(organisation.clone(), subject, scope),
        Some(row) => {
            let status = ConsentStatus::from_code(row.status).ok_or(Error::Format("consent row"))?;
            let last = LastAct { status, notice: row.notice, at: row.at, expires: row.expires };
            danger::stored_line(organisation.clone(), subject, scope, row.sequence, Some(last))?
        }
    })
}

/// Stores the newest act of a line.
pub(crate) fn put_line(act: &mut Act<'_>, line: &ConsentLine, entry: Option<u64>) -> Result<(), Error> {
    let last = line.last().ok_or(Error::Format("consent line"))?;
    let row = ConsentRow {
        sequence: line.sequence(),
        status: last.status.code(),
        notice: last.notice,
        at: last.at,
        expires: last.expires,
        entry,
    };
    Ok(act.rows.append_consent(act.organisation, line.subject(), line.scope(), &row)?)
}

/// The published notice with this digest, when it is the one in force for its id and locale.
fn in_force(act: &mut Act<'_>, digest: Digest) -> Result<NoticeRow, Error> {
    let row = act.rows.notice(act.organisation, digest)?.ok_or(Error::UnknownNotice)?;
    let newest = act.rows.notice_in_force(act.organisation, &row.id, &row.locale, act.now)?;
    newest.filter(|newest| newest.digest == row.digest).ok_or(Error::UnknownNotice)
}

pub(crate) fn notice_of(row: &NoticeRow) -> Result<Notice, Error> {
    let terms = str::from_utf8(&row.terms).map_err(|_| Error::Format("notice row"))?;
    let notice = Notice::from_json(terms)?;
    // The bytes too: what is served is what was published, or nothing.
    let same = notice.digest() == row.digest && notice.matches(&row.shown);
    if same { Ok(notice) } else { Err(Error::Format("notice row")) }
}

pub(crate) fn marks(rows: &[MarkRow]) -> Marks {
    let has = |mark: Mark| rows.iter().any(|row| row.mark == mark.code());
    Marks { restricted: has(Mark::Restricted), objected: has(Mark::Objected), minor: has(Mark::Minor) }
}

/// What closes the gate for a person in every scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mark {
    Restricted,
    Objected,
    Minor,
}

impl Mark {
    pub(crate) fn from_code(code: u8) -> Option<Self> {
        [Self::Restricted, Self::Objected, Self::Minor].into_iter().find(|mark| mark.code() == code)
    }

    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::Restricted => 1,
            Self::Objected => 2,
            Self::Minor => 3,
        }
    }

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Restricted => "restricted",
            Self::Objected => "objected",
            Self::Minor => "minor",
        }
    }
}
