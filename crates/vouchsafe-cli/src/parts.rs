//! Which database, and where logs and key states lie: the folder's own, or what files of settings name.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use vouchsafe::envelope::port::KeyService;
use vouchsafe::store::Store;
use vouchsafe::{Error, Ports};

use crate::{CliError, service};

#[cfg(feature = "objects")]
mod buckets;
mod database;
mod logs;

pub(crate) use database::Database;
pub(crate) use logs::Logs;

/// What `vouchsafe store --help` says of the files.
pub(crate) const HELP: &str = "\
The file that --store names is TOML. Its kind decides which settings it takes; a relative path starts at its folder.
Secrets stand in files of their own, readable by their owner only (0600), or in the environment:

  kind = \"sqlite\"
    path               of the database; data/vouchsafe.sqlite in the folder without it

  kind = \"postgres\"
    address-file       or address-env: the connection string, without the password, for example
                       host=db.example dbname=vouchsafe user=vouchsafe_service sslmode=require
    password-file      or password-env
    ca-certificates    PEM file; no other root is trusted
    max-connections    of those that write and of those that read, [4, 8] without it
    connect-timeout-ms, wait-ms, statement-timeout-ms, idle-timeout-ms, clock-skew-ms

The file that --logs names says where logs are published, and where what must survive a restore is kept:

  kind = \"folder\"
    published          log/ in the folder without it
    outside            of the newest checkpoints; outside/checkpoints in the folder without it

  kind = \"bucket\"
    endpoint           https://host:port
    region, addressing (path or host), ca-certificates, timeout-ms
    published, outside two buckets: what anybody may read, and the newest checkpoints with the leases
    states             a bucket for the second place of the key states; outside/state in the folder without it
    fences             a bucket for the fence journals; outside/fences in the folder without it
    access-key-file    or access-key-env
    secret-key-file    or secret-key-env";

/// The parts that a folder of defaults is opened with.
#[derive(Args, Clone, Default)]
pub(crate) struct Parts {
    /// The key service, as TOML (see `vouchsafe keys --help`); without it the folder's key file
    #[arg(long, value_name = "FILE")]
    pub(crate) keys: Option<PathBuf>,
    /// The database, as TOML (see `vouchsafe store --help`); without it the folder's SQLite file
    #[arg(long, value_name = "FILE")]
    pub(crate) store: Option<PathBuf>,
    /// Where logs and their outside copy lie, as TOML (see `vouchsafe store --help`); without it the folder
    #[arg(long, value_name = "FILE")]
    pub(crate) logs: Option<PathBuf>,
}

/// A folder with its parts, without an organisation.
#[derive(Args)]
pub(crate) struct Site {
    /// The folder that holds data, keys and log
    #[arg(long, value_name = "FOLDER")]
    pub(crate) dir: PathBuf,
    #[command(flatten)]
    pub(crate) parts: Parts,
}

impl Site {
    /// Opens everything; never makes a folder or a database.
    pub(crate) fn ports(&self) -> Result<Ports, CliError> {
        self.parts.ports(&self.dir)
    }

    /// The database alone, whatever state it is in.
    pub(crate) fn database(&self) -> Result<Database, CliError> {
        if !is_folder(&self.dir) {
            return Err(CliError::Missing("the folder"));
        }
        Database::read(self.parts.store.as_deref(), &self.dir)
    }
}

impl Parts {
    pub(crate) fn ports(&self, dir: &Path) -> Result<Ports, CliError> {
        if !is_folder(dir) {
            return Err(CliError::Missing("the folder"));
        }
        let store = Database::read(self.store.as_deref(), dir)?.open()?;
        let mut ports =
            Ports::in_folder_on(dir, self.key_service(dir)?, store).map_err(|error| match error {
                Error::KeysMissing if self.keys.is_none() => CliError::KeysMissing,
                error => CliError::Facade(error),
            })?;
        Logs::read(self.logs.as_deref(), dir)?.into_ports(dir, &mut ports)?;
        Ok(ports)
    }

    fn key_service(&self, dir: &Path) -> Result<Arc<dyn KeyService>, CliError> {
        match &self.keys {
            Some(file) => service::open(file, Some(dir)),
            // The folder's own is never made here: fresh keys would hide that the old ones are lost.
            None => service::open_own(dir).map_err(|error| match error {
                CliError::Missing(_) => CliError::KeysMissing,
                error => error,
            }),
        }
    }
}

/// The database as an engine-independent store.
pub(crate) type Opened = Arc<dyn Store>;

pub(crate) fn is_folder(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|metadata| metadata.is_dir())
}
