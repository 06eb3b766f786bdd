use std::io::Write;

use clap::Args;
use vouchsafe::{Destruction, Error};

use super::actor::Actor;
use crate::CliError;
use crate::folder::{Opened, Place};
use crate::retention::certificate;

#[derive(Args)]
pub(crate) struct Destroy {
    #[command(flatten)]
    place: Place,
}

impl Destroy {
    pub(crate) fn run(&self, out: &mut dyn Write) -> Result<(), CliError> {
        let opened = self.place.open()?;
        let organisation = match opened.organisation() {
            // Its opening goes on with what was interrupted, and meets the same obstacles.
            Err(CliError::Facade(cause)) => return pending(out, condemned(&opened).ok(), &cause),
            opened => opened?,
        };
        match organisation.resume_destructions() {
            Destruction::Done(certificates) => {
                certificates.iter().try_for_each(|done| certificate::line(out, done))?;
                writeln!(out, "done={}", certificates.len())?;
                Ok(writeln!(out, "pending=0")?)
            }
            Destruction::Pending(incomplete) => pending(out, incomplete.remaining(), incomplete.cause()),
        }
    }
}

/// How many holdings the database calls fenced and not yet destroyed.
fn condemned(opened: &Opened) -> Result<usize, Error> {
    vouchsafe::store::read(opened.store(), opened.id(), |rows| Ok(rows.condemned(opened.id())?.len()))
}

fn pending(out: &mut dyn Write, remaining: Option<usize>, cause: &Error) -> Result<(), CliError> {
    let remaining = remaining.map_or_else(|| "unknown".to_owned(), |count| count.to_string());
    let actor = Actor::on(cause);
    writeln!(out, "pending={remaining}")?;
    writeln!(out, "cause={cause}")?;
    writeln!(out, "actor={}", actor.name())?;
    writeln!(out, "act={}", actor.advice())?;
    Err(CliError::StillPending)
}
