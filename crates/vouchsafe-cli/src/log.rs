//! The log: publish it, prove an entry, recompute it from the rows, or from the published files alone.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use vouchsafe::ledger::{Report, SignedCheckpoint, TileStore, Trust, VerifierKey, verify_tiles};

use crate::folder::{Place, published_log};
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
    /// Write missing and damaged tiles again from the database; verify first, a damaged tile may be evidence
    Rebuild(Publish),
    /// Print the payload of an entry about the organisation itself: a notice, an approved plan, a recovery
    Show(Prove),
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
            Self::Rebuild(rebuild) => {
                let opened = rebuild.place.open()?;
                Ok(writeln!(out, "rebuilt={}", opened.organisation()?.rebuild_log()?)?)
            }
            Self::Show(show) => {
                let opened = show.place.open()?;
                let payload = opened.organisation()?.public_payload(show.entry)?;
                let payload = payload.ok_or(CliError::Missing("a public payload of that entry"))?;
                Ok(writeln!(out, "{}", String::from_utf8_lossy(&payload))?)
            }
        }
    }
}

impl Verify {
    fn run(&self, out: &mut dyn Write) -> Result<(), CliError> {
        let opened = self.place.open()?;
        let organisation = opened.organisation()?;
        let key = organisation.verifier_key()?;
        let report = match &self.checkpoint {
            None => organisation.verify_log()?,
            Some(file) => {
                let checkpoint = remembered(file, &key, &organisation.log_origin()?)?;
                organisation.verify_log_since(checkpoint.checkpoint())?
            }
        };
        print(out, &key, &report)
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
        print(out, &key, &report)
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

/// Prints what was found.
fn print(out: &mut dyn Write, key: &VerifierKey, report: &Report) -> Result<(), CliError> {
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
    if report.is_sound() {
        writeln!(out, "sound")?;
        Ok(())
    } else {
        Err(CliError::NotSound(report.findings().len() as u64 + report.omitted()))
    }
}
