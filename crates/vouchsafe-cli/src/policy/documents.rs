//! Documents that are written from the running policy, and the comparison of a notice with it.

use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use jiff::civil::Date;
use vouchsafe::retention::documents::{
    Configuration, Edition, Severity, biometric_policy, breach_notice, findings_table, impact_assessment,
    lint, notice,
};

use super::Running;
use crate::{CliError, files, words};

#[derive(Args)]
pub(crate) struct Edited {
    #[command(flatten)]
    written: Written,
    /// The version of the edition
    #[arg(long, value_name = "VERSION")]
    edition: String,
    /// The day from which it applies
    #[arg(long, value_name = "DAY", value_parser = words::date)]
    effective: Date,
}

#[derive(Args)]
pub(crate) struct Written {
    #[command(flatten)]
    running: Running,
    /// Where it is written instead of to the output; never over an existing file
    #[arg(long, value_name = "FILE.md")]
    out: Option<PathBuf>,
}

#[derive(Args)]
pub(crate) struct Lint {
    /// The notice
    #[arg(value_name = "NOTICE.md")]
    notice: PathBuf,
    #[command(flatten)]
    running: Running,
    /// The organisation allows a voice as the only factor of a sign-in, in writing
    #[arg(long)]
    voice_alone: bool,
    /// Leave with 0 where every finding is a note: what the publisher has to answer for
    #[arg(long)]
    allow_notes: bool,
}

#[derive(Clone, Copy)]
pub(crate) enum Kind {
    Assessment,
    Biometric,
    Notice,
}

impl Edited {
    pub(crate) fn run(&self, out: &mut dyn Write, kind: Kind) -> Result<(), CliError> {
        let edition = Edition::new(&self.edition, self.effective)?;
        let policy = self.written.running.load()?;
        let text = match kind {
            Kind::Assessment => impact_assessment(&policy, &edition)?,
            Kind::Biometric => biometric_policy(&policy, &edition)?,
            Kind::Notice => notice(&policy, &edition)?,
        };
        self.written.give(out, &text)
    }
}

impl Written {
    pub(crate) fn run(&self, out: &mut dyn Write) -> Result<(), CliError> {
        self.give(out, &breach_notice(&self.running.load()?)?)
    }

    fn give(&self, out: &mut dyn Write, text: &str) -> Result<(), CliError> {
        match &self.out {
            Some(path) => files::write_new(path, "the document file", text.as_bytes()),
            None => Ok(write!(out, "{text}")?),
        }
    }
}

impl Lint {
    pub(crate) fn run(&self, out: &mut dyn Write) -> Result<(), CliError> {
        let text = files::read_text(&self.notice, "the notice file")?;
        let policy = self.running.load()?;
        let running = Configuration::new(&policy);
        let running = if self.voice_alone { running.with_voice_alone() } else { running };
        let findings = lint(&text, &running);
        if findings.is_empty() {
            return Ok(writeln!(out, "no findings")?);
        }
        write!(out, "{}", findings_table(&findings))?;
        let counted =
            findings.iter().filter(|finding| !self.allow_notes || finding.severity() > Severity::Note);
        match counted.count() {
            0 => Ok(()),
            count => Err(CliError::NoticeFindings(count)),
        }
    }
}
