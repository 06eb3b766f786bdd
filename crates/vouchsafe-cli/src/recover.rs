//! The explicit recovery after a restore.

use std::io::Write;

use clap::Args;
use vouchsafe::Unexplained;

use crate::CliError;
use crate::folder::Place;

#[derive(Args)]
pub(crate) struct Recover {
    #[command(flatten)]
    place: Place,
    /// Accept withdrawals and destructions of the gap that cannot be matched with a person
    #[arg(long)]
    accept_unexplained: bool,
}

impl Recover {
    pub(crate) fn run(&self, out: &mut dyn Write) -> Result<(), CliError> {
        let opened = self.place.open()?;
        let unexplained = if self.accept_unexplained { Unexplained::Accepted } else { Unexplained::Refused };
        let Some(recovery) = opened.organisation()?.recover(unexplained)? else {
            return Ok(writeln!(out, "nothing to recover: the database knows all that the log does")?);
        };
        let (from, to) = (recovery.gap_from, recovery.gap_to);
        writeln!(out, "gap            entries {from} to {}, taken back from the published log", to - 1)?;
        writeln!(out, "destroyed      {} holding(s), again: their keys are gone", recovery.destroyed)?;
        writeln!(out, "consent closed {} line(s), for those templates", recovery.closed)?;
        writeln!(
            out,
            "orphaned       {} key(s) of templates enrolled in the gap, destroyed",
            recovery.orphaned
        )?;
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
}
