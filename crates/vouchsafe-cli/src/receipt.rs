//! The receipts that people keep, checked with nothing but the log's key.

use std::io::Write;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::Value;
use vouchsafe::Receipt;
use vouchsafe::ledger::{Checkpoint, Handover, Leaf, Receipt as Proof, Trust};

use crate::log::trust::TrustArgs;
use crate::{CliError, files};

mod show;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Check a receipt offline and print what its entry commits to; 1 if it does not verify
    Verify(Verify),
    /// Print a receipt of consent for people or for machines, with the notice that the act answered; checks no proof
    Show(show::Show),
}

#[derive(Args)]
pub(crate) struct Verify {
    /// The receipt, as JSON
    #[arg(value_name = "RECEIPT.json")]
    file: PathBuf,
    #[command(flatten)]
    trust: TrustArgs,
    /// The origin of the log, where it is another than the key's name
    #[arg(long)]
    origin: Option<String>,
    /// A handover of the log's key that the given key leads to the receipt's by; repeat it, oldest first
    #[arg(long = "handover", value_name = "FILE")]
    handovers: Vec<PathBuf>,
    /// A newer proof of the entry (`log prove`), in the place of the receipt's own
    #[arg(long, value_name = "PROOF")]
    proof: Option<PathBuf>,
}

impl Command {
    pub(crate) fn run(&self, out: &mut dyn Write) -> Result<(), CliError> {
        match self {
            Self::Verify(verify) => verify.run(out),
            Self::Show(show) => show.run(out),
        }
    }
}

impl Verify {
    fn run(&self, out: &mut dyn Write) -> Result<(), CliError> {
        let known = self.trust.read()?;
        let origin = self.origin.as_deref().unwrap_or(known.origin());
        let receipt = Receipt::from_json(&files::read_text(&self.file, "the receipt file")?)?;
        let chain = known.follow(origin, &self.read_handovers()?)?;
        let head = self.head(&receipt, &known.demanding(Trust::chained(&chain)))?;
        if receipt.origin()? != head.origin() {
            return Err(CliError::Malformed("the origin of the receipt's entry"));
        }
        let leaf = Leaf::from_bytes(receipt.leaf())?;
        writeln!(out, "kind       {}", leaf.kind.name())?;
        writeln!(out, "entry      {} of the {} that were signed", receipt.entry(), head.size())?;
        writeln!(out, "origin     {}", head.origin())?;
        writeln!(out, "key        {}", chain.current())?;
        commits(out, receipt.payload())?;
        Ok(writeln!(out, "verified")?)
    }

    /// The signed head that the entry is under.
    fn head(&self, receipt: &Receipt, trust: &Trust<'_>) -> Result<Checkpoint, CliError> {
        if let Some(file) = &self.proof {
            let proof = Proof::parse(&files::read_text(file, "the proof file")?)?;
            // `Receipt::from_json` saw to it that the entry commits to the payload.
            return match proof.index() == receipt.entry() {
                true => Ok(proof.verify_with(receipt.leaf(), trust)?),
                false => Err(CliError::OtherEntry),
            };
        }
        if receipt.proof().is_some() { Ok(receipt.verify(trust)?) } else { Err(CliError::NoProof) }
    }

    fn read_handovers(&self) -> Result<Vec<Handover>, CliError> {
        const WHAT: &str = "the handover file";
        let read =
            |file| Handover::parse(&files::read_text(file, WHAT)?).map_err(|_| CliError::Malformed(WHAT));
        self.handovers.iter().map(|file| read(file)).collect()
    }
}

/// What the entry commits to, one line each.
fn commits(out: &mut dyn Write, payload: &[u8]) -> Result<(), CliError> {
    let payload: Value =
        serde_json::from_slice(payload).map_err(|_| CliError::Malformed("the receipt's payload"))?;
    let mut pending = vec![(String::new(), &payload)];
    while let Some((name, value)) = pending.pop() {
        match value {
            Value::Object(members) => pending.extend(members.iter().rev().map(|(member, value)| {
                (if name.is_empty() { member.clone() } else { format!("{name}.{member}") }, value)
            })),
            Value::String(text) if !text.chars().any(char::is_control) => {
                writeln!(out, "commits to {name} {text}")?;
            }
            value => writeln!(out, "commits to {name} {value}")?,
        }
    }
    Ok(())
}
