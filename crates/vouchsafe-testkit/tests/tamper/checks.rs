//! The verifications, each on its own, so that it can be told which one finds what.

use std::path::Path;

use vouchsafe::ledger::{Report, Trust, verify_tiles};
use vouchsafe::store::FolderTiles;
use vouchsafe::{Error, Organisation, PayloadReport};

use super::base::{Base, Outsider};

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Check {
    /// `verify_log`: rows, tiles and checkpoint.
    Log,
    /// The same, continuing a checkpoint that was remembered elsewhere.
    LogSince,
    /// `verify_tiles`: an outsider with the published files only.
    Tiles,
    /// The same, continuing the remembered checkpoint.
    TilesSince,
    /// `verify_payloads`.
    Payloads,
    /// Its count of payloads that are gone while evidence of destructions is gone too: no finding of its own, and an
    /// alarm here, where nothing is so old that such evidence was destroyed honestly.
    Unaccounted,
    /// The first act of a fresh process.
    Gate,
    /// The next publication.
    Publish,
}

impl Check {
    pub(crate) const ALL: [Self; 8] = [
        Self::Log,
        Self::LogSince,
        Self::Tiles,
        Self::TilesSince,
        Self::Payloads,
        Self::Unaccounted,
        Self::Gate,
        Self::Publish,
    ];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Log => "log",
            Self::LogSince => "log+since",
            Self::Tiles => "tiles",
            Self::TilesSince => "tiles+since",
            Self::Payloads => "payloads",
            Self::Unaccounted => "unaccounted",
            Self::Gate => "gate",
            Self::Publish => "publish",
        }
    }
}

/// A check that did not pass.
pub(crate) struct Alarm {
    pub(crate) check: Check,
    pub(crate) says: String,
    /// Whether it gave no verdict, which nobody may take for a good one.
    pub(crate) is_error: bool,
}

/// Looks at one organisation in a folder with every check; those that may change the folder come last.
pub(crate) fn examine(folder: &Path, base: &Base, outsider: &Outsider) -> Vec<Alarm> {
    let vouchsafe = base.open(folder);
    let organisation = match vouchsafe.organisation(outsider.id) {
        Ok(organisation) => organisation,
        Err(error) => {
            return vec![Alarm { check: Check::Gate, says: error.to_string(), is_error: true }];
        }
    };
    let tiles = FolderTiles::at(folder.join("log").join(outsider.log()));
    let trust = Trust::new(&outsider.key, &outsider.origin);
    let since = trust.remembering(&outsider.remembered);
    Check::ALL
        .into_iter()
        .filter_map(|check| {
            let verdict = match check {
                Check::Log => log(organisation.verify_log()),
                Check::LogSince => log(organisation.verify_log_since(&outsider.remembered)),
                Check::Tiles => log(verify_tiles(&tiles, &trust)),
                Check::TilesSince => log(verify_tiles(&tiles, &since)),
                Check::Payloads => payloads(&organisation, |report| report.is_sound()),
                Check::Unaccounted => payloads(&organisation, |report| report.unaccounted == 0),
                Check::Publish => organisation.publish_log().map(|_| None).map_err(|error| error.to_string()),
                Check::Gate => organisation.plan_retention().map(|_| None).map_err(|error| error.to_string()),
            };
            match verdict {
                Ok(None) => None,
                Ok(Some(says)) => Some(Alarm { check, says, is_error: false }),
                Err(says) => Some(Alarm { check, says, is_error: true }),
            }
        })
        .collect()
}

type Verdict = Result<Option<String>, String>;

fn log<E: std::fmt::Display>(report: Result<Report, E>) -> Verdict {
    let report = report.map_err(|error| error.to_string())?;
    Ok((!report.is_sound()).then(|| format!("{:?}", report.findings())))
}

fn payloads(organisation: &Organisation<'_>, is_right: impl Fn(&PayloadReport) -> bool) -> Verdict {
    let report = match organisation.verify_payloads() {
        // That is what the gate says, before any payload is looked at.
        Err(Error::RecoveryRequired | Error::LogLost | Error::Ledger(_)) => return Ok(None),
        report => report.map_err(|error| error.to_string())?,
    };
    Ok((!is_right(&report)).then(|| format!("{report:?}")))
}
