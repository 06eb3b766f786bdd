//! The folder and organisation that operator commands act on. Neither is ever made by a typo.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use jiff::SignedDuration;
use vouchsafe::envelope::CachePolicy;
use vouchsafe::envelope::EnvelopeError;
use vouchsafe::envelope::port::KeyService;
use vouchsafe::ledger::VerifierKey;
use vouchsafe::retention::Policy;
use vouchsafe::store::{FolderTiles, Store};
use vouchsafe::{Clock, Error, Organisation, OrganisationId, Ports, Residence, Timestamp, Vouchsafe};

use crate::parts::{Parts, is_folder};
use crate::{CliError, policy};

/// Where the data lies, and whose it is.
#[derive(Args)]
pub(crate) struct Place {
    /// The folder that holds data, keys and log
    #[arg(long, value_name = "FOLDER")]
    dir: PathBuf,
    /// The organisation
    #[arg(long, value_name = "ID")]
    org: String,
    #[command(flatten)]
    parts: Parts,
    /// A pack of the organisation's own, behind those that ship; repeat it, in the order of the policy in force
    #[arg(long = "pack", value_name = "PACK.toml")]
    packs: Vec<PathBuf>,
}

/// An opened folder in which the organisation is known.
pub(crate) struct Opened {
    service: Vouchsafe,
    id: OrganisationId,
    policy: Policy,
    store: Arc<dyn Store>,
    keys: Arc<dyn KeyService>,
    cache: CachePolicy,
    clock: Arc<dyn Clock>,
}

impl Place {
    pub(crate) const fn new(dir: PathBuf, org: String, parts: Parts) -> Self {
        Self { dir, org, parts, packs: Vec::new() }
    }

    /// Under the policy of these packs, behind those that ship.
    pub(crate) fn with_packs(self, packs: Vec<PathBuf>) -> Self {
        Self { packs, ..self }
    }

    /// Opens the folder under the system's clock, without face models.
    pub(crate) fn open(&self) -> Result<Opened, CliError> {
        self.open_with(|ports| ports)
    }

    /// As [`Self::open`], where the packs at hand make the policy in force: whatever is decided is decided by it.
    pub(crate) fn open_in_force(&self) -> Result<Opened, CliError> {
        let opened = self.open()?;
        let status = opened.organisation()?.retention_status(SignedDuration::ZERO)?;
        if status.is_current { Ok(opened) } else { Err(CliError::Facade(Error::PolicyNotActivated)) }
    }

    /// As [`Self::open`], under another clock.
    pub(crate) fn open_at(&self, clock: Arc<dyn Clock>) -> Result<Opened, CliError> {
        self.open_with(|ports| ports.with_clock(clock))
    }

    /// As [`Self::open`], with other ports.
    pub(crate) fn open_with(&self, adjust: impl FnOnce(Ports) -> Ports) -> Result<Opened, CliError> {
        let id = self.id()?;
        let policy = policy::load(&self.packs, false)?;
        let mut ports = self.parts.ports(&self.dir)?;
        ports.residence = Residence::as_stated(&policy);
        ports.retention = policy;
        let ports = adjust(ports);
        if !is_known(&ports, &id)? {
            return Err(CliError::UnknownOrganisation);
        }
        let (policy, cache) = (ports.retention.clone(), ports.cache);
        let (store, keys) = (Arc::clone(&ports.store), Arc::clone(&ports.keys));
        let clock = Arc::clone(&ports.clock);
        Ok(Opened { service: Vouchsafe::open_with(ports), id, policy, store, keys, cache, clock })
    }

    /// Adds a key to those whose approvals count.
    pub(crate) fn append_approver(&self, key: &VerifierKey) -> Result<(), CliError> {
        let file = self.dir.join("keys/approvers");
        let known = fs::read_to_string(&file).unwrap_or_default();
        if known.lines().any(|line| line == key.to_string()) {
            return Ok(());
        }
        let mut options = fs::OpenOptions::new();
        options.append(true).create(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(file)?;
        writeln!(file, "{key}")?;
        Ok(file.sync_all()?)
    }

    /// The identifier of the organisation.
    pub(crate) fn id(&self) -> Result<OrganisationId, CliError> {
        Ok(OrganisationId::parse(&self.org)?)
    }

    /// The folder of the organisation's published log.
    pub(crate) fn log_folder(&self, origin: &str) -> PathBuf {
        self.dir.join("log").join(origin.rsplit('/').next().unwrap_or_default())
    }

    /// The places of the key state, by name; the first one holds the locks.
    pub(crate) fn state_places(&self) -> [(&'static str, PathBuf); 2] {
        ["keys", "outside"].map(|name| (name, self.dir.join(name).join("state")))
    }
}

impl Opened {
    /// The organisation.
    pub(crate) fn organisation(&self) -> Result<Organisation<'_>, CliError> {
        Ok(self.service.organisation(self.id.as_str())?)
    }

    /// The instant by the clock that it was opened under.
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Its identifier.
    pub(crate) const fn id(&self) -> &OrganisationId {
        &self.id
    }

    /// The database.
    pub(crate) fn store(&self) -> &dyn Store {
        &*self.store
    }

    /// The key service.
    pub(crate) fn keys(&self) -> Arc<dyn KeyService> {
        Arc::clone(&self.keys)
    }

    /// How a process keeps unsealed key states.
    pub(crate) const fn cache(&self) -> CachePolicy {
        self.cache
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

/// Rows or keys know it: a restored database may be older than the organisation.
fn is_known(ports: &Ports, id: &OrganisationId) -> Result<bool, Error> {
    let in_rows =
        vouchsafe::store::read(&*ports.store, id, |rows| rows.organisation_exists(id).map_err(Error::from))?;
    let keys = || ports.keys.list(id).map_err(EnvelopeError::KeyService);
    Ok(in_rows || !keys()?.is_empty())
}
