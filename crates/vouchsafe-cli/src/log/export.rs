use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use vouchsafe::ledger::read_handovers;
use vouchsafe::store::FolderTiles;
use vouchsafe::{Error, ExportReport, verify_export};

use super::trust::TrustArgs;
use super::witness::WitnessArgs;
use crate::CliError;
use crate::folder::Place;

#[derive(Args)]
pub(crate) struct Export {
    #[command(flatten)]
    place: Place,
    /// The folder that is written: new, or empty
    #[arg(long, value_name = "FOLDER")]
    to: PathBuf,
    #[command(flatten)]
    witnesses: WitnessArgs,
}

#[derive(Args)]
pub(crate) struct VerifyExport {
    /// The folder of the export
    folder: PathBuf,
    #[command(flatten)]
    trust: TrustArgs,
    /// A signed checkpoint kept from earlier, which the log must continue
    #[arg(long, value_name = "FILE")]
    checkpoint: Option<PathBuf>,
}

const WHAT: &str = "the export folder";

impl Export {
    pub(crate) fn run(&self, out: &mut dyn Write) -> Result<(), CliError> {
        let witnesses = self.witnesses.read()?;
        let policy = witnesses.policy.clone();
        let opened = witnesses.open(&self.place)?;
        let organisation = opened.organisation()?;
        let export = organisation.export_log(&self.to).map_err(named)?;
        writeln!(out, "entry    {}", export.entry())?;
        writeln!(out, "size     {}", export.signed().checkpoint().size())?;
        writeln!(out, "files    {}, {} bytes", export.files(), export.bytes())?;
        writeln!(out, "key      {}", organisation.verifier_key()?)?;
        // What was written is sound; who demands the quorum will refuse it.
        Ok(policy.map_or(Ok(()), |policy| policy.check_quorum(export.signed()))?)
    }
}

impl VerifyExport {
    pub(crate) fn run(&self, out: &mut dyn Write) -> Result<(), CliError> {
        let known = self.trust.read()?;
        let handovers = read_handovers(&FolderTiles::at(self.folder.join("log"))).unwrap_or_default();
        let kept = |file: &PathBuf| known.remembered_along(file, known.origin(), &handovers);
        let kept = self.checkpoint.as_ref().map(kept).transpose()?;
        let trust = known.trust();
        let trust = kept.as_ref().map_or(trust, |signed| trust.remembering(signed.checkpoint()));
        print(out, &verify_export(&self.folder, &trust).map_err(named)?)
    }
}

fn print(out: &mut dyn Write, report: &ExportReport) -> Result<(), CliError> {
    if let Some(head) = report.checkpoint() {
        writeln!(out, "origin   {}", head.origin())?;
        writeln!(out, "size     {}", head.size())?;
        writeln!(out, "root     {}", head.to_string().lines().nth(2).unwrap_or_default())?;
    }
    if let Some(key) = report.key() {
        writeln!(out, "key      {key}")?;
    }
    writeln!(out, "files    {}", report.files())?;
    writeln!(out, "checked  {} entries", report.entries())?;
    writeln!(out, "public   {} payload(s), {} lost by a recovery", report.public(), report.lost())?;
    writeln!(out, "notices  {}", report.notices())?;
    for finding in report.findings() {
        writeln!(out, "finding  {finding}")?;
    }
    if report.is_sound() {
        return Ok(writeln!(out, "sound")?);
    }
    Err(CliError::ExportNotSound((report.findings().len() as u64 + report.omitted()).max(1)))
}

/// Says which folder it was.
fn named(error: Error) -> CliError {
    match error {
        Error::Folder(kind) => CliError::file(WHAT, &kind.into()),
        error => CliError::Facade(error),
    }
}
