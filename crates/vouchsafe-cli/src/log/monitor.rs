use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use vouchsafe::ledger::{Cosignature, MonitorState, monitor};

use super::trust::TrustArgs;
use super::{conclude, print};
use crate::folder::published_log;
use crate::{CliError, files};

#[derive(Args)]
pub(crate) struct Monitor {
    /// The folder with the published files, or a mirror of it
    #[arg(value_name = "LOGFOLDER")]
    folder: PathBuf,
    #[command(flatten)]
    trust: TrustArgs,
    /// What the last look remembered; made at the first one, replaced only when everything is sound
    #[arg(long, value_name = "FILE")]
    state: PathBuf,
}

impl Monitor {
    pub(crate) fn run(&self, out: &mut dyn Write) -> Result<(), CliError> {
        let known = self.trust.read()?;
        let last = self.last()?;
        let tiles = published_log(&self.folder)?;
        let report = monitor(&tiles, &known.trust(), last.as_ref())?;
        let findings = print(out, report.key(), report.report())?;
        for cosignature in report.cosignatures() {
            writeln!(out, "cosigned {} {}", cosignature.witness().name(), when(cosignature))?;
        }
        match &last {
            None => {
                writeln!(out, "first    nothing was remembered: this checkpoint is trusted on first use")?
            }
            Some(_) if report.consistency_proof().is_some() => {
                writeln!(out, "continues what was remembered")?
            }
            Some(_) => {}
        }
        if let Some(state) = report.state() {
            files::replace(&self.state, WHAT, state.to_string().as_bytes())?;
        }
        conclude(out, findings)
    }

    fn last(&self) -> Result<Option<MonitorState>, CliError> {
        match files::read_text(&self.state, WHAT) {
            Err(CliError::Missing(_)) => Ok(None),
            text => Ok(Some(MonitorState::parse(&text?).map_err(|_| CliError::Malformed(WHAT))?)),
        }
    }
}

/// When a witness cosigned, or the number that it said where that is no date.
pub(super) fn when(cosignature: &Cosignature) -> String {
    instant(cosignature.time())
}

pub(super) fn instant(seconds: u64) -> String {
    let at = i64::try_from(seconds).ok().and_then(|at| vouchsafe::Timestamp::from_second(at).ok());
    at.map_or_else(|| seconds.to_string(), |at| at.to_string())
}

const WHAT: &str = "the state file";
