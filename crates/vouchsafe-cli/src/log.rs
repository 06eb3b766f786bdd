//! The log: publish it, prove an entry, recompute it from the rows, or from the published files alone.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use vouchsafe::Organisation;
use vouchsafe::ledger::{Report, SignedCheckpoint, TileStore, Trust, VerifierKey, verify_tiles};

use crate::folder::{Opened, Place, published_log};
use crate::{CliError, files};

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Recompute the log from the database and compare every published byte; 1 if it is not sound
    Verify(Verify),
    /// Recompute a log from its published files alone, as an outsider; 1 if it is not sound
    VerifyFiles(VerifyFiles),
    /// Print the proof that an entry is in the log (C2SP tlog-proof); publishes first when needed
    Prove(Prove),
    /// Publish every committed entry and print the signed checkpoint; keep it where nobody restores it
    Publish(Publish),
}

#[derive(Args)]
pub(crate) struct Verify {
    #[command(flatten)]
    place: Place,
    /// A signed checkpoint kept from earlier, which the log must continue
    #[arg(long, value_name = "FILE")]
    checkpoint: Option<PathBuf>,
}

#[derive(Args)]
pub(crate) struct VerifyFiles {
    /// The folder with the published files: checkpoint and tiles
    #[arg(value_name = "LOGFOLDER")]
    folder: PathBuf,
    /// The log's verifier key, obtained from somewhere else than this folder
    #[arg(long, value_name = "VKEY")]
    key: String,
    /// A signed checkpoint kept from earlier, which the log must continue
    #[arg(long, value_name = "FILE")]
    checkpoint: Option<PathBuf>,
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
            Self::Prove(prove) => {
                let opened = prove.place.open()?;
                Ok(write!(out, "{}", opened.organisation()?.prove(prove.entry)?)?)
            }
            Self::Publish(publish) => {
                let opened = publish.place.open()?;
                Ok(write!(out, "{}", opened.organisation()?.publish_log()?.note())?)
            }
        }
    }
}

impl Verify {
    fn run(&self, out: &mut dyn Write) -> Result<(), CliError> {
        let opened = self.place.open()?;
        let organisation = opened.organisation()?;
        let key = organisation.verifier_key()?;
        let report = organisation.verify_log()?;
        let remembered = self.continues(&opened, &organisation, &key)?;
        print(out, &key, &report, remembered.as_ref())
    }

    /// Whether the published files continue the remembered checkpoint; the rows were compared with them already.
    fn continues(
        &self,
        opened: &Opened,
        organisation: &Organisation<'_>,
        key: &VerifierKey,
    ) -> Result<Option<Report>, CliError> {
        let Some(file) = &self.checkpoint else { return Ok(None) };
        let origin = organisation.log_origin()?;
        let checkpoint = remembered(file, key, &origin)?;
        continued(&opened.tiles(&origin)?, key, &origin, Some(&checkpoint)).map(Some)
    }
}

impl VerifyFiles {
    fn run(&self, out: &mut dyn Write) -> Result<(), CliError> {
        let key = parse_key(&self.key)?;
        // The logs of vouchsafe sign under their origin.
        let origin = key.name().to_owned();
        let checkpoint = self.checkpoint.as_ref().map(|file| remembered(file, &key, &origin)).transpose()?;
        let tiles = published_log(&self.folder)?;
        let report = continued(&tiles, &key, &origin, checkpoint.as_ref())?;
        print(out, &key, &report, None)
    }
}

/// Reads a verifier key from the command line.
pub(crate) fn parse_key(text: &str) -> Result<VerifierKey, CliError> {
    VerifierKey::parse(text.trim()).map_err(|_| CliError::Malformed("the verifier key"))
}

fn remembered(file: &Path, key: &VerifierKey, origin: &str) -> Result<SignedCheckpoint, CliError> {
    let note = files::read_text(file, "the checkpoint file")?;
    Ok(SignedCheckpoint::open(&note, key, origin)?)
}

fn continued(
    tiles: &dyn TileStore,
    key: &VerifierKey,
    origin: &str,
    checkpoint: Option<&SignedCheckpoint>,
) -> Result<Report, CliError> {
    let trust = Trust::new(key, origin);
    let trust = checkpoint.map_or(trust, |signed| trust.remembering(signed.checkpoint()));
    Ok(verify_tiles(tiles, &trust)?)
}

/// Prints what was found; the findings of both reports count once.
fn print(
    out: &mut dyn Write,
    key: &VerifierKey,
    report: &Report,
    remembered: Option<&Report>,
) -> Result<(), CliError> {
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
    let more = remembered.map(Report::findings).unwrap_or_default();
    let findings: Vec<_> =
        report.findings().iter().chain(more.iter().filter(|f| !report.findings().contains(f))).collect();
    for finding in &findings {
        writeln!(out, "finding  {finding}")?;
    }
    let count = findings.len() as u64 + report.omitted();
    if report.is_sound() && remembered.is_none_or(Report::is_sound) {
        writeln!(out, "sound")?;
        Ok(())
    } else {
        Err(CliError::NotSound(count))
    }
}
