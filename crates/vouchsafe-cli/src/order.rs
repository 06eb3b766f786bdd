//! Deletion orders to recipients, and what they acknowledged.

use std::io::Write;

use clap::{Args, Subcommand};
use vouchsafe::retention::RecipientId;
use vouchsafe::retention::disclosure::DeletionOrder;
use vouchsafe::types::RecordId;

use crate::folder::Place;
use crate::{CliError, words};

/// How many late orders are listed at once.
const MOST: u32 = 1000;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// List the orders about a person, or those that recipients are late with; 1 when any is late
    List(List),
    /// Record that a recipient says that it deleted
    Acknowledge(Acknowledge),
}

#[derive(Args)]
pub(crate) struct List {
    #[command(flatten)]
    place: Place,
    /// The person, by the caller's own id; without it whatever is late, about anybody
    subject: Option<String>,
}

#[derive(Args)]
pub(crate) struct Acknowledge {
    #[command(flatten)]
    place: Place,
    /// The order's id
    #[arg(value_parser = words::record_id)]
    id: RecordId,
    /// The recipient, by its id in the organisation's pack
    #[arg(long, value_name = "RECIPIENT", value_parser = words::recipient)]
    by: RecipientId,
}

impl Command {
    pub(crate) fn run(&self, out: &mut dyn Write) -> Result<(), CliError> {
        match self {
            Self::List(list) => list.run(out),
            Self::Acknowledge(acknowledge) => {
                let opened = acknowledge.place.open()?;
                opened.organisation()?.recipient_acknowledged(acknowledge.id, &acknowledge.by)?;
                Ok(writeln!(out, "acknowledged {}", acknowledge.id)?)
            }
        }
    }
}

impl List {
    fn run(&self, out: &mut dyn Write) -> Result<(), CliError> {
        let opened = self.place.open()?;
        let organisation = opened.organisation()?;
        let orders = match &self.subject {
            Some(subject) => organisation.subject(subject)?.deletion_orders()?,
            None => organisation.overdue_orders(MOST)?,
        };
        let now = opened.now();
        for (id, order) in &orders {
            line(out, *id, order)?;
        }
        writeln!(out, "orders={}", orders.len())?;
        match orders.iter().filter(|(_, order)| order.is_overdue(now)).count() {
            0 => Ok(()),
            late => Err(CliError::LateOrders(late)),
        }
    }
}

fn line(out: &mut dyn Write, id: RecordId, order: &DeletionOrder) -> Result<(), CliError> {
    let classes: Vec<_> = order.classes().iter().map(|class| class.name()).collect();
    let state = order.acknowledged_at().map_or_else(
        || format!("open, due {}", order.due()),
        |at| format!("acknowledged {at}, due {}", order.due()),
    );
    writeln!(out, "{id}  {}  ordered {}, {state}", order.recipient(), order.ordered_at())?;
    Ok(writeln!(out, "  {}", classes.join(", "))?)
}
