use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Deserialize;
use serde::de::IgnoredAny;
use vouchsafe::Timestamp;
use vouchsafe::store::{Backup, SqliteStore};
#[cfg(feature = "postgres")]
use vouchsafe::store::{PostgresConfig, PostgresStore};

use super::Opened;
use crate::CliError;
#[cfg(feature = "postgres")]
use crate::files;
use crate::settings::SettingsFile;

const WHAT: &str = "the store file";
const KINDS: &[&str] = &["postgres", "sqlite"];

/// Which database; not opened yet.
pub(crate) enum Database {
    #[cfg(feature = "postgres")]
    Postgres(Box<PostgresConfig>),
    Sqlite(PathBuf),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct SqliteSettings {
    #[serde(rename = "kind")]
    _kind: IgnoredAny,
    path: Option<PathBuf>,
}

#[cfg(feature = "postgres")]
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct PostgresSettings {
    #[serde(rename = "kind")]
    _kind: IgnoredAny,
    address_file: Option<PathBuf>,
    address_env: Option<String>,
    password_file: Option<PathBuf>,
    password_env: Option<String>,
    ca_certificates: Option<PathBuf>,
    max_connections: Option<[usize; 2]>,
    connect_timeout_ms: Option<u64>,
    wait_ms: Option<u64>,
    statement_timeout_ms: Option<u64>,
    idle_timeout_ms: Option<u64>,
    clock_skew_ms: Option<u64>,
}

impl Database {
    /// The one that a file of settings names, or the folder's own.
    pub(crate) fn read(file: Option<&Path>, dir: &Path) -> Result<Self, CliError> {
        let own = dir.join("data/vouchsafe.sqlite");
        let Some(file) = file else { return Ok(Self::Sqlite(own)) };
        let settings = SettingsFile::read(file, WHAT, KINDS)?;
        if settings.kind == "sqlite" {
            let SqliteSettings { path, .. } = settings.settings()?;
            return Ok(Self::Sqlite(path.map_or(own, |path| settings.path(&path))));
        }
        #[cfg(feature = "postgres")]
        return postgres(&settings);
        #[cfg(not(feature = "postgres"))]
        Err(CliError::NotBuilt("postgres", "that database"))
    }

    /// The name of the engine.
    pub(crate) const fn engine(&self) -> &'static str {
        match self {
            #[cfg(feature = "postgres")]
            Self::Postgres(_) => "postgres",
            Self::Sqlite(_) => "sqlite",
        }
    }

    /// Opens it; never makes one.
    pub(crate) fn open(&self) -> Result<Opened, CliError> {
        match self {
            #[cfg(feature = "postgres")]
            Self::Postgres(config) => Ok(Arc::new(PostgresStore::open(config, Timestamp::now())?)),
            Self::Sqlite(path) if path.is_file() => Ok(Arc::new(SqliteStore::open(path)?)),
            Self::Sqlite(_) => Err(CliError::NoDatabase),
        }
    }

    /// The version of its schema; `None` if there is none.
    pub(crate) fn schema(&self) -> Result<Option<u32>, CliError> {
        match self {
            #[cfg(feature = "postgres")]
            Self::Postgres(config) => {
                let report = PostgresStore::inspect(config, Timestamp::now())?;
                match (report.schema, report.fault) {
                    (None, Some(vouchsafe::store::StoreError::OlderSchema)) => Ok(None),
                    (None, Some(fault)) => Err(fault.into()),
                    (schema, _) => Ok(schema),
                }
            }
            Self::Sqlite(path) => Ok(SqliteStore::schema_version(path)?),
        }
    }

    /// The version of the schema that this program makes.
    pub(crate) const fn newest(&self) -> u32 {
        match self {
            #[cfg(feature = "postgres")]
            Self::Postgres(_) => PostgresStore::SCHEMA,
            Self::Sqlite(_) => SqliteStore::SCHEMA,
        }
    }

    /// Makes the schema, or brings it forward.
    pub(crate) fn migrate(&self, service_role: Option<&str>) -> Result<(), CliError> {
        #[cfg(not(feature = "postgres"))]
        let _ = service_role;
        match self {
            #[cfg(feature = "postgres")]
            Self::Postgres(config) => {
                Ok(PostgresStore::migrate(config, service_role.ok_or(CliError::NoServiceRole)?)?)
            }
            Self::Sqlite(path) => Ok(SqliteStore::open(path).map(drop)?),
        }
    }

    /// Restores a backup into it.
    pub(crate) fn restore(&self, backup: &Backup, at: Timestamp) -> Result<(), CliError> {
        match self {
            #[cfg(feature = "postgres")]
            Self::Postgres(config) => Ok(PostgresStore::restore(config, backup, at)?),
            Self::Sqlite(path) => Ok(SqliteStore::restore(path, backup, at)?),
        }
    }
}

#[cfg(feature = "postgres")]
fn postgres(file: &SettingsFile) -> Result<Database, CliError> {
    use std::time::Duration;

    let settings: PostgresSettings = file.settings()?;
    let (from, env) = (settings.address_file.as_ref(), settings.address_env.as_ref());
    let address = file.needed("the address", from, env)?;
    let address =
        str::from_utf8(address.expose_secret()).map_err(|_| file.fault("the address is no text"))?;
    if address.contains("password")
        || address.split_once('@').is_some_and(|(user, _)| user.matches(':').count() > 1)
    {
        return Err(file.fault("the address holds a password: name it with password-file or password-env"));
    }
    let mut config = PostgresConfig::parse(address)?;
    let (from, env) = (settings.password_file.as_ref(), settings.password_env.as_ref());
    if let Some(password) = file.secret("the password", from, env)? {
        config = config.with_password(password.expose_secret());
    }
    if let Some(roots) = &settings.ca_certificates {
        config = config.with_roots(&files::read(&file.path(roots), "the file of CA certificates")?)?;
    }
    if let Some([writers, readers]) = settings.max_connections {
        config = config.with_connections(writers, readers);
    }
    type Set = fn(PostgresConfig, Duration) -> PostgresConfig;
    let bounds: [(Option<u64>, Set); 5] = [
        (settings.connect_timeout_ms, PostgresConfig::with_connect_timeout),
        (settings.wait_ms, PostgresConfig::with_wait),
        (settings.statement_timeout_ms, PostgresConfig::with_statement_timeout),
        (settings.idle_timeout_ms, PostgresConfig::with_idle_timeout),
        (settings.clock_skew_ms, PostgresConfig::with_clock_skew),
    ];
    for (given, set) in bounds {
        if let Some(milliseconds) = given {
            config = set(config, Duration::from_millis(milliseconds));
        }
    }
    Ok(Database::Postgres(Box::new(config)))
}
