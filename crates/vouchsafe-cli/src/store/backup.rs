use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use vouchsafe::Vouchsafe;
use vouchsafe::store::backup::Manifest;

use crate::CliError;
use crate::parts::Site;

#[derive(Args)]
pub(crate) struct Backup {
    #[command(flatten)]
    site: Site,
    /// The folder of the backup, which is not there yet
    #[arg(long, value_name = "FOLDER")]
    to: PathBuf,
}

impl Backup {
    pub(crate) fn run(&self, out: &mut dyn Write) -> Result<(), CliError> {
        let service = Vouchsafe::open_with(self.site.ports()?);
        let backup = service.backup(&self.to)?;
        print(out, backup.manifest())
    }
}

/// What a backup holds, a line each.
pub(super) fn print(out: &mut dyn Write, manifest: &Manifest) -> Result<(), CliError> {
    writeln!(out, "engine    {}", manifest.engine())?;
    writeln!(out, "schema    {}", manifest.schema())?;
    writeln!(out, "taken     {}", manifest.at())?;
    writeln!(out, "bytes     {}", manifest.bytes())?;
    writeln!(out, "rows      {}", manifest.tables().map(|(_, rows)| rows).sum::<u64>())?;
    for copied in manifest.organisations() {
        let checkpoint = match copied.checkpoint() {
            Some(head) => format!("checkpoint of {}", head.size()),
            None => "no checkpoint".to_owned(),
        };
        writeln!(out, "holds     {}, {} entries, {checkpoint}", copied.id(), copied.entries())?;
    }
    Ok(())
}
