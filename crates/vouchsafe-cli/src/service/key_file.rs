use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::IgnoredAny;
use vouchsafe::types::SecretBytes;
use vouchsafe_keys::{KeyFile, KeysError};

use crate::CliError;
use crate::service::WHAT;
use crate::settings::SettingsFile;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Settings {
    #[serde(rename = "kind")]
    _kind: IgnoredAny,
    path: Option<PathBuf>,
    passphrase_file: Option<PathBuf>,
    passphrase_env: Option<String>,
}

pub(super) fn from_settings(file: &SettingsFile, dir: Option<&Path>) -> Result<KeyFile, CliError> {
    let settings: Settings = file.settings()?;
    let (from, env) = (settings.passphrase_file.as_ref(), settings.passphrase_env.as_ref());
    let passphrase = file.secret("the passphrase", from, env)?;
    open(&path(settings.path.map(|path| file.path(&path)), dir)?, passphrase.as_ref())
}

/// The named key file, or that of the folder.
pub(super) fn path(named: Option<PathBuf>, dir: Option<&Path>) -> Result<PathBuf, CliError> {
    let default = || dir.map(|dir| dir.join("keys/service.keys"));
    named.or_else(default).ok_or_else(|| CliError::Settings(WHAT, "`path` is missing".to_owned()))
}

pub(super) fn open(path: &Path, passphrase: Option<&SecretBytes>) -> Result<KeyFile, CliError> {
    let opened = match passphrase {
        Some(passphrase) => KeyFile::open_with_passphrase(path, passphrase),
        None => KeyFile::open(path),
    };
    opened.map_err(|error| match error {
        KeysError::Missing => CliError::Missing("the key file"),
        error => CliError::KeyService(error),
    })
}
