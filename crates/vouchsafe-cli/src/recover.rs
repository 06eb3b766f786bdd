//! The explicit recovery after a restore.

use std::io::Write;

use clap::Args;
use vouchsafe::{Recovery, Unexplained};

use crate::CliError;
use crate::folder::Place;

#[derive(Args)]
pub(crate) struct Recover {
    #[command(flatten)]
    place: Place,
    /// Accept a lost fence journal or outside checkpoint, and withdrawals and destructions of the gap that cannot be matched with a person
    #[arg(long)]
    accept_unexplained: bool,
}

impl Recover {
    pub(crate) fn run(&self, out: &mut dyn Write) -> Result<(), CliError> {
        let opened = self.place.open()?;
        let unexplained = if self.accept_unexplained { Unexplained::Accepted } else { Unexplained::Refused };
        match opened.organisation()?.recover(unexplained)? {
            Some(recovery) => print(out, &recovery),
            None => Ok(writeln!(out, "nothing to recover: the database knows all that the log does")?),
        }
    }
}

pub(crate) fn print(out: &mut dyn Write, recovery: &Recovery) -> Result<(), CliError> {
    let Recovery { gap_from: from, gap_to: to, .. } = *recovery;
    if recovery.resurrected > 0 || recovery.replayed > 0 {
        writeln!(out, "resurrected    {} state key(s) were back, destroyed again", recovery.resurrected)?;
        writeln!(out, "replayed       {} leaf key(s) opened again, and do no more", recovery.replayed)?;
    }
    if from == to {
        writeln!(out, "gap            none: the database knows all that the log does")?;
    } else {
        let last = to.saturating_sub(1);
        writeln!(out, "gap            entries {from} to {last}, taken back from the published log")?;
    }
    if recovery.outside_lost {
        writeln!(out, "WARNING        what was withdrawn or destroyed later is unknown, as accepted")?;
    }
    if from == to && recovery.destroyed == 0 && recovery.orphaned == 0 {
        return Ok(());
    }
    writeln!(out, "destroyed      {} holding(s), again: their keys are gone", recovery.destroyed)?;
    writeln!(out, "consent closed {} line(s), for those templates", recovery.closed)?;
    writeln!(out, "orphaned       {} key(s) of templates enrolled in the gap, destroyed", recovery.orphaned)?;
    if recovery.unexplained > 0 {
        writeln!(
            out,
            "WARNING        {} withdrawal(s) or destruction(s) of the gap are not replayed, as accepted",
            recovery.unexplained
        )?;
    }
    writeln!(out, "lost           payloads of the gap, and acts in it that destroyed nothing")?;
    Ok(())
}
