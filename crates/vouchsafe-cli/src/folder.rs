//! The folder and organisation that operator commands act on. Neither is ever made by a typo.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use vouchsafe::envelope::EnvelopeError;
use vouchsafe::retention::Policy;
use vouchsafe::store::FolderTiles;
use vouchsafe::{Clock, Organisation, OrganisationId, Ports, Vouchsafe};

use crate::CliError;

/// Where the data lies, and whose it is.
#[derive(Args)]
pub(crate) struct Place {
    /// The folder that holds data, keys and log
    #[arg(long, value_name = "FOLDER")]
    dir: PathBuf,
    /// The organisation
    #[arg(long, value_name = "ID")]
    org: String,
}

/// An opened folder in which the organisation is known.
pub(crate) struct Opened {
    service: Vouchsafe,
    id: OrganisationId,
    policy: Policy,
}

impl Place {
    /// Opens the folder under the system's clock, without face models.
    pub(crate) fn open(&self) -> Result<Opened, CliError> {
        self.open_with(|ports| ports)
    }

    /// As [`Self::open`], under another clock.
    pub(crate) fn open_at(&self, clock: Arc<dyn Clock>) -> Result<Opened, CliError> {
        self.open_with(|ports| ports.with_clock(clock))
    }

    fn open_with(&self, adjust: impl FnOnce(Ports) -> Ports) -> Result<Opened, CliError> {
        let id = OrganisationId::parse(&self.org)?;
        if !is_folder(&self.dir) {
            return Err(CliError::Missing("the folder"));
        }
        // `Ports::in_folder` makes what is missing; here that would hide a wrong path behind an empty database.
        if !self.dir.join("data/vouchsafe.sqlite").is_file() {
            return Err(CliError::NoDatabase);
        }
        let ports = adjust(Ports::in_folder(&self.dir)?);
        if !is_known(&ports, &id)? {
            return Err(CliError::UnknownOrganisation);
        }
        let policy = ports.retention.clone();
        Ok(Opened { service: Vouchsafe::open_with(ports), id, policy })
    }
}

impl Opened {
    /// The organisation.
    pub(crate) fn organisation(&self) -> Result<Organisation<'_>, CliError> {
        Ok(self.service.organisation(self.id.as_str())?)
    }

    /// The retention policy in force.
    pub(crate) const fn policy(&self) -> &Policy {
        &self.policy
    }
}

/// A folder that holds a published log, which opening never makes.
pub(crate) fn published_log(folder: &Path) -> Result<FolderTiles, CliError> {
    if !is_folder(folder) {
        return Err(CliError::Missing("the log folder"));
    }
    if !folder.join(vouchsafe::ledger::CHECKPOINT_PATH).is_file() {
        return Err(CliError::NoLog);
    }
    Ok(FolderTiles::at(folder))
}

fn is_folder(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|metadata| metadata.is_dir())
}

/// Rows or keys know it: a restored database may be older than the organisation.
fn is_known(ports: &Ports, id: &OrganisationId) -> Result<bool, vouchsafe::Error> {
    let in_rows = vouchsafe::store::read(&*ports.store, |rows| {
        rows.organisation_exists(id).map_err(vouchsafe::Error::from)
    })?;
    let keys = || ports.keys.list(id).map_err(EnvelopeError::KeyService);
    Ok(in_rows || !keys()?.is_empty())
}
