use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use vouchsafe::PayloadReport;
use vouchsafe::ledger::{LedgerError, Trust, published, read_handovers, verify_tiles};

use super::trust::{Known, TrustArgs, read_policy};
use super::{conclude, print};
use crate::CliError;
use crate::folder::{Place, published_log};

#[derive(Args)]
pub(crate) struct Verify {
    #[command(flatten)]
    place: Place,
    /// A signed checkpoint kept from earlier, which the log must continue
    #[arg(long, value_name = "FILE")]
    checkpoint: Option<PathBuf>,
    /// Demand the quorum of witnesses of this policy (C2SP tlog-policy)
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// Open every payload too: it is what its entry committed to, or a recorded destruction accounts for it
    #[arg(long)]
    payloads: bool,
}

#[derive(Args)]
pub(crate) struct VerifyFiles {
    /// The folder with the published files: checkpoint and tiles
    #[arg(value_name = "LOGFOLDER")]
    folder: PathBuf,
    #[command(flatten)]
    trust: TrustArgs,
    /// A signed checkpoint kept from earlier, which the log must continue
    #[arg(long, value_name = "FILE")]
    checkpoint: Option<PathBuf>,
    /// Follow the published handovers from the given key to the one that signs now
    #[arg(long)]
    handovers: bool,
}

impl Verify {
    pub(crate) fn run(&self, out: &mut dyn Write) -> Result<(), CliError> {
        let policy = read_policy(self.policy.as_deref())?;
        let opened = self.place.open()?;
        let organisation = opened.organisation()?;
        let (key, origin) = (organisation.verifier_key()?, organisation.log_origin()?);
        let known = Known { key, policy };
        let report = match &self.checkpoint {
            None => organisation.verify_log()?,
            Some(file) => {
                let handovers = organisation.log_handovers()?;
                let checkpoint = match known.remembered(file, Trust::new(&known.key, &origin)) {
                    Err(CliError::Ledger(LedgerError::SignatureMissing)) => {
                        // An older key of this log may have signed it.
                        let first = handovers.first().map_or(&known.key, |first| first.statement().old());
                        let oldest = Known { key: first.clone(), policy: known.policy.clone() };
                        oldest.remembered_along(file, &origin, &handovers)?
                    }
                    opened => opened?,
                };
                organisation.verify_log_since(checkpoint.checkpoint())?
            }
        };
        let mut findings = print(out, &known.key, &report)?;
        if let Some(newer) = organisation.newer_checkpoint().ok().flatten() {
            let size = newer.size();
            writeln!(
                out,
                "note     the checkpoint outside is newer, of {size} entries: a publication was cut"
            )?;
            writeln!(
                out,
                "         short, or the file was set back; the next act publishes it as it was signed"
            )?;
        }
        if known.policy.is_some() {
            let tiles = published_log(&self.place.log_folder(&origin))?;
            if let Err(error) = published(&tiles, &known.trust()) {
                writeln!(out, "finding  checkpoint is refused: {error}")?;
                findings += 1;
            }
        }
        if self.payloads {
            findings += payloads(out, &organisation.verify_payloads()?)?;
        }
        conclude(out, findings)
    }
}

fn payloads(out: &mut dyn Write, report: &PayloadReport) -> Result<u64, CliError> {
    writeln!(out, "payloads of {} entries", report.entries)?;
    writeln!(out, "  sealed       {}", report.sealed)?;
    writeln!(out, "  public       {}", report.public)?;
    writeln!(out, "  destroyed    {}", report.destroyed)?;
    writeln!(out, "  unaccounted  {}", report.unaccounted)?;
    for finding in &report.findings {
        writeln!(out, "finding  {finding}")?;
    }
    Ok(report.findings.len() as u64)
}

impl VerifyFiles {
    pub(crate) fn run(&self, out: &mut dyn Write) -> Result<(), CliError> {
        let known = self.trust.read()?;
        let tiles = published_log(&self.folder)?;
        let handovers = if self.handovers { read_handovers(&tiles)? } else { Vec::new() };
        let chain = known.follow(known.origin(), &handovers)?;
        let trust = Trust::chained(&chain);
        let checkpoint = self.checkpoint.as_ref().map(|file| known.remembered(file, trust)).transpose()?;
        let trust = known.demanding(trust);
        let trust = checkpoint.as_ref().map_or(trust, |signed| trust.remembering(signed.checkpoint()));
        let report = verify_tiles(&tiles, &trust)?;
        let findings = print(out, chain.current(), &report)?;
        conclude(out, findings)
    }
}
