//! A task that somebody carried out by hand.

use std::io::Write;

use clap::Args;
use vouchsafe::retention::RecipientId;
use vouchsafe::retention::rights::{Place, RefusalGround, TaskStatus};
use vouchsafe::types::DataClass;

use super::Step;
use crate::{CliError, words};

#[derive(Args)]
#[command(group = clap::ArgGroup::new("answer").required(true).args(["done", "not_held", "refused"]))]
pub(crate) struct Settle {
    #[command(flatten)]
    step: Step,
    /// The class
    #[arg(long, value_parser = words::class)]
    class: DataClass,
    /// The place: keys, log, store, or a recipient as recipient:ID
    #[arg(long = "in", value_name = "PLACE", value_parser = place)]
    place: Place,
    /// It is done; the number of the log's entry that says so
    #[arg(long, value_name = "ENTRY")]
    done: Option<u64>,
    /// There is nothing of the class there
    #[arg(long)]
    not_held: bool,
    /// It is refused, on this ground
    #[arg(long, value_name = "GROUND", value_parser = words::ground)]
    refused: Option<RefusalGround>,
}

fn place(text: &str) -> Result<Place, String> {
    match text {
        "keys" => Ok(Place::Keys),
        "log" => Ok(Place::Log),
        "store" => Ok(Place::Store),
        _ => match text.strip_prefix("recipient:").and_then(RecipientId::parse) {
            Some(id) => Ok(Place::Recipient(id)),
            None => Err("no such place; known: keys, log, store, recipient:ID".to_owned()),
        },
    }
}

impl Settle {
    pub(crate) fn run(&self, out: &mut dyn Write) -> Result<(), CliError> {
        let status = match (self.done, self.refused) {
            (Some(entry), _) => TaskStatus::Done { entry },
            (None, Some(ground)) => TaskStatus::Refused(ground),
            (None, None) => TaskStatus::NotHeld,
        };
        self.step.advance(out, |request, at| request.answer_task(self.class, &self.place, status, at))
    }
}
