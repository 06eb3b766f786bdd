use std::io::Write;

use clap::{Args, ValueEnum};
use vouchsafe::ledger::{Handover, HandoverReason};

use super::witness::WitnessArgs;
use crate::CliError;
use crate::folder::Place;

#[derive(Args)]
pub(crate) struct RotateKey {
    #[command(flatten)]
    place: Place,
    /// Why; where somebody else may have the key, a quorum of witnesses must cosign
    #[arg(long)]
    reason: Reason,
    #[command(flatten)]
    witnesses: WitnessArgs,
}

#[derive(Clone, Copy, ValueEnum)]
enum Reason {
    /// Somebody else may have the key
    Compromised,
    /// It was due, and nobody else ever had the key
    Scheduled,
}

impl RotateKey {
    pub(crate) fn run(&self, out: &mut dyn Write) -> Result<(), CliError> {
        let opened = self.witnesses.read()?.open(&self.place)?;
        let reason = match self.reason {
            Reason::Compromised => HandoverReason::Compromised,
            Reason::Scheduled => HandoverReason::Scheduled,
        };
        let handover = opened.organisation()?.rotate_log_key(reason)?;
        print(out, &[handover])?;
        Ok(writeln!(out, "note=tell everybody who has the old key; the handover leads them to the new one")?)
    }
}

/// Four lines for each handover.
pub(crate) fn print(out: &mut dyn Write, handovers: &[Handover]) -> Result<(), CliError> {
    for handover in handovers {
        let statement = handover.statement();
        writeln!(out, "entry    {}", handover.receipt().index())?;
        writeln!(out, "reason   {}", statement.reason().name())?;
        writeln!(out, "old      {}", statement.old())?;
        writeln!(out, "new      {}", statement.new_key())?;
    }
    Ok(writeln!(out, "handovers={}", handovers.len())?)
}
