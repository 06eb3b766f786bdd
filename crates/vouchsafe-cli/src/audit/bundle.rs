use std::io::Write;
use std::path::PathBuf;

use clap::Args;

use super::named;
use crate::CliError;
use crate::folder::Place;
use crate::log::WitnessArgs;

#[derive(Args)]
pub(crate) struct Bundle {
    #[command(flatten)]
    place: Place,
    /// The folder that is written: new, or empty
    #[arg(long, value_name = "FOLDER")]
    to: PathBuf,
    #[command(flatten)]
    witnesses: WitnessArgs,
    /// Change nothing: what there is to show of an organisation that waits for its recovery, without certificates
    #[arg(long)]
    as_it_is: bool,
}

impl Bundle {
    pub(crate) fn run(&self, out: &mut dyn Write) -> Result<(), CliError> {
        let witnesses = self.witnesses.read()?;
        let policy = witnesses.policy.clone();
        let opened = witnesses.open(&self.place)?;
        let organisation = opened.organisation()?;
        if self.as_it_is {
            let report = organisation.export_evidence(&self.to)?;
            writeln!(out, "size          {}", report.counts().entries)?;
            writeln!(out, "findings      {}", report.findings().len())?;
            writeln!(out, "key           {}", organisation.verifier_key()?)?;
            return Ok(());
        }
        let bundle = organisation.audit_bundle(&self.to).map_err(named)?;
        writeln!(out, "entry         {}", bundle.entry())?;
        writeln!(out, "size          {}", bundle.signed().checkpoint().size())?;
        writeln!(out, "certificates  {}", bundle.certificates())?;
        writeln!(out, "files         {}, {} bytes", bundle.files(), bundle.bytes())?;
        writeln!(out, "key           {}", organisation.verifier_key()?)?;
        // What was written is sound; who demands the quorum will refuse it.
        Ok(policy.map_or(Ok(()), |policy| policy.check_quorum(bundle.signed()))?)
    }
}
