//! The log: publish it, prove an entry, verify it, have it witnessed, watch it, hand its key over.

use std::io::Write;

use clap::{Args, Subcommand};
use vouchsafe::ledger::{Report, VerifierKey};

use crate::CliError;
use crate::folder::Place;

mod fsck;
mod handover;
mod monitor;
pub(crate) mod trust;
mod verify;
mod witness;

pub(crate) use trust::parse_key;
pub(crate) use witness::WitnessArgs;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Recompute the log from the database and compare every published byte; 1 if it is not sound
    Verify(verify::Verify),
    /// Recompute a log from its published files alone, as an outsider; 1 if it is not sound
    VerifyFiles(verify::VerifyFiles),
    /// Look at a published log from elsewhere, and remember it: it must continue what was seen before
    Monitor(monitor::Monitor),
    /// Print the proof that an entry is in the log (C2SP tlog-proof); publishes first when needed
    Prove(Prove),
    /// Publish every committed entry and print the signed checkpoint; keep it where nobody restores it
    Publish(Publish),
    /// Publish, and ask witnesses to cosign the checkpoint; 1 if the quorum, or without a policy one of them, is missing
    Cosign(witness::Cosign),
    /// Say what is wrong, then write missing and damaged tiles again from the database; never the signed checkpoint
    Fsck(fsck::Fsck),
    /// Print the payload of an entry about the organisation itself: a notice, an approved plan, a recovery
    Show(Prove),
    /// Sign with a fresh key from here on; the log says so under the old one. Call it again after an interruption
    RotateKey(handover::RotateKey),
    /// Print the handovers of the log's key, oldest first
    Handovers(Publish),
}

#[derive(Args)]
pub(crate) struct Prove {
    #[command(flatten)]
    place: Place,
    /// The number of the entry, from 0
    entry: u64,
}

#[derive(Args)]
pub(crate) struct Publish {
    #[command(flatten)]
    place: Place,
}

impl Command {
    pub(crate) fn run(&self, out: &mut dyn Write) -> Result<(), CliError> {
        match self {
            Self::Verify(verify) => verify.run(out),
            Self::VerifyFiles(verify) => verify.run(out),
            Self::Monitor(monitor) => monitor.run(out),
            Self::Prove(prove) => {
                let opened = prove.place.open()?;
                Ok(write!(out, "{}", opened.organisation()?.prove(prove.entry)?)?)
            }
            Self::Publish(publish) => {
                let opened = publish.place.open()?;
                Ok(write!(out, "{}", opened.organisation()?.publish_log()?.note())?)
            }
            Self::Cosign(cosign) => cosign.run(out),
            Self::Fsck(fsck) => fsck.run(out),
            Self::Show(show) => {
                let opened = show.place.open()?;
                let payload = opened.organisation()?.public_payload(show.entry)?;
                let payload = payload.ok_or(CliError::Missing("a public payload of that entry"))?;
                Ok(writeln!(out, "{}", String::from_utf8_lossy(&payload).trim_end())?)
            }
            Self::RotateKey(rotate) => rotate.run(out),
            Self::Handovers(handovers) => {
                let opened = handovers.place.open()?;
                handover::print(out, &opened.organisation()?.log_handovers()?)
            }
        }
    }
}

/// Prints the head of a log and what was found; gives how much that is.
fn print(out: &mut dyn Write, key: &VerifierKey, report: &Report) -> Result<u64, CliError> {
    match report.checkpoint() {
        Some(head) => {
            // Its three lines are origin, size and root.
            let text = head.to_string();
            writeln!(out, "origin   {}", head.origin())?;
            writeln!(out, "size     {}", head.size())?;
            writeln!(out, "root     {}", text.lines().nth(2).unwrap_or_default())?;
        }
        None => writeln!(out, "size     unknown: no checkpoint can be believed")?,
    }
    writeln!(out, "key      {key}")?;
    writeln!(out, "checked  {} entries", report.leaves())?;
    for finding in report.findings() {
        writeln!(out, "finding  {finding}")?;
    }
    let findings = report.findings().len() as u64 + report.omitted();
    Ok(if report.is_sound() { 0 } else { findings.max(1) })
}

/// Says that everything is in order, unless something was found.
fn conclude(out: &mut dyn Write, findings: u64) -> Result<(), CliError> {
    if findings == 0 { Ok(writeln!(out, "sound")?) } else { Err(CliError::NotSound(findings)) }
}
