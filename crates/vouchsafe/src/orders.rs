//! Deletion orders to recipients, with their deadlines and acknowledgements.

use jiff::ToSpan;
use vouchsafe_ledger::{ActorRole, EntryKind};
use vouchsafe_retention::RecipientId;
use vouchsafe_retention::disclosure::{DeletionOrder, RecipientKind};
use vouchsafe_types::{DataClass, RecordId, SubjectPseudonym, Timestamp};

use crate::act::Act;
use crate::leases::Leadership;
use crate::payload::Payload;
use crate::sealed::{Beside, Kind, Opened};
use crate::{Error, Organisation, Subject};

impl Subject<'_> {
    /// The deletion orders about the person, with their ids.
    ///
    /// # Errors
    /// [`Error::Store`], [`Error::Envelope`].
    pub fn deletion_orders(&self) -> Result<Vec<(RecordId, DeletionOrder)>, Error> {
        self.act(&[], |act| {
            let rows = act.documents(self.pseudonym, Kind::Order)?;
            rows.iter().map(|row| Ok((row.row.id, DeletionOrder::parse(&row.plain)?))).collect()
        })
    }
}

impl Organisation<'_> {
    /// A recipient acknowledges that it deleted what an order named.
    ///
    /// # Errors
    /// [`Error::UnknownRecord`] for an unknown order; [`Error::Foreign`] when it was given to another recipient.
    pub fn recipient_acknowledged(&self, order: RecordId, by: &RecipientId) -> Result<(), Error> {
        self.core.act(&self.id, &[DataClass::Disclosure], |act| {
            let row = act.rows.document(act.organisation, order)?;
            let row = row.filter(|row| row.kind == Kind::Order.code()).ok_or(Error::UnknownRecord)?;
            let holding = act.rows.holding(act.organisation, row.leaf)?.ok_or(Error::UnknownRecord)?;
            let Opened { row, plain } = act.open_row(row)?;
            let mut order = DeletionOrder::parse(&plain)?;
            if order.recipient() != by {
                return Err(Error::Foreign);
            }
            if order.acknowledged_at().is_some() {
                return Ok(());
            }
            order.acknowledge(act.now)?;
            let payload = payload(&order, row.id, act.now);
            let entry = act
                .record(EntryKind::DeletionAcknowledged, DataClass::Disclosure, holding.subject, &payload)?
                .entry;
            let beside = Beside { field: None, next_at: None, closed_at: Some(act.now) };
            let plain = order.to_bytes()?;
            act.replace_document(&row, DataClass::Disclosure, Kind::Order, entry, &plain, beside)
        })
    }

    /// The orders that a recipient has not acknowledged in time, reminded or not, those least reminded first.
    ///
    /// # Errors
    /// [`Error::Store`], [`Error::Envelope`].
    pub fn overdue_orders(&self, limit: u32) -> Result<Vec<(RecordId, DeletionOrder)>, Error> {
        self.core.act(&self.id, &[], |act| {
            // A reminder puts the next one off; the order stays overdue.
            let reminded = act.now.checked_add(REMIND_HOURS.hours()).unwrap_or(Timestamp::MAX);
            let rows = act.rows.documents_due(act.organisation, Kind::Order.code(), reminded, u32::MAX)?;
            let (mut orders, most) = (Vec::new(), usize::try_from(limit).unwrap_or(usize::MAX));
            for row in rows {
                if orders.len() >= most {
                    break;
                }
                let opened = act.open_row(row)?;
                let order = DeletionOrder::parse(&opened.plain)?;
                if order.is_overdue(act.now) {
                    orders.push((opened.row.id, order));
                }
            }
            Ok(orders)
        })
    }

    /// Reminds every recipient whose order is overdue: an entry of the log for each, once a week until it acknowledges.
    /// Every sweep does, too. Sending the reminder is the caller's.
    ///
    /// Returns: the orders that were reminded of now, at most a thousand; the next call goes on.
    ///
    /// # Errors
    /// [`Error::Store`], [`Error::Envelope`].
    pub fn remind_recipients(&self) -> Result<Vec<(RecordId, DeletionOrder)>, Error> {
        self.remind_recipients_as(None)
    }

    /// As [`Self::remind_recipients`], for as long as the leadership lasts.
    pub(crate) fn remind_recipients_as(
        &self,
        leader: Option<&Leadership<'_>>,
    ) -> Result<Vec<(RecordId, DeletionOrder)>, Error> {
        let due = self.core.act(&self.id, &[], |act| {
            let rows = act.rows.documents_due(act.organisation, Kind::Order.code(), act.now, MOST)?;
            Ok(rows.into_iter().map(|row| row.id).collect::<Vec<_>>())
        })?;
        let mut reminded = Vec::new();
        for id in due {
            let order = self.core.act(&self.id, &[DataClass::Disclosure], |act| {
                leader.map_or(Ok(()), |leader| leader.keep(act))?;
                remind(act, id)
            })?;
            reminded.extend(order.map(|order| (id, order)));
        }
        Ok(reminded)
    }
}

/// How long after a reminder the next one follows: a week.
const REMIND_HOURS: i64 = 7 * 24;
/// How many reminders one call gives.
const MOST: u32 = 1000;

fn remind(act: &mut Act<'_>, id: RecordId) -> Result<Option<DeletionOrder>, Error> {
    let row = act.rows.document(act.organisation, id)?;
    // Another process may have reminded since.
    let Some(row) = row.filter(|row| row.next_at.is_some_and(|at| at <= act.now)) else { return Ok(None) };
    let holding = act.rows.holding(act.organisation, row.leaf)?.ok_or(Error::UnknownRecord)?;
    let Opened { row, plain } = act.open_row(row)?;
    let order = DeletionOrder::parse(&plain)?;
    let payload = payload(&order, id, act.now).word("reminder", "overdue");
    let recorded =
        act.record(EntryKind::DeletionOrdered, DataClass::Disclosure, holding.subject, &payload)?;
    let next_at = act.now.checked_add(REMIND_HOURS.hours()).ok();
    let beside = Beside { field: None, next_at, closed_at: None };
    act.replace_document(&row, DataClass::Disclosure, Kind::Order, recorded.entry, &plain, beside)?;
    Ok(Some(order))
}

/// Orders every processor of the policy to delete what it has of the person, but those whose order is open, and those
/// that acknowledged one given `since`, when the request that is carried out began.
///
/// Returns: how many orders were given.
pub(crate) fn order_deletions(
    act: &mut Act<'_>,
    subject: SubjectPseudonym,
    since: Option<Timestamp>,
) -> Result<u64, Error> {
    let known = act.documents(subject, Kind::Order)?;
    let known = known.iter().map(|row| DeletionOrder::parse(&row.plain)).collect::<Result<Vec<_>, _>>()?;
    let policy = &act.core.ports.retention;
    let mut given = 0;
    for recipient in
        policy.recipients().iter().filter(|recipient| recipient.kind() == RecipientKind::Processor)
    {
        let stands = |order: &DeletionOrder| {
            let again = since.is_none_or(|since| order.ordered_at() < since);
            order.recipient() == recipient.id() && (order.acknowledged_at().is_none() || !again)
        };
        if known.iter().any(stands) {
            continue;
        }
        let order = DeletionOrder::issue(policy, recipient, act.now)?;
        let id = act.record_id()?;
        let payload = payload(&order, id, act.now);
        let entry = act.record(EntryKind::DeletionOrdered, DataClass::Disclosure, subject, &payload)?.entry;
        let leaf = act.daily_holding(DataClass::Disclosure, subject)?;
        let beside = Beside { field: None, next_at: Some(order.due()), closed_at: None };
        let plain = order.to_bytes()?;
        act.put_document((id, leaf, DataClass::Disclosure), Kind::Order, entry, &plain, beside)?;
        given += 1;
    }
    Ok(given)
}

/// How many recipients have not acknowledged yet that they deleted a class of the person's data.
pub(crate) fn open_orders(
    act: &mut Act<'_>,
    subject: SubjectPseudonym,
    class: DataClass,
) -> Result<u64, Error> {
    let mut open = 0;
    for row in act.documents(subject, Kind::Order)? {
        let order = DeletionOrder::parse(&row.plain)?;
        open += u64::from(order.acknowledged_at().is_none() && order.classes().contains(&class));
    }
    Ok(open)
}

fn payload(order: &DeletionOrder, id: RecordId, now: Timestamp) -> Payload {
    Payload::by(ActorRole::Service, now)
        .id(id)
        .classes(order.classes().iter().copied())
        .due(Some(order.due()))
        .word("recipient", order.recipient().as_str())
}
