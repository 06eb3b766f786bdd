use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use vouchsafe_types::{DataClass, Timestamp};

use super::Recipient;
use crate::{Policy, RecipientId, RetentionError};

/// An order to a recipient to delete what it got about one person, until it acknowledges that it did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeletionOrder {
    recipient: RecipientId,
    classes: BTreeSet<DataClass>,
    ordered_at: Timestamp,
    due: Timestamp,
    acknowledged_at: Option<Timestamp>,
}

impl DeletionOrder {
    /// Orders a recipient to delete every class that its contract covers, within the period that it is bound to.
    ///
    /// # Errors
    /// [`RetentionError::Disclosure`] when the period ends beyond the calendar.
    pub fn issue(policy: &Policy, recipient: &Recipient, at: Timestamp) -> Result<Self, RetentionError> {
        let due = recipient.delete_within().after(at, policy.zone()).ok_or(RetentionError::Disclosure)?;
        let (recipient, classes) = (recipient.id().clone(), recipient.classes().clone());
        Ok(Self { recipient, classes, ordered_at: at, due, acknowledged_at: None })
    }

    /// The recipient says that it deleted. The first time counts.
    ///
    /// # Errors
    /// [`RetentionError::Disclosure`] for an instant before the order.
    pub fn acknowledge(&mut self, at: Timestamp) -> Result<(), RetentionError> {
        if at < self.ordered_at {
            return Err(RetentionError::Disclosure);
        }
        self.acknowledged_at.get_or_insert(at);
        Ok(())
    }

    /// To whom.
    pub const fn recipient(&self) -> &RecipientId {
        &self.recipient
    }

    /// Which data.
    pub const fn classes(&self) -> &BTreeSet<DataClass> {
        &self.classes
    }

    /// When it was ordered.
    pub const fn ordered_at(&self) -> Timestamp {
        self.ordered_at
    }

    /// By when it has to be done.
    pub const fn due(&self) -> Timestamp {
        self.due
    }

    /// When the recipient acknowledged; `None` while it has not.
    pub const fn acknowledged_at(&self) -> Option<Timestamp> {
        self.acknowledged_at
    }

    /// Whether the recipient is late.
    pub fn is_overdue(&self, now: Timestamp) -> bool {
        self.acknowledged_at.is_none() && self.due <= now
    }

    /// The one encoding: canonical JSON, version 1.
    ///
    /// # Errors
    /// [`RetentionError::Disclosure`] never in practice.
    pub fn to_bytes(&self) -> Result<Vec<u8>, RetentionError> {
        let wire = OrderV1 {
            v: 1,
            recipient: self.recipient.to_string(),
            classes: self.classes.iter().map(|class| class.name().to_owned()).collect(),
            ordered_at: self.ordered_at.to_string(),
            due: self.due.to_string(),
            acknowledged_at: self.acknowledged_at.map(|at| at.to_string()),
        };
        serde_json::to_vec(&wire).map_err(|_| RetentionError::Disclosure)
    }

    /// Reads an order back.
    ///
    /// # Errors
    /// [`RetentionError::Disclosure`] for anything but the one encoding of an order, in at most 64 KiB.
    pub fn parse(bytes: &[u8]) -> Result<Self, RetentionError> {
        if bytes.len() > super::MAX_LEN {
            return Err(RetentionError::Disclosure);
        }
        let wire: OrderV1 = serde_json::from_slice(bytes).map_err(|_| RetentionError::Disclosure)?;
        let read = Self::from_wire(&wire).ok_or(RetentionError::Disclosure)?;
        if read.to_bytes()? == bytes { Ok(read) } else { Err(RetentionError::Disclosure) }
    }

    /// Whether an order of this shape is ever issued and acknowledged.
    fn could_be(&self) -> bool {
        let in_time = |at| at >= self.ordered_at;
        !self.classes.is_empty() && in_time(self.due) && self.acknowledged_at.is_none_or(in_time)
    }

    fn from_wire(wire: &OrderV1) -> Option<Self> {
        let classes = wire.classes.iter().map(|class| DataClass::parse(class).ok()).collect::<Option<_>>()?;
        let acknowledged_at = match &wire.acknowledged_at {
            Some(at) => Some(at.parse().ok()?),
            None => None,
        };
        let (ordered_at, due) = (wire.ordered_at.parse().ok()?, wire.due.parse().ok()?);
        let recipient = RecipientId::parse(&wire.recipient)?;
        let read = Self { recipient, classes, ordered_at, due, acknowledged_at };
        (wire.v == 1 && read.could_be()).then_some(read)
    }
}

/// Version 1 of an order.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct OrderV1 {
    v: u8,
    recipient: String,
    classes: Vec<String>,
    ordered_at: String,
    due: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    acknowledged_at: Option<String>,
}
