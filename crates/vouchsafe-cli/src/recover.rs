//! The explicit recovery after a restore.

use std::io::Write;

use clap::Args;

use crate::CliError;
use crate::folder::Place;

#[derive(Args)]
pub(crate) struct Recover {
    #[command(flatten)]
    place: Place,
}

impl Recover {
    pub(crate) fn run(&self, out: &mut dyn Write) -> Result<(), CliError> {
        let opened = self.place.open()?;
        let Some(recovery) = opened.organisation()?.recover()? else {
            return Ok(writeln!(out, "nothing to recover: the database knows all that the log does")?);
        };
        let (from, to) = (recovery.gap_from, recovery.gap_to);
        writeln!(out, "gap            entries {from} to {}, taken back from the published log", to - 1)?;
        writeln!(out, "destroyed      {} holding(s), again: their keys are gone", recovery.destroyed)?;
        writeln!(out, "consent closed {} line(s), for those templates", recovery.closed)?;
        if recovery.unaccounted > 0 {
            writeln!(
                out,
                "WARNING        {} template(s) that were destroyed can be opened again: the keys were restored too",
                recovery.unaccounted
            )?;
        }
        writeln!(out, "lost           payloads of the gap, and acts in it that destroyed nothing")?;
        Ok(())
    }
}
